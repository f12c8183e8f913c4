"""How much of each voxel is inside: the hull that the depths of six views carve.

A point is inside if it lies between the first and the last hit of its rays along x, y and z. That fills what is
inside, and asks neither for a closed surface nor for its orientation; cavities that no axis sees are solid.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit
from ..grid import Grid
from ..render.views import View, in_blocks

# Sheets have two sides: half their least thickness, voxels.
THICKNESS = np.float32(0.15)


def inside(views: tuple[View, ...], grid: Grid) -> np.ndarray:
    """The share of each voxel that is inside the hull, float32 (X, Y, Z)."""
    samples = views[0].samples
    thickness = np.where(grid.flat, np.float32(0.5), THICKNESS)
    ends = [_ends(views[2 * axis + 1], views[2 * axis], grid, thickness[axis]) for axis in range(3)]
    blocks = [_block(low, high, samples) for low, high in ends]
    return _shares(*grid.shape, samples, *ends, *blocks)


def coverages(views: tuple[View, ...], grid: Grid, shares: np.ndarray) -> list[np.ndarray]:
    """What the mesh covers of each voxel-sized pixel, seen along x, y and z: float32 (Y, Z), (X, Z), (X, Y).

    A mesh that is flat and seen edge-on covers nothing: what is inside stands for it.
    """
    above = views[::2]
    return [shares.max(view.axis) if _edge_on(view, grid) else view.coverage() for view in above]


def _edge_on(view: View, grid: Grid) -> bool:
    return any(grid.flat[axis] for axis in range(3) if axis != view.axis)


def _ends(below: View, above: View, grid: Grid, thickness: float) -> np.ndarray:
    """Where each ray is inside, first and last, voxels, (2, U, V); everywhere, if a flat mesh is seen edge-on."""
    if _edge_on(below, grid):
        return np.stack([np.full_like(below.depth, -np.inf), np.full_like(above.depth, np.inf)])
    return np.stack([below.depth - thickness, above.depth + thickness])


def _block(low: np.ndarray, high: np.ndarray, samples: int) -> np.ndarray:
    """Of a voxel's rays: (4, U, V), where the first and the last of them begin, and where the first and last end."""
    first, last = in_blocks(low, samples), in_blocks(high, samples)
    return np.stack([first.min((2, 3)), first.max((2, 3)), last.min((2, 3)), last.max((2, 3))])


@njit(cache=True)
def _shares(
    x: int,
    y: int,
    z: int,
    samples: int,
    along_x: np.ndarray,
    along_y: np.ndarray,
    along_z: np.ndarray,
    block_x: np.ndarray,
    block_y: np.ndarray,
    block_z: np.ndarray,
) -> np.ndarray:
    shares = np.zeros((x, y, z), np.float32)
    for i in range(x):
        for j in range(y):
            if block_z[0, i, j] > block_z[3, i, j]:
                continue
            for k in range(z):
                a = _of_block(block_x[:, j, k], i)
                b = _of_block(block_y[:, i, k], j)
                c = _of_block(block_z[:, i, j], k)
                if a == 0 or b == 0 or c == 0:
                    continue
                if a + b + c == 6:
                    shares[i, j, k] = 1
                else:
                    shares[i, j, k] = _share(i, j, k, samples, along_x, along_y, along_z)
    return shares


@njit(cache=True, inline="always")
def _of_block(block: np.ndarray, at: int) -> int:
    """Whether all (2), no (0), or some points of voxel `at` lie within the ends of its rays."""
    if block[1] <= at and block[2] >= at + 1:
        return 2
    return 0 if block[0] > at + 1 or block[3] < at else 1


@njit(cache=True)
def _share(
    i: int, j: int, k: int, samples: int, along_x: np.ndarray, along_y: np.ndarray, along_z: np.ndarray
) -> float:
    """By points at the centres of samples ** 3 small cubes."""
    count = 0
    for a in range(i * samples, (i + 1) * samples):
        px = (a + 0.5) / samples
        for b in range(j * samples, (j + 1) * samples):
            py = (b + 0.5) / samples
            if along_z[0, a, b] > along_z[1, a, b]:
                continue
            for c in range(k * samples, (k + 1) * samples):
                pz = (c + 0.5) / samples
                count += (
                    along_z[0, a, b] <= pz <= along_z[1, a, b]
                    and along_x[0, b, c] <= px <= along_x[1, b, c]
                    and along_y[0, a, c] <= py <= along_y[1, a, c]
                )
    return count / samples**3
