"""The stages of voxelization, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.jobs import VoxelizeParams

from .. import __version__, colour
from ..progress import Progress
from . import direct, engines
from .grid import Grid
from .mesh import Mesh, checked
from .voxels import Voxels


def run(
    mesh: Mesh,
    params: VoxelizeParams,
    progress: Progress,
    *,
    sheet: bytes | None,
    bounds: np.ndarray | None,
    locked: Sequence[str],
    device: str,
) -> Voxels:
    """All stages; parameters are checked already."""
    mesh = checked(mesh)
    engines.check(params, sheet)
    palette = _colors(params.palette_colors)
    locking = None if palette is not None else _colors((*params.locked_colors, *locked))
    quick = params.engine == "surface"
    made = direct.voxelized(
        mesh,
        params.side,
        params.colors,
        crispness=params.crispness,
        thin=params.thin,  # type: ignore[arg-type]  # the schema knows its choices
        symmetry=params.symmetry,  # type: ignore[arg-type]
        palette=palette,
        locked=locking,
        seed=params.seed,
        progress=progress if quick else progress.part(0.0, 0.1),
    )
    if not quick and made.labels.any():
        given = palette if palette is not None else locking
        settings = {"sheet": sheet, "fixed": 0 if given is None else len(given), "device": device}
        made = engines.voxified(mesh, Grid.fitted(mesh, params.side), made, params, progress.part(0.1, 1.0), **settings)
    return Voxels(made.labels, made.palette, made.origin, made.size, _meta(mesh, params, made))


def _colors(names: Sequence[str]) -> np.ndarray | None:
    """uint8 (K, 3) of #rrggbb, each once; None for none."""
    rgb = [colour.parsed(name) * 255 for name in dict.fromkeys(names)]
    return np.rint(rgb).astype(np.uint8) if rgb else None


def _meta(mesh: Mesh, params: VoxelizeParams, made: Voxels) -> dict[str, Any]:
    return {
        "engine": params.engine,
        "weights": None,
        "device": "cpu",
        "seed": params.seed,
        "version": __version__,
        "triangles": len(mesh),
        "shape": list(made.labels.shape),
        "voxels": int(np.count_nonzero(made.labels)),
        "colors": len(made.palette),
        "origin": made.origin.tolist(),
        "size": made.size.tolist(),
        "parameters": schema.changed(params),
    } | made.meta
