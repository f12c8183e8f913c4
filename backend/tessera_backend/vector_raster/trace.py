"""Which pixels an edge runs through, and how far in each. Compiled; arguments are trusted.

Hot loops take plain arrays: numba counts references each time an array is taken out of a tuple.
"""

from __future__ import annotations

import math

import numpy as np

from ..compiled import njit

# Rows that are worked on together.
BAND = 32
# Columns of the crossings' shares.
PART, MIDDLE, INSIDE = 0, 1, 2


@njit(cache=True)
def room(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Scratch for the crossings of any edge with a band of the canvas: cells, shares."""
    most = width + 2 * BAND + 8
    return np.empty(most, np.int64), np.empty((most, 3))


@njit(cache=True)
def trace(
    edge: tuple[float, float, float, float],
    window: tuple[int, int, int, int],
    stride: int,
    cells: np.ndarray,
    shares: np.ndarray,
) -> int:
    """Find the pixels that an edge crosses, from t = 0 at its start to t = 1 at its end.

    Every crossing is computed from the edge's ends, never from the crossing before: an error that adds up would
    leave the wrong winding number in the rest of a row.

    Args:
        edge: x0, y0, x1, y1; it may be horizontal, or of no length.
        window: left, top, right, bottom, the pixels that are looked at.
        cells: int64 (most,), out: (row - top) * stride + column - left. Left of the window an edge covers all of the
            row: there it is -1 - (row - top) * stride.
        shares: float64 (most, 3), out: the length in t of what lies in the cell; t half way; and x half way, from 0 at
            the cell's left side to 1 at its right side.
    Returns:
        how many there are.
    """
    x0, y0, x1, y1 = edge
    left, top, right, bottom = window
    dx, dy = x1 - x0, y1 - y0
    low, high = min(y0, y1), max(y0, y1)
    if high < top or low >= bottom:
        return 0
    first = max(math.floor(low), top)
    last = max(min(math.ceil(high), bottom), first + 1)
    steep = 1 / dy if dy != 0 else 0.0
    flat = 1 / dx if dx != 0 else 0.0
    count = 0
    for row in range(first, last):
        begin, end = 0.0, 1.0
        if dy > 0:
            begin, end = (max(low, row) - y0) * steep, (min(high, row + 1) - y0) * steep
        elif dy < 0:
            begin, end = (min(high, row + 1) - y0) * steep, (max(low, row) - y0) * steep
        base = (row - top) * stride
        count = _trace_row((x0, dx, flat), begin, end, base, (left, right), cells, shares, count)
    return count


@njit(cache=True, inline="always")
def _trace_row(
    line: tuple[float, float, float],
    begin: float,
    end: float,
    base: int,
    columns: tuple[int, int],
    cells: np.ndarray,
    shares: np.ndarray,
    count: int,
) -> int:
    """The crossings of one row, from t = begin to t = end."""
    x0, dx, flat = line
    left, right = columns
    a, b = x0 + begin * dx, x0 + end * dx
    low, high = min(a, b), max(a, b)
    if low < right:
        first, last = math.floor(low), math.floor(high)
        if last > first and last == high:
            last -= 1
        # From the leftmost crossing on: t falls where the edge runs to the left.
        nearer, farther = (begin, end) if dx > 0 else (end, begin)
        if first < left:
            crossing = farther if high < left else min(max((left - x0) * flat, begin), end)
            cells[count] = -1 - base
            shares[count, PART] = abs(crossing - nearer)
            shares[count, MIDDLE], shares[count, INSIDE] = 0.0, 0.0
            count += 1
            nearer, first = crossing, left
        for column in range(first, min(last + 1, right)):
            crossing = farther if column == last else min(max((column + 1 - x0) * flat, begin), end)
            middle = 0.5 * (nearer + crossing)
            cells[count] = base + column - left
            shares[count, PART] = abs(crossing - nearer)
            shares[count, MIDDLE] = middle
            shares[count, INSIDE] = x0 + middle * dx - column
            count += 1
            nearer = crossing
    return count
