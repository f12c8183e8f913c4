"""Which pixels paths cover, and which they show: by pixel centres, for counting, naming and measuring."""

from __future__ import annotations

import numpy as np

from .drawing import Drawing, Path
from .nesting import polygon


def cover(path: Path, width: int, height: int) -> np.ndarray:
    """bool (H, W): the pixels whose centre is in the path by the nonzero rule, whatever lies over it."""
    # Each edge changes the winding number right of where it crosses a row's middle.
    change = np.zeros((height, width + 1), np.int32)
    for contour in path.contours:
        x, y = polygon(np.asarray(contour, np.float64)).T
        next_x, next_y = np.roll(x, -1), np.roll(y, -1)
        first = np.clip(np.ceil(np.minimum(y, next_y) - 0.5), 0, height).astype(np.int64)
        last = np.clip(np.ceil(np.maximum(y, next_y) - 0.5), 0, height).astype(np.int64)
        counts = last - first
        edge = np.repeat(np.arange(len(x)), counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        slope = (next_x - x)[edge] / np.where(next_y == y, 1.0, next_y - y)[edge]
        crossing = x[edge] + (row + 0.5 - y[edge]) * slope
        column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
        np.add.at(change, (row, column), np.where(next_y > y, 1, -1)[edge])
    return np.cumsum(change[:, :width], axis=1) != 0


def covers(drawing: Drawing) -> np.ndarray:
    """bool (P, H, W) on the drawing's own pixels: `cover` of each path."""
    shape = (len(drawing.paths), drawing.height, drawing.width)
    masks = np.zeros(shape, bool)
    for mask, path in zip(masks, drawing.paths, strict=True):
        mask[:] = cover(path, drawing.width, drawing.height)
    return masks


def top(drawing: Drawing) -> np.ndarray:
    """int32 (H, W): the topmost path at each pixel's centre, -1 where there is none; translucent ones count, too."""
    labels = np.full((drawing.height, drawing.width), -1, np.int32)
    for p, path in enumerate(drawing.paths):
        labels[cover(path, drawing.width, drawing.height)] = p
    return labels
