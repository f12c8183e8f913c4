"""What spans tell beside the image: the topmost path of each pixel, and what each path is worth. Compiled."""

from __future__ import annotations

import numpy as np

from ..compiled import njit
from .blend import Inks, place
from .spans import Spans


@njit(cache=True)
def topmost(spans: Spans, top: np.ndarray) -> None:
    """top, int32 (H, W): the topmost path that covers at least half of a pixel; -1 where there is none."""
    top[:] = -1
    pieces, rows = spans.pieces, spans.rows
    for band in range(spans.ranges.shape[0]):
        for p in range(spans.ranges.shape[1]):
            for record in range(spans.ranges[band, p, 0], spans.ranges[band, p, 1]):
                y = rows[record, 0]
                for n in range(rows[record, 1], rows[record + 1, 1]):
                    if pieces[n].cover >= 0.5:
                        top[y, pieces[n].x : pieces[n].x + max(pieces[n].length, 1)] = p


@njit(cache=True)
def _row_removal(
    row: tuple[int, int, int, int],
    pieces: np.ndarray,
    ink: tuple,
    image: np.ndarray,
    below: np.ndarray,
    target: np.ndarray,
    through: np.ndarray,
    channels: tuple,
) -> float:
    """The rise of the squared error where one row of a path is taken away. row: y, pieces from, to, first slot."""
    y, first, last, slot = row
    kind, geometry, offsets, colors, alpha = ink
    rise = 0.0
    for n in range(first, last):
        length = max(pieces[n].length, 1)
        for i in range(length):
            x = pieces[n].x + i
            j, after, w, _ = place(kind, geometry, offsets, x, y)
            a = pieces[n].cover * (alpha[j] + w * (alpha[after] - alpha[j]))
            for k in range(len(channels)):
                color = colors[j, k] + w * (colors[after, k] - colors[j, k])
                change = through[y, x] * a * (below[slot * len(channels) + k * length + i] - color)
                rise += change * (change + 2 * (image[y, k, x] - target[y, k, x]))
            through[y, x] *= 1 - a
        slot += length
    return rise


@njit(cache=True)
def removal(
    spans: Spans,
    inks: Inks,
    slots: np.ndarray,
    image: np.ndarray,
    below: np.ndarray,
    target: np.ndarray,
    through: np.ndarray,
    rises: np.ndarray,
    channels: tuple,
) -> None:
    """By how much the squared error against `target` rises without a path: rises, float64 (P,), zeros at first.

    Without a path, its pixels show what is below it instead, seen through what is above: the image changes by
    T a (below - c), where T is the transmittance above. Needs spans with a slot for every pixel: no path opaque.
    through: float (H, W), ones at first.
    """
    pieces, rows = spans.pieces, spans.rows
    for band in range(spans.ranges.shape[0]):
        for p in range(spans.ranges.shape[1] - 1, -1, -1):
            ink = inks.kind[p], inks.geometry[p], inks.offsets[p], inks.colors[p], inks.alpha[p]
            for record in range(spans.ranges[band, p, 0], spans.ranges[band, p, 1]):
                row = (rows[record, 0], rows[record, 1], rows[record + 1, 1], slots[band] + rows[record, 2])
                rises[p] += _row_removal(row, pieces, ink, image, below, target, through, channels)
