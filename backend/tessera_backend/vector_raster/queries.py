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
    for band in range(spans.ranges.shape[0]):
        for p in range(spans.ranges.shape[1]):
            for record in range(spans.ranges[band, p, 0], spans.ranges[band, p, 1]):
                y = spans.rows[record, 0]
                for n in range(spans.rows[record, 1], spans.rows[record + 1, 1]):
                    if spans.cover[n] >= 0.5:
                        top[y, spans.x[n] : spans.x[n] + max(spans.length[n], 1)] = p


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
    -T a (c - below), where T is the transmittance above. Needs spans with a slot for every pixel: no path opaque.
    through: float (H, W), scratch.
    """
    for band in range(spans.ranges.shape[0]):
        for p in range(spans.ranges.shape[1] - 1, -1, -1):
            rise = 0.0
            for record in range(spans.ranges[band, p, 0], spans.ranges[band, p, 1]):
                y = spans.rows[record, 0]
                slot = slots[band] + spans.rows[record, 2]
                for n in range(spans.rows[record, 1], spans.rows[record + 1, 1]):
                    length = max(spans.length[n], 1)
                    for i in range(length):
                        x = spans.x[n] + i
                        j, w, _ = place(inks, p, x, y)
                        after = min(j + 1, inks.alpha.shape[1] - 1)
                        a = spans.cover[n] * (inks.alpha[p, j] + w * (inks.alpha[p, after] - inks.alpha[p, j]))
                        for k in range(len(channels)):
                            color = inks.colors[p, j, k] + w * (inks.colors[p, after, k] - inks.colors[p, j, k])
                            change = through[y, x] * a * (below[slot * len(channels) + k * length + i] - color)
                            rise += change * (change + 2 * (image[y, k, x] - target[y, k, x]))
                        through[y, x] *= 1 - a
                    slot += length
            rises[p] += rise
