"""The box of voxels that a mesh is put into."""

from __future__ import annotations

import dataclasses

import numpy as np

from .mesh import Mesh

# A mesh is flat along an axis where it is that thin, of its longest side: float32 positions are no better.
_FLAT = 1e-6


@dataclasses.dataclass(frozen=True)
class Grid:
    """The mesh's bounding box, exactly, cut into voxels: nearly cubes, since each side has a whole number of them.

    Attributes:
        shape: voxels along x, y, z; one at least.
        origin: float64 (3,), the lower corner, in the mesh's units.
        size: float64 (3,), a voxel's sides, in the mesh's units.
        flat: bool (3,), where the mesh has no extent: it lies in the middle of one layer of cubes.
    """

    shape: tuple[int, int, int]
    origin: np.ndarray
    size: np.ndarray
    flat: tuple[bool, bool, bool] = (False, False, False)

    @staticmethod
    def fitted(mesh: Mesh, side: int, bounds: np.ndarray | None = None) -> Grid:
        """The grid with `side` voxels, 8 to 256, along the longest side of the mesh, which has to be `checked`.

        Args:
            bounds: float (2, 3), the lower and the upper corner of another box than the mesh's own.
        """
        low, high = mesh.bounds() if bounds is None else np.asarray(bounds, np.float64)
        extent = high - low
        longest = extent.max()
        flat = extent < _FLAT * longest
        shape = np.where(flat, 1, np.maximum(1, np.round(extent / longest * side)))
        size = np.where(flat, longest / side, extent / shape)
        origin = np.where(flat, (low + high) / 2 - size / 2, low)
        x, y, z = (int(count) for count in shape)
        return Grid((x, y, z), origin, size, (bool(flat[0]), bool(flat[1]), bool(flat[2])))

    def of(self, positions: np.ndarray) -> np.ndarray:
        """Positions, (..., 3) in the mesh's units, in voxels from the lower corner: float32, voxel 0 from 0 to 1."""
        return ((positions - self.origin) / self.size).astype(np.float32)
