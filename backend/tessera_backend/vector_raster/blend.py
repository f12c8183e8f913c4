"""Spans to an image, back to front. Compiled; arguments are trusted.

Images are (H, C, W), so that runs are contiguous. `channels` is a tuple of C zeros: its length is known to the
compiler.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..compiled import njit, prange
from .scene import LINEAR, SOLID
from .spans import Spans


class Inks(NamedTuple):
    """Paint, as kernels want it.

    Attributes:
        kind: int8 (P,).
        geometry: float64 (P, 4).
        offsets: float64 (P, S).
        colors: float (P, S, C); the fourth channel of premultiplied RGBA is 1, and then blends like a colour.
        alpha: float (P, S), stop alpha times opacity.
        opaque: bool (P,).
    """

    kind: np.ndarray
    geometry: np.ndarray
    offsets: np.ndarray
    colors: np.ndarray
    alpha: np.ndarray
    opaque: np.ndarray


@njit(cache=True)
def place(kind: int, geometry: np.ndarray, offsets: np.ndarray, x: int, y: int) -> tuple[int, int, float, float]:
    """Where a pixel's centre lies in a path's paint: stop j, the stop after it, the share w of that, and offset u.

    w is 0 before the first stop and after the last, whose colours go on ("pad" in SVG), and in what is solid.
    Gradients without extent have the last stop's colour, as SVG demands.
    """
    if kind == SOLID:
        return 0, 0, 0.0, 0.0
    last = len(offsets) - 1
    qx, qy = x + 0.5 - geometry[0], y + 0.5 - geometry[1]
    if kind == LINEAR:
        dx, dy = geometry[2] - geometry[0], geometry[3] - geometry[1]
        square = dx * dx + dy * dy
        if square <= 0:
            return last, last, 0.0, 0.0
        u = (qx * dx + qy * dy) / square
    else:
        if geometry[2] <= 0:
            return last, last, 0.0, 0.0
        u = math.sqrt(qx * qx + qy * qy) / geometry[2]
    if u < offsets[0]:
        return 0, 0, 0.0, u
    j = 0
    while j < last and u >= offsets[j + 1]:
        j += 1
    if j == last:
        return last, last, 0.0, u
    return j, j + 1, (u - offsets[j]) / (offsets[j + 1] - offsets[j]), u


@njit(cache=True, inline="always")
def _solid(
    row: tuple[int, int, int, int],
    pieces: np.ndarray,
    color: np.ndarray,
    alpha: float,
    opaque: bool,
    image: np.ndarray,
    below: np.ndarray,
    channels: tuple,
) -> None:
    """Paint one row of a path of one colour. row: y, first piece, end of pieces, first slot."""
    y, first, last, slot = row
    for n in range(first, last):
        x, length = pieces[n].x, pieces[n].length
        if length < 0:
            a = image.dtype.type(pieces[n].cover) * alpha
            for k in range(len(channels)):
                under = image[y, k, x]
                below[slot * len(channels) + k] = under
                image[y, k, x] = under + a * (color[k] - under)
            slot += 1
        elif opaque:
            for k in range(len(channels)):
                image[y, k, x : x + length] = color[k]
        else:
            for k in range(len(channels)):
                at = slot * len(channels) + k * length
                for i in range(length):
                    under = image[y, k, x + i]
                    below[at + i] = under
                    image[y, k, x + i] = under + alpha * (color[k] - under)
            slot += length


@njit(cache=True)
def _gradient(
    row: tuple[int, int, int, int],
    pieces: np.ndarray,
    ink: tuple,
    opaque: bool,
    image: np.ndarray,
    below: np.ndarray,
    channels: tuple,
) -> None:
    """Paint one row of a path with a gradient. row: y, first piece, end of pieces, first slot."""
    y, first, last, slot = row
    kind, geometry, offsets, colors, alpha = ink
    for n in range(first, last):
        length = max(pieces[n].length, 1)
        keep = pieces[n].length < 0 or not opaque
        for i in range(length):
            x = pieces[n].x + i
            j, after, w, _ = place(kind, geometry, offsets, x, y)
            a = pieces[n].cover * (alpha[j] + w * (alpha[after] - alpha[j]))
            for k in range(len(channels)):
                color = colors[j, k] + w * (colors[after, k] - colors[j, k])
                under = image[y, k, x]
                if keep:
                    below[slot * len(channels) + k * length + i] = under
                image[y, k, x] = under + a * (color - under)
        if keep:
            slot += length


@njit(cache=True)
def _blend_band(
    band: int, spans: Spans, inks: Inks, base: int, image: np.ndarray, below: np.ndarray, channels: tuple
) -> None:
    pieces, rows = spans.pieces, spans.rows
    for p in range(spans.ranges.shape[1]):
        begin, end = spans.ranges[band, p, 0], spans.ranges[band, p, 1]
        if begin < end:
            opaque, solid = inks.opaque[p], inks.kind[p] == SOLID
            color, alpha = inks.colors[p, 0], inks.alpha[p, 0]
            ink = inks.kind[p], inks.geometry[p], inks.offsets[p], inks.colors[p], inks.alpha[p]
            for record in range(begin, end):
                row = (rows[record, 0], rows[record, 1], rows[record + 1, 1], base + rows[record, 2])
                if solid:
                    _solid(row, pieces, color, alpha, opaque, image, below, channels)
                else:
                    _gradient(row, pieces, ink, opaque, image, below, channels)


@njit(cache=True, parallel=True)
def blend(spans: Spans, inks: Inks, slots: np.ndarray, image: np.ndarray, below: np.ndarray, channels: tuple) -> None:
    """Paint the spans over `image`, which holds the background, and keep in `below` what each slot had under it.

    slots: int64 (bands,), each band's first slot.
    """
    for band in prange(spans.ranges.shape[0]):
        _blend_band(np.int64(band), spans, inks, slots[band], image, below, channels)
