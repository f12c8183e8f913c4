"""Colours of finished voxels: the best for what the six views show of each, in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import colour
from ..color import palette as palettes
from ..color.observed import Shell, first_layer, shell
from ..color.smoothing import filled, potts
from .targets import Target

# The colour difference that weighs like a factor of e in the logits' probabilities, and what these weigh: they decide
# where views disagree, and where none sees anything.
_MIXED, _BELIEVED = 15.0, 0.02
_LEAST = 1e-4
# Pull of equal neighbours, in pixel art.
_POTTS = 0.1
_ROUNDS = 8


def relabelled(
    solid: np.ndarray,
    targets: Sequence[Target],
    palette: np.ndarray,
    logits: np.ndarray,
    *,
    crispness: float = 1.0,
    mirror: int | None = None,
    alike: np.ndarray | None = None,
    fixed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Voxels of the palette's colours.

    Args:
        solid: bool (X, Y, Z).
        palette: uint8 (K, 3), sRGB; all but the first `fixed` may be moved to suit what is labelled with them.
        logits: float32 (X, Y, Z, K).
        crispness: from 0 to 1: equal neighbours attract each other that much.
        mirror: the axis across which voxels are solid alike.
        alike: bool (X, Y, Z), those that have the colour of their mirror image, if not all.
    Returns:
        labels uint8 (X, Y, Z), 0 where nothing is, else 1 + the number of the colour; palette uint8 (K, 3).
    """
    outer = shell(solid)
    voxel, wanted = _seen(outer, solid, targets)
    colors, _, color = palettes.binned(wanted, np.ones(len(wanted)), 0.5)
    belief = logits[tuple(outer.places.T)].astype(np.float64)
    belief -= belief.max(1, keepdims=True)
    belief = np.exp(belief) / np.exp(belief).sum(1, keepdims=True)
    unsure = -_BELIEVED * np.log(belief + _LEAST)
    twin = np.arange(len(outer)) if mirror is None else outer.mirrored(mirror)
    alike = np.ones(solid.shape, bool) if alike is None else alike
    twin = np.where(alike[tuple(outer.places.T)] & (twin >= 0), twin, np.arange(len(outer)))
    lab = colour.lab(palette / 255)
    for round_ in range(_ROUNDS + 1):
        costs = unsure + _differences(voxel, color, colors, lab, len(outer)) / _MIXED
        costs = (costs + costs[twin]) / 2
        label = costs.argmin(1)
        if round_ == _ROUNDS or fixed == len(palette):
            break
        lab = palettes.medians(wanted, np.ones(len(wanted)), label[voxel], lab, fixed)
    label = potts(outer.number, outer.places, costs, label, _POTTS * crispness, mirror) if crispness else label
    refined = np.rint(colour.srgb(lab) * 255).astype(np.uint8)
    refined[:fixed] = palette[:fixed]
    labels = filled(solid, outer.places, label)
    if mirror is not None:
        # What lies inside and between two equal choices.
        lower = np.arange(solid.shape[mirror]) < solid.shape[mirror] // 2
        lower = lower.reshape([-1 if axis == mirror else 1 for axis in range(3)])
        other = np.flip(labels, mirror)
        labels = np.where(lower | ~alike | (other == 0), labels, other) * solid.astype(np.uint8)
    return labels, refined


def _seen(outer: Shell, solid: np.ndarray, targets: Sequence[Target]) -> tuple[np.ndarray, np.ndarray]:
    """Which voxel each pixel sees, int (N,), and what it shall see, (N, 3), CIE Lab."""
    voxels, colors = [], []
    for target in targets:
        layer = first_layer(solid, target.axis, target.above)
        both = target.covered & (layer >= 0)
        along = np.moveaxis(outer.number, target.axis, 2)
        voxels.append(np.take_along_axis(along, np.maximum(layer, 0)[..., None], 2)[..., 0][both])
        colors.append(target.color[both])
    return np.concatenate(voxels), colour.lab(np.concatenate(colors).astype(np.float64))


def _differences(
    voxel: np.ndarray, color: np.ndarray, colors: np.ndarray, palette: np.ndarray, count: int
) -> np.ndarray:
    """Sums of CIEDE2000 between what is seen of voxels and palette colours, (S, K)."""
    table = colour.ciede2000_table(colors, palette)
    return np.stack([np.bincount(voxel, column[color], count) for column in table.T], 1)
