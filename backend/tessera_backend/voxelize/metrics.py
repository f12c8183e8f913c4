"""How well voxels stand for a mesh, and how well they are made."""

from __future__ import annotations

import dataclasses

import numpy as np

from .grid import Grid
from .mesh import Mesh
from .render.views import View, free_view, in_blocks


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


def free_iou(mesh: Mesh, solid: np.ndarray, grid: Grid, views: int = 32, size: int = 256) -> float:
    """Mean intersection over union of the silhouettes of a mesh and its voxels, from directions all around.

    Args:
        size: pixels of each picture's sides.
    """
    cubes = faces(solid, grid)
    low, high = mesh.bounds()
    frame = {"center": (low + high) / 2, "radius": float(np.linalg.norm(high - low)) / 2}
    each = []
    for rotation in rotations(views):
        one, other = (free_view(shape, rotation, size, **frame).hit for shape in (mesh, cubes))
        each.append((one & other).sum() / max((one | other).sum(), 1))
    return float(np.mean(each))


def rotations(count: int) -> np.ndarray:
    """Upright views from points of a Fibonacci spiral on a sphere: float64 (count, 3, 3), as `free_view` takes them."""
    height = 1 - (2 * np.arange(count) + 1) / count
    turn = np.pi * (3 - 5**0.5) * np.arange(count)
    flat = np.sqrt(1 - height * height)
    towards = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], 1)
    right = np.stack([-np.sin(turn), np.cos(turn), np.zeros(count)], 1)
    return np.stack([right, np.cross(towards, right), towards], 1)


def faces(solid: np.ndarray, grid: Grid) -> Mesh:
    """The exposed faces of voxels, two triangles each; white."""
    padded = np.pad(solid, 1).astype(np.int8)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]])
    every = []
    for axis in range(3):
        inner = tuple(slice(None) if other == axis else slice(1, -1) for other in range(3))
        places = np.argwhere(np.diff(padded, axis=axis)[inner])
        every.append((places[:, None] + np.insert(square, axis, 0, 1)).reshape(-1, 3, 3))
    return Mesh.of(np.concatenate(every) * grid.size + grid.origin)


def asymmetry(solid: np.ndarray, axis: int) -> float:
    """The share of voxels whose mirror image along an axis is empty."""
    return float((solid & ~np.flip(solid, axis)).sum() / max(np.count_nonzero(solid), 1))


def exposed_faces(solid: np.ndarray) -> int:
    """Faces between a solid and an empty voxel."""
    padded = np.pad(solid, 1)
    return int(sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in range(3)))
