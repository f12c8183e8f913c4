"""How well voxels stand for a mesh, and how well they are made."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from .views import View, in_blocks

_AROUND = np.ones((3, 3, 3), bool)


@dataclasses.dataclass(frozen=True)
class Silhouettes:
    """Intersection over union with the mesh's silhouettes, mean of the six views (which are alike in pairs).

    Attributes:
        iou: of the voxels.
        bound: of the silhouettes rounded to voxel-sized pixels, which no voxels of this size do much better than.
    """

    iou: float
    bound: float

    @property
    def ratio(self) -> float:
        """What was reached of the bound."""
        return self.iou / self.bound if self.bound else 1.0


def silhouettes(solid: np.ndarray, views: tuple[View, ...]) -> Silhouettes:
    """Of voxels, bool (X, Y, Z), against the views' own pixels. Views that see the mesh edge-on do not count."""
    each = [
        (_iou(np.any(solid, view.axis), view), _iou(view.coverage() >= 0.5, view)) for view in views if view.hit.any()
    ]
    iou, bound = np.mean(each, 0) if each else (1.0, 1.0)
    return Silhouettes(float(iou), float(bound))


def _iou(pixels: np.ndarray, view: View) -> float:
    hit = in_blocks(view.hit, view.samples)
    large = np.broadcast_to(pixels[..., None, None], hit.shape)
    return float((hit & large).sum() / max((hit | large).sum(), 1))


def components(solid: np.ndarray) -> np.ndarray:
    """Voxels of each component, by 26 neighbours, the greatest first: int (N,)."""
    numbers, _ = ndimage.label(solid, _AROUND)
    return np.sort(np.bincount(numbers.ravel())[1:])[::-1]


def asymmetry(solid: np.ndarray, axis: int) -> float:
    """The share of voxels whose mirror image along an axis is empty."""
    return float((solid & ~np.flip(solid, axis)).sum() / max(np.count_nonzero(solid), 1))


def exposed_faces(solid: np.ndarray) -> int:
    """Faces between a solid and an empty voxel."""
    padded = np.pad(solid, 1)
    return int(sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in range(3)))
