"""Edges to spans: what of each path shows in each row, front to back, so that nothing hidden is ever stored.

Compiled; arguments are trusted. Rows are worked on in bands of a fixed height, in parallel: results do not depend on
the number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..compiled import njit, prange
from .flatten import Polylines
from .rows import edge_of, fill_row, stroke_row, visible
from .stroke import stamp
from .trace import BAND, INSIDE, MIDDLE, PART, room, trace

# A run of fully covered pixels, or one edge cell.
# x: the first column.
# length: of a run; an edge cell has -1 where its path is filled, and -1 - v in a stroke, where v is its nearest edge.
# cover: coverage, from 0 to 1.
# slope: d coverage / d accumulated winding number: 1, -1 or 0; 1 in strokes.
PIECE = np.dtype([("x", np.int32), ("length", np.int32), ("cover", np.float64), ("slope", np.float64)])
# What an edge cell of a fill has of one edge; see `trace`.
# piece: of the edge cell.
# edge: the vertex at its end.
# part, middle: how much of the edge lies in the cell, and t half way.
CROSSING = np.dtype([("piece", np.int32), ("edge", np.int32), ("part", np.float64), ("middle", np.float64)])


class Spans(NamedTuple):
    """What is to be painted. Band b's pieces, slots, records of rows and crossings begin at bases[b].

    A slot is where the colour below a pixel is kept for the backward pass; pixels of opaque runs need none.

    Attributes:
        pieces: (N,), of type PIECE.
        rows: int64 (R, 3): row of the canvas, first piece, first slot. The next record tells where they end.
        crossings: (X,), of type CROSSING.
        ranges: int64 (bands, P, 4): a path's records in `rows`, from and to, and the same in `crossings`.
        bases: int64 (bands + 1, 4): first piece, slot, record and crossing of each band.
        counts: int64 (bands, 4): pieces, slots, records, crossings.
    """

    pieces: np.ndarray
    rows: np.ndarray
    crossings: np.ndarray
    ranges: np.ndarray
    bases: np.ndarray
    counts: np.ndarray


class Scratch(NamedTuple):
    """Of one band, row y % BAND for row y of the canvas; `winding` and `mark` are zero between paths.

    Attributes:
        winding: float64 (BAND * stride,), what edges add; prefix sums along a row are winding numbers. Strokes keep
            their closeness there (see `stroke`).
        mark: uint8 (BAND * stride,), 1 where an edge crosses the pixel.
        words: uint64, the same memory as mark.
        owner: int32 (BAND * stride,): of a marked pixel its piece, -1 where it has none; in strokes the nearest edge.
        onward: int32 (BAND, W + 1): x where the pixel is not hidden yet, otherwise a column further on.
    """

    winding: np.ndarray
    mark: np.ndarray
    words: np.ndarray
    owner: np.ndarray
    onward: np.ndarray


@njit(cache=True)
def _accumulate(
    vertices: np.ndarray,
    contour: tuple[int, int],
    window: tuple[int, int, int, int],
    stride: int,
    winding: np.ndarray,
    mark: np.ndarray,
    cells: np.ndarray,
    shares: np.ndarray,
    crossings: np.ndarray,
    n: int,
    end: int,
) -> int:
    """Add the edges of one contour to the window's windings, and append their crossings, whose piece is a pixel yet."""
    begin, stop = contour
    first = window[1] % BAND * stride
    last = stop - 1
    for v in range(begin, stop):
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
                if n < end:
                    crossing = crossings[n]
                    crossing.piece, crossing.edge = cell, v
                    crossing.part, crossing.middle = shares[i, PART], shares[i, MIDDLE]
                n += 1
        last = v
    return n


@njit(cache=True)
def _link(crossings: np.ndarray, begin: int, end: int, owner: np.ndarray) -> int:
    """Give crossings the pieces of their pixels, and drop those that have none; returns the new end."""
    kept = begin
    for n in range(begin, end):
        piece = owner[crossings[n].piece]
        if piece >= 0:
            crossings[kept] = crossings[n]
            crossings[kept].piece = piece
            kept += 1
    return kept


@njit(cache=True)
def _hidden(onward: np.ndarray, window: tuple[int, int, int, int]) -> bool:
    """Whether something opaque lies before the whole window."""
    for y in range(window[1], window[3]):  # noqa: SIM110 (numba)
        if visible(onward, y % BAND, window[0]) < window[2]:
            return False
    return True


