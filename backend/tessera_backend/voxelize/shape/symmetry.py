"""Meshes that are their own mirror images are voxelized by halves: then the voxels are too, exactly."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

# A mesh is symmetric if it and its mirror image have that much in common, of what either has.
_ENOUGH = 0.93
# Beyond the first axis, it has to be more certain.
_SURE = 0.98
# And that much of the surface needs a mirror image in or beside its voxel: an arm that is held otherwise, or a sword in
# one hand, is little of what is inside.
_MATCHED = 0.998
# Fewer layers say nothing.
_LEAST_LAYERS = 4


def overlap(shares: np.ndarray, axis: int) -> float:
    """Intersection over union of shares, (X, Y, Z) in [0, 1], and their mirror image along an axis."""
    mirrored = np.flip(shares, axis)
    union = float(np.maximum(shares, mirrored).sum())
    return float(np.minimum(shares, mirrored).sum()) / union if union else 1.0


def matched(surface: np.ndarray, axis: int) -> float:
    """The share of voxels, bool (X, Y, Z), that have a mirror image along an axis, or one of its 26 neighbours."""
    near = ndimage.binary_dilation(np.flip(surface, axis), np.ones((3, 3, 3), bool))
    return float((surface & near).sum()) / max(np.count_nonzero(surface), 1)


@dataclasses.dataclass(frozen=True)
class Fold:
    """A grid folded in the middle of some axes: the lower half of the layers stands for the upper.

    Attributes:
        shape: of the whole grid.
        axes: those that are folded, maybe none.
    """

    shape: tuple[int, int, int]
    axes: tuple[int, ...] = ()

    @staticmethod
    def found(shares: np.ndarray, surface: np.ndarray) -> Fold:
        """Along the axes that a mesh is symmetric along.

        Args:
            shares: float (X, Y, Z), how much of a voxel is inside.
            surface: bool (X, Y, Z), whether there is surface in it.
        """
        x, y, z = shares.shape
        likely = sorted(
            ((overlap(shares, axis), axis) for axis in range(3) if shares.shape[axis] >= _LEAST_LAYERS), reverse=True
        )
        axes = [
            axis
            for rank, (share, axis) in enumerate(likely)
            if share > (_SURE if rank else _ENOUGH) and matched(surface, axis) >= _MATCHED
        ]
        return Fold((x, y, z), tuple(sorted(axes)))

    def half(self, values: np.ndarray, axes: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
        """Mean of values and their mirror images, in the lower half, of an array with the named axes of the grid."""
        for place, axis in enumerate(axes):
            if axis in self.axes:
                values = (values + np.flip(values, place)) / 2
                values = values[(slice(None),) * place + (slice(0, self._layers(axis)),)]
        return np.ascontiguousarray(values)

    def whole(self, half: np.ndarray) -> np.ndarray:
        """The grid of a lower half, (X, Y, Z)."""
        for axis in self.axes:
            other = np.flip(half, axis)
            middle = self.shape[axis] % 2
            other = other[(slice(None),) * axis + (slice(middle, None),)]
            half = np.concatenate([half, other], axis)
        return np.ascontiguousarray(half)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Voxels, int (N, 3), or those that they are the mirror images of."""
        folded = points.copy()
        for axis in self.axes:
            folded[:, axis] = np.minimum(points[:, axis], self.shape[axis] - 1 - points[:, axis])
        return folded

    def weights(self, axis: int) -> np.ndarray:
        """How many pixels of the whole view along an axis each pixel of the half stands for, float32 (U, V)."""
        others = [other for other in range(3) if other != axis]
        along = [np.ones(self._layers(other), np.float32) for other in others]
        for line, other in zip(along, others, strict=True):
            if other in self.axes:
                line[: self.shape[other] // 2] = 2
        return np.outer(along[0], along[1])

    def _layers(self, axis: int) -> int:
        return (self.shape[axis] + 1) // 2 if axis in self.axes else self.shape[axis]
