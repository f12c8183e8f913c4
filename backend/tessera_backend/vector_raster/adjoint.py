"""The backward pass: from dL/dimage to paint, coverage, and points. Compiled; arguments are trusted."""

from __future__ import annotations

import numpy as np

from ..compiled import njit, prange
from .blend import Inks, place
from .flatten import Polylines
from .rows import edge_of
from .scene import LINEAR, SOLID
from .spans import Spans
from .stroke import strip
from .trace import BAND

# Columns of the sums for each stop: four channels, then alpha and offset.
ALPHA, OFFSET = 4, 5


@njit(cache=True, fastmath={"reassoc", "contract"})  # or sums over a run are not done several pixels at a time
def _solid(
    row: tuple[int, int, int, int],
    pieces: np.ndarray,
    color: np.ndarray,
    alpha: float,
    opaque: bool,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    """Undo one row of a path of one colour. image: dL/dimage as seen through what was undone before."""
    y, first, last, slot = row
    for n in range(first, last):
        x, length = pieces[n].x, pieces[n].length
        if length < 0:
            cover = image.dtype.type(pieces[n].cover)
            rise = alpha * 0
            for k in range(len(channels)):
                g = image[y, k, x]
                rise += g * (color[k] - below[slot * len(channels) + k])
                sums[k] += cover * alpha * g
                image[y, k, x] = g * (1 - cover * alpha)
            uncover[n] = rise * alpha * pieces[n].slope
            sums[ALPHA] += rise * cover
            slot += 1
        elif opaque:
            for k in range(len(channels)):
                total = alpha * 0
                for i in range(x, x + length):
                    total += image[y, k, i]
                sums[k] += total
        else:
            for k in range(len(channels)):
                total, rise = alpha * 0, alpha * 0
                at = slot * len(channels) + k * length
                for i in range(length):
                    g = image[y, k, x + i]
                    total += g
                    rise += g * (color[k] - below[at + i])
                    image[y, k, x + i] = g * (1 - alpha)
                sums[k] += alpha * total
                sums[ALPHA] += rise
            slot += length


@njit(cache=True)
def _slope_of_place(kind: int, geometry: np.ndarray, x: int, y: int, u: float, rise: float, slopes: np.ndarray) -> None:
    """Book dL/du, `rise`, on the gradient's geometry."""
    qx, qy = x + 0.5 - geometry[0], y + 0.5 - geometry[1]
    if kind == LINEAR:
        dx, dy = geometry[2] - geometry[0], geometry[3] - geometry[1]
        rise /= dx * dx + dy * dy
        slopes[0] += rise * (2 * u * dx - dx - qx)
        slopes[1] += rise * (2 * u * dy - dy - qy)
        slopes[2] += rise * (qx - 2 * u * dx)
        slopes[3] += rise * (qy - 2 * u * dy)
    elif u > 0:
        radius = geometry[2]
        slopes[0] -= rise * qx / (u * radius * radius)
        slopes[1] -= rise * qy / (u * radius * radius)
        slopes[2] -= rise * u / radius


@njit(cache=True)
def _gradient(
    row: tuple[int, int, int, int],
    pieces: np.ndarray,
    ink: tuple,
    opaque: bool,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    """Undo one row of a path with a gradient."""
    y, first, last, slot = row
    kind, geometry, offsets, colors, alphas = ink
    for n in range(first, last):
        length = max(pieces[n].length, 1)
        kept = pieces[n].length < 0 or not opaque
        cover = pieces[n].cover
        for i in range(length):
            x = pieces[n].x + i
            j, after, w, u = place(kind, geometry, offsets, x, y)
            alpha = alphas[j] + w * (alphas[after] - alphas[j])
            rise_a, rise_w = 0.0, 0.0
            for k in range(len(channels)):
                g = image[y, k, x]
                step = colors[after, k] - colors[j, k]
                sums[j, k] += cover * alpha * g * (1 - w)
                sums[after, k] += cover * alpha * g * w
                rise_w += cover * alpha * g * step
                if kept:
                    rise_a += g * (colors[j, k] + w * step - below[slot * len(channels) + k * length + i])
                    image[y, k, x] = g * (1 - cover * alpha)
            if kept:
                sums[j, ALPHA] += rise_a * cover * (1 - w)
                sums[after, ALPHA] += rise_a * cover * w
                rise_w += rise_a * cover * (alphas[after] - alphas[j])
                uncover[n] = rise_a * alpha * pieces[n].slope
            if w > 0:
                rise_w /= offsets[after] - offsets[j]
                sums[j, OFFSET] -= rise_w * (1 - w)
                sums[after, OFFSET] -= rise_w * w
                _slope_of_place(kind, geometry, x, y, u, rise_w, sums[len(sums) - 1])
        if kept:
            slot += length


@njit(cache=True)
def _unblend_band(
    band: int,
    spans: Spans,
    inks: Inks,
    base: int,
    image: np.ndarray,
    below: np.ndarray,
    uncover: np.ndarray,
    sums: np.ndarray,
    channels: tuple,
) -> None:
    pieces, rows = spans.pieces, spans.rows
    for p in range(spans.ranges.shape[1] - 1, -1, -1):
        begin, end = spans.ranges[band, p, 0], spans.ranges[band, p, 1]
        if begin < end:
            sums[p] = 0
            opaque, color, alpha, first = inks.opaque[p], inks.colors[p, 0], inks.alpha[p, 0], sums[p, 0]
            ink = inks.kind[p], inks.geometry[p], inks.offsets[p], inks.colors[p], inks.alpha[p]
            for record in range(begin, end):
                row = (rows[record, 0], rows[record, 1], rows[record + 1, 1], base + rows[record, 2])
                if inks.kind[p] == SOLID:
                    _solid(row, pieces, color, alpha, opaque, image, below, uncover, first, channels)
                else:
                    _gradient(row, pieces, ink, opaque, image, below, uncover, sums[p], channels)


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
    """Front to back: dL/dimage, which is overwritten, to uncover, float64 (N,), dL/d winding number of edge cells, and
    sums, float64 (bands, P, S + 1, 6).
    """
    for band in prange(spans.ranges.shape[0]):
        _unblend_band(np.int64(band), spans, inks, slots[band], image, below, uncover, sums[band], channels)


@njit(cache=True)
def _move_fill(p: int, lines: Polylines, spans: Spans, uncover: np.ndarray, slopes: np.ndarray) -> None:
    """dL/dvertices of a filled path: windings in a cell change only with the edges in that very cell.

    Moving a piece of edge along its normal changes the integral of the winding number by the area that it sweeps; each
    end of the edge gets the share of its hat function.
    """
    vertices, before, crossings = lines.vertices, lines.before, spans.crossings
    for band in range(lines.boxes[p, 1] // BAND, (lines.boxes[p, 3] + BAND - 1) // BAND):
        for n in range(spans.ranges[band, p, 2], spans.ranges[band, p, 3]):
            crossing = crossings[n]
            v = crossing.edge
            g = uncover[crossing.piece] * crossing.part
            g1 = g * crossing.middle
            g0 = g - g1
            last = before[v]
            dx, dy = vertices[v, 0] - vertices[last, 0], vertices[v, 1] - vertices[last, 1]
            slopes[last, 0] -= g0 * dy
            slopes[last, 1] += g0 * dx
            slopes[v, 0] -= g1 * dy
            slopes[v, 1] += g1 * dx


@njit(cache=True)
def _move_stroke(p: int, lines: Polylines, spans: Spans, uncover: np.ndarray, slopes: np.ndarray) -> float:
    """dL/dvertices of a stroked path; returns dL/dwidth."""
    vertices, before, pieces, rows = lines.vertices, lines.before, spans.pieces, spans.rows
    half, widen = lines.half[p], 0.0
    for band in range(lines.boxes[p, 1] // BAND, (lines.boxes[p, 3] + BAND - 1) // BAND):
        for record in range(spans.ranges[band, p, 0], spans.ranges[band, p, 1]):
            y = rows[record, 0] + 0.5
            for n in range(rows[record, 1], rows[record + 1, 1]):
                if pieces[n].length < 0:
                    v, g = -1 - pieces[n].length, uncover[n]
                    _, x0, y0, x1, y1, by_half = strip(pieces[n].x + 0.5, y, edge_of(vertices, before, v), half)
                    slopes[before[v], 0] += g * x0
                    slopes[before[v], 1] += g * y0
                    slopes[v, 0] += g * x1
                    slopes[v, 1] += g * y1
                    widen += 0.5 * g * by_half
    return widen


@njit(cache=True)
def _move_chunk(
    first: int,
    step: int,
    lines: Polylines,
    spans: Spans,
    uncover: np.ndarray,
    slopes: np.ndarray,
    widths: np.ndarray,
) -> None:
    for p in range(first, lines.boxes.shape[0], step):
        slopes[lines.contours[lines.paths[p]] : lines.contours[lines.paths[p + 1]]] = 0
        widths[p] = 0
        if lines.half[p] > 0:
            widths[p] = _move_stroke(p, lines, spans, uncover, slopes)
        else:
            _move_fill(p, lines, spans, uncover, slopes)


@njit(cache=True, parallel=True)
def move(
    lines: Polylines, spans: Spans, uncover: np.ndarray, chunks: int, slopes: np.ndarray, widths: np.ndarray
) -> None:
    """dL/dvertices, float64 (V, 2), and dL/dwidths of strokes, float64 (P,), from dL/d coverage of edge cells.

    Each path is one thread's alone.
    """
    for chunk in prange(chunks):
        _move_chunk(np.int64(chunk), chunks, lines, spans, uncover, slopes, widths)


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
