"""Regions merge pair by pair, the cheapest first, until one is left: compiled loops over a matrix of contacts.

The rise of the squared error is exact, since moments add up. `contact` is float32 (R, R), symmetric: how long the
border that two regions share is, in px; 0 where they do not touch. Each region knows its cheapest neighbour.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit
from .models import MOMENTS, residual, residuals

# What leaving out a pixel of an island costs: as much as the wrong colour.
_ABSENT = 1.0
# Mean squared error per pixel and channel under which an affine fit is good: then parts may differ in colour.
_GOOD_FIT = 0.0016


@njit(cache=True)
def contacts(labels: np.ndarray, count: int) -> np.ndarray:
    """How long the borders are that labels from 0 to count - 1 share, px: float32 (count, count)."""
    height, width = labels.shape
    out = np.zeros((count, count), np.float32)
    for y in range(height):
        for x in range(width):
            a = labels[y, x]
            for way in range(2):
                y2, x2 = y + way, x + 1 - way
                if a < 0 or y2 >= height or x2 >= width:
                    continue
                b = labels[y2, x2]
                if b >= 0 and a != b:
                    out[a, b] += 1.0
                    out[b, a] += 1.0
    return out


@njit(cache=True)
def merge(
    rows: np.ndarray,
    contact: np.ndarray,
    alive: np.ndarray,
    rule: tuple[bool, float, float],
    until: int,
    merges: np.ndarray,
    done: int,
) -> int:
    """Merge until `until` regions are left; returns how many pairs `merges` has then.

    Args:
        rows: float64 (R, 18), moments of the regions; those that merged are kept by the first of the two.
        contact: float32 (R, R). Changes.
        alive: bool (R,). Changes.
        rule: whether colours are affine; what a px of shared border is worth in squared error; how far apart mean
            colours of parts may be before the parts are judged by constant colours, 0 for as far as they like.
        merges: int32 (R - 1, 2), regions that merged, the first one stands for both; from `done` on is written.
    """
    count = len(rows)
    errors = residuals(rows, rule[0])
    near = np.full(count, -1)
    least = np.full(count, np.inf)
    both = np.empty(MOMENTS)
    for a in range(count):
        if alive[a]:
            _look(rows, errors, contact, a, rule, near, least, both)
    for _ in range(alive.sum() - until):
        a = np.argmin(least)
        b = near[a]
        if b < 0:  # an island that is one region by now
            a, b = _largest(rows, alive, a), a
        merges[done, 0], merges[done, 1] = a, b
        done += 1
        alive[b] = False
        least[b] = np.inf
        rows[a] += rows[b]
        errors[a] = residual(rows[a], rule[0])
        _join(contact, a, b)
        near[a], least[a] = -1, rows[a, 0] * _ABSENT
        for r in range(count):
            if contact[a, r] == 0.0:
                continue
            cost = _cost(rows, errors, contact, a, r, rule, both)
            if near[a] < 0 or cost < least[a]:
                near[a], least[a] = r, cost
            if near[r] == a or near[r] == b:
                _look(rows, errors, contact, r, rule, near, least, both)
            elif cost < least[r]:
                near[r], least[r] = a, cost
    return done


@njit(cache=True)
def _join(contact: np.ndarray, a: int, b: int) -> None:
    """Region a takes over b's borders."""
    for r in range(len(contact)):
        if contact[b, r] > 0.0:
            if r != a:
                contact[a, r] += contact[b, r]
                contact[r, a] = contact[a, r]
            contact[b, r] = contact[r, b] = 0.0


@njit(cache=True)
def _look(
    rows: np.ndarray,
    errors: np.ndarray,
    contact: np.ndarray,
    a: int,
    rule: tuple[bool, float, float],
    near: np.ndarray,
    least: np.ndarray,
    both: np.ndarray,
) -> None:
    """Find region a's cheapest neighbour; where it has none, what leaving it out costs."""
    near[a], least[a] = -1, rows[a, 0] * _ABSENT
    for b in range(len(rows)):
        if contact[a, b] > 0.0:
            cost = _cost(rows, errors, contact, a, b, rule, both)
            if near[a] < 0 or cost < least[a]:
                near[a], least[a] = b, cost


@njit(cache=True)
def _cost(
    rows: np.ndarray,
    errors: np.ndarray,
    contact: np.ndarray,
    a: int,
    b: int,
    rule: tuple[bool, float, float],
    both: np.ndarray,
) -> float:
    """What merging two regions costs: the rise of the squared error, less what their border is worth.

    `both`, float64 (18,), is room to work in.
    """
    affine, boundary, unlike = rule
    for k in range(len(both)):
        both[k] = rows[a, k] + rows[b, k]
    error = residual(both, affine)
    rise = max(error - errors[a] - errors[b], 0.0)
    n, m = rows[a, 0], rows[b, 0]
    if unlike > 0.0 and error > 3.0 * _GOOD_FIT * (n + m):
        apart = 0.0
        for k in range(6, len(both), 4):
            apart += (rows[a, k] / n - rows[b, k] / m) ** 2
        if apart > unlike * unlike:
            rise = max(rise, n * m / (n + m) * apart)
    return rise - boundary * contact[a, b]


@njit(cache=True)
def _largest(rows: np.ndarray, alive: np.ndarray, but: int) -> int:
    best, most = -1, -1.0
    for r in range(len(rows)):
        if alive[r] and r != but and rows[r, 0] > most:
            best, most = r, rows[r, 0]
    return best
