"""How much of the mesh's surface lies in each voxel, by even samples of its triangles."""

from __future__ import annotations

import numpy as np

from ...compiled import njit
from ..grid import Grid
from ..mesh import Mesh
from ..render.shading import Paint, color_at, paint_of, there

# Samples along a voxel's side.
_SAMPLES = 2.5


def surface(mesh: Mesh, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Area and mean colour of the surface in each voxel; both sides of a sheet count once.

    Returns:
        area: float32 (X, Y, Z), in voxel faces; 0 where nothing is. Parts that alpha cuts away do not count.
        color: float32 (X, Y, Z, 3), sRGB in [0, 1]; 0 where nothing is.
    """
    area, color = np.zeros(grid.shape, np.float32), np.zeros((*grid.shape, 3), np.float32)
    _gather(grid.of(mesh.positions), paint_of(mesh), area, color)
    np.divide(color, area[..., None], out=color, where=area[..., None] > 0)
    return area, color


@njit(cache=True)
def _gather(corners: np.ndarray, paint: Paint, area: np.ndarray, color: np.ndarray) -> None:
    """Each triangle in n * n congruent ones, sampled at their centroids; sums of area, and of area times colour."""
    x, y, z = area.shape
    here = np.zeros(3, np.float32)
    for t in range(corners.shape[0]):
        ax, ay, az = corners[t, 0]
        bx, by, bz = corners[t, 1, 0] - ax, corners[t, 1, 1] - ay, corners[t, 1, 2] - az
        cx, cy, cz = corners[t, 2, 0] - ax, corners[t, 2, 1] - ay, corners[t, 2, 2] - az
        whole = 0.5 * np.sqrt((by * cz - bz * cy) ** 2 + (bz * cx - bx * cz) ** 2 + (bx * cy - by * cx) ** 2)
        if whole < 1e-9:
            continue
        third = (cx - bx) ** 2 + (cy - by) ** 2 + (cz - bz) ** 2
        longest = np.sqrt(max(bx * bx + by * by + bz * bz, cx * cx + cy * cy + cz * cz, third))
        n = max(1, int(np.ceil(longest * _SAMPLES)))
        part = whole / (n * n)
        for i in range(n):
            for j in range(n - i):
                # The upright one of the row, and the one upside down beside it, if there is any.
                for turn in range(1, 3 if i + j < n - 1 else 2):
                    b, c = (i + turn / 3) / n, (j + turn / 3) / n
                    if there(paint, t, b, c):
                        u = min(max(int(ax + b * bx + c * cx), 0), x - 1)
                        v = min(max(int(ay + b * by + c * cy), 0), y - 1)
                        w = min(max(int(az + b * bz + c * cz), 0), z - 1)
                        color_at(paint, t, b, c, here)
                        area[u, v, w] += part
                        for channel in range(3):
                            color[u, v, w, channel] += part * here[channel]
