"""Inside and loose parts of voxels: filling, hollowing, floaters."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from ..components import floaters
from ..voxels import Voxels


def without_floaters(voxels: Voxels, share: float = 0.005) -> Voxels:
    """Without the parts that have less than a share of all voxels; the largest always stays.

    Args:
        share: 0 to 1 of the solid voxels.
    """
    gone = floaters(voxels.solid, share)
    return dataclasses.replace(voxels, labels=np.where(gone, 0, voxels.labels).astype(np.uint8))


def filled(voxels: Voxels) -> Voxels:
    """Cavities that have no way out through faces become solid, coloured as the nearest voxel."""
    solid = voxels.solid
    whole = ndimage.binary_fill_holes(solid)
    if np.array_equal(whole, solid):
        return voxels
    nearest = ndimage.distance_transform_edt(~solid, return_distances=False, return_indices=True)
    return dataclasses.replace(voxels, labels=np.where(whole, voxels.labels[tuple(nearest)], 0).astype(np.uint8))


def hollowed(voxels: Voxels, thickness: int = 1) -> Voxels:
    """Only the shell: voxels within `thickness` steps through faces from the open; cavities are filled before.

    The six views are those of the whole, and a shell of 1 has no gaps but edges of no width.

    Args:
        thickness: voxels, 1 at least.
    """
    whole = filled(voxels)
    inside = ndimage.binary_erosion(whole.solid, iterations=thickness)
    return dataclasses.replace(whole, labels=np.where(inside, 0, whole.labels).astype(np.uint8))
