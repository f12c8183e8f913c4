"""Fewer nodes on an outline: those that hardly bend it go."""

from __future__ import annotations

import numpy as np

from ...compiled import njit
from .fit import fit_cubic, unit
from .nesting import polygon

# Samples that stand for a cubic.
_SAMPLES = 8


def thinned(contour: np.ndarray, tolerance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join neighbouring cubics, those first that come nearest to the two they replace.

    Ends of the cubics that stay keep their place and their tangents.

    Args:
        contour: float64 (3 n, 2), px: for each cubic its knot and its two handles.
        tolerance: float64 (n,), px: how far a joined curve may be from each cubic of the given one.
    Returns:
        int64 (m,), the knots that stay, at least two where there are as many; float64 (3 m, 2), the contour.
    """
    points = np.ascontiguousarray(contour, np.float64)
    knots, handles = points[::3], (points[1::3], points[2::3])
    cubics = np.stack([knots, *handles, np.roll(knots, -1, 0)], 1)
    stays = _join(polygon(points, _SAMPLES), cubics, np.asarray(tolerance, np.float64))
    return np.flatnonzero(stays), cubics[stays, :3].reshape(-1, 2)


@njit(cache=True)
def _join(samples: np.ndarray, cubics: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Which cubics (n, 4, 2) stay, bool (n,); these are changed in place."""
    count = len(cubics)
    # Around twice and one more: no run of samples crosses the array's end.
    line = np.concatenate((samples, samples, samples[:1]))
    ahead, behind = (np.arange(count) + 1) % count, (np.arange(count) - 1) % count
    stays, strict = np.ones(count, np.bool_), tolerance.copy()
    joined, excess = np.empty((count, 4, 2)), np.full(count, np.inf)
    for _ in range(count - 2):
        for k in range(count):
            if excess[k] == np.inf and stays[k]:
                most = min(strict[behind[k]], strict[k])
                excess[k] = _without(line, cubics, behind[k], k, ahead[k], joined[k]) / (most * most)
        gone = int(np.argmin(excess))
        if excess[gone] > 1.0:
            break
        before, after = behind[gone], ahead[gone]
        cubics[before], stays[gone], excess[gone] = joined[gone], False, np.inf
        strict[before] = min(strict[before], strict[gone])
        ahead[before], behind[after] = after, before
        excess[before] = excess[after] = np.inf
    return stays


@njit(cache=True)
def _without(line: np.ndarray, cubics: np.ndarray, before: int, knot: int, after: int, joined: np.ndarray) -> float:
    """Largest squared distance of the samples to `joined` (4, 2), the cubic made in place of the two at a knot."""
    first, last = cubics[before], cubics[knot]
    leave, arrive = _tangent(first), _tangent(last[::-1])
    begin = before * _SAMPLES
    end = begin + (after - before) % len(cubics) * _SAMPLES
    error, _ = fit_cubic(line, begin, end, leave, arrive, joined)
    return error


@njit(cache=True)
def _tangent(cubic: np.ndarray) -> tuple[float, float]:
    """Which way a cubic leaves its first point, that of its second handle where the first one has no length."""
    at = 1
    while at < 3 and abs(cubic[at, 0] - cubic[0, 0]) + abs(cubic[at, 1] - cubic[0, 1]) < 1e-6:
        at += 1
    return unit(cubic[at, 0] - cubic[0, 0], cubic[at, 1] - cubic[0, 1])
