"""A short pen path through the dots: 2-opt and Or-opt over near neighbours, from their order along a curve."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.spatial import cKDTree

from ..compiled import njit
from ..progress import Progress
from . import crossings

_NEIGHBOURS = 8
# Of a coordinate along the curve to start from.
_CURVE_BITS = 16
# Longest stretch of the path that one change may turn round; longer ones cost more than they bring.
_LONGEST = 25_000
_DOTS_PER_CALL = 4000
_MOST_PASSES = 12


def short_paths(positions: np.ndarray, plates: np.ndarray, as_line: bool, progress: Progress) -> np.ndarray:
    """In which sequence to draw the dots, one plate after the other: int64 (N,), a permutation.

    Args:
        positions: (N, 2).
        plates: (N,), ascending.
        as_line: whether the paths will be seen, so that they must not cross themselves.
        progress: told every few thousand dots.
    """
    bounds = np.flatnonzero(np.diff(plates.astype(int), prepend=-1, append=-1)).tolist()
    paths = []
    for begin, end in itertools.pairwise(bounds):
        part = progress.part(begin / len(plates), end / len(plates))
        path = short_path(positions[begin:end], part.part(0.0, 0.8))
        if as_line:
            crossings.undo(positions[begin:end], path, part.part(0.8, 1.0))
        paths.append(begin + path)
    return np.concatenate(paths)


def length(positions: np.ndarray, plates: np.ndarray) -> float:
    """Of the lines through the dots of each plate, in the unit of positions."""
    steps = np.diff(positions, axis=0)[np.diff(plates) == 0]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def short_path(positions: np.ndarray, progress: Progress) -> np.ndarray:
    """In which sequence to draw the dots: an open path, never longer than the order given.

    Args:
        positions: (N, 2).
        progress: told every few thousand dots.
    Returns:
        int64 (N,), a permutation.

    Local search after Bentley, Fast Algorithms for Geometric Traveling Salesman Problems, ORSA J. Computing 4(4),
    1992: neighbour lists, and dots where nothing improved are not looked at again until an end of theirs moves.
    """
    count = len(positions)
    points = np.ascontiguousarray(positions, np.float64)
    path = _first_path(points)
    if count < 4:
        return path
    near = cKDTree(points).query(points, min(_NEIGHBOURS + 1, count))[1][:, 1:].astype(np.int64)
    place = np.empty_like(path)
    place[path] = np.arange(count)
    idle = np.zeros(count, bool)
    for turn in range(_MOST_PASSES):
        improved = 0
        for begin in range(0, count, _DOTS_PER_CALL):
            progress("ordering", (turn + begin / count) / _MOST_PASSES, "Shortening the pen path")
            improved += _improve(points, near, path, place, idle, begin, min(begin + _DOTS_PER_CALL, count))
        if improved == 0:
            break
    return path


def _first_path(points: np.ndarray) -> np.ndarray:
    """The order along a Hilbert curve, which leaps nowhere, or that given if it is shorter; int64 (N,).

    Local search shortens leaps badly, and every dot that relaxation had to take elsewhere leaves two of them.
    """
    side = 1 << _CURVE_BITS
    scaled = (points - points.min(axis=0)) / max(float(np.ptp(points, axis=0).max()), 1e-9)
    x, y = np.minimum(scaled * side, side - 1).astype(np.int64).T
    along = np.zeros(len(points), np.int64)
    for bit in range(_CURVE_BITS - 1, -1, -1):
        right, below = (x >> bit) & 1, (y >> bit) & 1
        along = 4 * along + ((3 * right) ^ below)
        # A quarter is the whole curve again, turned: mirrored on a diagonal, the last one on the other.
        mirrored = below == 0
        flipped = mirrored & (right == 1)
        x, y = np.where(flipped, ~x, x), np.where(flipped, ~y, y)
        x, y = np.where(mirrored, y, x), np.where(mirrored, x, y)
    curve = np.argsort(along, kind="stable")
    given = np.arange(len(points))
    return min(curve, given, key=lambda path: np.hypot(*np.diff(points[path], axis=0).T).sum())


@njit(cache=True)
def _improve(
    points: np.ndarray, near: np.ndarray, path: np.ndarray, place: np.ndarray, idle: np.ndarray, begin: int, end: int
) -> int:
    """Apply improving changes at dots begin to end - 1; returns how many."""
    improved = 0
    for dot in range(begin, end):
        while not idle[dot]:
            if _two_opt(points, near, path, place, idle, dot) or _or_opt(points, near, path, place, idle, dot):
                improved += 1
            else:
                idle[dot] = True
    return improved


@njit(cache=True)
def _length(points: np.ndarray, path: np.ndarray, a: int, b: int) -> float:
    """Distance between the dots at two places of the path; 0 where one is past its end, since it is open."""
    if a < 0 or b < 0 or a >= path.shape[0] or b >= path.shape[0]:
        return 0.0
    dx = points[path[a], 0] - points[path[b], 0]
    dy = points[path[a], 1] - points[path[b], 1]
    return np.sqrt(dx * dx + dy * dy)


@njit(cache=True)
def _two_opt(
    points: np.ndarray, near: np.ndarray, path: np.ndarray, place: np.ndarray, idle: np.ndarray, dot: int
) -> bool:
    """Join a dot to a near one by turning round the stretch between; whether that was possible and shorter."""
    a = place[dot]
    for way in (1, -1):
        there = _length(points, path, a, a + way)
        for k in range(near.shape[1]):
            b = place[near[dot, k]]
            if b == a:  # where dots coincide, one may be among its own neighbours
                continue
            gain = there - _length(points, path, a, b)
            if gain <= 1e-9:
                break
            gain += _length(points, path, b, b + way) - _length(points, path, a + way, b + way)
            if a + way < 0 or a + way >= path.shape[0]:
                continue
            if gain > 1e-9:
                low, high = min(a, b), max(a, b)
                if way > 0:
                    low += 1
                else:
                    high -= 1
                if high - low < _LONGEST:
                    _wake(path, idle, low, high)
                    _turn(path, place, low, high)
                    return True
    return False


@njit(cache=True)
def _or_opt(
    points: np.ndarray, near: np.ndarray, path: np.ndarray, place: np.ndarray, idle: np.ndarray, dot: int
) -> bool:
    """Move a stretch of one to three dots that ends in `dot` to beside a near one; whether that was shorter."""
    a = place[dot]
    count = path.shape[0]
    for way in (1, -1):
        for size in range(3):
            far = a + way * size  # the stretch is a to far; it leaves its neighbours on both sides to each other
            if far < 0 or far >= count:
                break
            low, high = min(a, far), max(a, far)
            freed = _length(points, path, low - 1, low) + _length(points, path, high, high + 1)
            freed -= _length(points, path, low - 1, high + 1)
            for k in range(near.shape[1]):
                b = place[near[dot, k]]
                joined = _length(points, path, a, b)
                if freed - joined <= 1e-9:
                    break
                if low <= b <= high:
                    continue
                for side in (1, -1):
                    c = b + side
                    if low <= c <= high:
                        continue
                    gain = freed - joined - _length(points, path, far, c) + _length(points, path, b, c)
                    if gain > 1e-9 and _move(path, place, idle, low, high, min(b, c), a < far, b < c):
                        return True
    return False


@njit(cache=True)
def _move(
    path: np.ndarray,
    place: np.ndarray,
    idle: np.ndarray,
    low: int,
    high: int,
    gap: int,
    dot_is_low: bool,
    dot_goes_first: bool,
) -> bool:
    """Put the stretch low to high between the places gap and gap + 1, `dot` on the right side; by turning round."""
    size = high - low
    if gap >= high:
        first, last = low, gap
        if last - first >= _LONGEST:
            return False
        _wake(path, idle, first, last)
        _turn(path, place, first, last)
        _turn(path, place, first, last - size - 1)
        if dot_is_low == dot_goes_first:
            _turn(path, place, last - size, last)
    else:
        first, last = gap + 1, high
        if last - first >= _LONGEST:
            return False
        _wake(path, idle, first, last)
        _turn(path, place, first, last)
        _turn(path, place, first + size + 1, last)
        if dot_is_low == dot_goes_first:
            _turn(path, place, first, first + size)
    return True


@njit(cache=True)
def _wake(path: np.ndarray, idle: np.ndarray, low: int, high: int) -> None:
    """Look again at the dots whose neighbours on the path change."""
    for at in (low - 1, low, low + 1, low + 2, high - 2, high - 1, high, high + 1):
        if 0 <= at < path.shape[0]:
            idle[path[at]] = False


@njit(cache=True)
def _turn(path: np.ndarray, place: np.ndarray, low: int, high: int) -> None:
    while low < high:
        path[low], path[high] = path[high], path[low]
        place[path[low]], place[path[high]] = low, high
        low += 1
        high -= 1
    if low == high:
        place[path[low]] = low
