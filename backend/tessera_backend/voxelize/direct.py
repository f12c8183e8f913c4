"""Engine `surface`: a mesh's surface and inside become voxels directly, without optimization."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..progress import SILENT, Progress
from .color.labels import colored
from .grid import Grid
from .mesh import Mesh, checked
from .render.views import six_views
from .shape.occupancy import occupied
from .shape.surface import surface
from .voxels import Voxels


def voxelized(
    mesh: Mesh,
    side: int = 48,
    colors: int = 8,
    *,
    bounds: np.ndarray | None = None,
    method: str = "k-means",
    crispness: float = 1.0,
    thin: Literal["drop", "keep", "thicken"] = "keep",
    symmetry: Literal["auto", "off"] = "auto",
    palette: np.ndarray | None = None,
    locked: np.ndarray | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Voxels:
    """A mesh as palette voxels.

    Args:
        side: voxels along the longest side, 8 to 256.
        colors: how many the palette has at most, 2 to 32.
        bounds: float (2, 3), the box that the grid fills and the mesh lies in; see `clip.within`.
        method: of `palette.METHODS`.
        crispness: from 0, faithful mixtures, to 1, as pixel artists draw; see `labels`.
        thin, symmetry: see `occupancy.occupied`.
        palette: uint8 (K, 3), sRGB: these colours and no others.
        locked: uint8 (L, 3), sRGB: colours that the palette has to have.
    Raises:
        TesseraError: a mesh without faces or area.
    """
    mesh = checked(mesh)
    grid = Grid.fitted(mesh, side, bounds)
    progress("views", 0.0, "Looking from six sides")
    views = six_views(mesh, grid)
    area, color = surface(mesh, grid)
    solid = occupied(mesh, grid, views, thin=thin, symmetry=symmetry, area=area, progress=progress.part(0.3, 0.6))
    progress("colour", 0.6, "Choosing colours")
    color *= area[..., None]
    samples = np.concatenate([color, area[..., None]], axis=3)
    del color
    mirror = _mirror(solid) if symmetry == "auto" else None
    labels, chosen = colored(
        solid,
        views,
        colors,
        crispness=crispness,
        palette=palette,
        locked=locked,
        mirror=mirror,
        method=method,
        surface=samples,
        seed=seed,
    )
    progress("done", 1.0, f"{np.count_nonzero(labels):,} voxels")
    meta = {"engine": "surface", "weights": None, "seed": seed}
    return Voxels(labels, chosen, grid.origin, grid.size, meta)


def _mirror(solid: np.ndarray) -> int | None:
    """The first axis along which voxels are exactly their mirror image."""
    return next((axis for axis in range(3) if np.array_equal(solid, np.flip(solid, axis))), None)
