"""Edges to spans: what of each path shows in each row, front to back, so that nothing hidden is ever stored.

Compiled; arguments are trusted. Rows are worked on in bands of a fixed height, in parallel: results do not depend on
the number of threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..compiled import njit, prange
from .flatten import Polylines
from .stroke import DIAGONAL, stamp, strip
from .trace import BAND, INSIDE, PART, room, trace


def piece_type(dtype: type) -> np.dtype:
    """A run of fully covered pixels, or one edge cell.

    x: the first column.
    length: of a run; an edge cell has -1 where its path is filled, and -1 - v in a stroke, where v is its nearest edge.
    cover: coverage, from 0 to 1.
    slope: d coverage / d accumulated winding number: 1, -1 or 0; 1 in strokes.
    """
    return np.dtype([("x", np.int32), ("length", np.int32), ("cover", dtype), ("slope", dtype)])


class Spans(NamedTuple):
    """What is to be painted. Band b's pieces, slots and records of rows begin at bases[b].

    A slot is where the colour below a pixel is kept for the backward pass; pixels of opaque runs need none.

    Attributes:
        pieces: (N,), of `piece_type`.
        rows: int64 (R, 3): row of the canvas, first piece, first slot. The next record tells where they end.
        ranges: int64 (bands, P, 2): a path's records in `rows`.
        bases: int64 (bands + 1, 3): first piece, first slot, first record of each band.
        counts: int64 (bands, 3): pieces, slots, records.
    """

    pieces: np.ndarray
    rows: np.ndarray
    ranges: np.ndarray
    bases: np.ndarray
    counts: np.ndarray


class Scratch(NamedTuple):
    """Of the whole canvas, each band in its own rows; `winding` and `mark` are zero between paths.

    Strokes keep their closeness (see `stroke`) in `winding`.

    Attributes:
        winding: float64 (rows * stride,), what edges add; prefix sums along a row are winding numbers.
        mark: uint8 (rows * stride,), 1 where an edge crosses the pixel.
        words: uint64, the same memory as mark.
        owner: int32 (rows * stride,), of strokes; empty where there is none.
        onward: int32 (H, W + 1): x where the pixel is not hidden yet, otherwise a column further on.
    """

    winding: np.ndarray
    mark: np.ndarray
    words: np.ndarray
    owner: np.ndarray
    onward: np.ndarray


@njit(cache=True)
def visible(onward: np.ndarray, y: int, x: int) -> int:
    """The first column from x on that nothing opaque hides; the row's width where there is none."""
    while onward[y, x] != x:
        onward[y, x] = onward[y, onward[y, x]]
        x = onward[y, x]
    return x


@njit(cache=True)
def _put_run(
    y: int, a: int, b: int, opaque: bool, onward: np.ndarray, pieces: np.ndarray, at: tuple[int, int], end: int
) -> tuple[int, int]:
    """Append what shows of fully covered columns a to b; opaque ones are hidden from what lies behind.

    `at` is the number of pieces and of slots so far, which is returned. Past the end of the storage pieces are only
    counted, so that the next attempt has enough.
    """
    n, slot = at
    x = visible(onward, y, a)
    while x < b:
        stop = x + 1
        while stop < b and onward[y, stop] == stop:
            stop += 1
        if n < end:
            piece = pieces[n]
            piece.x, piece.length, piece.cover, piece.slope = x, stop - x, 1, 0
        n += 1
        if opaque:
            for i in range(x, stop):
                onward[y, i] = b
        else:
            slot += stop - x
        x = visible(onward, y, stop)
    return n, slot


@njit(cache=True)
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


