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
from .trace import BAND, Crossings, Window, room, trace


class Spans(NamedTuple):
    """What is to be painted. Band b's pieces, rows and slots begin at bases[b].

    A piece is a run of fully covered pixels, or one edge cell. A slot is where the colour below a pixel is kept for
    the backward pass; pixels of opaque runs need none.

    Attributes:
        x: int32 (N,), the first column.
        length: int32 (N,): of a run; an edge cell has -1 - v, where v is the vertex that begins the nearest edge of a
            stroke, and 0 for what is filled.
        cover: float (N,), coverage from 0 to 1.
        slope: float (N,), d coverage / d accumulated winding number: 1, -1 or 0.
        rows: int64 (R, 3): row of the canvas, first piece, first slot. The next record tells where they end.
        ranges: int64 (bands, P, 2): a path's records in `rows`.
        bases: int64 (bands + 1, 3): first piece, first slot, first record of each band.
        counts: int64 (bands, 3): pieces, slots, records.
    """

    x: np.ndarray
    length: np.ndarray
    cover: np.ndarray
    slope: np.ndarray
    rows: np.ndarray
    ranges: np.ndarray
    bases: np.ndarray
    counts: np.ndarray


class Scratch(NamedTuple):
    """Of the whole canvas, each band in its own rows; `winding` and `mark` are zero between paths.

    Attributes:
        winding: float64 (rows * stride,), what edges add; prefix sums along a row are winding numbers.
        mark: uint8 (rows * stride,), 1 where an edge crosses the pixel.
        words: uint64, the same memory as mark.
        onward: int32 (H, W + 1): x where the pixel is not hidden yet, otherwise a column further on.
    """

    winding: np.ndarray
    mark: np.ndarray
    words: np.ndarray
    onward: np.ndarray


@njit(cache=True)
def visible(onward: np.ndarray, x: int) -> int:
    """The first column from x on that nothing opaque hides; the row's width where there is none."""
    while onward[x] != x:
        onward[x] = onward[onward[x]]
        x = onward[x]
    return x


@njit(cache=True)
def _put_cell(
    x: int, length: int, cover: float, slope: float, onward: np.ndarray, spans: Spans, at: tuple[int, int], end: int
) -> tuple[int, int]:
    """Append an edge cell, if it shows. `at` is the number of pieces and of slots so far, which is returned.

    Past the end of the storage pieces are only counted, so that the next attempt has enough.
    """
    n, slot = at
    if onward[x] != x:
        return n, slot
    if n < end:
        spans.x[n], spans.length[n], spans.cover[n], spans.slope[n] = x, length, cover, slope
    return n + 1, slot + 1


@njit(cache=True)
def _put_run(
    a: int, b: int, opaque: bool, onward: np.ndarray, spans: Spans, at: tuple[int, int], end: int
) -> tuple[int, int]:
    """Append what shows of fully covered columns a to b; opaque ones are hidden from what lies behind."""
    n, slot = at
    x = visible(onward, a)
    while x < b:
        stop = x + 1
        while stop < b and onward[stop] == stop:
            stop += 1
        if n < end:
            spans.x[n], spans.length[n], spans.cover[n], spans.slope[n] = x, stop - x, 1.0, 0.0
        n += 1
        if opaque:
            onward[x:stop] = b
        else:
            slot += stop - x
        x = visible(onward, stop)
    return n, slot


@njit(cache=True)
def _next_mark(scratch: Scratch, base: int, x: int, width: int) -> int:
    """The first marked column from x on, or width; eight unmarked pixels are passed at a time."""
    while x < width:
        if x & 7 == 0 and scratch.words[(base + x) >> 3] == 0:
            x += 8
        elif scratch.mark[base + x] != 0:
            return x
        else:
            x += 1
    return width


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
    base: int,
    left: int,
    width: int,
    rule: tuple[bool, float, bool],
    scratch: Scratch,
    onward: np.ndarray,
    spans: Spans,
    at: tuple[int, int],
    end: int,
) -> tuple[int, int]:
    """Sum windings along a row and append its pieces; clears the scratch row on its way."""
    even_odd, turning, opaque = rule
    winding = 0.0
    x = 0
    while True:
        edge = _next_mark(scratch, base, x, width)
        if edge > x:
            winding += scratch.winding[base + x]
            scratch.winding[base + x] = 0
            whole = math.floor(winding + 0.5)
            if whole & 1 if even_odd else whole != 0:
                at = _put_run(left + x, left + edge, opaque, onward, spans, at, end)
        if edge >= width:
            break
        winding += scratch.winding[base + edge]
        scratch.winding[base + edge] = 0
        scratch.mark[base + edge] = 0
        cover, slope = _coverage(winding, even_odd, turning)
        if cover == 1 and slope == 0:
            at = _put_run(left + edge, left + edge + 1, opaque, onward, spans, at, end)
        else:
            at = _put_cell(left + edge, -1, cover, slope, onward, spans, at, end)
        x = edge + 1
    scratch.winding[base + width] = 0
    return at