@njit(cache=True)
def _span_fill(
    p: int,
    opaque: bool,
    window: tuple[int, int, int, int],
    lines: Polylines,
    scratch: Scratch,
    spans: Spans,
    crossed: tuple[np.ndarray, np.ndarray],
    so_far: tuple[int, int, int, int],
    ends: tuple[int, int, int],
) -> tuple[int, int, int, int]:
    """Append the pieces, records and crossings of a filled path within the window."""
    winding, mark, words, owner, onward = scratch
    pieces, rows, crossings = spans.pieces, spans.rows, spans.crossings
    stride = len(winding) // len(onward)
    n, slot, record, first = so_far
    crossing = first
    for k in range(lines.paths[p], lines.paths[p + 1]):
        contour = (lines.contours[k], lines.contours[k + 1])
        crossing = _accumulate(
            lines.vertices, contour, window, stride, winding, mark, crossed[0], crossed[1], crossings, crossing, ends[2]
        )
    rule = (lines.even_odd[p], lines.turning[p], opaque)
    for y in range(window[1], window[3]):
        columns = (window[0], window[2] - window[0], y % BAND * stride)
        at = fill_row(y % BAND, columns, rule, winding, mark, words, owner, onward, pieces, (n, slot), ends[0])
        if at[0] > n:
            if record < ends[1]:
                rows[record, 0], rows[record, 1], rows[record, 2] = y, n, slot
            record += 1
        n, slot = at
    if crossing <= ends[2]:
        crossing = _link(crossings, first, crossing, owner)
    return n, slot, record, crossing


@njit(cache=True)
def _span_stroke(
    p: int,
    opaque: bool,
    window: tuple[int, int, int, int],
    lines: Polylines,
    scratch: Scratch,
    spans: Spans,
    so_far: tuple[int, int, int, int],
    ends: tuple[int, int, int],
) -> tuple[int, int, int, int]:
    """Append the pieces and records of a stroked path within the window."""
    winding, mark, _, owner, onward = scratch
    pieces, rows = spans.pieces, spans.rows
    stride, half = len(winding) // len(onward), lines.half[p]
    for v in range(lines.contours[lines.paths[p]], lines.contours[lines.paths[p + 1]]):
        stamp(edge_of(lines.vertices, lines.before, v), v, half, window, stride, winding, mark, owner)
    both = (lines.vertices, lines.before)
    n, slot, record, crossing = so_far
    for y in range(window[1], window[3]):
        columns = (window[0], window[2] - window[0], y % BAND * stride)
        at = stroke_row(y, columns, half, opaque, both, winding, mark, owner, onward, pieces, (n, slot), ends[0])
        if at[0] > n:
            if record < ends[1]:
                rows[record, 0], rows[record, 1], rows[record, 2] = y, n, slot
            record += 1
        n, slot = at
    return n, slot, record, crossing


@njit(cache=True)
def _span_band(
    band: int,
    lines: Polylines,
    opaque: np.ndarray,
    scratch: Scratch,
    crossed: tuple[np.ndarray, np.ndarray],
    spans: Spans,
) -> None:
    onward, ranges = scratch.onward, spans.ranges
    top, bottom = band * BAND, (band + 1) * BAND
    for row in range(BAND):
        for x in range(onward.shape[1]):
            onward[row, x] = x
    # A plain 0 would be a type of its own, and all that follows be compiled twice.
    so_far = (spans.bases[band, 0], np.int64(0), spans.bases[band, 2], spans.bases[band, 3])
    after = spans.bases[band + 1]
    ends = (after[0], after[2] - 1, after[3])
    for p in range(opaque.shape[0] - 1, -1, -1):
        box = lines.boxes[p]
        window = (box[0], max(box[1], top), box[2], min(box[3], bottom))
        ranges[band, p, 0], ranges[band, p, 2] = so_far[2], so_far[3]
        if window[0] < window[2] and window[1] < window[3] and not _hidden(onward, window):
            if lines.half[p] > 0:
                so_far = _span_stroke(p, opaque[p], window, lines, scratch, spans, so_far, ends)
            else:
                so_far = _span_fill(p, opaque[p], window, lines, scratch, spans, crossed, so_far, ends)
        ranges[band, p, 1], ranges[band, p, 3] = so_far[2], so_far[3]
    if so_far[2] <= ends[1]:
        spans.rows[so_far[2], 1], spans.rows[so_far[2], 2] = so_far[0], so_far[1]
    counts, bases = spans.counts[band], spans.bases[band]
    counts[0], counts[1] = so_far[0] - bases[0], so_far[1]
    counts[2], counts[3] = so_far[2] + 1 - bases[2], so_far[3] - bases[3]


@njit(cache=True)
def _span_bands(first: int, step: int, width: int, lines: Polylines, opaque: np.ndarray, spans: Spans) -> None:
    stride = (width + 8) // 8 * 8
    mark, owner = np.zeros(BAND * stride, np.uint8), np.empty(BAND * stride, np.int32)
    onward = np.empty((BAND, width + 1), np.int32)
    scratch = Scratch(np.zeros(BAND * stride), mark, mark.view(np.uint64), owner, onward)
    crossed = room(width)
    for band in range(first, len(spans.counts), step):
        _span_band(band, lines, opaque, scratch, crossed, spans)


@njit(cache=True, parallel=True)
def span(lines: Polylines, opaque: np.ndarray, width: int, chunks: int, spans: Spans) -> None:
    """Fill `spans`; where its storage is too small, `counts` tells what it takes.

    opaque: bool (P,), whether a path hides what it fully covers.
    chunks: among how many workers the bands are dealt out.
    """
    for chunk in prange(chunks):
        # prange counts unsigned, and unsigned with signed makes floats.
        _span_bands(np.int64(chunk), chunks, width, lines, opaque, spans)
