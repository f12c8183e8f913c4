"""Crossings of a line through dots: found on a grid, and undone one by one, which makes the line shorter each time."""

from __future__ import annotations

import numpy as np

from ..compiled import njit
from ..progress import Progress

# Rounds of finding and undoing; each leaves a few per cent of the crossings, or makes a few new ones.
_MOST_ROUNDS = 50
# More cells than this for a dot would only cost memory.
_CELLS_PER_DOT = 2
_PAIRS_PER_DOT = 8
_PAIRS_ANYWAY = 20_000


def undo(positions: np.ndarray, path: np.ndarray, progress: Progress) -> None:
    """Change an open path (in place) until no two of its segments cross.

    Segments that touch, or lie on each other, do not cross: dots on one line need not be told apart.

    Args:
        positions: (N, 2).
        path: int64 (N,), a permutation.
        progress: told in each round.
    """
    points = np.ascontiguousarray(positions, np.float64)
    place = np.empty_like(path)
    place[path] = np.arange(len(path))
    for turn in range(_MOST_ROUNDS):
        progress("ordering", turn / _MOST_ROUNDS, "Untangling the line")
        pairs = find(points, path)
        if not len(pairs):
            break
        _undo(points, path, place, path[pairs])


def find(points: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Places (i, j) of segments that cross, int64 (M, 2), i < j; segment i goes from path[i] to path[i + 1].

    Of very many, 8 for each dot and more, some are left out.
    """
    low = points.min(axis=0)
    extent = np.maximum(np.ptp(points, axis=0), 1e-9)
    side = float(np.sqrt(extent[0] * extent[1] / (_CELLS_PER_DOT * len(points))))
    side = max(side, float(extent.max()) / (_CELLS_PER_DOT * len(points)))
    columns, rows = (int(n) + 1 for n in extent / side)
    starts = np.zeros(columns * rows + 1, np.int64)
    scaled = (points - low) / side
    _book(scaled, path, columns, starts, np.empty(0, np.int64))
    starts = np.cumsum(starts)
    members = np.empty(starts[-1], np.int64)
    _book(scaled, path, columns, starts[:-1].copy(), members)
    pairs = np.empty((_PAIRS_ANYWAY + _PAIRS_PER_DOT * len(path), 2), np.int64)
    return pairs[: _find(points, scaled, path, columns, starts, members, pairs)]


@njit(cache=True)
def _book(points: np.ndarray, path: np.ndarray, columns: int, cells: np.ndarray, members: np.ndarray) -> None:
    """Without room in `members`, count segments in cells[1:]; else write them where cells says, and move that on.

    A segment is in every cell that its box touches.
    """
    for i in range(path.shape[0] - 1):
        a, b = points[path[i]], points[path[i + 1]]
        for row in range(int(min(a[1], b[1])), int(max(a[1], b[1])) + 1):
            for column in range(int(min(a[0], b[0])), int(max(a[0], b[0])) + 1):
                cell = row * columns + column
                if members.shape[0]:
                    members[cells[cell]] = i
                    cells[cell] += 1
                else:
                    cells[cell + 1] += 1


@njit(cache=True)
def _find(
    points: np.ndarray,
    scaled: np.ndarray,
    path: np.ndarray,
    columns: int,
    starts: np.ndarray,
    members: np.ndarray,
    pairs: np.ndarray,
) -> int:
    """Write crossing pairs, each from the first cell that its segments share; returns how many.

    Cells are found by `scaled` points, crossings by the points themselves, as `_undo` does.
    """
    found = 0
    for cell in range(starts.shape[0] - 1):
        for k in range(starts[cell], starts[cell + 1]):
            for m in range(k + 1, starts[cell + 1]):
                i, j = min(members[k], members[m]), max(members[k], members[m])
                if j == i + 1 or found == pairs.shape[0]:
                    continue
                a, b, c, d = scaled[path[i]], scaled[path[i + 1]], scaled[path[j]], scaled[path[j + 1]]
                row, column = int(max(min(a[1], b[1]), min(c[1], d[1]))), int(max(min(a[0], b[0]), min(c[0], d[0])))
                if row * columns + column == cell and _cross(points, path[i], path[i + 1], path[j], path[j + 1]):
                    pairs[found] = i, j
                    found += 1
    return found


@njit(cache=True)
def _undo(points: np.ndarray, path: np.ndarray, place: np.ndarray, ends: np.ndarray) -> None:
    """Turn round what lies between two crossing segments, if both are still there; `ends` are dots, (M, 2)."""
    for n in range(ends.shape[0]):
        i, j = min(place[ends[n, 0]], place[ends[n, 1]]), max(place[ends[n, 0]], place[ends[n, 1]])
        for a in (i, i - 1):
            for b in (j, j - 1):
                if a < 0 or b + 1 >= path.shape[0] or b <= a + 1:
                    continue
                if _cross(points, path[a], path[a + 1], path[b], path[b + 1]):
                    low, high = a + 1, b
                    while low < high:
                        path[low], path[high] = path[high], path[low]
                        place[path[low]], place[path[high]] = low, high
                        low += 1
                        high -= 1
                    break


@njit(cache=True)
def _cross(points: np.ndarray, a: int, b: int, c: int, d: int) -> bool:
    """Whether segments ab and cd have one inner point in common."""
    return _side(points, a, b, c) * _side(points, a, b, d) < 0 and _side(points, c, d, a) * _side(points, c, d, b) < 0


@njit(cache=True)
def _side(points: np.ndarray, a: int, b: int, c: int) -> float:
    """Positive where c lies to the one side of ab, negative on the other."""
    dx, dy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
    return dx * (points[c, 1] - points[a, 1]) - dy * (points[c, 0] - points[a, 0])
