"""Which pixels an edge runs through, and how far in each. Compiled; arguments are trusted."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..compiled import njit


class Crossings(NamedTuple):
    """Scratch: the pixels that one edge crosses, from t = 0 at its start to t = 1 at its end.

    Attributes:
        cell: int64: (row - top) * stride + (column - left). Left of the window the edge covers all of a row: there
            it is -1 - (row - top) * stride.
        part: float64: the length in t of what lies in the cell.
        middle: float64: t half way.
        inside: float64: x half way, from 0 at the cell's left side to 1 at its right side.
    """

    cell: np.ndarray
    part: np.ndarray
    middle: np.ndarray
    inside: np.ndarray


class Window(NamedTuple):
    """The rectangle of pixels that is looked at, and the row length of its scratch arrays."""

    left: int
    top: int
    right: int
    bottom: int
    stride: int


# Rows that are worked on together.
BAND = 32


@njit(cache=True)
def room(width: int) -> Crossings:
    """Scratch for the crossings of any edge with a band of the canvas."""
    most = width + 2 * BAND + 8
    return Crossings(np.empty(most, np.int64), np.empty(most), np.empty(most), np.empty(most))


@njit(cache=True)
def trace(x0: float, y0: float, x1: float, y1: float, window: Window, out: Crossings) -> int:
    """Write the crossings of the edge from (x0, y0) to (x1, y1), which may be horizontal, and return their number.

    Every crossing is computed from the edge's ends, never from the crossing before: an error that adds up would
    leave the wrong winding number in the rest of a row.
    """
    dx, dy = x1 - x0, y1 - y0
    low, high = min(y0, y1), max(y0, y1)
    if high < window.top or low >= window.bottom:
        return 0
    first = max(math.floor(low), window.top)
    last = max(min(math.ceil(high), window.bottom), first + 1)
    count = 0
    for row in range(first, last):
        begin, end = 0.0, 1.0
        if dy > 0:
            begin, end = (max(low, row) - y0) / dy, (min(high, row + 1) - y0) / dy
        elif dy < 0:
            begin, end = (min(high, row + 1) - y0) / dy, (max(low, row) - y0) / dy
        count = _trace_row(x0, dx, begin, end, (row - window.top) * window.stride, window, out, count)
    return count


@njit(cache=True)
def _trace_row(
    x0: float, dx: float, begin: float, end: float, base: int, window: Window, out: Crossings, count: int
) -> int:
    """The crossings of one row, from t = begin to t = end."""
    a, b = x0 + begin * dx, x0 + end * dx
    low, high = min(a, b), max(a, b)
    if low >= window.right:
        return count
    if high < window.left:
        return _note(-1 - base, begin, end, 0.0, out, count)
    first, last = math.floor(low), math.floor(high)
    if last > first and last == high:
        last -= 1
    if first == last:
        return _note(base + first - window.left, begin, end, x0 + 0.5 * (begin + end) * dx - first, out, count)
    nearer, farther = (begin, end) if dx > 0 else (end, begin)
    if first < window.left:
        crossing = min(max((window.left - x0) / dx, begin), end)
        count = _note(-1 - base, min(nearer, crossing), max(nearer, crossing), 0.0, out, count)
        nearer, first = crossing, window.left
    for column in range(first, min(last + 1, window.right)):
        crossing = farther if column == last else min(max((column + 1 - x0) / dx, begin), end)
        middle = x0 + 0.5 * (nearer + crossing) * dx - column
        low_t, high_t = min(nearer, crossing), max(nearer, crossing)
        count = _note(base + column - window.left, low_t, high_t, middle, out, count)
        nearer = crossing
    return count


@njit(cache=True)
def _note(cell: int, begin: float, end: float, inside: float, out: Crossings, count: int) -> int:
    out.cell[count] = cell
    out.part[count] = end - begin
    out.middle[count] = 0.5 * (begin + end)
    out.inside[count] = inside
    return count + 1
