"""Voxels that give the mesh's silhouettes: what its views show has to be there, and nothing else.

A local search: voxels that make some silhouette worse go, pixels that nothing covers get the best voxel of their ray.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit
from ..render.views import View, in_blocks
from .symmetry import Fold

# Covering a pixel raises intersection over union (IoU) if more than IoU / (1 + IoU) of it are the mesh's.
WORTH = 0.49
# What is worth as much goes by the score; a pixel is about 1e-4 of a silhouette.
_TIE = 1e-6
_SWEEPS = 8
# A pixel that the mesh covers this far shows something; half of it would make limbs thick, seen from free views, ...
_SHOWN = 0.6
# ... which may be added where the other silhouettes have that much, ...
_ALLOWED = 0.4
# ... or where it is a sheet, which has no silhouette edge-on: no thicker than that, voxels, with that much surface in
# the voxel, in voxel faces, ...
_SHEET, _SHEET_AREA = 1.0, 0.3
# ... unless something is that near in depth, voxels.
_NEAR = 1


def show(solid: np.ndarray, views: tuple[View, ...], coverage: list[np.ndarray], area: np.ndarray, fold: Fold) -> None:
    """Add what views show and the hull has lost: capes, straps, sails.

    Args:
        solid: bool, the half of the grid; changed in place.
        views: of the whole mesh.
        coverage: of the half, along x, y, z.
        area: float32, of the surface in voxels of the half, in voxel faces.
    """
    wanted, sheet = (
        np.concatenate(found) for found in zip(*(_lost(solid, views, n, fold) for n in range(6)), strict=True)
    )
    x, y, z = wanted.T
    least = np.minimum(np.minimum(coverage[0][y, z], coverage[1][x, z]), coverage[2][x, y])
    allowed = (least >= _ALLOWED) | (sheet & (area[x, y, z] >= _SHEET_AREA))
    solid[tuple(wanted[allowed].T)] = True


def _lost(solid: np.ndarray, views: tuple[View, ...], number: int, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Voxels of the half that a view shows, int (N, 3), where nothing is in or beside them; which are sheets."""
    view = views[number]
    covered = np.argwhere(view.coverage() >= _SHOWN)
    depth = _median(view, covered)
    # The view from the other side, of the same axis.
    sheet = np.abs(_median(views[number ^ 1], covered) - depth) <= _SHEET
    # What lies between two voxels belongs to the one behind.
    layers = fold.shape[view.axis]
    behind = np.clip(np.floor(depth + (-1e-3 if view.above else 1e-3)), 0, layers - 1).astype(np.intp)
    points = fold.points(np.insert(covered, view.axis, behind, 1))
    there = np.zeros(len(points), bool)
    for step in range(-_NEAR, _NEAR + 1):
        beside = points.copy()
        beside[:, view.axis] = np.clip(points[:, view.axis] + step, 0, solid.shape[view.axis] - 1)
        there |= solid[tuple(beside.T)]
    return points[~there], sheet[~there]


def _median(view: View, pixels: np.ndarray) -> np.ndarray:
    """Of the depths that voxel-sized pixels, int (N, 2), show, float32 (N,)."""
    depths = in_blocks(view.depth, view.samples)[tuple(pixels.T)].reshape(len(pixels), view.samples**2)
    hit = np.isfinite(depths)
    ranked = np.sort(np.where(hit, depths, np.inf), 1)
    return ranked[np.arange(len(ranked)), (hit.sum(1) - 1) // 2]


def search(solid: np.ndarray, score: np.ndarray, coverage: list[np.ndarray], fold: Fold) -> None:
    """Better the sum of the silhouettes' IoU by adding and taking away voxels.

    Args:
        solid: bool, the half of the grid; changed in place.
        score: float32, of the same shape: which voxel of a ray is the best; where it is 0, none is added.
        coverage: float32, of the half, along x, y, z.
    """
    gains = []
    for axis in range(3):
        weights = fold.weights(axis)
        area = float((weights * coverage[axis]).sum())
        gains.append(((coverage[axis] - WORTH) * weights / max(area, 1e-9)).astype(np.float32))
    counts = [solid.sum(axis, dtype=np.int32) for axis in range(3)]
    for _ in range(_SWEEPS):
        changes = _take(solid, score, *counts, *gains)
        for axis in range(3):
            changes += _cover(solid, score, axis, *counts, *gains)
        if not changes:
            break


@njit(cache=True, inline="always")
def _gain(
    least: int, i: int, j: int, k: int, nx: np.ndarray, ny: np.ndarray, nz: np.ndarray, gx: np.ndarray, gy: np.ndarray,
    gz: np.ndarray,
) -> float:  # fmt: skip
    """Of the pixels that voxel i, j, k is before, those where so many voxels are."""
    gain = 0.0
    if nx[j, k] == least:
        gain += gx[j, k]
    if ny[i, k] == least:
        gain += gy[i, k]
    if nz[i, j] == least:
        gain += gz[i, j]
    return gain


@njit(cache=True)
def _take(
    solid: np.ndarray, score: np.ndarray, nx: np.ndarray, ny: np.ndarray, nz: np.ndarray, gx: np.ndarray,
    gy: np.ndarray, gz: np.ndarray,
) -> int:  # fmt: skip
    """Take away voxels that are alone before pixels they had better not cover; how many."""
    taken = 0
    for i in range(solid.shape[0]):
        for j in range(solid.shape[1]):
            for k in range(solid.shape[2]):
                if solid[i, j, k] and -_gain(1, i, j, k, nx, ny, nz, gx, gy, gz) > _TIE * score[i, j, k]:
                    solid[i, j, k] = False
                    nx[j, k] -= 1
                    ny[i, k] -= 1
                    nz[i, j] -= 1
                    taken += 1
    return taken


@njit(cache=True)
def _cover(
    solid: np.ndarray, score: np.ndarray, axis: int, nx: np.ndarray, ny: np.ndarray, nz: np.ndarray, gx: np.ndarray,
    gy: np.ndarray, gz: np.ndarray,
) -> int:  # fmt: skip
    """Give pixels of one view that nothing covers the voxel that all silhouettes like best; how many."""
    added = 0
    empty, worth = (nx, gx) if axis == 0 else ((ny, gy) if axis == 1 else (nz, gz))
    for a in range(empty.shape[0]):
        for b in range(empty.shape[1]):
            if empty[a, b] > 0 or worth[a, b] <= 0:
                continue
            best, at, most = 0, (0, 0, 0), -np.inf
            for c in range(solid.shape[axis]):
                i, j, k = (c, a, b) if axis == 0 else ((a, c, b) if axis == 1 else (a, b, c))
                if score[i, j, k] <= 0:
                    continue
                gain = _gain(0, i, j, k, nx, ny, nz, gx, gy, gz)
                value = gain + _TIE * score[i, j, k]
                if value > most:
                    most, best, at = value, gain > 0, (i, j, k)
            if best:
                i, j, k = at
                solid[i, j, k] = True
                nx[j, k] += 1
                ny[i, k] += 1
                nz[i, j] += 1
                added += 1
    return added
