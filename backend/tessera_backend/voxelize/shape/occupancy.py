"""Which voxels of a grid are solid."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from scipy import ndimage

from ...progress import SILENT, Progress
from ..components import TOUCHING, floaters
from ..grid import Grid
from ..mesh import Mesh
from ..render.views import View
from . import hull, silhouette, stairs, sticks, threads
from .surface import surface
from .symmetry import Fold

# A voxel is solid if that much of it is.
_HALF = 0.5
# Where what is thin goes, parts of less than this share of all go with it that hang on nothing else; others are held.
_HANGING = 0.05


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What a mesh says of its voxels; all arrays are of the half of the grid that `fold` keeps.

    Attributes:
        fold: the axes along which it is symmetric.
        shares: float32, how much of each voxel is inside.
        coverage: of each silhouette, along x, y, z.
        area, visible: float32, of the surface in each voxel, in voxel faces; and of what is seen.
        straight: bool, voxels of thin straight parts that are not solid otherwise.
        score: float32, which voxel of a ray is the best; 0 where there should be none.
    """

    fold: Fold
    shares: np.ndarray
    coverage: list[np.ndarray]
    area: np.ndarray
    visible: np.ndarray
    straight: np.ndarray
    score: np.ndarray


def evidence(
    mesh: Mesh,
    grid: Grid,
    views: tuple[View, ...],
    *,
    thin: Literal["drop", "keep", "thicken"] = "keep",
    symmetry: Literal["auto", "off"] = "auto",
    area: np.ndarray | None = None,
) -> Evidence:
    """Of a mesh; arguments as in `occupied`."""
    area = surface(mesh, grid)[0] if area is None else area
    shares = hull.inside(views, grid)
    fold = Fold.found(shares, area > 0) if symmetry == "auto" else Fold(grid.shape)
    coverage = [
        fold.half(cover, tuple(other for other in range(3) if other != axis))
        for axis, cover in enumerate(hull.coverages(views, grid, shares))
    ]
    shares = fold.half(shares)
    visible = fold.half(np.where(threads.seen(views, grid.shape), area, 0))
    area = fold.half(area)
    # What is thinner than a sample may be seen by none.
    visible = visible if visible.any() else area
    straight = _straight(mesh, grid, fold, shares, coverage, visible, thin)
    score = shares + np.minimum(area, 1) / 2 + np.where(area > 0, np.float32(0.01), 0) + straight
    return Evidence(fold, shares, coverage, area, visible, straight, score)


def occupied(
    mesh: Mesh,
    grid: Grid,
    views: tuple[View, ...],
    *,
    thin: Literal["drop", "keep", "thicken"] = "keep",
    symmetry: Literal["auto", "off"] = "auto",
    area: np.ndarray | None = None,
    progress: Progress = SILENT,
) -> np.ndarray:
    """The solid voxels of a mesh, bool (X, Y, Z).

    Args:
        mesh: checked.
        grid: fitted to it.
        views: six, of `six_views`.
        thin: what becomes of parts thinner than half a voxel. "drop": they go, and what little hangs on them; "keep": a
            path of voxels stands for them; "thicken": the path is two voxels thick, three in the middle layer of what
            is symmetric. The box keeps its size but with "drop".
        symmetry: "auto": a mesh that is nearly its own mirror image becomes voxels that are exactly.
        area: of `surface`, if it is there already.
        progress: told of each step; may raise Cancelled.
    """
    progress("shape", 0.0, "Carving the inside")
    found = evidence(mesh, grid, views, thin=thin, symmetry=symmetry, area=area)
    fold = found.fold
    solid = (found.shares >= _HALF) | found.straight
    progress("shape", 0.4, "Fitting the silhouettes")
    silhouette.show(solid, views, found.coverage, found.area, fold)
    silhouette.search(solid, found.score, found.coverage, fold)
    progress("shape", 0.6, "Regular stairs")
    solid |= found.straight
    stairs.smooth(solid, found.shares, found.coverage, fold)
    progress("shape", 0.8, "Thin parts")
    return completed(solid, found, thin)


def completed(solid: np.ndarray, found: Evidence, thin: Literal["drop", "keep", "thicken"]) -> np.ndarray:
    """Voxels without dust, with what is thin, and in one piece where the mesh is: bool (X, Y, Z).

    Args:
        solid: bool, the half of the grid; changed in place.
    """
    fold = found.fold
    solid &= fold.half(floaters(fold.whole(solid))) == 0
    if thin != "drop" or not solid.any():
        threads.thread(solid, found.visible, fold, thick=thin == "thicken")
        faces = [(axis, 0) for axis in range(3)] + [(axis, -1) for axis in range(3) if axis not in fold.axes]
        threads.pin(solid, found.visible, found.score, faces)
    before = solid.copy()
    threads.join(solid, found.area, _HANGING if thin == "drop" else 0.0)
    if thin == "thicken":
        solid[tuple(threads.thickened(np.argwhere(solid & ~before), found.visible, fold).T)] = True
    return fold.whole(solid)


def _straight(
    mesh: Mesh,
    grid: Grid,
    fold: Fold,
    shares: np.ndarray,
    coverage: list[np.ndarray],
    visible: np.ndarray,
    thin: Literal["drop", "keep", "thicken"],
) -> np.ndarray:
    """Voxels of `sticks` that are not solid anyway; of sticks that face each other, those of the lower half."""
    solid = shares >= _HALF
    # Nothing is thin where no surface stands out.
    if thin == "drop" or not (visible[~ndimage.binary_dilation(solid, TOUCHING)] > 0).any():
        return np.zeros_like(solid)
    ends = sticks.sticks(mesh, grid)
    middle = np.array(grid.shape) / 2
    for axis in fold.axes:
        ends = ends[ends[:, :, axis].mean(1) <= middle[axis] + 1e-3]
    straight = solid.copy()
    sticks.draw(straight, ends, coverage, fold)
    straight &= ~solid
    if thin == "thicken":
        straight[tuple(threads.thickened(np.argwhere(straight), visible, fold).T)] = True
        straight &= ~solid
    return straight
