"""The voxels that are optimized, where they begin, and which of them are one."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from ..components import TOUCHING
from .kernels import AIR, DEEP

# Voxels that may become solid: so far from those that are, where each silhouette has so much.
_BAND, _COVERED = 1, 0.2


@dataclasses.dataclass(frozen=True)
class Field:
    """Voxels that may change, numbered in the order of their places.

    Attributes:
        index: int32 (X, Y, Z), the number of each, AIR where nothing may be, DEEP for what is always solid.
        places: int32 (A, 3).
        solid: bool (A,), as they begin.
        label: int64 (A,), likewise, the number of the colour, from 0; the nearest solid one's for what is not.
        twin: int64 (A,), the lesser number of a voxel and its mirror images: these are solid together.
        like: int64 (A,), the same of those that have one colour.
    """

    index: np.ndarray
    places: np.ndarray
    solid: np.ndarray
    label: np.ndarray
    twin: np.ndarray
    like: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def with_solid(self, solid: np.ndarray) -> np.ndarray:
        """bool (X, Y, Z) with the given voxels, bool (A,)."""
        grid = self.index == DEEP
        grid[tuple(self.places.T)] = solid
        return grid


def around(
    labels: np.ndarray,
    coverage: list[np.ndarray],
    axes: tuple[int, ...] = (),
    *,
    free: np.ndarray | None = None,
) -> Field:
    """The field of what may be seen, or become so.

    Args:
        labels: uint8 (X, Y, Z), where to begin, not all 0.
        coverage: float32 (Y, Z), (X, Z), (X, Y), of silhouettes along x, y, z.
        axes: across whose middle voxels mirror each other.
        free: bool (X, Y, Z), those that may change; all that can be seen or might be, if not given.
    """
    solid = labels > 0
    if free is None:
        along = [cover >= _COVERED for cover in coverage]
        hull = along[0][None] & along[1][:, None] & along[2][:, :, None]
        inner = ndimage.binary_erosion(solid, iterations=_BAND + 1, border_value=0)
        free = ((hull & ndimage.binary_dilation(solid, TOUCHING, _BAND)) | solid) & ~inner
    active = free.copy()
    for axis in axes:
        active |= np.flip(active, axis)
    index = np.where(solid & ~active, DEEP, AIR).astype(np.int32)
    places = np.argwhere(active).astype(np.int32)
    index[active] = np.arange(len(places), dtype=np.int32)
    nearest = ndimage.distance_transform_edt(~solid, return_distances=False, return_indices=True)
    label = labels[tuple(nearest)][active].astype(np.int64) - 1
    first = solid[active]
    twin = like = np.arange(len(places))
    for axis in axes:
        other = np.flip(index, axis)[active].astype(np.int64)
        twin = np.minimum(twin, twin[other])
        unlike = first & first[other] & (label != label[other])
        like = np.where(unlike, like, np.minimum(like, like[other]))
    return Field(index, places, first, label, twin, like)
