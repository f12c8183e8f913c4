"""One row of a path: its pieces, of which only what shows is kept. Compiled; arguments are trusted.

A row of `onward`, int32 (BAND, W + 1), leads from hidden pixels to the next one that is not: a forest of disjoint
sets, so that what is hidden is passed in nearly constant time. See `spans` for the other arrays.
"""

from __future__ import annotations

import math

import numpy as np

from ..compiled import njit
from .stroke import DIAGONAL, strip
from .trace import BAND


@njit(cache=True)
def visible(onward: np.ndarray, row: int, x: int) -> int:
    """The first column from x on that nothing opaque hides; the row's width where there is none."""
    while onward[row, x] != x:
        onward[row, x] = onward[row, onward[row, x]]
        x = onward[row, x]
    return x


@njit(cache=True, inline="always")
def _put_run(
    row: int, a: int, b: int, opaque: bool, onward: np.ndarray, pieces: np.ndarray, at: tuple[int, int], end: int
) -> tuple[int, int]:
    """Append what shows of fully covered columns a to b; opaque ones are hidden from what lies behind.

    `at` is the number of pieces and of slots so far, which is returned. Past the end of the storage pieces are only
    counted, so that the next attempt has enough.
    """
    n, slot = at
    x = visible(onward, row, a)
    while x < b:
        stop = x + 1
        while stop < b and onward[row, stop] == stop:
            stop += 1
        if n < end:
            piece = pieces[n]
            piece.x, piece.length, piece.cover, piece.slope = x, stop - x, 1, 0
        n += 1
        if opaque:
            for i in range(x, stop):
                onward[row, i] = b
        else:
            slot += stop - x
        x = visible(onward, row, stop)
    return n, slot


@njit(cache=True, inline="always")
def _coverage(winding: float, even_odd: bool, turning: float) -> tuple[float, float]:
    """Coverage of a pixel and its derivative, of the integral of the winding number over the pixel.

    On a kink the derivative is the one of a shape that grows, or edges that lie on the pixel grid could not move.
    """
    slope = turning if abs(winding) < 1e-9 else math.copysign(1.0, winding)
    cover = abs(winding)
    if even_odd:
        cover -= 2 * math.floor(0.5 * cover)
        return (2 - cover, -slope) if cover > 1 else (cover, slope)
    if cover > 1 + 1e-6:
        return 1.0, 0.0
    return min(cover, 1.0), slope


@njit(cache=True, inline="always")
def fill_row(
    row: int,
    columns: tuple[int, int, int],
    rule: tuple[bool, float, bool],
    winding: np.ndarray,
    mark: np.ndarray,
    words: np.ndarray,
    owner: np.ndarray,
    onward: np.ndarray,
    pieces: np.ndarray,
    at: tuple[int, int],
    end: int,
) -> tuple[int, int]:
    """Sum windings along a row and append its pieces; clears the scratch row on its way."""
    left, width, base = columns
    even_odd, turning, opaque = rule
    total, x, begin = 0.0, 0, -1
    while x <= width:
        edge = x
        while edge < width and mark[base + edge] == 0:
            edge += 8 if edge & 7 == 0 and words[(base + edge) >> 3] == 0 else 1
        edge = min(edge, width)
        inside = edge == x
        if edge > x:
            total += winding[base + x]
            winding[base + x] = 0
            whole = math.floor(total + 0.5)
            inside = (whole & 1 if even_odd else whole) != 0
            if inside and begin < 0:
                begin = x
        cover, slope = 0.0, 0.0
        if edge < width:
            total += winding[base + edge]
            winding[base + edge] = 0
            mark[base + edge] = 0
            cover, slope = _coverage(total, even_odd, turning)
        full = cover == 1 and slope == 0
        # Unmarked and marked pixels that are fully covered make one run.
        if begin >= 0 and not (inside and full):
            at = _put_run(row, left + begin, left + (edge if inside else x), opaque, onward, pieces, at, end)
            begin = -1
        if edge < width:
            owner[base + edge] = -1
        if full:
            begin = edge if begin < 0 else begin
        elif edge < width and onward[row, left + edge] == left + edge:
            owner[base + edge] = at[0]
            if at[0] < end:
                piece = pieces[at[0]]
                piece.x, piece.length, piece.cover, piece.slope = left + edge, -1, cover, slope
            at = (at[0] + 1, at[1] + 1)
        x = edge + 1
    winding[base + width] = 0
    return at


@njit(cache=True)
def edge_of(vertices: np.ndarray, before: np.ndarray, v: int) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of edge v."""
    return vertices[before[v], 0], vertices[before[v], 1], vertices[v, 0], vertices[v, 1]


@njit(cache=True)
def stroke_row(
    y: int,
    columns: tuple[int, int, int],
    half: float,
    opaque: bool,
    lines: tuple[np.ndarray, np.ndarray],
    closeness: np.ndarray,
    mark: np.ndarray,
    owner: np.ndarray,
    onward: np.ndarray,
    pieces: np.ndarray,
    at: tuple[int, int],
    end: int,
) -> tuple[int, int]:
    """Append the pieces of a row of a stroke; clears the scratch row on its way. lines: vertices and `before`."""
    left, width, base = columns
    row = y % BAND
    # From this closeness on a pixel lies all within the stroke.
    full = (half + DIAGONAL) ** 2 - max(half - DIAGONAL, 0.0) ** 2
    x = 0
    while x < width:
        begin = x
        while x < width and closeness[base + x] >= full:
            x += 1
        if x > begin:
            at = _put_run(row, left + begin, left + x, opaque, onward, pieces, at, end)
        elif mark[base + x] != 0 and onward[row, left + x] == left + x:
            v = owner[base + x]
            cover = strip(left + x + 0.5, y + 0.5, edge_of(lines[0], lines[1], v), half)[0]
            if at[0] < end:
                piece = pieces[at[0]]
                piece.x, piece.length, piece.cover, piece.slope = left + x, -1 - v, cover, 1
            at = (at[0] + 1, at[1] + 1)
        x = max(x, begin + 1)
    closeness[base : base + width] = 0
    mark[base : base + width] = 0
    return at
