"""Levels of shapes that were traded: paint by level without changing the picture."""

from __future__ import annotations

import numpy as np
from skimage.draw import polygon2mask

from .nesting import polygon
from .shapes import Shapes

# How far around a shape others count as touching it, px: two anti-aliased rims blend in their order.
_RIM = 1


def arranged(shapes: Shapes, width: int, height: int) -> Shapes:
    """The same picture with paths sorted by level.

    A shape that lies over another one is in no coarser level than it; apart from that, shapes keep theirs.
    """
    highest = np.full((height + 2 * _RIM, width + 2 * _RIM), -1, np.int64)
    level = shapes.level.copy()
    for path in range(len(shapes)):
        ring = polygon(shapes.outline(path))
        low = np.maximum(np.floor(ring.min(0)).astype(int) - _RIM, 0)
        high = np.minimum(np.ceil(ring.max(0)).astype(int) + _RIM, [width, height])
        if (high <= low).any():
            continue
        at = np.s_[low[1] : high[1] + 2 * _RIM, low[0] : high[0] + 2 * _RIM]
        touched = _touched(ring - low, high - low)
        under = highest[at]
        level[path] = max(level[path], under[touched].max(initial=0))
        under[touched] = np.maximum(under[touched], level[path])
    order = np.argsort(level, kind="stable")
    sorted_shapes = shapes.taken(order)
    sorted_shapes.level = level[order]
    return sorted_shapes


def _touched(ring: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Pixels in or next to a polygon, in its box with a rim: bool (size y + 2 rims, size x + 2 rims)."""
    from scipy.ndimage import binary_dilation

    # Pixel centres are at +0.5; skimage's at whole numbers.
    inside = polygon2mask(size[::-1], ring[:, ::-1] - 0.5)
    framed = np.pad(inside, _RIM)
    edge = np.floor(np.clip(ring, 0, size - 1e-6)).astype(int) + _RIM
    framed[edge[:, 1], edge[:, 0]] = True
    return binary_dilation(framed, np.ones((3, 3), bool), iterations=_RIM)
