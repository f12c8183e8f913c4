"""Holes stay in their outline, and apart from each other, while points move.

A hole that leaves its outline is filled by the nonzero rule: an island, which counts as a path and is none that anybody
asked for. One that crosses it is half an island.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...compiled import njit
from .nesting import holds

# Points per cubic of the polygons that stand for contours here.
_STEPS = 8
# Of a px: as files have points, where they are rounded most.
_ROUNDED = 0.1
# How often a path is taken back in part before it is taken back whole.
_ROUNDS = 4


@njit(cache=True)
def tangled(points: np.ndarray, contours: np.ndarray) -> np.ndarray:
    """Where a path's contours cross each other, or lie where they don't belong.

    Args:
        points: float64 (M, 2), px, of the path alone: for each cubic its knot and its two handles.
        contours: int64 (K + 1,), where each contour begins and the last one ends: an outline, then its holes.
    Returns:
        bool (M / 3,): the two knots of each cubic that crosses another contour's, and all knots of a hole that crosses
        none, but lies outside the outline or in another hole. None of a path as it should be.
    """
    ring = _flattened(np.rint(points / _ROUNDED) * _ROUNDED, contours)
    bounds = contours // 3 * _STEPS
    crossing = _crossing(ring, bounds)
    wrong = np.zeros(len(points) // 3, np.bool_)
    for c in range(len(contours) - 1):
        first, last = contours[c] // 3, contours[c + 1] // 3
        crosses = False
        for k in range(first, last):
            if crossing[k * _STEPS : (k + 1) * _STEPS].any():
                crosses = True
                wrong[k] = wrong[k + 1 if k + 1 < last else first] = True
        if c == 0 or crosses:
            continue
        x, y = ring[bounds[c]]
        if not holds(ring[: bounds[1]], x, y):
            wrong[first:last] = True
        for other in range(1, len(contours) - 1):
            if other != c and holds(ring[bounds[other] : bounds[other + 1]], x, y):
                wrong[first:last] = True
    return wrong


class Holes:
    """What paths with holes were like when these were last in place, to go back to."""

    def __init__(self, points: np.ndarray, contours: np.ndarray, paths: np.ndarray) -> None:
        """Of paths as `shapes.Shapes` has them; those that are tangled are let be until they once are not."""
        self._of = [
            (slice(contours[first], contours[last]), contours[first : last + 1] - contours[first])
            for first, last in pairwise(paths)
            if last - first > 1
        ]
        self._kept = [None if tangled(points[at], bounds).any() else points[at].copy() for at, bounds in self._of]

    def keep(self, points: np.ndarray) -> np.ndarray:
        """Take back, in place, what tangles paths since the last time, with no more around it than need be.

        Returns:
            bool (M,): the points that were taken back.
        """
        taken = np.zeros(len(points), bool)
        for i, (at, bounds) in enumerate(self._of):
            kept = self._kept[i]
            if kept is None:
                self._kept[i] = None if tangled(points[at], bounds).any() else points[at].copy()
            else:
                taken[at] = _taken_back(points[at], kept, bounds)
                kept[:] = points[at]
        return taken


@njit(cache=True)
def _taken_back(points: np.ndarray, kept: np.ndarray, contours: np.ndarray) -> np.ndarray:
    """Knots of a tangled path, with their handles, go back to `kept`, in place; bool (M,), which ones."""
    back = np.zeros(len(points), np.bool_)
    for turn in range(_ROUNDS + 1):
        wrong = tangled(points, contours)
        if not wrong.any():
            break
        if turn == _ROUNDS:
            wrong[:] = True
        for c in range(len(contours) - 1):
            for k in range(contours[c] // 3, contours[c + 1] // 3):
                if wrong[k]:
                    before = 3 * k - 1 if 3 * k > contours[c] else contours[c + 1] - 1
                    for i in (before, 3 * k, 3 * k + 1):
                        points[i] = kept[i]
                        back[i] = True
    return back


@njit(cache=True)
def _flattened(points: np.ndarray, contours: np.ndarray) -> np.ndarray:
    """Polygons of contours, (M / 3 * _STEPS, 2)."""
    ring = np.empty((len(points) // 3 * _STEPS, 2))
    for c in range(len(contours) - 1):
        for a in range(contours[c], contours[c + 1], 3):
            d = a + 3 if a + 3 < contours[c + 1] else contours[c]
            for step in range(_STEPS):
                t = step / _STEPS
                s = 1.0 - t
                w0, w1, w2, w3 = s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t
                for axis in range(2):
                    ring[a // 3 * _STEPS + step, axis] = (
                        w0 * points[a, axis]
                        + w1 * points[a + 1, axis]
                        + w2 * points[a + 2, axis]
                        + w3 * points[d, axis]
                    )
    return ring


@njit(cache=True)
def _crossing(ring: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Edges that cross one of another polygon, bool (N,), by a sweep from top to bottom."""
    count = len(ring)
    edges = np.empty((count, 4))
    of = np.empty(count, np.int64)
    for c in range(len(bounds) - 1):
        for i in range(bounds[c], bounds[c + 1]):
            j = i + 1 if i + 1 < bounds[c + 1] else bounds[c]
            edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3] = ring[i, 0], ring[i, 1], ring[j, 0], ring[j, 1]
            of[i] = c
    order = np.argsort(np.minimum(edges[:, 1], edges[:, 3]))
    crossing = np.zeros(count, np.bool_)
    for start in range(count):
        i = order[start]
        low, high = min(edges[i, 0], edges[i, 2]), max(edges[i, 0], edges[i, 2])
        bottom = max(edges[i, 1], edges[i, 3])
        for at in range(start + 1, count):
            j = order[at]
            if min(edges[j, 1], edges[j, 3]) > bottom:
                break
            if of[i] == of[j] or max(edges[j, 0], edges[j, 2]) < low or min(edges[j, 0], edges[j, 2]) > high:
                continue
            if _apart(edges[i], edges[j]) and _apart(edges[j], edges[i]):
                crossing[i] = crossing[j] = True
    return crossing


@njit(cache=True)
def _apart(edge: np.ndarray, other: np.ndarray) -> bool:
    """Whether the other's ends lie on two sides of an edge's line, or on it."""
    dx, dy = edge[2] - edge[0], edge[3] - edge[1]
    first = dx * (other[1] - edge[1]) - dy * (other[0] - edge[0])
    second = dx * (other[3] - edge[1]) - dy * (other[2] - edge[0])
    return first * second <= 0.0
