"""The minimum gap between dots: push apart a little, then leave out what still has no room."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..compiled import njit
from ..progress import Progress

# Files have positions to 0.001 mm and radii to 0.0001 mm: the gap holds after that rounding too.
SLACK = 0.0016
_ROUNDS = 12
# Where dots have more conflicts each than this, most must go, and pushing would be long and in vain.
_MOST_CONFLICTS = 64
_DOTS_PER_CALL = 5000


def keep(
    positions: np.ndarray,
    radii: np.ndarray,
    gap: float,
    allowed: Callable[[np.ndarray], np.ndarray],
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """Dots of which no two have edges nearer than the gap.

    Args:
        positions: float64 (N, 2), mm.
        radii: float32 (N,), mm.
        gap: least distance between edges, mm.
        allowed: tells of positions (N, 2) whether dots may be there, bool (N,).
        progress: told in each round.
    Returns:
        positions, float64 (M, 2), of those that stay, in their order; whether each stays, bool (N,).
    """
    sizes = radii.astype(np.float64) + (gap + SLACK) / 2
    reach = 2 * float(sizes.max())
    crowded = False
    for turn in range(_ROUNDS):
        progress("spacing", 0.5 * turn / _ROUNDS, "Keeping the minimum gap")
        grid = _Grid(positions, reach)
        crowded = grid.mean_company() > _MOST_CONFLICTS
        pushes = np.zeros_like(positions)
        if crowded or not _push(positions, sizes, *grid.arrays, pushes):
            break
        pushed = positions + pushes
        free = allowed(pushed)
        positions = np.where(free[:, None], pushed, positions)
    positions = positions.astype(np.float32).astype(np.float64)
    stays = _stays(positions, sizes, reach, crowded, progress)
    return positions[stays], stays


class _Grid:
    """Dots sorted into square cells with sides of the longest reach: who conflicts is in the same or the next."""

    def __init__(self, positions: np.ndarray, reach: float) -> None:
        low = positions.min(axis=0)
        # More cells than dots would only cost memory.
        self.side = max(reach, float(np.ptp(positions, axis=0).max()) / max(1.0, len(positions) ** 0.5))
        self.cells = np.floor((positions - low) / self.side).astype(np.int64)
        self.columns, self.rows = (int(n) + 1 for n in self.cells.max(axis=0))
        flat = self.cells[:, 1] * self.columns + self.cells[:, 0]
        self.members = np.argsort(flat, kind="stable")
        self.counts = np.bincount(flat, minlength=self.columns * self.rows)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
        """What the kernels take."""
        return self.cells, self.starts, self.members, self.columns, self.rows

    def mean_company(self) -> float:
        """Dots in a dot's own cell, on average."""
        return float((self.counts.astype(np.float64) ** 2).sum() / self.counts.sum())


def _stays(positions: np.ndarray, sizes: np.ndarray, reach: float, crowded: bool, progress: Progress) -> np.ndarray:
    """Whether each dot stays: dots are taken one by one, those with the fewest conflicts first."""
    grid = _Grid(positions, reach)
    conflicts = np.zeros(len(positions), np.int64)
    if not crowded:
        _count_conflicts(positions, sizes, *grid.arrays, conflicts)
    turns = np.argsort(conflicts, kind="stable")
    stays = np.zeros(len(positions), bool)
    first = np.full(grid.columns * grid.rows, -1, np.int64)
    following = np.full(len(positions), -1, np.int64)
    for begin in range(0, len(turns), _DOTS_PER_CALL):
        progress("spacing", 0.5 + 0.5 * begin / len(turns))
        some = turns[begin : begin + _DOTS_PER_CALL]
        _take(some, positions, sizes, grid.cells, grid.columns, grid.rows, first, following, stays)
    return stays


@njit(cache=True)
def _push(
    positions: np.ndarray,
    sizes: np.ndarray,
    cells: np.ndarray,
    starts: np.ndarray,
    members: np.ndarray,
    columns: int,
    rows: int,
    pushes: np.ndarray,
) -> int:
    """Half the missing distance to each neighbour that is too near, averaged; returns the number of such pairs."""
    pairs = 0
    for i in range(positions.shape[0]):
        found = 0
        for row in range(max(cells[i, 1] - 1, 0), min(cells[i, 1] + 2, rows)):
            left = row * columns + max(cells[i, 0] - 1, 0)
            right = row * columns + min(cells[i, 0] + 1, columns - 1)
            for k in range(starts[left], starts[right + 1]):
                j = members[k]
                dx, dy = positions[i, 0] - positions[j, 0], positions[i, 1] - positions[j, 1]
                wanted = sizes[i] + sizes[j]
                distance = np.sqrt(dx * dx + dy * dy)
                if j == i or distance >= wanted:
                    continue
                found += 1
                if distance < 1e-9:  # on top of each other: any way will do, but opposite ones
                    dx, dy, distance = (1e-9 if i > j else -1e-9), 0.0, 1e-9
                # A hair more, or pairs of which one can't move would only ever come nearer to it.
                step = 0.5 * (1.01 * wanted - distance) / distance
                pushes[i, 0] += dx * step
                pushes[i, 1] += dy * step
        if found > 1:
            pushes[i] /= np.sqrt(found)
        pairs += found
    return pairs // 2


@njit(cache=True)
def _count_conflicts(
    positions: np.ndarray,
    sizes: np.ndarray,
    cells: np.ndarray,
    starts: np.ndarray,
    members: np.ndarray,
    columns: int,
    rows: int,
    conflicts: np.ndarray,
) -> None:
    for i in range(positions.shape[0]):
        for row in range(max(cells[i, 1] - 1, 0), min(cells[i, 1] + 2, rows)):
            left = row * columns + max(cells[i, 0] - 1, 0)
            right = row * columns + min(cells[i, 0] + 1, columns - 1)
            for k in range(starts[left], starts[right + 1]):
                j = members[k]
                dx, dy = positions[i, 0] - positions[j, 0], positions[i, 1] - positions[j, 1]
                if j != i and dx * dx + dy * dy < (sizes[i] + sizes[j]) ** 2:
                    conflicts[i] += 1


@njit(cache=True)
def _take(
    turns: np.ndarray,
    positions: np.ndarray,
    sizes: np.ndarray,
    cells: np.ndarray,
    columns: int,
    rows: int,
    first: np.ndarray,
    following: np.ndarray,
    stays: np.ndarray,
) -> None:
    """Take each dot that conflicts with none taken before; those of a cell are a list from first to following."""
    for i in turns:
        free = True
        for row in range(max(cells[i, 1] - 1, 0), min(cells[i, 1] + 2, rows)):
            for column in range(max(cells[i, 0] - 1, 0), min(cells[i, 0] + 2, columns)):
                j = first[row * columns + column]
                while j >= 0 and free:
                    dx, dy = positions[i, 0] - positions[j, 0], positions[i, 1] - positions[j, 1]
                    free = dx * dx + dy * dy >= (sizes[i] + sizes[j]) ** 2
                    j = following[j]
        if free:
            stays[i] = True
            cell = cells[i, 1] * columns + cells[i, 0]
            following[i] = first[cell]
            first[cell] = i
