"""What is thinner than a voxel, and would be lost: antennas, oars, straps, as paths of voxels.

Paths follow the surface from what is solid to the farthest tips, the farthest first (Sato et al., TEASAR: tree
structure extraction algorithm for accurate and robust skeletons, Pacific Graphics 2000).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from ..render.views import View
from .symmetry import Fold

# Shorter than that it is a bump of the surface.
_LEAST_LENGTH = 3
# Going through a voxel costs the less, the more surface it has, in voxel faces.
_SURFACE_AT_ALL, _SURFACE_ENOUGH = 0.15, 1.5
_AROUND = np.ones((3, 3, 3), bool)
# One of each two opposite neighbours of 26.
_WAYS = [way for way in np.ndindex(3, 3, 3) if way > (1, 1, 1)]


def seen(views: tuple[View, ...], shape: tuple[int, int, int]) -> np.ndarray:
    """Voxels in which some view sees the surface, bool (X, Y, Z)."""
    mask = np.zeros(shape, bool)
    for view in views:
        pixels = np.argwhere(view.hit)
        # What lies between two voxels belongs to the one behind.
        depth = np.floor(view.depth[view.hit] + (-1e-3 if view.above else 1e-3)).astype(np.intp)
        layers = np.clip(depth, 0, shape[view.axis] - 1)
        mask[tuple(np.insert(pixels // view.samples, view.axis, layers, 1).T)] = True
    return mask


class Paths:
    """The cheapest ways over a surface to what is solid."""

    def __init__(self, solid: np.ndarray, area: np.ndarray) -> None:
        """Args: solid: bool (X, Y, Z). area: float32 (X, Y, Z), of the surface there, in voxel faces; 0 where none."""
        self._shape = solid.shape
        self._voxels = np.flatnonzero((area > 0) & ~solid)
        self._number = np.full(solid.size, -1, np.intp)
        self._number[self._voxels] = np.arange(len(self._voxels))
        self.near = ndimage.binary_dilation(solid, _AROUND)
        sources = np.flatnonzero(self.near.ravel()[self._voxels])
        self._costs = np.full(len(self._voxels), np.inf)
        self._before = np.full(len(self._voxels), -1, np.intp)
        if len(sources):
            graph = self._graph(1 / (_SURFACE_AT_ALL + np.minimum(area.ravel()[self._voxels], _SURFACE_ENOUGH)))
            self._costs, self._before, _ = csgraph.dijkstra(
                graph, directed=False, indices=sources, min_only=True, return_predecessors=True
            )

    def _graph(self, costs: np.ndarray) -> sparse.csr_array:
        """Neighbours of 26, as far apart as their centres, times their mean cost."""
        number = np.pad(self._number.reshape(self._shape), 1, constant_values=-1)
        here = np.array(np.unravel_index(self._voxels, self._shape))
        rows, columns, lengths = [], [], []
        for way in _WAYS:
            other = number[tuple(here + np.array(way)[:, None])]
            first = np.flatnonzero(other >= 0)
            rows.append(first)
            columns.append(other[first])
            length = np.linalg.norm(np.array(way) - 1)
            lengths.append(length * (costs[first] + costs[other[first]]) / 2)
        count = len(costs)
        edges = (np.concatenate(rows), np.concatenate(columns))
        return sparse.csr_array((np.concatenate(lengths), edges), shape=(count, count))

    def tips(self) -> np.ndarray:
        """Voxels that nothing solid is beside, as flat indices, the farthest first."""
        far = np.flatnonzero(np.isfinite(self._costs) & ~self.near.ravel()[self._voxels])
        return self._voxels[far[np.argsort(-self._costs[far], kind="stable")]]

    def costs_of(self, voxels: np.ndarray) -> np.ndarray:
        """What the way from voxels, flat indices that have surface, costs; inf where there is none."""
        return self._costs[self._number[voxels]]

    def from_tip(self, voxel: int) -> np.ndarray:
        """The way from a voxel, a flat index, to what is solid, as flat indices; only itself, if there is none."""
        path, number = [voxel], self._number[voxel]
        while number >= 0 and self._before[number] >= 0:
            number = self._before[number]
            path.append(self._voxels[number])
        return np.array(path, np.intp)


def thread(solid: np.ndarray, area: np.ndarray, fold: Fold, *, thick: bool = False) -> None:
    """Add paths to the tips of what is thin.

    Args:
        solid: bool (X, Y, Z), the half of a grid that `fold` keeps; changed in place.
        area: float32 (X, Y, Z), of the surface that is seen, in voxel faces; 0 where none is.
        thick: as `thickened` has it, not one voxel.
    """
    if not solid.any() and area.any():
        solid.flat[area.argmax()] = True
    paths = Paths(solid, area)
    beside_paths = np.zeros_like(solid)
    for tip in paths.tips():
        if paths.near.flat[tip]:
            continue
        path = paths.from_tip(tip)
        path = path[~solid.flat[path]]
        if len(path) < _LEAST_LENGTH:
            continue
        places = np.array(np.unravel_index(path, solid.shape)).T
        around = _around(places[:1], solid.shape)
        # Two paths that come from both ends of one part meet.
        meeting = around[(beside_paths & (area > 0))[tuple(around.T)]]
        places = np.concatenate([places, meeting[area[tuple(meeting.T)].argsort()[-1:]]])
        places = thickened(places, area, fold) if thick else places
        solid[tuple(places.T)] = True
        beside = tuple(_around(places, solid.shape).T)
        paths.near[beside] = beside_paths[beside] = True


def _around(places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Voxels, int (N, 3), and their 26 neighbours."""
    ways = np.array(list(np.ndindex(3, 3, 3))) - 1
    return np.clip((places[:, None] + ways).reshape(-1, 3), 0, np.array(shape) - 1)


