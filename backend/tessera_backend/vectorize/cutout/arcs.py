"""Pieces of a path's own outline: where a point lies on it, and the cubics from there to elsewhere."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..curves.nesting import polygon

# Between samples of an outline, px.
_SPACING = 0.4
# A piece of a cubic shorter than this, px, is left out: its neighbour reaches over it.
_SHORT = 0.1


class Outline:
    """All contours of a path, sampled.

    A place on it is (contour, u): u counts cubics, so 2.5 is the middle (in t) of the third one; it may run on past
    the contour's end, and below 0.
    """

    def __init__(self, contours: tuple[np.ndarray, ...]) -> None:
        self._contours = [np.asarray(contour, np.float64) for contour in contours]
        steps = [_steps(contour) for contour in self._contours]
        rings = [polygon(contour, count) for contour, count in zip(self._contours, steps, strict=True)]
        self._steps = np.array(steps)
        self._starts = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])])
        self._samples = np.concatenate(rings)
        self._tree = cKDTree(self._samples)
        lengths = [np.hypot(*(np.roll(ring, -1, 0) - ring).T) for ring in rings]
        self._lengths = [np.concatenate([[0.0], np.cumsum(length)]) for length in lengths]

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For points (N, 2): the contours (N,), u (N,) and places (N, 2) that are nearest to them."""
        index = self._tree.query(points)[1]
        contour = np.searchsorted(self._starts, index, side="right") - 1
        start, count = self._starts[contour], np.diff(self._starts)[contour]
        local = index - start
        best = np.full(len(points), np.inf)
        u, place = np.zeros(len(points)), np.zeros((len(points), 2))
        for begin in (local - 1, local):
            a = self._samples[start + begin % count]
            step = self._samples[start + (begin + 1) % count] - a
            share = np.clip(((points - a) * step).sum(1) / np.maximum((step**2).sum(1), 1e-18), 0, 1)
            at = a + share[:, None] * step
            distance = ((points - at) ** 2).sum(1)
            nearer = distance < best
            best = np.where(nearer, distance, best)
            u = np.where(nearer, (begin + share) / self._steps[contour], u)
            place = np.where(nearer[:, None], at, place)
        return contour, u, place

    def cubics(self, contour: int) -> int:
        """How many a contour has."""
        return len(self._contours[contour]) // 3

    def length(self, contour: int, u: np.ndarray) -> np.ndarray:
        """Arc length from the contour's beginning to u, px."""
        lengths, count = self._lengths[contour], self.cubics(contour)
        turns = np.floor(u / count)
        samples = np.arange(len(lengths)) / self._steps[contour]
        return turns * lengths[-1] + np.interp(u - turns * count, samples, lengths)

    def around(self, contour: int, length: np.ndarray) -> np.ndarray:
        """Arc lengths brought between minus and plus half of the contour's."""
        whole = self._lengths[contour][-1]
        return length - np.round(length / max(whole, 1e-12)) * whole

    def piece(self, contour: int, begin: float, end: float) -> np.ndarray:
        """(n, 4, 2): the cubics from u `begin` to u `end`, the other way round where that is less."""
        if end < begin:
            return self.piece(contour, end, begin)[::-1, ::-1]
        begin, end = (self._snapped(contour, u) for u in (begin, end))
        points, count = self._contours[contour], self.cubics(contour)
        out = []
        for i in range(int(np.floor(begin)), int(np.ceil(end))):
            cubic = points[np.arange(3 * i, 3 * i + 4) % (3 * count)]
            out.append(_cut(cubic, max(begin - i, 0.0), min(end - i, 1.0)))
        return np.array(out).reshape(-1, 4, 2)

    def _snapped(self, contour: int, u: float) -> float:
        """The knot beside u, where it is that near."""
        knot = float(np.round(u))
        apart = self.length(contour, np.array([u, knot]))
        return knot if abs(apart[1] - apart[0]) < _SHORT else u


def _cut(cubic: np.ndarray, begin: float, end: float) -> np.ndarray:
    """(4, 2): the part of a cubic from t `begin` to `end`, by its blossom."""
    if begin == 0.0 and end == 1.0:
        return cubic
    ends = [(begin, begin, begin), (begin, begin, end), (begin, end, end), (end, end, end)]
    out = []
    for parameters in ends:
        points = cubic
        for t in parameters:
            points = points[:-1] * (1 - t) + points[1:] * t
        out.append(points[0])
    return np.array(out)


def _steps(contour: np.ndarray) -> int:
    """Samples per cubic that keep the longest one's within the spacing."""
    corners = np.concatenate([contour, contour[:1]])
    sides = np.hypot(*np.diff(corners, axis=0).T).reshape(-1, 3).sum(1)
    return int(np.clip(np.ceil(sides.max() / _SPACING), 8, 4096))
