"""Which pixels paths cover, and which they show: by pixel centres, for counting, naming and measuring."""

from __future__ import annotations

import numpy as np

from ..drawing import Drawing, Path
from .nesting import polygon


def cover(path: Path, width: int, height: int, scale: int = 1) -> np.ndarray:
    """bool (H, W): the pixels whose centre is in the path by the nonzero rule, whatever lies over it.

    Args:
        width, height: of the result.
        scale: how many of its pixels are one of the path's.
    """
    mask = np.zeros((height, width), bool)
    window, inside = covered(path, width, height, scale)
    mask[window] = inside
    return mask


def covers(drawing: Drawing) -> np.ndarray:
    """bool (P, H, W) on the drawing's own pixels: `cover` of each path."""
    shape = (len(drawing.paths), drawing.height, drawing.width)
    masks = np.zeros(shape, bool)
    for mask, path in zip(masks, drawing.paths, strict=True):
        mask[:] = cover(path, drawing.width, drawing.height)
    return masks


def top(drawing: Drawing, scale: int = 1) -> np.ndarray:
    """int32 (H, W) times `scale`: the topmost path at each pixel's centre, -1 where none is; translucent ones count."""
    width, height = drawing.width * scale, drawing.height * scale
    labels = np.full((height, width), -1, np.int32)
    for p, path in enumerate(drawing.paths):
        window, inside = covered(path, width, height, scale)
        labels[window][inside] = p
    return labels


def covered(path: Path, width: int, height: int, scale: int = 1) -> tuple[tuple[slice, slice], np.ndarray]:
    """`cover` without what is around a path: the window (rows, columns) of its box, and bool of the window's size."""
    rings = [polygon(np.asarray(contour, np.float64) * scale) for contour in path.contours]
    around = np.concatenate(rings)
    left, above = np.clip(np.floor(around.min(0)), 0, [width, height]).astype(int)
    right, below = np.clip(np.ceil(around.max(0)), 0, [width, height]).astype(int)
    # Each edge changes the winding number right of where it crosses a row's middle.
    change = np.zeros((max(below - above, 0), max(right - left, 0) + 1), np.int32)
    for ring in rings:
        x, y = (ring - [left, above]).T
        next_x, next_y = np.roll(x, -1), np.roll(y, -1)
        first = np.clip(np.ceil(np.minimum(y, next_y) - 0.5), 0, len(change)).astype(np.int64)
        last = np.clip(np.ceil(np.maximum(y, next_y) - 0.5), 0, len(change)).astype(np.int64)
        counts = last - first
        edge = np.repeat(np.arange(len(x)), counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        slope = (next_x - x)[edge] / np.where(next_y == y, 1.0, next_y - y)[edge]
        crossing = x[edge] + (row + 0.5 - y[edge]) * slope
        column = np.clip(np.ceil(crossing - 0.5), 0, change.shape[1] - 1).astype(np.int64)
        np.add.at(change, (row, column), np.where(next_y > y, 1, -1)[edge])
    return (slice(above, below), slice(left, right)), np.cumsum(change[:, :-1], axis=1) != 0
