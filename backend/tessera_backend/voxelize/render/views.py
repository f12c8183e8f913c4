"""Orthographic views of a mesh: six along the grid's axes, and free ones.

Huang et al., Voxify3D (2025), section 3.2: six axis-aligned views show all that voxel art can be seen of.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..grid import Grid
from ..mesh import Mesh
from .raster import hits
from .shading import paint_of, shaded

# Samples per voxel and axis, of views: 36 a voxel.
SAMPLES = 6


@dataclasses.dataclass(frozen=True)
class View:
    """One view of six; its pixel axes are the two other axes of the grid, in their order and direction.

    So `color[u, v]` of a view along y is what is seen at x = (u + 0.5) / samples, z = (v + 0.5) / samples, in voxels,
    and views from opposite sides lie on each other, not mirrored.

    Attributes:
        axis: 0, 1, 2, along which it looks.
        above: whether from the greater coordinates (down the axis), or from the lesser.
        samples: pixels per voxel and axis.
        color: float32 (U * samples, V * samples, 3), sRGB in [0, 1], unlit; 0 where nothing is.
        hit: bool (U * samples, V * samples), where the mesh is.
        depth: float32, of the same shape: the coordinate along the axis, in voxels, of what is seen; where nothing is,
            -inf seen from above, inf from below.
    """

    axis: int
    above: bool
    samples: int
    color: np.ndarray
    hit: np.ndarray
    depth: np.ndarray

    def coverage(self) -> np.ndarray:
        """The share of each voxel-sized pixel that the mesh covers, float32 (U, V)."""
        return in_blocks(self.hit, self.samples).mean((2, 3), dtype=np.float32)


def in_blocks(pixels: np.ndarray, samples: int) -> np.ndarray:
    """A picture (U * samples, V * samples, ...) as (U, V, samples, samples, ...)."""
    wide, high = pixels.shape[0] // samples, pixels.shape[1] // samples
    return pixels.reshape(wide, samples, high, samples, *pixels.shape[2:]).swapaxes(1, 2)


def six_views(mesh: Mesh, grid: Grid, samples: int = SAMPLES) -> tuple[View, ...]:
    """Views from +x, -x, +y, -y, +z, -z: view 2 * axis looks down the axis from above, 2 * axis + 1 from below."""
    paint, places = paint_of(mesh), grid.of(mesh.positions)
    views = []
    for axis in range(3):
        u, v = (other for other in range(3) if other != axis)
        corners = places[..., [u, v, axis]] * np.array([samples, samples, 1], np.float32)
        below, above = hits(corners, (grid.shape[u] * samples, grid.shape[v] * samples), paint)
        for found in (above, below):
            color = shaded(paint, found.triangle, found.weights)
            views.append(View(axis, found is above, samples, color, found.triangle >= 0, found.depth))
    return tuple(views)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A free view, as pictures are: row 0 at the top.

    Attributes:
        color: float32 (size, size, 3), sRGB in [0, 1], unlit; 0 where nothing is.
        hit: bool (size, size).
        depth: float32 (size, size), towards the viewer, in the mesh's units from the centre; -inf where nothing is.
    """

    color: np.ndarray
    hit: np.ndarray
    depth: np.ndarray


def free_view(
    mesh: Mesh, rotation: np.ndarray, size: int, *, center: np.ndarray | None = None, radius: float | None = None
) -> Picture:
    """An orthographic view from any direction.

    Args:
        rotation: float (3, 3), orthonormal; its rows say, in the mesh's axes, what is right in the picture, what is
            up, and where the viewer is.
        size: pixels of each side.
        center: float (3,), the mesh's units, what is in the middle; that of the bounding box, if not given.
        radius: half the picture's side, in the mesh's units; half the box's diagonal, if not given.
    """
    low, high = mesh.bounds()
    middle = (low + high) / 2 if center is None else np.asarray(center, np.float64)
    reach = float(np.linalg.norm(high - low)) / 2 if radius is None else radius
    right, up, towards = np.moveaxis((mesh.positions - middle) @ np.asarray(rotation, np.float64).T, -1, 0)
    corners = np.stack([(1 - up / reach) * (size / 2), (1 + right / reach) * (size / 2), towards], -1)
    paint = paint_of(mesh)
    _, found = hits(corners.astype(np.float32), (size, size), paint)
    return Picture(shaded(paint, found.triangle, found.weights), found.triangle >= 0, found.depth)
