"""Parts of a mesh that are straight and thinner than a voxel: oars, spears, antennas. They become straight runs.

What makes a part is that its triangles share corners. Thin parts that bend, or grow out of others, are for `threads`.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ..grid import Grid
from ..mesh import Mesh
from .silhouette import WORTH
from .symmetry import Fold

# Corners nearer than this are one, voxels.
_WELD = 1e-3
# The least length; the greatest distance of a corner from the axis, and what it may be on the whole; voxels.
_SHORTEST, _WIDEST, _THIN = 3.0, 1.2, 0.5
# What silhouettes may lose, on the mean, by runs whose voxels touch one another with faces: else edges or corners do.
_BUDGET = 0.01


def sticks(mesh: Mesh, grid: Grid) -> np.ndarray:
    """Both ends of each, float32 (N, 2, 3), voxels."""
    points, owner = _parts(grid.of(mesh.positions))
    count = int(owner.max(initial=-1)) + 1
    number = np.bincount(owner, minlength=count)
    center = np.stack([np.bincount(owner, axis, count) for axis in points.T], 1) / number[:, None]
    away = points - center[owner]
    spread = np.zeros((count, 3, 3))
    for i, j in np.ndindex(3, 3):
        spread[:, i, j] = np.bincount(owner, away[:, i] * away[:, j], count) / number
    values, axes = np.linalg.eigh(spread)
    along = axes[:, :, 2]
    reach = (away * along[owner]).sum(1)
    off = np.linalg.norm(away - reach[:, None] * along[owner], axis=1)
    ends = np.stack([_most(-reach, owner, count) * -1, _most(reach, owner, count)], 1)
    straight = (np.ptp(ends, 1) >= _SHORTEST) & (_most(off, owner, count) <= _WIDEST)
    straight &= values[:, :2].clip(0).sum(1) <= _THIN**2
    found = center[:, None] + ends[..., None] * along[:, None]
    return found[straight].astype(np.float32)


def _most(values: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    out = np.full(count, -np.inf)
    np.maximum.at(out, owner, values)
    return out


def _parts(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different corners of triangles, (T, 3, 3): float64 (C, 3); and which part each belongs to, int (C,)."""
    cell = np.rint(corners.reshape(-1, 3) / _WELD).astype(np.int64)
    cell -= cell.min(0, initial=0)
    sides = cell.max(0, initial=0) + 1
    codes = (cell[:, 0] * sides[1] + cell[:, 1]) * sides[2] + cell[:, 2]
    _, first, corner = np.unique(codes, return_index=True, return_inverse=True)
    a, b, c = corner.reshape(-1, 3).T
    edges = np.concatenate([a, b]), np.concatenate([b, c])
    graph = sparse.coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(len(first), len(first)))
    part = csgraph.connected_components(graph, directed=False)[1]
    return corners.reshape(-1, 3)[first].astype(np.float64), part


def draw(solid: np.ndarray, ends: np.ndarray, coverage: list[np.ndarray], fold: Fold) -> None:
    """Add straight runs from end to end; their steps are filled as far as silhouettes allow.

    Args:
        solid: bool (X, Y, Z), the half of a grid that `fold` keeps; changed in place.
        coverage: float32, of the same, along x, y, z.
    """
    areas = [max(float(cover.sum()), 1e-9) for cover in coverage]
    loss = [(WORTH - cover) / area / 3 for cover, area in zip(coverage, areas, strict=True)]
    left, runs = _BUDGET, []
    for start, end in ends.astype(np.float64):
        run = _run(start, end)
        # What lies on the mirror may be rounded to its far side.
        runs.append(fold.points(run[(run < fold.shape).all(1)]))
        for place in runs[-1]:
            left -= _add(solid, place, loss)
    steps = [pair for run in runs for pair in itertools.pairwise(run)]
    # All that touch in a corner alone, or none: runs look alike. Then those that touch in an edge.
    for touching in (3, 2):
        filled = solid.copy()
        lost = sum(
            _add(filled, place, loss)
            for here, after in steps
            if np.count_nonzero(here != after) == touching
            for place in _way(filled, here, after, loss)
        )
        if lost > left:
            break
        solid[:], left = filled, left - lost


def _run(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Voxels of a line, int (N, 3): one in each layer that it goes through the middle of, one at least."""
    along = int(np.argmax(np.abs(end - start)))
    start, end = (start, end) if start[along] < end[along] else (end, start)
    first = np.floor(start[along] + 0.5)
    layers = np.arange(first, max(np.ceil(end[along] - 0.5), first + 1)) + 0.5
    places = start + (layers - start[along])[:, None] * (end - start) / max(end[along] - start[along], 1e-9)
    return np.floor(places.clip(0)).astype(np.intp)


def _way(solid: np.ndarray, here: np.ndarray, after: np.ndarray, loss: list[np.ndarray]) -> list[np.ndarray]:
    """What is between two voxels on the cheapest way along the axes."""
    ways = []
    for order in itertools.permutations(np.flatnonzero(here != after)):
        way = [here]
        for axis in order[:-1]:
            way.append(np.where(np.arange(3) == axis, after, way[-1]))
        ways.append(way[1:])
    return min(ways, key=lambda way: sum(_lost(solid, place, loss) for place in way))


def _add(solid: np.ndarray, place: np.ndarray, loss: list[np.ndarray]) -> float:
    lost = _lost(solid, place, loss)
    solid[tuple(place)] = True
    return lost


def _lost(solid: np.ndarray, place: np.ndarray, loss: list[np.ndarray]) -> float:
    """What silhouettes lose by a voxel, of 1."""
    lost = 0.0
    for axis in range(3):
        pixel = tuple(int(at) for at in np.delete(place, axis))
        if not solid[(*pixel[:axis], slice(None), *pixel[axis:])].any():
            lost += float(loss[axis][pixel])
    return lost
