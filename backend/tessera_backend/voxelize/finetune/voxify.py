"""The stages of engine voxify without a sheet, in reading order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from ...progress import SILENT, Progress
from ..components import components
from ..grid import Grid
from ..mesh import Mesh
from ..render.preview import PREVIEW, preview
from ..render.views import View, six_views
from ..shape import hull, occupancy
from ..voxels import Voxels
from . import schedule
from .descent import Found, Guide, descend
from .field import Field, around
from .loss import Views
from .relabel import relabelled
from .targets import of_views


class Guidance(Protocol):
    """What makes one more loss of a field, given the six views of its mesh; `facts` go into the metadata."""

    facts: dict[str, Any]

    def on(self, field: Field, views: Sequence[View]) -> Guide: ...


def finetuned(
    mesh: Mesh,
    grid: Grid,
    begin: Voxels,
    steps: int = 200,
    *,
    crispness: float = 1.0,
    thin: Literal["drop", "keep", "thicken"] = "keep",
    symmetry: Literal["auto", "off"] = "auto",
    fixed: int = 0,
    stay: float = 1.0,
    guidance: Guidance | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> Voxels:
    """Optimize voxels so that their six views look like pixel art of the mesh's, or like the mesh.

    Args:
        mesh: checked.
        grid: that of the voxels.
        begin: where to begin; some are solid. Its palette is kept, but for shades.
        steps: of the optimization.
        crispness: from 0, the views' mean colours, to 1, pixel art.
        thin, symmetry: as in `occupancy.occupied`.
        fixed: so many colours of the palette stay exactly what they are.
        stay: how much of `schedule.STAY` counts: less, where the beginning is worth less.
        guidance: of CLIP.
        device: of torch.
    Returns:
        Voxels of the same grid; the metadata says how the optimization went.
    """
    progress("views", 0.0, "Drawing six views")
    views = six_views(mesh, grid)
    found = occupancy.evidence(mesh, grid, views, thin=thin, symmetry=symmetry)
    axes = tuple(a for a in found.fold.axes if np.array_equal(begin.solid, np.flip(begin.solid, a)))
    mirror = axes[0] if axes else None
    targets = of_views(views, begin.labels, begin.palette, crispness=crispness, mirror=mirror)
    field = around(begin.labels, hull.coverages(views, grid, hull.inside(views, grid)), axes)
    guide = None if guidance is None else guidance.on(field, views)
    result = descend(
        field,
        Views(field.index, targets, device),
        begin.palette,
        steps,
        guide=guide,
        stay=stay * float(np.interp(crispness, (0, 1), schedule.STAY)),
        seed=seed,
        progress=progress.part(0.05, 0.95),
        show=shows(field, begin),
    )
    progress("finishing", 0.95, "Choosing colours")
    solid = _finished(field.with_solid(result.solid), begin.solid, found, thin)
    logits = np.zeros((*solid.shape, len(begin.palette)), np.float32)
    logits[tuple(field.places.T)] = result.logits
    alike = None if mirror is None else _alike(begin.labels, mirror)
    settings: dict[str, Any] = {"crispness": crispness, "mirror": mirror, "alike": alike, "fixed": fixed}
    labels, palette = relabelled(solid, targets, begin.palette, logits, **settings)
    about = facts(result) | ({} if guidance is None else guidance.facts)
    return used(dataclasses.replace(begin, labels=labels, palette=palette, meta=begin.meta | about), fixed)


def _finished(
    solid: np.ndarray, begin: np.ndarray, found: occupancy.Evidence, thin: Literal["drop", "keep", "thicken"]
) -> np.ndarray:
    """Voxels, bool (X, Y, Z), without dust, with what is thin, and in as few parts as they began."""
    # What is solid in the half that a fold keeps, or in its mirror image.
    half = found.fold.half(solid.astype(np.float32)) > 0
    finished = occupancy.completed(half | found.straight, found, thin)
    # In few voxels a single one may hold two parts together, and no view say so.
    return finished if len(components(finished)[1]) <= len(components(begin)[1]) else begin


def facts(result: Found) -> dict[str, Any]:
    """For the metadata: steps and losses, the first and the last."""
    losses = {name: [round(value, 6) for value in values] for name, values in result.losses.items()}
    return {"steps": result.steps, "losses": losses}


def shows(field: Field, begin: Voxels) -> Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]:
    """Makes previews of a field's voxels, solid bool (A,) and labels int (A,)."""

    def picture(solid: np.ndarray, label: np.ndarray) -> dict[str, np.ndarray]:
        # What is deep inside is not seen: any colour will do.
        labels = field.with_solid(np.zeros(len(field), bool)).astype(np.uint8)
        labels[tuple(field.places.T)] = np.where(solid, label + 1, 0)
        return {"picture": preview(dataclasses.replace(begin, labels=labels), PREVIEW)}

    return picture


def used(voxels: Voxels, fixed: int) -> Voxels:
    """With the palette's first `fixed` colours, and of the others those that voxels have."""
    kept = np.union1d(np.unique(voxels.labels[voxels.labels > 0]) - 1, np.arange(fixed)).astype(np.intp)
    table = np.zeros(256, np.uint8)
    table[kept + 1] = np.arange(1, len(kept) + 1)
    return dataclasses.replace(voxels, labels=table[voxels.labels], palette=voxels.palette[kept])


def _alike(labels: np.ndarray, axis: int) -> np.ndarray:
    """Voxels that have the colour of their mirror images along an axis, or are not there, bool (X, Y, Z)."""
    mirrored = np.flip(labels, axis)
    same: np.ndarray = (labels == mirrored) | (labels == 0) | (mirrored == 0)
    return same
