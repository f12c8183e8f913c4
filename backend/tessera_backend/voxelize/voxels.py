"""What voxelization makes: a grid of palette colours."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Voxels:
    """Palette voxels in a box.

    Attributes:
        labels: uint8 (X, Y, Z), 0 where nothing is, else 1 + the number of the colour; right-handed, z up.
        palette: uint8 (K, 3), sRGB; at most 255.
        origin: float64 (3,), the lower corner of voxel (0, 0, 0), in the mesh's units.
        size: float64 (3,), a voxel's sides, in the mesh's units.
        meta: how it was made, of plain JSON types.
    """

    labels: np.ndarray
    palette: np.ndarray
    origin: np.ndarray
    size: np.ndarray
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def solid(self) -> np.ndarray:
        """bool (X, Y, Z)."""
        return self.labels > 0
