"""Triangles to pixels, orthographic: the nearest and the farthest hit of every pixel, in one pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...compiled import njit
from .shading import Paint, there

# Pixels on the edge of two triangles belong to both: nothing shines through between them.
_EDGE = -1e-6


class Hits(NamedTuple):
    """What each pixel meets first, or last.

    Attributes:
        depth: float32 (U, V); inf (nearest) or -inf (farthest) where nothing is.
        triangle: int32 (U, V), -1 where nothing is.
        weights: float32 (U, V, 2), of the triangle's corners 1 and 2.
    """

    depth: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray

    @staticmethod
    def none(shape: tuple[int, int], depth: float) -> Hits:
        """Before anything is drawn."""
        return Hits(np.full(shape, depth, np.float32), np.full(shape, -1, np.int32), np.zeros((*shape, 2), np.float32))


def hits(corners: np.ndarray, shape: tuple[int, int], paint: Paint) -> tuple[Hits, Hits]:
    """The least deep and the deepest hit of every pixel. Triangles seen edge-on have no area, and are not hit.

    Args:
        corners: float32 (T, 3, 3), pixels along the picture's first and second axis, centres at +0.5, and depth.
        paint: of the same triangles; where alpha is under its cutoff, rays go on.
    """
    near, far = Hits.none(shape, np.inf), Hits.none(shape, -np.inf)
    _draw(corners, paint, near, far)
    return near, far


@njit(cache=True)
def _draw(corners: np.ndarray, paint: Paint, near: Hits, far: Hits) -> None:
    wide, high = near.depth.shape
    for t in range(corners.shape[0]):
        u0, v0, w0 = np.float64(corners[t, 0, 0]), np.float64(corners[t, 0, 1]), np.float64(corners[t, 0, 2])
        u1, v1, w1 = corners[t, 1, 0] - u0, corners[t, 1, 1] - v0, corners[t, 1, 2] - w0
        u2, v2, w2 = corners[t, 2, 0] - u0, corners[t, 2, 1] - v0, corners[t, 2, 2] - w0
        area = u1 * v2 - u2 * v1
        if abs(area) < 1e-9:
            continue
        first_u = max(int(np.ceil(u0 + min(0.0, u1, u2) - 0.5)), 0)
        last_u = min(int(np.floor(u0 + max(0.0, u1, u2) - 0.5)), wide - 1)
        first_v = max(int(np.ceil(v0 + min(0.0, v1, v2) - 0.5)), 0)
        last_v = min(int(np.floor(v0 + max(0.0, v1, v2) - 0.5)), high - 1)
        cut = paint.cutoff[paint.material[t]] >= 0
        for i in range(first_u, last_u + 1):
            du = i + 0.5 - u0
            for j in range(first_v, last_v + 1):
                dv = j + 0.5 - v0
                b = (du * v2 - u2 * dv) / area
                c = (u1 * dv - du * v1) / area
                if b < _EDGE or c < _EDGE or 1 - b - c < _EDGE:
                    continue
                depth = np.float32(w0 + b * w1 + c * w2)
                nearer, farther = depth < near.depth[i, j], depth > far.depth[i, j]
                if not (nearer or farther) or (cut and not there(paint, t, b, c)):
                    continue
                if nearer:
                    near.depth[i, j], near.triangle[i, j] = depth, t
                    near.weights[i, j, 0], near.weights[i, j, 1] = b, c
                if farther:
                    far.depth[i, j], far.triangle[i, j] = depth, t
                    far.weights[i, j, 0], far.weights[i, j, 1] = b, c
