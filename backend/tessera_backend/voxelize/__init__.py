"""Voxel art: a mesh becomes voxels of a few colours (Huang et al., Voxify3D, 2025)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tessera_protocol import schema
from tessera_protocol.jobs import VoxelizeParams

from ..progress import SILENT, Progress
from .mesh import Material, Mesh
from .voxels import Voxels

__all__ = ["Material", "Mesh", "Voxels", "voxelize", "warm"]


def voxelize(
    mesh: Mesh,
    params: VoxelizeParams = VoxelizeParams(),  # noqa: B008 - frozen
    progress: Progress = SILENT,
    *,
    sheet: bytes | None = None,
    bounds: np.ndarray | None = None,
    locked: Sequence[str] = (),
    device: str = "cpu",
) -> Voxels:
    """Turn a mesh into palette voxels.

    Args:
        mesh: triangles; what has no finite corners is left out.
        params: every field is described where it is declared.
        progress: told of each stage; offers previews; may raise Cancelled.
        sheet: a PNG of six views, as `sheet.to_sheet` writes it and an artist changed it; engine voxify makes the
            voxels look like it.
        bounds: float (2, 3), the box that the voxels fill, in the mesh's units; default: that of the mesh. Parts of
            the mesh outside of it are not there.
        locked: #rrggbb, more colours that the palette must have, of parts that are drawn in one colour.
        device: where networks run, as torch names it.
    Returns:
        The voxels and their metadata. The same arguments on the same machine give the same ones.
    Raises:
        InvalidInput: "unusable-input" for a mesh without faces or area; "too-large"; "out-of-range" for parameters
            outside of what they declare.
        Cancelled: as `progress` wishes.
    """
    from .pipeline import run

    params = schema.check(VoxelizeParams, schema.changed(params))
    return run(mesh, params, progress, sheet=sheet, bounds=bounds, locked=locked, device=device)


def warm() -> None:
    """Compile every kernel, or load it from the cache, on a mesh of a few triangles: one of them is a detail."""
    from . import engines
    from .export.arrays import to_arrays
    from .render.preview import preview

    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    mark = np.array([[0.2, 0.2, -0.01], [0.4, 0.2, -0.01], [0.2, 0.4, -0.01]], np.float32)
    faces = np.concatenate([corners[[[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]], mark[None]])
    colors = np.ones((5, 3, 4), np.float32)
    colors[4] = 0
    for method in ("k-means", "annealing"):
        made = voxelize(Mesh.of(faces, colors=colors), VoxelizeParams(side=12, colors=2, palette_method=method))
    to_arrays(made)
    preview(made, 16)
    engines.warm()
