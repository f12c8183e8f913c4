"""How much of the mesh's surface lies in each voxel, by even samples of its triangles."""

from __future__ import annotations

import numpy as np

from ..compiled import njit
from .grid import Grid
from .mesh import Mesh
from .shading import Paint, color_at, paint_of, there

# Samples along a voxel's side.
_SAMPLES = 2.5


def surface(mesh: Mesh, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Area and mean colour of the surface in each voxel; both sides of a sheet count once.

    Returns:
        area: float32 (X, Y, Z), in voxel faces; 0 where nothing is. Parts that alpha cuts away do not count.
        color: float32 (X, Y, Z, 3), sRGB in [0, 1]; 0 where nothing is.
    """
    sums = np.zeros((*grid.shape, 4), np.float32)
    _gather(grid.of(mesh.positions), paint_of(mesh), sums)
    area = np.ascontiguousarray(sums[..., 3])
    return area, sums[..., :3] / np.maximum(area, 1e-9)[..., None]


@njit(cache=True)
def _gather(corners: np.ndarray, paint: Paint, sums: np.ndarray) -> None:
    """Each triangle in n * n congruent ones, sampled at their centroids."""
    color = np.zeros(3, np.float32)
    for t in range(corners.shape[0]):
        e = corners[t, 1] - corners[t, 0]
        f = corners[t, 2] - corners[t, 0]
        g = f - e
        normal = np.cross(e, f)
        area = 0.5 * np.sqrt((normal * normal).sum())
        if area < 1e-9:
            continue
        longest = np.sqrt(max((e * e).sum(), (f * f).sum(), (g * g).sum()))
        n = max(1, int(np.ceil(longest * _SAMPLES)))
        for i in range(n):
            for j in range(n - i):
                # The upright one of the row, and the one upside down beside it, if there is any.
                for third in range(1, 3 if i + j < n - 1 else 2):
                    b, c = (i + third / 3) / n, (j + third / 3) / n
                    if there(paint, t, b, c):
                        color_at(paint, t, b, c, color)
                        _add(sums, corners[t, 0] + np.float32(b) * e + np.float32(c) * f, area / (n * n), color)


@njit(cache=True, inline="always")
def _add(sums: np.ndarray, point: np.ndarray, area: float, color: np.ndarray) -> None:
    i = min(max(int(point[0]), 0), sums.shape[0] - 1)
    j = min(max(int(point[1]), 0), sums.shape[1] - 1)
    k = min(max(int(point[2]), 0), sums.shape[2] - 1)
    for channel in range(3):
        sums[i, j, k, channel] += area * color[channel]
    sums[i, j, k, 3] += area
