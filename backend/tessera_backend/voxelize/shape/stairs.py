"""Regular stairs and straight runs instead of stray voxels: fewer exposed faces, where it costs the views little.

An energy in pixels, lowered voxel by voxel (Besag, On the statistical analysis of dirty pictures, 1986: iterated
conditional modes): what silhouettes lose, how far a voxel's share inside is from what it becomes, and exposed faces.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...compiled import njit
from .silhouette import WORTH
from .symmetry import Fold

# What a face costs, and a voxel that is wholly inside or outside and said to be the other; pixels. Twice the first, or
# four times the second, change few voxels more, and lose silhouettes.
_FACE, _SHARE = 0.1, 0.25
_SWEEPS = 6
# What is thinner than that, voxels, loses nothing: sheets and limbs have faces on both sides.
_THICK = 3
# Voxels of a limb have so many neighbours.
_LIMB = 4


def smooth(solid: np.ndarray, shares: np.ndarray, coverage: list[np.ndarray], fold: Fold) -> None:
    """Take away bumps and fill notches of what is thick.

    Args:
        solid: bool, the half of the grid; changed in place.
        shares: float32, of the same shape, how much of a voxel is inside.
        coverage: float32, of the half, along x, y, z.
    """
    whole = fold.whole(solid)
    near = ndimage.binary_dilation(ndimage.binary_opening(whole, np.ones((_THICK,) * 3, bool)))
    # What is thin is not cut off from what is thick, either.
    thick = near & ~ndimage.binary_dilation(whole & ~near)
    counts = [solid.sum(axis, dtype=np.int32) for axis in range(3)]
    worth = [(cover - np.float32(WORTH)).astype(np.float32) for cover in coverage]
    mine = fold.half(thick) > 0
    for _ in range(_SWEEPS):
        if not _sweep(solid, mine, shares, *counts, *worth):
            break


@njit(cache=True)
def _sweep(
    solid: np.ndarray, thick: np.ndarray, shares: np.ndarray, nx: np.ndarray, ny: np.ndarray, nz: np.ndarray,
    gx: np.ndarray, gy: np.ndarray, gz: np.ndarray,
) -> int:  # fmt: skip
    """Turn each voxel if that lowers the energy; how many were turned. What is beyond the grid does not count."""
    turned = 0
    for i in range(solid.shape[0]):
        for j in range(solid.shape[1]):
            for k in range(solid.shape[2]):
                there = solid[i, j, k]
                same, other = _neighbours(solid, i, j, k)
                # What is thin stays, but for knobs, and what nothing different is beside.
                if other == 0 or (there and not thick[i, j, k] and not _knob(solid, i, j, k, same)):
                    continue
                # Pixels that are covered by this voxel alone, or would be.
                alone = 1 if there else 0
                seen = gx[j, k] * (nx[j, k] == alone) + gy[i, k] * (ny[i, k] == alone) + gz[i, j] * (nz[i, j] == alone)
                sign = -1 if there else 1
                cost = sign * (_SHARE * (1 - 2 * shares[i, j, k]) - seen) + _FACE * (same - other)
                if cost < -1e-6:
                    solid[i, j, k] = not there
                    nx[j, k] += sign
                    ny[i, k] += sign
                    nz[i, j] += sign
                    turned += 1
    return turned


@njit(cache=True)
def _knob(solid: np.ndarray, i: int, j: int, k: int, same: int) -> bool:
    """Whether a voxel hangs on one other alone, that is part of a limb: the end of a stick does not."""
    if same != 1:
        return False
    for way in range(6):
        step = 2 * (way % 2) - 1
        a, b, c = i + step * (way // 2 == 0), j + step * (way // 2 == 1), k + step * (way // 2 == 2)
        if 0 <= a < solid.shape[0] and 0 <= b < solid.shape[1] and 0 <= c < solid.shape[2] and solid[a, b, c]:
            return _neighbours(solid, a, b, c)[0] >= _LIMB
    return False


@njit(cache=True, inline="always")
def _neighbours(solid: np.ndarray, i: int, j: int, k: int) -> tuple[int, int]:
    """How many of the six are the same, and how many are not."""
    same, other = 0, 0
    for way in range(6):
        step = 2 * (way % 2) - 1
        a, b, c = i + step * (way // 2 == 0), j + step * (way // 2 == 1), k + step * (way // 2 == 2)
        if 0 <= a < solid.shape[0] and 0 <= b < solid.shape[1] and 0 <= c < solid.shape[2]:
            if solid[a, b, c] == solid[i, j, k]:
                same += 1
            else:
                other += 1
    return same, other