@njit(cache=True)
def _fill_row(
    y: int,
    columns: tuple[int, int, int],
    rule: tuple[bool, float, bool],
    winding: np.ndarray,
    mark: np.ndarray,
    words: np.ndarray,
    onward: np.ndarray,
    pieces: np.ndarray,
    at: tuple[int, int],
    end: int,
) -> tuple[int, int]:
    """Sum windings along a row and append its pieces; clears the scratch row on its way."""
    left, width, base = columns
    even_odd, turning, opaque = rule
    total = 0.0
    x = 0
    while True:
        edge = x
        while edge < width and mark[base + edge] == 0:
            edge += 8 if edge & 7 == 0 and words[(base + edge) >> 3] == 0 else 1
        edge = min(edge, width)
        if edge > x:
            total += winding[base + x]
            winding[base + x] = 0
            whole = math.floor(total + 0.5)
            if whole & 1 if even_odd else whole != 0:
                at = _put_run(y, left + x, left + edge, opaque, onward, pieces, at, end)
        if edge >= width:
            break
        total += winding[base + edge]
        winding[base + edge] = 0
        mark[base + edge] = 0
        cover, slope = _coverage(total, even_odd, turning)
        if cover == 1 and slope == 0:
            at = _put_run(y, left + edge, left + edge + 1, opaque, onward, pieces, at, end)
        elif onward[y, left + edge] == left + edge:
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
def _stroke_row(
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
    # From this closeness on a pixel lies all within the stroke.
    full = (half + DIAGONAL) ** 2 - max(half - DIAGONAL, 0.0) ** 2
    x = 0
    while x < width:
        begin = x
        while x < width and closeness[base + x] >= full:
            x += 1
        if x > begin:
            at = _put_run(y, left + begin, left + x, opaque, onward, pieces, at, end)
        elif mark[base + x] != 0 and onward[y, left + x] == left + x:
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


@njit(cache=True)
def _accumulate(
    vertices: np.ndarray,
    begin: int,
    end: int,
    window: tuple[int, int, int, int],
    stride: int,
    winding: np.ndarray,
    mark: np.ndarray,
    cells: np.ndarray,
    shares: np.ndarray,
) -> None:
    """Add the edges of one contour to the window's windings."""
    first = window[1] * stride
    last = end - 1
    for v in range(begin, end):
        y0, y1 = vertices[last, 1], vertices[v, 1]
        for i in range(trace((vertices[last, 0], y0, vertices[v, 0], y1), window, stride, cells, shares)):
            cover = shares[i, PART] * (y1 - y0)
            if cells[i] < 0:
                winding[first - 1 - cells[i]] += cover
            else:
                cell = first + cells[i]
                winding[cell] += cover * (1 - shares[i, INSIDE])
                winding[cell + 1] += cover * shares[i, INSIDE]
                mark[cell] = 1
        last = v


@njit(cache=True)
def _hidden(onward: np.ndarray, window: tuple[int, int, int, int]) -> bool:
    """Whether something opaque lies before the whole window."""
    for y in range(window[1], window[3]):  # noqa: SIM110 (numba)
        if visible(onward, y, window[0]) < window[2]:
            return False
    return True


@njit(cache=True)
def _span_path(
    p: int,
    opaque: bool,
    window: tuple[int, int, int, int],
    lines: Polylines,
    scratch: Scratch,
    spans: Spans,
    crossings: tuple[np.ndarray, np.ndarray],
    so_far: tuple[int, int, int],
    ends: tuple[int, int],
) -> tuple[int, int, int]:
    """Append path p's pieces within the window."""
    winding, mark, words, owner, onward = scratch
    vertices, half = lines.vertices, lines.half[p]
    stride = len(winding) // len(onward)
    for k in range(lines.paths[p], lines.paths[p + 1]):
        begin, end = lines.contours[k], lines.contours[k + 1]
        if half > 0:
            for v in range(begin, end):
                stamp(edge_of(vertices, lines.before, v), v, half, window, stride, winding, mark, owner)
        else:
            _accumulate(vertices, begin, end, window, stride, winding, mark, crossings[0], crossings[1])
    rule = (lines.even_odd[p], lines.turning[p], opaque)
    both = (vertices, lines.before)
    pieces, rows = spans.pieces, spans.rows
    n, slot, record = so_far
    for y in range(window[1], window[3]):
        columns = (window[0], window[2] - window[0], y * stride)
        at = (n, slot)
        if half > 0:
            at = _stroke_row(y, columns, half, opaque, both, winding, mark, owner, onward, pieces, at, ends[0])
        else:
            at = _fill_row(y, columns, rule, winding, mark, words, onward, pieces, at, ends[0])
        if at[0] > n:
            if record < ends[1]:
                rows[record, 0], rows[record, 1], rows[record, 2] = y, n, slot
            record += 1
        n, slot = at
    return n, slot, record


@njit(cache=True)
def _span_band(band: int, lines: Polylines, opaque: np.ndarray, scratch: Scratch, spans: Spans) -> None:
    height, width = scratch.onward.shape[0], scratch.onward.shape[1] - 1
    top, bottom = band * BAND, min((band + 1) * BAND, height)
    crossings = room(width)
    for y in range(top, bottom):
        for x in range(width + 1):
            scratch.onward[y, x] = x
    n, slot, record = spans.bases[band, 0], 0, spans.bases[band, 2]
    ends = (spans.bases[band + 1, 0], spans.bases[band + 1, 2] - 1)
    for p in range(opaque.shape[0] - 1, -1, -1):
        box = lines.boxes[p]
        window = (box[0], max(box[1], top), box[2], min(box[3], bottom))
        spans.ranges[band, p, 0] = record
        if window[0] < window[2] and window[1] < window[3] and not _hidden(scratch.onward, window):
            n, slot, record = _span_path(
                p, opaque[p], window, lines, scratch, spans, crossings, (n, slot, record), ends
            )
        spans.ranges[band, p, 1] = record
    if record <= ends[1]:
        spans.rows[record, 1], spans.rows[record, 2] = n, slot
    spans.counts[band, 0] = n - spans.bases[band, 0]
    spans.counts[band, 1] = slot
    spans.counts[band, 2] = record + 1 - spans.bases[band, 2]


@njit(cache=True, parallel=True)
def span(lines: Polylines, opaque: np.ndarray, scratch: Scratch, spans: Spans) -> None:
    """Fill `spans`; where its storage is too small, `counts` tells what it takes.

    opaque: bool (P,), whether a path hides what it fully covers.
    """
    for band in prange(spans.counts.shape[0]):
        # prange counts unsigned, and unsigned with signed makes floats.
        _span_band(np.int64(band), lines, opaque, scratch, spans)
