"""The backward pass: from dL/dimage to paint, coverage, and points. Compiled; arguments are trusted."""

from __future__ import annotations

import numpy as np

from ..compiled import njit, prange
from .blend import Inks, place
from .flatten import Polylines
from .scene import LINEAR, SOLID
from .spans import Spans
from .trace import BAND, Crossings, Window, room, trace

# Columns of the sums for each stop: four channels, then alpha and offset.
ALPHA, OFFSET = 4, 5


@njit(cache=True, fastmath={"reassoc", "contract"})  # or sums over a run are not done several pixels at a time
def _solid(
    p: int,
    y: int,
    pieces: tuple[int, int, int],
    spans: Spans,
    inks: Inks,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    """Undo one row of a path of one colour. image: dL/dimage as seen through what was undone before."""
    first, last, slot = pieces
    alpha, opaque = inks.alpha[p, 0], inks.opaque[p]
    for n in range(first, last):
        x, length = spans.x[n], spans.length[n]
        if length < 0:
            cover = spans.cover[n]
            rise = alpha * 0
            for k in range(len(channels)):
                g = image[y, k, x]
                rise += g * (inks.colors[p, 0, k] - below[slot * len(channels) + k])
                sums[0, k] += cover * alpha * g
                image[y, k, x] = g * (1 - cover * alpha)
            uncover[n] = rise * alpha * spans.slope[n]
            sums[0, ALPHA] += rise * cover
            slot += 1
        elif opaque:
            for k in range(len(channels)):
                total = alpha * 0
                for i in range(x, x + length):
                    total += image[y, k, i]
                sums[0, k] += total
        else:
            for k in range(len(channels)):
                total, rise = alpha * 0, alpha * 0
                at = slot * len(channels) + k * length
                for i in range(length):
                    g = image[y, k, x + i]
                    total += g
                    rise += g * (inks.colors[p, 0, k] - below[at + i])
                    image[y, k, x + i] = g * (1 - alpha)
                sums[0, k] += alpha * total
                sums[0, ALPHA] += rise
            slot += length


@njit(cache=True)
def _place_slope(inks: Inks, p: int, x: int, y: int, j: int, w: float, u: float, rise: float, sums: np.ndarray) -> None:
    """Book dL/dw, `rise`, on stops' offsets and on the gradient's geometry; sums of geometry: see `settle`."""
    between = inks.offsets[p, j + 1] - inks.offsets[p, j]
    rise /= between
    sums[j, OFFSET] -= rise * (1 - w)
    sums[j + 1, OFFSET] -= rise * w
    geometry = sums[sums.shape[0] - 1]
    a, b, c, d = inks.geometry[p, 0], inks.geometry[p, 1], inks.geometry[p, 2], inks.geometry[p, 3]
    qx, qy = x + 0.5 - a, y + 0.5 - b
    if inks.kind[p] == LINEAR:
        dx, dy = c - a, d - b
        square = dx * dx + dy * dy
        geometry[0] += rise * (2 * u * dx - dx - qx) / square
        geometry[1] += rise * (2 * u * dy - dy - qy) / square
        geometry[2] += rise * (qx - 2 * u * dx) / square
        geometry[3] += rise * (qy - 2 * u * dy) / square
    elif u > 0:
        geometry[0] -= rise * qx / (u * c * c)
        geometry[1] -= rise * qy / (u * c * c)
        geometry[2] -= rise * u / c


@njit(cache=True)
def _gradient(
    p: int,
    y: int,
    pieces: tuple[int, int, int],
    spans: Spans,
    inks: Inks,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    """Undo one row of a path with a gradient."""
    first, last, slot = pieces
    opaque = inks.opaque[p]
    for n in range(first, last):
        length = max(spans.length[n], 1)
        kept = spans.length[n] < 0 or not opaque
        cover = spans.cover[n]
        for i in range(length):
            x = spans.x[n] + i
            j, w, u = place(inks, p, x, y)
            after = min(j + 1, inks.alpha.shape[1] - 1)
            alpha = inks.alpha[p, j] + w * (inks.alpha[p, after] - inks.alpha[p, j])
            a = cover * alpha
            rise_a, rise_w = 0.0, 0.0
            for k in range(len(channels)):
                g = image[y, k, x]
                step = inks.colors[p, after, k] - inks.colors[p, j, k]
                sums[j, k] += a * g * (1 - w)
                sums[after, k] += a * g * w
                rise_w += a * g * step
                if kept:
                    under = below[slot * len(channels) + k * length + i]
                    rise_a += g * (inks.colors[p, j, k] + w * step - under)
                image[y, k, x] = g * (1 - a)
            if kept:
                sums[j, ALPHA] += rise_a * cover * (1 - w)
                sums[after, ALPHA] += rise_a * cover * w
                rise_w += rise_a * cover * (inks.alpha[p, after] - inks.alpha[p, j])
                uncover[n] = rise_a * alpha * spans.slope[n]
            if w > 0:
                _place_slope(inks, p, x, y, j, w, u, rise_w, sums)
        if kept:
            slot += length


@njit(cache=True)
def _unblend_band(
    band: int,
    spans: Spans,
    inks: Inks,
    slots: np.ndarray,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    for p in range(spans.ranges.shape[1] - 1, -1, -1):
        begin, end = spans.ranges[band, p, 0], spans.ranges[band, p, 1]
        if end > begin:
            sums[p] = 0
        for record in range(begin, end):
            pieces = (spans.rows[record, 1], spans.rows[record + 1, 1], slots[band] + spans.rows[record, 2])
            y = spans.rows[record, 0]
            if inks.kind[p] == SOLID:
                _solid(p, y, pieces, spans, inks, image, below, uncover, sums[p], channels)
            else:
                _gradient(p, y, pieces, spans, inks, image, below, uncover, sums[p], channels)


@njit(cache=True, parallel=True)
def unblend(
    spans: Spans,
    inks: Inks,
    slots: np.ndarray,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    """Front to back: dL/dimage, which is overwritten, to uncover, float (N,), dL/d winding number of edge cells, and
    sums, float64 (bands, P, S + 1, 6).
    """
    for band in prange(spans.ranges.shape[0]):
        _unblend_band(np.int64(band), spans, inks, slots, image, below, uncover, sums[band], channels)


@njit(cache=True)
def _move_edges(
    lines: Polylines, p: int, window: Window, dense: np.ndarray, crossings: Crossings, slopes: np.ndarray
) -> None:
    """dL/dvertices of what is filled: windings in a cell change only with the edges in that very cell.

    Moving a piece of edge along its normal changes the integral of the winding number by the area that it sweeps; each
    end of the edge gets the share of its hat function.
    """
    for k in range(lines.paths[p], lines.paths[p + 1]):
        begin, end = lines.contours[k], lines.contours[k + 1]
        last = end - 1
        for v in range(begin, end):
            x0, y0 = lines.vertices[last, 0], lines.vertices[last, 1]
            x1, y1 = lines.vertices[v, 0], lines.vertices[v, 1]
            g0, g1 = 0.0, 0.0
            for i in range(trace(x0, y0, x1, y1, window, crossings)):
                if crossings.cell[i] >= 0:
                    g = dense[crossings.cell[i]] * crossings.part[i]
                    g0 += g * (1 - crossings.middle[i])
                    g1 += g * crossings.middle[i]
            slopes[last, 0] -= g0 * (y1 - y0)
            slopes[last, 1] += g0 * (x1 - x0)
            slopes[v, 0] -= g1 * (y1 - y0)
            slopes[v, 1] += g1 * (x1 - x0)
            last = v


@njit(cache=True)
def _spread(
    spans: Spans, records: np.ndarray, uncover: np.ndarray, window: Window, dense: np.ndarray, on: bool
) -> None:
    """Put a path's dL/d winding numbers where `_move_edges` finds them, or (`on` is False) take them away again."""
    for record in range(records[0], records[1]):
        base = (spans.rows[record, 0] - window.top) * window.stride - window.left
        for n in range(spans.rows[record, 1], spans.rows[record + 1, 1]):
            if spans.length[n] < 0:
                dense[base + spans.x[n]] = uncover[n] if on else 0


@njit(cache=True)
def _move_path(
    p: int,
    lines: Polylines,
    spans: Spans,
    uncover: np.ndarray,
    dense: np.ndarray,
    stride: int,
    crossings: Crossings,
    slopes: np.ndarray,
) -> None:
    slopes[lines.contours[lines.paths[p]] : lines.contours[lines.paths[p + 1]]] = 0
    left, y0, right, y1 = lines.boxes[p, 0], lines.boxes[p, 1], lines.boxes[p, 2], lines.boxes[p, 3]
    for band in range(y0 // BAND, (y1 + BAND - 1) // BAND):
        records = spans.ranges[band, p]
        if records[1] > records[0]:
            window = Window(left, max(y0, band * BAND), right, min(y1, (band + 1) * BAND), stride)
            _spread(spans, records, uncover, window, dense, True)
            _move_edges(lines, p, window, dense, crossings, slopes)
            _spread(spans, records, uncover, window, dense, False)


@njit(cache=True)
def _move_chunk(
    first: int, step: int, lines: Polylines, spans: Spans, uncover: np.ndarray, width: int, slopes: np.ndarray
) -> None:
    crossings = room(width)
    dense = np.zeros(BAND * (width + 1), uncover.dtype)
    for p in range(first, lines.boxes.shape[0], step):
        _move_path(p, lines, spans, uncover, dense, width + 1, crossings, slopes)


@njit(cache=True, parallel=True)
def move(lines: Polylines, spans: Spans, uncover: np.ndarray, width: int, chunks: int, slopes: np.ndarray) -> None:
    """dL/dvertices, float64 (V, 2), from dL/d winding numbers of edge cells. Each path is one thread's alone."""
    for chunk in prange(chunks):
        _move_chunk(np.int64(chunk), chunks, lines, spans, uncover, width, slopes)


@njit(cache=True)
def settle(spans: Spans, boxes: np.ndarray, sums: np.ndarray, total: np.ndarray) -> None:
    """Add up the bands' sums, always in the same order. total: float64 (P, S + 1, 6)."""
    total[:] = 0
    for p in range(total.shape[0]):
        for band in range(boxes[p, 1] // BAND, (boxes[p, 3] + BAND - 1) // BAND):
            if spans.ranges[band, p, 1] > spans.ranges[band, p, 0]:
                for j in range(total.shape[1]):
                    for k in range(6):
                        total[p, j, k] += sums[band, p, j, k]
