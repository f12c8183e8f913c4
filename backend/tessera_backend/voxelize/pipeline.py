"""The stages of voxelization, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import VoxelizeParams

from .. import __version__, colour
from ..progress import Progress
from . import direct, engines
from .color.outline import outlined
from .grid import Grid
from .mesh import Mesh, checked
from .render.preview import PREVIEW, preview
from .shape.hollow import hollowed
from .source.clip import within
from .voxels import Voxels

_NOT_LOCKED = "The palette is given, so the locked colours of parts ({}) are only there if it has them."


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
    engines.check(params, sheet)
    palette = _colors(params.palette_colors)
    locking = None if palette is not None else _colors((*params.locked_colors, *locked))
    quick = params.engine == "surface"
    spare, finish = _outlines(params, locking)
    made = direct.voxelized(
        mesh,
        params.side,
        params.colors - spare,
        bounds=bounds,
        method=params.palette_method,
        crispness=params.crispness,
        thin=params.thin,  # type: ignore[arg-type]  # the schema knows its choices
        symmetry=params.symmetry,  # type: ignore[arg-type]
        palette=palette,
        locked=locking,
        seed=params.seed,
        progress=progress if quick else progress.part(0.0, 0.1),
    )
    if not made.labels.any():
        raise error(
            "unusable-input",
            "Nothing of the mesh can be seen: its materials are transparent everywhere.",
            field="mesh",
            remedy="Make them opaque, or take another object.",
        )
    if quick:
        made = finish(made)
    else:
        fixed = 0 if (given := palette if palette is not None else locking) is None else len(given)
        grid = Grid.fitted(mesh, params.side, bounds)
        settings: dict[str, Any] = {"sheet": sheet, "fixed": fixed, "finish": finish, "device": device}
        made = engines.voxified(mesh, grid, made, params, progress.part(0.1, 1.0), **settings)
    if params.inside == "hollow":
        made = hollowed(made)
    progress.show(lambda: {"picture": preview(made, PREVIEW)})
    meta = _meta(mesh, params, made)
    if palette is not None and locked:
        meta["notes"] = [*meta.get("notes", []), _NOT_LOCKED.format(", ".join(locked))]
    return Voxels(made.labels, made.palette, made.origin, made.size, meta)


def _outlines(params: VoxelizeParams, locked: np.ndarray | None) -> tuple[int, Callable[[Voxels], Voxels]]:
    """How many colours are kept for outlines, and what draws them; nothing, where none are asked for."""
    if not params.outline:
        return 0, lambda voxels: voxels
    spare = not params.palette and params.colors > (0 if locked is None else len(locked))
    return int(spare), lambda voxels: outlined(voxels, add=spare)


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
