"""Regions merge pair by pair, the cheapest first, until one is left: compiled loops over a matrix of contacts.

The rise of the squared error is exact, since moments add up. `contact` is float32 (R, R), symmetric: how long the
border that two regions share is, in px; 0 where they do not touch. Each region knows its cheapest neighbour.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit
from .models import residual

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
    affine: bool,
    boundary: float,
    unlike: float,
    until: int,
    merges: np.ndarray,
    done: int,
) -> int:
    """Merge until `until` regions are left; returns how many pairs `merges` has then.

    Args:
        rows: moments (R, 18) of the regions; those that merged are kept by the first of the two.
        contact: float32 (R, R). Changes.
        alive: bool (R,). Changes.
        boundary: what a px of shared border is worth in squared error.
        unlike: parts whose mean colours are further apart are judged by constant colours; 0: all as the model says.
        merges: int32 (R - 1, 2), regions that merged, the first one stands for both; from `done` on is written.
    """
    count = len(rows)
    errors = np.zeros(count)
    near = np.full(count, -1)
    costs = np.full(count, np.inf)
    left = 0
    for a in range(count):
        if alive[a]:
            errors[a] = residual(rows[a], affine)
            left += 1
    for a in range(count):
        if alive[a]:
            _look(rows, errors, contact, a, affine, boundary, unlike, near, costs)
    while left > until:
        a = np.argmin(costs)
        b = near[a]
        if b < 0:  # an island that is one region by now
            b = _largest(rows, alive, a)
            a, b = b, a
        merges[done, 0], merges[done, 1] = a, b
        done += 1
        left -= 1
        _join(rows, contact, alive, costs, near, a, b)
        errors[a] = residual(rows[a], affine)
        _look(rows, errors, contact, a, affine, boundary, unlike, near, costs)
        for r in range(count):
            if contact[a, r] > 0.0:
                if near[r] == a or near[r] == b:
                    _look(rows, errors, contact, r, affine, boundary, unlike, near, costs)
                else:
                    cost = _cost(rows, errors, contact, a, r, affine, boundary, unlike)
                    if cost < costs[r]:
                        costs[r], near[r] = cost, a
    return done


@njit(cache=True)
def _join(
    rows: np.ndarray, contact: np.ndarray, alive: np.ndarray, costs: np.ndarray, near: np.ndarray, a: int, b: int
) -> None:
    """Region a takes over b's pixels and borders."""
    alive[b] = False
    costs[b] = np.inf
    rows[a] += rows[b]
    for r in range(len(rows)):
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
    affine: bool,
    boundary: float,
    unlike: float,
    near: np.ndarray,
    costs: np.ndarray,
) -> None:
    """Find region a's cheapest neighbour."""
    near[a] = -1
    costs[a] = rows[a, 0] * _ABSENT
    for b in range(len(rows)):
        if contact[a, b] > 0.0:
            cost = _cost(rows, errors, contact, a, b, affine, boundary, unlike)
            if near[a] < 0 or cost < costs[a]:
                costs[a], near[a] = cost, b


@njit(cache=True)
def _cost(
    rows: np.ndarray,
    errors: np.ndarray,
    contact: np.ndarray,
    a: int,
    b: int,
    affine: bool,
    boundary: float,
    unlike: float,
) -> float:
    """What merging two regions costs: the rise of the squared error, less what their border is worth."""
    both = rows[a] + rows[b]
    error = residual(both, affine)
    rise = max(error - errors[a] - errors[b], 0.0)
    if unlike > 0.0 and error > 3.0 * _GOOD_FIT * both[0]:
        n, m = rows[a, 0], rows[b, 0]
        apart = 0.0
        for k in range(6, 18, 4):
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
