"""Which voxels hang together."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

# Voxels that touch in an edge or a corner hang together, as they do to the eye.
TOUCHING = np.ones((3, 3, 3), bool)
# Parts of fewer than that share of the voxels are dust.
DUST = 0.005


def components(solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parts that do not touch one another, not even in a corner.

    Args:
        solid: bool (X, Y, Z).
    Returns:
        number of each voxel's part, int32 (X, Y, Z), 0 where nothing is; voxels of each part, int64 (parts,).
    """
    numbers, _ = ndimage.label(solid, TOUCHING, output=np.int32)
    return numbers, np.bincount(numbers.ravel())[1:]


def floaters(solid: np.ndarray, share: float = DUST) -> np.ndarray:
    """Voxels of the parts that have less than a share of all voxels, bool (X, Y, Z); never the largest part."""
    numbers, sizes = components(solid)
    if len(sizes) < 2:
        return np.zeros_like(solid)
    small = sizes < share * sizes.sum()
    small[sizes.argmax()] = False
    loose: np.ndarray = np.concatenate([[False], small])[numbers]
    return loose