def thickened(places: np.ndarray, area: np.ndarray, fold: Fold) -> np.ndarray:
    """Voxels of the half, int (N, 3), with as many more as make them two thick along each axis.

    They grow towards the side where more of the surface is, but not out of the grid; across a mirror, to both sides:
    a layer in the middle becomes three, for two would lie on one side.
    """
    for axis in range(3):
        step = np.eye(3, dtype=np.intp)[axis]
        at, top = places[:, axis, None], fold.shape[axis] - 1
        after = fold.points(np.where(at < top, places + step, places - step))
        before = fold.points(np.where(at > 0, places - step, places + step))
        more = area[tuple(after.T)].sum() >= area[tuple(before.T)].sum()
        places = np.concatenate([places, after if more else before])
    return places


def pin(solid: np.ndarray, area: np.ndarray, score: np.ndarray, faces: list[tuple[int, int]]) -> None:
    """Give layers at the ends of the box something, with a path to the rest, so that the box keeps its size.

    Args:
        faces: axis and layer, of those that may not be empty.
    """
    for axis, layer in faces:
        place = (slice(None),) * axis + (layer,)
        if not solid[place].any() and score[place].max() > 0:
            best = list(np.unravel_index(score[place].argmax(), score[place].shape))
            best.insert(axis, layer % solid.shape[axis])
            path = Paths(solid, area).from_tip(int(np.ravel_multi_index(best, solid.shape)))
            solid.flat[path] = True


def join(solid: np.ndarray, area: np.ndarray, least: float = 0.0) -> None:
    """Connect what the surface connects: components to the greatest of those they have a way over the surface to.

    Args:
        least: components of less than that share of the voxels go, where they have such a way.
    """
    numbers, _ = ndimage.label(solid, _AROUND)
    alone = list(np.argsort(-np.bincount(numbers.ravel())[1:], kind="stable") + 1)
    parts = {number: np.flatnonzero(numbers == number) for number in alone} if len(alone) > 1 else {}
    least *= np.count_nonzero(numbers)
    while len(alone) > 1:
        main = numbers == alone.pop(0)
        paths = Paths(main, np.where((numbers > 0) & ~main, _SURFACE_ENOUGH, area))
        for number in tuple(alone):
            costs = paths.costs_of(parts[number])
            if np.isfinite(costs.min()):
                small = len(parts[number]) < least
                solid.flat[parts[number] if small else paths.from_tip(parts[number][costs.argmin()])] = not small
                alone.remove(number)
