"""Levels of shapes that were traded: paint by level without changing the picture."""

from __future__ import annotations

import math

import numpy as np

from ..compiled import njit
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

    inside = np.zeros((size[1], size[0]), np.bool_)
    fill(ring, inside)
    framed = np.pad(inside, _RIM)
    edge = np.floor(np.clip(ring, 0, size - 1e-6)).astype(int) + _RIM
    framed[edge[:, 1], edge[:, 0]] = True
    return binary_dilation(framed, np.ones((3, 3), bool), iterations=_RIM)


@njit
def fill(ring: np.ndarray, inside: np.ndarray) -> None:
    """Mark the pixels whose centres lie in a polygon, by the even-odd rule.

    Args:
        ring: float64 (N, 2), corners, px.
        inside: bool (H, W), false.
    """
    height, width = inside.shape
    for i in range(len(ring)):
        (x0, y0), (x1, y1) = ring[i - 1], ring[i]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        for y in range(max(0, math.ceil(y0 - 0.5)), min(height, math.ceil(y1 - 0.5))):
            x = x0 + (y + 0.5 - y0) / (y1 - y0) * (x1 - x0)
            first = max(0, math.ceil(x - 0.5))
            if first < width:
                inside[y, first] ^= True
    for y in range(height):
        for x in range(1, width):
            inside[y, x] ^= inside[y, x - 1]
