"""Layers: masks of all levels, in order, back to front; those within a layer do not overlap, and each has a parent.

After Wang et al., Layered Image Vectorization via Semantic Simplification, CVPR 2025, section 3.2, with the limits of
the authors' code. There masks of one layer may overlap by up to half; here what overlaps lies in front.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

# Two masks that have so much in common, as a share of what either covers, are one.
SAME = 0.7
# Likewise a mask and what its siblings leave visible of their parent.
REST = 0.85
# A mask that covers so much of one from a coarser level, and is larger, would hide it.
HIDES = 0.5
# What two masks have in common may be cut off the finer one, up to this share of it, so that they stay side by side.
TRIM = 0.05


@dataclasses.dataclass(frozen=True)
class Part:
    """A mask in its place.

    Attributes:
        mask: bool (H, W).
        level: where it was found first; 0 is the coarsest.
        layer: 0 is the back.
        parent: index of the part that it lies on: of those further back that have most of it, the smallest; -1 of
            the ground.
    """

    mask: np.ndarray
    level: int
    layer: int
    parent: int

    @property
    def area(self) -> int:
        """px."""
        return int(np.count_nonzero(self.mask))


def arrange(levels: Sequence[Sequence[np.ndarray]], ground: np.ndarray, most: int) -> list[Part]:
    """Put masks into layers, coarse levels first and large masks first within a level.

    A mask of a finer level that is all that other masks leave visible of a coarser one is left out: the coarser one,
    whole behind what covers it, stands for it.

    Args:
        levels: masks, bool (H, W), the coarsest level first.
        ground: bool (H, W), the whole picture's mask: the first part.
        most: how many parts to keep: the largest.
    Returns:
        parts in the order in which they are painted: levels ascend, layers ascend within a level, and each part comes
        after its parent.
    """
    parts = _placed(levels, ground)
    parts = _without_rests(parts)
    if len(parts) > most:
        order = np.argsort([-part.area for part in parts], kind="stable")[: max(most, 1)]
        parts = _kept(parts, np.isin(np.arange(len(parts)), order))
    order = sorted(range(len(parts)), key=lambda i: (parts[i].level, parts[i].layer))
    place = {old: new for new, old in enumerate(order)} | {-1: -1}
    return [dataclasses.replace(parts[i], parent=place[parts[i].parent]) for i in order]


def _placed(levels: Sequence[Sequence[np.ndarray]], ground: np.ndarray) -> list[Part]:
    """All masks that say something new, each in front of every one that it overlaps."""
    parts = [Part(ground, 0, 0, -1)]
    packed = [np.packbits(ground)]
    areas = [int(np.count_nonzero(ground))]
    for level, masks in enumerate(levels):
        for mask in sorted(masks, key=np.count_nonzero, reverse=True):
            fresh = _fresh(mask, parts, packed, areas)
            if fresh is None:
                continue
            own, common = fresh
            layer = 1 + max(parts[i].layer for i in np.flatnonzero(common))
            parts.append(Part(own, level, layer, _parent(common, areas)))
            packed.append(np.packbits(own))
            areas.append(int(np.count_nonzero(own)))
    return parts


def _fresh(
    mask: np.ndarray, parts: Sequence[Part], packed: Sequence[np.ndarray], areas: Sequence[int]
) -> tuple[np.ndarray, np.ndarray] | None:
    """A mask without what it only grazes, and what it has in common with each part, px; None where it adds nothing."""
    area, known = int(np.count_nonzero(mask)), np.array(areas)
    common = _common(mask, packed)
    grazed = (common > 0) & (common <= TRIM * np.minimum(area, known))
    if grazed.any():
        mask = mask & ~np.any([parts[i].mask for i in np.flatnonzero(grazed)], axis=0)
        area, common = int(np.count_nonzero(mask)), _common(mask, packed)
    same = common > SAME * (area + known - common)
    hides = (common >= HIDES * known) & (area > known)
    return None if area == 0 or same.any() or hides.any() else (mask, common)


def _common(mask: np.ndarray, packed: Sequence[np.ndarray]) -> np.ndarray:
    """Pixels that a mask shares with each of some masks, packed: int (P,)."""
    own = np.packbits(mask)
    return np.array([int(np.bitwise_count(own & other).sum()) for other in packed])


def _parent(common: np.ndarray, areas: Sequence[int]) -> int:
    """Of the parts that have at least half as much of a mask as the one that has most, the smallest."""
    holders = np.flatnonzero(common >= 0.5 * common.max())
    return int(min(holders, key=lambda i: areas[i]))


def _without_rests(parts: list[Part]) -> list[Part]:
    """Leave out parts that are what their siblings leave visible of their parent."""
    kept = np.ones(len(parts), np.bool_)
    for i, parent in enumerate(parts):
        children = [k for k, part in enumerate(parts) if part.parent == i]
        if not children:
            continue
        largest = max(children, key=lambda k: parts[k].area)
        rest = parent.mask.copy()
        for k in children:
            if k != largest:
                rest &= ~parts[k].mask
        common = np.count_nonzero(rest & parts[largest].mask)
        kept[largest] = common <= REST * np.count_nonzero(rest | parts[largest].mask)
    return _kept(parts, kept)


def _kept(parts: list[Part], kept: np.ndarray) -> list[Part]:
    """Some of the parts; children of others go to the nearest ancestor that stays."""
    place = np.cumsum(kept) - 1
    out = []
    for i in np.flatnonzero(kept):
        parent = parts[i].parent
        while parent >= 0 and not kept[parent]:
            parent = parts[parent].parent
        out.append(dataclasses.replace(parts[i], parent=int(place[parent]) if parent >= 0 else -1))
    return out
