"""Engine voxify's way in: where it begins, what it is guided by, and what the sheet of an artist asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tessera_protocol.errors import error
from tessera_protocol.jobs import VoxelizeParams

from .. import colour, devices
from ..progress import Progress
from . import rays
from .export.sheet import read_sheet
from .grid import Grid
from .mesh import Mesh
from .radiance import SOLID, Radiance, radiance
from .render.preview import PREVIEW, preview
from .render.views import six_views
from .shape import occupancy
from .voxels import Voxels

if TYPE_CHECKING:
    from .finetune.clip import Guidance


def check(params: VoxelizeParams, sheet: bytes | None) -> None:
    """Rules that need more than the parameters.

    Raises:
        InvalidInput: "out-of-range" for a sheet that the engine would not look at.
    """
    if sheet is not None and params.engine != "voxify":
        raise error(
            "out-of-range",
            "A sheet of views is given, but engine surface looks at the mesh alone.",
            field="engine",
            given=params.engine,
            allowed="voxify, with a sheet",
            remedy="Choose engine voxify, or leave the sheet out.",
        )


def voxified(
    mesh: Mesh,
    grid: Grid,
    begin: Voxels,
    params: VoxelizeParams,
    progress: Progress,
    *,
    sheet: bytes | None = None,
    fixed: int = 0,
    finish: Callable[[Voxels], Voxels] = lambda voxels: voxels,
    device: str = "cpu",
) -> Voxels:
    """Voxels by engine voxify.

    Args:
        mesh: checked.
        grid: fitted to it.
        begin: of engine surface, in that grid, with the same parameters; some are solid.
        sheet: a PNG of six views, as an artist wants them.
        fixed: so many colours of the palette are given, or locked.
        finish: what is done to voxels last, before an artist gets them and sheets are made of them: outlines.
        device: of torch.
    Returns:
        Voxels of the same grid, with all that the metadata has to say of them.
    Raises:
        InvalidInput: "out-of-range" for a device that is not there; what `read_sheet`, `redrawn` and `Guidance` raise.
    """
    # Only this engine waits for torch to load.
    from .finetune import redraw

    devices.check(device)
    pictures = None if sheet is None else read_sheet(sheet, grid.shape)
    about: dict[str, Any] = {"engine": "voxify", "init": params.init}
    guidance = _guidance(params, device)

    def finetuned(progress: Progress) -> Voxels:
        return finish(_finetuned(mesh, grid, begin, params, progress, fixed=fixed, guidance=guidance, device=device))

    if pictures is None:
        made = finetuned(progress)
    else:
        made = redraw.redrawn(
            [lambda: finish(begin), lambda: finetuned(progress.part(0.0, 0.6))],
            pictures,
            params.iterations,
            given=bool(params.palette),
            fixed=fixed,
            seed=params.seed,
            device=device,
            progress=progress.part(0.6, 1.0),
        )
    # Edits of a sheet are made without torch.
    if "steps" in made.meta | made.meta.get("sheet", {}):
        about["device"] = device
    progress("done", 1.0, f"{np.count_nonzero(made.labels):,} voxels")
    if guidance is not None:
        about["clip_similarity"] = round(guidance.similarity(made, six_views(mesh, grid)), 4)
    return dataclasses.replace(made, meta=made.meta | about)


def _guidance(params: VoxelizeParams, device: str) -> Guidance | None:
    """CLIP's, where weights are given."""
    if not params.clip_weights:
        return None
    from .finetune.clip import Guidance

    return Guidance(params.clip_model, params.clip_weights, params.seed, device)


def _finetuned(
    mesh: Mesh,
    grid: Grid,
    begin: Voxels,
    params: VoxelizeParams,
    progress: Progress,
    *,
    fixed: int,
    guidance: Guidance | None,
    device: str,
) -> Voxels:
    """Voxels optimized against the mesh's views, from the surface's or from a radiance field."""
    from .finetune import voxify

    start, stay = begin, 1.0
    if params.init == "radiance":
        start = from_radiance(mesh, grid, begin, params, progress.part(0.0, 0.5))
        progress = progress.part(0.5, 1.0)
        # It is less sure of silhouettes than the six views are.
        stay = 0.0
    return voxify.finetuned(
        mesh,
        grid,
        start,
        params.iterations,
        crispness=params.crispness,
        thin=params.thin,  # type: ignore[arg-type]  # the schema knows its choices
        symmetry=params.symmetry,  # type: ignore[arg-type]
        fixed=fixed,
        stay=stay,
        guidance=guidance,
        seed=params.seed,
        device=device,
        progress=progress,
    )


def from_radiance(mesh: Mesh, grid: Grid, surface: Voxels, params: VoxelizeParams, progress: Progress) -> Voxels:
    """Voxels of a radiance field, with the palette of those of engine surface, which is that of the six views."""

    def labelled(field: Radiance, solid: np.ndarray) -> Voxels:
        labels = np.zeros(grid.shape, np.uint8)
        apart = (colour.lab(field.rgb[solid])[:, None] - colour.lab(surface.palette / 255)) ** 2
        labels[solid] = apart.sum(2).argmin(1) + 1
        return dataclasses.replace(surface, labels=labels)

    def picture(field: Radiance) -> dict[str, np.ndarray]:
        solid = field.opaque() >= SOLID
        return {"picture": preview(labelled(field, solid) if solid.any() else surface, PREVIEW)}

    field = radiance(mesh, grid, seed=params.seed, progress=progress.showing(picture))
    views = six_views(mesh, grid)
    found = occupancy.evidence(mesh, grid, views, thin=params.thin, symmetry=params.symmetry)  # type: ignore[arg-type]
    half = (found.fold.half(field.opaque()) >= SOLID) | found.straight
    solid = occupancy.completed(half, found, params.thin)  # type: ignore[arg-type]
    losses = [round(float(value), 6) for value in field.losses]
    return dataclasses.replace(labelled(field, solid), meta=surface.meta | {"radiance": {"losses": losses}})


def warm() -> None:
    """Compile this engine's kernels, or load them from the cache, without torch."""
    from .finetune import kernels

    few, grid = np.zeros((1, 1), np.int32), (1, 1, 1)
    plane, color = np.zeros((1, 1), np.float32), np.zeros((1, 1, 3), np.float32)
    one, rgb = np.full(1, 0.5, np.float32), np.zeros((1, 3), np.float32)
    lines = (few[..., None], few)
    kernels.view(*lines, one, rgb, color, few > 0, plane, (1.0, 1.0, 1.0), 1.0, one.copy(), rgb.copy())
    field, way = np.zeros(grid, np.float32), np.full((1, 3), 0.5, np.float32)
    rgb = np.zeros((*grid, 3), np.float32)
    rays.fit(field, rgb, way, way, np.zeros((1, 4), np.float32), 0.1, field.copy(), rgb.copy(), field.copy())
    rays.smooth(field, field > 0, 0.1, field.copy())
    rays.adam(*(one.copy() for _ in range(4)), 1, 0.1)
