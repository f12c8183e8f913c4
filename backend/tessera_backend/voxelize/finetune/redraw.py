"""Voxels that look like a sheet: as it was edited, or as it was drawn afresh."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tessera_protocol.errors import error

from ...progress import SILENT, Progress
from ..components import floaters
from ..voxels import Voxels
from . import edits
from .descent import descend
from .field import around
from .loss import Views
from .targets import Target
from .voxify import facts, shows
from .wishes import Wish, agreement, overlap, wishes

# A sheet is of something else if it has less in common with the voxels: of pixels, and of silhouettes, since who paints
# all of a thing anew keeps these.
_AFRESH, _ELSEWHERE = 0.4, 0.9
# Voxels that look so much like a sheet are those that it was made from, and the others need not be asked for.
_SURELY = 0.98
# With less of its pixels as they shall be, an artist is told.
_POOR = 0.9
_CONTRADICTING = (
    "Only {:.0%} of the sheet's pixels look as they are drawn: its views contradict each other, as where one of them "
    "has a part and another has not."
)


def redrawn(
    bases: Sequence[Callable[[], Voxels]],
    pictures: Sequence[np.ndarray],
    steps: int = 200,
    *,
    given: bool = False,
    fixed: int = 0,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> Voxels:
    """Voxels that look like six pictures.

    Those that the sheet was made from are changed where it was, see `edits`; all else stays as it is: nothing is left
    to be optimized. A sheet of something else is carved out of its six silhouettes, and what these leave open is
    optimized, and kept if the voxels then look more like the sheet.

    Args:
        bases: make voxels of one grid, which the sheet may have been made from; the likeliest first.
        pictures: of `sheet.read_sheet`.
        steps: of the optimization.
        given: whether the palette is all the colours there are.
        fixed: so many of its colours have to stay.
    Returns:
        Voxels; the metadata says how many pixels were changed, and what share of all look as they shall.
    Raises:
        InvalidInput: "unusable-input" where nothing is left of them.
    """
    base, same = _likeliest(bases, pictures, given)
    afresh = same < _AFRESH and overlap(base.labels, pictures) < _ELSEWHERE
    wished, palette = wishes(base, pictures, given=given, afresh=afresh, fixed=fixed)
    start = np.zeros_like(base.labels) if afresh else base.labels
    made = dataclasses.replace(base, labels=edits.applied(start, wished), palette=palette)
    about: dict[str, Any] = {"afresh": afresh, "edited": int(sum(wish.edited.sum() for wish in wished))}
    if afresh:
        carved, told = _carved(made, wished, steps, seed, device, progress)
        better = agreement(carved, wished) > agreement(made.labels, wished)
        made = dataclasses.replace(made, labels=carved if better else made.labels)
        about |= told | {"optimized": better}
    if not made.labels.any():
        raise error(
            "unusable-input",
            "Nothing is left of the voxels: what one view of the sheet erases is seen through, from front to back.",
            field="sheet",
            remedy="Leave the views that you don't change as they were, and erase only what shall be gone.",
        )
    share = about["agreement"] = round(agreement(made.labels, wished), 4)
    notes = [] if share >= _POOR else [_CONTRADICTING.format(share)]
    return dataclasses.replace(made, meta=base.meta | {"sheet": about, "notes": base.meta.get("notes", []) + notes})


def _likeliest(
    bases: Sequence[Callable[[], Voxels]], pictures: Sequence[np.ndarray], given: bool
) -> tuple[Voxels, float]:
    """The voxels that look most like a sheet, and how much, as a share of its pixels."""
    best, most = None, -1.0
    for make in bases:
        base = make()
        share = agreement(base.labels, wishes(base, pictures, given=given)[0])
        if share > most:
            best, most = base, share
        if share >= _SURELY:
            break
    assert best is not None
    return best, most


def _carved(
    begin: Voxels, wished: Sequence[Wish], steps: int, seed: int, device: str, progress: Progress
) -> tuple[np.ndarray, dict[str, Any]]:
    """Of voxels that fill the silhouettes, those that the views like best: labels; and how it went."""
    closed, targets = np.zeros(begin.labels.shape, bool), []
    for wish in wished:
        other = next(other for other in wished if other.axis == wish.axis and other.above != wish.above)
        # Where only the other side is drawn, its colour will do.
        label = np.where(wish.wanted > 0, wish.wanted, other.wanted)
        closed |= np.expand_dims(label == 0, wish.axis)
        targets.append(_target(wish, label, begin.palette))
    field = around(begin.labels, [], free=begin.solid)
    views = Views(field.index, targets, device)
    result = descend(field, views, begin.palette, steps, seed=seed, progress=progress, show=shows(field, begin))
    solid = field.with_solid(result.solid)
    solid &= ~floaters(solid)
    edits.cover(solid, wished, closed)
    labels = begin.labels.copy()
    labels[tuple(field.places.T)] = result.logits.argmax(1) + 1
    labels = np.where(solid, np.maximum(labels, 1), 0).astype(np.uint8)
    labels = edits.painted(labels, np.zeros_like(solid), wished)
    return edits.refilled(labels, begin.solid, wished), facts(result)


def _target(wish: Wish, label: np.ndarray, palette: np.ndarray) -> Target:
    covered = label > 0
    color = palette[np.maximum(label, 1) - 1] / 255 * covered[..., None]
    return Target(wish.axis, wish.above, color.astype(np.float32), covered, np.full(covered.shape, -1, np.float32))
