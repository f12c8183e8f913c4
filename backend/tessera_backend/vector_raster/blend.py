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
def place(inks: Inks, p: int, x: int, y: int) -> tuple[int, float, float]:
    """Where a pixel's centre lies between the stops of a gradient: stop j, share w of stop j + 1, and offset u.

    w is 0 before the first stop and after the last, whose colours go on ("pad" in SVG). Gradients without extent have
    the last stop's colour, as SVG demands.
    """
    last = inks.offsets.shape[1] - 1
    a, b, c, d = inks.geometry[p, 0], inks.geometry[p, 1], inks.geometry[p, 2], inks.geometry[p, 3]
    qx, qy = x + 0.5 - a, y + 0.5 - b
    if inks.kind[p] == LINEAR:
        square = (c - a) * (c - a) + (d - b) * (d - b)
        if square <= 0:
            return last, 0.0, 0.0
        u = (qx * (c - a) + qy * (d - b)) / square
    else:
        if c <= 0:
            return last, 0.0, 0.0
        u = math.sqrt(qx * qx + qy * qy) / c
    offsets = inks.offsets[p]
    if u < offsets[0]:
        return 0, 0.0, u
    j = 0
    while j < last and u >= offsets[j + 1]:
        j += 1
    if j == last:
        return last, 0.0, u
    return j, (u - offsets[j]) / (offsets[j + 1] - offsets[j]), u


@njit(cache=True)
def _solid(
    p: int,
    y: int,
    pieces: tuple[int, int, int],
    spans: Spans,
    inks: Inks,
    image: np.ndarray,
    below: np.ndarray,
    channels: tuple,
) -> None:
    """Paint one row of a path of one colour."""
    first, last, slot = pieces
    alpha, opaque = inks.alpha[p, 0], inks.opaque[p]
    for n in range(first, last):
        x, length = spans.x[n], spans.length[n]
        if length < 0:
            a = spans.cover[n] * alpha
            for k in range(len(channels)):
                under = image[y, k, x]
                below[slot * len(channels) + k] = under
                image[y, k, x] = under + a * (inks.colors[p, 0, k] - under)
            slot += 1
        elif opaque:
            for k in range(len(channels)):
                image[y, k, x : x + length] = inks.colors[p, 0, k]
        else:
            for k in range(len(channels)):
                at = slot * len(channels) + k * length
                for i in range(length):
                    under = image[y, k, x + i]
                    below[at + i] = under
                    image[y, k, x + i] = under + alpha * (inks.colors[p, 0, k] - under)
            slot += length


@njit(cache=True)
def _gradient(
    p: int,
    y: int,
    pieces: tuple[int, int, int],
    spans: Spans,
    inks: Inks,
    image: np.ndarray,
    below: np.ndarray,
    channels: tuple,
) -> None:
    """Paint one row of a path with a gradient."""
    first, last, slot = pieces
    opaque = inks.opaque[p]
    for n in range(first, last):
        length = max(spans.length[n], 1)
        keep = spans.length[n] < 0 or not opaque
        for i in range(length):
            x = spans.x[n] + i
            j, w, _ = place(inks, p, x, y)
            after = min(j + 1, inks.alpha.shape[1] - 1)
            a = spans.cover[n] * (inks.alpha[p, j] + w * (inks.alpha[p, after] - inks.alpha[p, j]))
            for k in range(len(channels)):
                color = inks.colors[p, j, k] + w * (inks.colors[p, after, k] - inks.colors[p, j, k])
                under = image[y, k, x]
                if keep:
                    below[slot * len(channels) + k * length + i] = under
                image[y, k, x] = under + a * (color - under)
        if keep:
            slot += length


@njit(cache=True)
def _blend_band(
    band: int, spans: Spans, inks: Inks, slots: np.ndarray, image: np.ndarray, below: np.ndarray, channels: tuple
) -> None:
    for p in range(spans.ranges.shape[1]):
        for record in range(spans.ranges[band, p, 0], spans.ranges[band, p, 1]):
            pieces = (spans.rows[record, 1], spans.rows[record + 1, 1], slots[band] + spans.rows[record, 2])
            if inks.kind[p] == SOLID:
                _solid(p, spans.rows[record, 0], pieces, spans, inks, image, below, channels)
            else:
                _gradient(p, spans.rows[record, 0], pieces, spans, inks, image, below, channels)


@njit(cache=True, parallel=True)
def blend(spans: Spans, inks: Inks, slots: np.ndarray, image: np.ndarray, below: np.ndarray, channels: tuple) -> None:
    """Paint the spans over `image`, which holds the background, and keep in `below` what each slot had under it.

    slots: int64 (bands,), each band's first slot.
    """
    for band in prange(spans.ranges.shape[0]):
        _blend_band(np.int64(band), spans, inks, slots, image, below, channels)