@njit(cache=True)
def _accumulate(lines: Polylines, p: int, window: Window, scratch: Scratch, crossings: Crossings) -> None:
    """Add the edges of path p to the window's windings."""
    for k in range(lines.paths[p], lines.paths[p + 1]):
        begin, end = lines.contours[k], lines.contours[k + 1]
        last = end - 1
        for v in range(begin, end):
            x0, y0 = lines.vertices[last, 0], lines.vertices[last, 1]
            x1, y1 = lines.vertices[v, 0], lines.vertices[v, 1]
            last = v
            for i in range(trace(x0, y0, x1, y1, window, crossings)):
                cell = crossings.cell[i]
                cover = crossings.part[i] * (y1 - y0)
                if cell < 0:
                    scratch.winding[window.top * window.stride - 1 - cell] += cover
                else:
                    cell += window.top * window.stride
                    scratch.winding[cell] += cover * (1 - crossings.inside[i])
                    scratch.winding[cell + 1] += cover * crossings.inside[i]
                    scratch.mark[cell] = 1


@njit(cache=True)
def _hidden(onward: np.ndarray, left: int, top: int, right: int, bottom: int) -> bool:
    """Whether something opaque lies before the whole box."""
    for y in range(top, bottom):  # noqa: SIM110 (numba)
        if visible(onward[y], left) < right:
            return False
    return True


@njit(cache=True)
def _span_path(
    p: int,
    opaque: bool,
    window: Window,
    lines: Polylines,
    scratch: Scratch,
    crossings: Crossings,
    spans: Spans,
    so_far: tuple[int, int, int],
    ends: tuple[int, int],
) -> tuple[int, int, int]:
    """Append path p's pieces within the window."""
    _accumulate(lines, p, window, scratch, crossings)
    rule = (lines.even_odd[p], lines.turning[p], opaque)
    n, slot, record = so_far
    for y in range(window.top, window.bottom):
        base = y * window.stride
        after = _fill_row(
            base, window.left, window.right - window.left, rule, scratch, scratch.onward[y], spans, (n, slot), ends[0]
        )
        if after[0] > n:
            if record < ends[1]:
                spans.rows[record, 0], spans.rows[record, 1], spans.rows[record, 2] = y, n, slot
            record += 1
        n, slot = after
    return n, slot, record


@njit(cache=True)
def _span_band(band: int, lines: Polylines, opaque: np.ndarray, scratch: Scratch, spans: Spans) -> None:
    height, width = scratch.onward.shape[0], scratch.onward.shape[1] - 1
    stride = scratch.winding.shape[0] // height
    top, bottom = band * BAND, min((band + 1) * BAND, height)
    crossings = room(width)
    for y in range(top, bottom):
        for x in range(width + 1):
            scratch.onward[y, x] = x
    n, slot, record = spans.bases[band, 0], 0, spans.bases[band, 2]
    ends = (spans.bases[band + 1, 0], spans.bases[band + 1, 2] - 1)
    for p in range(opaque.shape[0] - 1, -1, -1):
        left, right = lines.boxes[p, 0], lines.boxes[p, 2]
        y0, y1 = max(lines.boxes[p, 1], top), min(lines.boxes[p, 3], bottom)
        spans.ranges[band, p, 0] = record
        if y0 < y1 and left < right and not _hidden(scratch.onward, left, y0, right, y1):
            window = Window(left, y0, right, y1, stride)
            n, slot, record = _span_path(
                p, opaque[p], window, lines, scratch, crossings, spans, (n, slot, record), ends
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
