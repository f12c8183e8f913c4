"""Which voxels of a grid are solid."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

from ..progress import SILENT, Progress
from . import hull, silhouette, stairs, sticks, threads
from .components import TOUCHING, floaters
from .grid import Grid
from .mesh import Mesh
from .surface import surface
from .symmetry import Fold
from .views import View

# A voxel is solid if that much of it is.
_HALF = 0.5


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
        thin: what becomes of parts thinner than half a voxel. "drop": they go; "keep": a path of voxels stands
            for them; "thicken": the path is two voxels thick. The box keeps its size but with "drop".
        symmetry: "auto": a mesh that is nearly its own mirror image becomes voxels that are exactly.
        area: of `surface`, if it is there already.
        progress: told of each step; may raise Cancelled.
    """
    progress("shape", 0.0, "Carving the inside")
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
    score = shares + np.minimum(area, 1) / 2 + np.where(area > 0, np.float32(0.01), 0)
    solid = shares >= _HALF
    straight = solid.copy()
    # Nothing is thin where no surface stands out.
    if thin != "drop" and (visible[~ndimage.binary_dilation(solid, TOUCHING)] > 0).any():
        sticks.draw(straight, _straight(mesh, grid, fold), coverage)
        straight = ndimage.binary_dilation(straight, np.ones((2, 2, 2))) if thin == "thicken" else straight
    straight &= ~solid
    solid |= straight
    score += straight
    progress("shape", 0.4, "Fitting the silhouettes")
    silhouette.show(solid, views, coverage, area, fold)
    silhouette.search(solid, score, coverage, fold)
    solid |= straight
    progress("shape", 0.6, "Regular stairs")
    stairs.smooth(solid, shares, coverage, fold)
    solid &= fold.half(floaters(fold.whole(solid))) == 0
    progress("shape", 0.8, "Thin parts")
    if thin != "drop" or not solid.any():
        threads.thread(solid, visible, thick=thin == "thicken")
        faces = [(axis, 0) for axis in range(3)] + [(axis, -1) for axis in range(3) if axis not in fold.axes]
        threads.pin(solid, visible, score, faces)
        threads.join(solid, area)
    return fold.whole(solid)


def _straight(mesh: Mesh, grid: Grid, fold: Fold) -> np.ndarray:
    """Ends of thin straight parts, as `sticks`; of those that face each other, the lower ones."""
    ends = sticks.sticks(mesh, grid)
    middle = np.array(grid.shape) / 2
    for axis in fold.axes:
        ends = ends[ends[:, :, axis].mean(1) <= middle[axis] + 1e-3]
    return ends
