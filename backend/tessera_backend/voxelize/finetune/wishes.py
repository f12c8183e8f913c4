"""What an artist changed in a sheet of six views: pixel by pixel, against the views of the voxels it was made from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ... import colour
from ..color import palette as palettes
from ..color.labels import MOST_LABELS
from ..sides import LOOKS, SIDES, on_grid
from ..voxels import Voxels
from .targets import seen_first

# Colours this near, of 255 in each channel, are the same: programs that manage colours round them.
_SAME = 2
# Beyond that many new colours, colours of one cube of this side, Lab, are one.
_BIN = 4.0


@dataclasses.dataclass(frozen=True)
class Wish:
    """One side of a sheet; its axes are those of `views.View`.

    Attributes:
        axis, above: as in `views.View`.
        was: uint8 (U, V), labels that the side showed; 0 where nothing was.
        wanted: uint8 (U, V), labels that it shall show.
    """

    axis: int
    above: bool
    was: np.ndarray
    wanted: np.ndarray

    @property
    def edited(self) -> np.ndarray:
        """bool (U, V)."""
        changed: np.ndarray = self.was != self.wanted
        return changed


def wishes(
    base: Voxels, pictures: Sequence[np.ndarray], *, given: bool = False, afresh: bool = False, fixed: int = 0
) -> tuple[tuple[Wish, ...], np.ndarray]:
    """A sheet's six views as labels.

    Args:
        base: the voxels that the sheet was made from.
        pictures: uint8 (height, width, 4) each, in the order of `SIDES`, of `sheet.read_sheet`.
        given: whether the palette is all the colours there are: those of the sheet become the nearest of them.
        afresh: nothing is kept of the base, but its grid, and its palette if that is given.
        fixed: so many colours of the palette are kept even then.
    Returns:
        one for each side, in the order of `SIDES`; and the palette, uint8 (K, 3): that of the base, with what is new.
    """
    planes = [on_grid(picture, side) for picture, side in zip(pictures, SIDES, strict=True)]
    kept = base.palette if given or not afresh else base.palette[:fixed]
    codes = np.concatenate([plane[plane[..., 3] > 0][:, :3] for plane in planes])
    colors = np.unique(codes, axis=0)
    palette, label_of = _palette(kept, colors, given)
    made = []
    for plane, side in zip(planes, SIDES, strict=True):
        axis, above = LOOKS[side]
        opaque = plane[..., 3] > 0
        wanted = np.zeros(opaque.shape, np.uint8)
        wanted[opaque] = label_of[_rows(colors, plane[opaque][:, :3])] + 1
        was = np.zeros_like(wanted) if afresh else seen_first(base.labels, axis, above)
        if not afresh:
            # Where two colours of the base are as near as that, it is the one that was there.
            before = base.palette[np.maximum(was, 1) - 1].astype(int)
            near = np.abs(plane[..., :3].astype(int) - before).max(2) <= _SAME
            wanted = np.where(opaque & (was > 0) & near, was, wanted)
        made.append(Wish(axis, above, was, wanted))
    return tuple(made), palette


def _rows(table: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Which row of a sorted table, uint8 (N, 3), each colour (M, 3) is."""
    weights = np.array([65536, 256, 1])
    return np.searchsorted(table.astype(np.int64) @ weights, colors.astype(np.int64) @ weights)


def _palette(kept: np.ndarray, colors: np.ndarray, given: bool) -> tuple[np.ndarray, np.ndarray]:
    """The palette, uint8 (K, 3), and the number in it of each of the sheet's colours, int (N,)."""
    apart = (
        np.abs(colors[:, None].astype(int) - kept.astype(int)).max(2) if len(kept) else np.full((len(colors), 1), 256)
    )
    new = apart.min(1) > _SAME
    if not given:
        fresh = colors[new]
        room = MOST_LABELS - len(kept)
        if len(fresh) > room:
            lab = colour.lab(fresh / 255)
            bins, weights, _ = palettes.binned(lab, np.ones(len(lab)), _BIN)
            lab = palettes.chosen(bins, weights, max(room, 1)) if len(bins) > room else bins
            fresh = np.rint(colour.srgb(lab) * 255).astype(np.uint8)[:room]
        kept = np.concatenate([kept, fresh])
    table = colour.ciede2000_table(colour.lab(colors / 255), colour.lab(kept / 255))
    return kept, table.argmin(1)


def agreement(labels: np.ndarray, wished: Sequence[Wish]) -> float:
    """The share of a sheet's pixels that voxels, uint8 (X, Y, Z), look like; of those where either shows something."""
    same = shown = 0
    for wish in wished:
        seen = seen_first(labels, wish.axis, wish.above)
        there = (seen > 0) | (wish.wanted > 0)
        same += np.count_nonzero(there & (seen == wish.wanted))
        shown += np.count_nonzero(there)
    return float(same / max(shown, 1))


def overlap(labels: np.ndarray, pictures: Sequence[np.ndarray]) -> float:
    """Intersection over union of the silhouettes of voxels, uint8 (X, Y, Z), and a sheet's, over all six views."""
    both = either = 0
    for picture, side in zip(pictures, SIDES, strict=True):
        drawn = on_grid(picture, side)[..., 3] > 0
        seen = np.any(labels > 0, LOOKS[side][0])
        both += np.count_nonzero(drawn & seen)
        either += np.count_nonzero(drawn | seen)
    return float(both / max(either, 1))
