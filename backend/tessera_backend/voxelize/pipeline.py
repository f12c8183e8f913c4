"""The stages of voxelization, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import VoxelizeParams

from .. import __version__, colour
from ..progress import Progress
from . import direct
from .clip import within
from .hollow import hollowed
from .mesh import Mesh, checked
from .preview import preview
from .voxels import Voxels

# Pixels of a side of the picture that is shown while a job runs.
_PREVIEW = 360


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
    mesh = within(checked(mesh), bounds)
    if params.engine == "voxify" or sheet is not None:
        raise error("out-of-range", "Engine voxify is not there yet.", field="engine", allowed="surface")
    palette = _colors(params.palette_colors)
    made = direct.voxelized(
        mesh,
        params.side,
        params.colors,
        bounds=bounds,
        method=params.palette_method,
        crispness=params.crispness,
        thin=params.thin,  # type: ignore[arg-type]  # the schema knows its choices
        symmetry=params.symmetry,  # type: ignore[arg-type]
        palette=palette,
        locked=None if palette is not None else _colors((*params.locked_colors, *locked)),
        seed=params.seed,
        progress=progress,
    )
    if not made.labels.any():
        raise error(
            "unusable-input",
            "Nothing of the mesh can be seen: its materials are transparent everywhere.",
            field="mesh",
            remedy="Make them opaque, or take another object.",
        )
    if params.inside == "hollow":
        made = hollowed(made)
    progress.show(lambda: {"picture": preview(made, _PREVIEW)})
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
    } | {key: value for key, value in made.meta.items() if key not in ("engine", "weights", "seed")}
