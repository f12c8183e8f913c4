"""Light that reaches faces of voxels and the ground below them: soft sky and soft sun, by marching through the grid."""

from __future__ import annotations

import functools

import numpy as np

from ..compiled import njit

SKY_RAYS = 30
SUN_RAYS = 8
# The sun's radius as an angle: shadows get a rim one voxel wide some five voxels away.
_SUN_SPREAD = 0.1
# Above, the sky; below, what the ground sends back.
_ZENITH, _GROUND = 1.0, 0.45


@functools.cache
def sky_rays(axis: int, side: int) -> np.ndarray:
    """float64 (SKY_RAYS, 4): directions round a face's normal, denser where light counts more, and radiance.

    Cosine-weighted on a spiral of golden angles (Vogel 1979), so that the mean over rays is the irradiance.
    """
    k = np.arange(SKY_RAYS) + 0.5
    radius, angle = np.sqrt(k / SKY_RAYS), k * np.pi * (3 - np.sqrt(5))
    rays = np.empty((SKY_RAYS, 4))
    rays[:, axis] = side * np.sqrt(1 - radius**2)
    rays[:, (axis + 1) % 3] = radius * np.cos(angle)
    rays[:, (axis + 2) % 3] = radius * np.sin(angle)
    rays[:, 3] = _GROUND + (_ZENITH - _GROUND) * (0.5 + 0.5 * rays[:, 2])
    return rays


def sun_rays(towards: np.ndarray) -> np.ndarray:
    """float64 (SUN_RAYS, 4): directions over the sun's disc, each of radiance 1."""
    k = np.arange(SUN_RAYS) + 0.5
    radius, angle = _SUN_SPREAD * np.sqrt(k / SUN_RAYS), k * np.pi * (3 - np.sqrt(5))
    aside = np.cross(towards, [0.0, 0.0, 1.0] if abs(towards[2]) < 0.9 else [1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    spread = radius[:, None] * (np.cos(angle)[:, None] * aside + np.sin(angle)[:, None] * np.cross(towards, aside))
    rays = np.ones((SUN_RAYS, 4))
    rays[:, :3] = (towards + spread) / np.linalg.norm(towards + spread, axis=1, keepdims=True)
    return rays


def _steps(rays: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """float64 (R, 7): rays per voxel and their inverses, for a march that never divides, and radiance."""
    steps = rays[:, :3] / pitch
    steps = np.where(np.abs(steps) < 1e-9, 1e-9, steps)
    return np.column_stack([steps, 1 / steps, rays[:, 3]])


def face_light(
    solid: np.ndarray, pitch: np.ndarray, faces: np.ndarray, axis: int, side: int, rays: np.ndarray
) -> np.ndarray:
    """The mean radiance of the rays that get away, at four corners of faces.

    Args:
        solid: bool (X, Y, Z).
        pitch: float64 (3,), sides of a voxel; rays are in the same space.
        faces: int32 (F, 3), voxels whose face across `axis`, at its `side`, is open.
        rays: float64 (R, 4), directions and radiance.
    Returns:
        float32 (F, 4), corners in the order (0, 0), (1, 0), (0, 1), (1, 1) along the two axes that follow.
    """
    light = np.empty((len(faces), 4), np.float32)
    _light_faces(solid, faces, axis, side, _steps(rays, pitch), light)
    return light


def ground_light(
    solid: np.ndarray, pitch: np.ndarray, margin: int, step: int, rays: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """The same at points of the plane z = 0, those right below the voxels included.

    Args:
        margin: voxels from the first point to the grid's corner.
        step: voxels between points.
    Returns:
        float32 of the shape (points along x, points along y).
    """
    light = np.empty(shape, np.float32)
    _light_ground(solid, margin, step, _steps(rays, pitch), light)
    return light


@njit(cache=True, nogil=True)
def _light_faces(
    solid: np.ndarray, faces: np.ndarray, axis: int, side: int, steps: np.ndarray, light: np.ndarray
) -> None:
    # A little off the plane, and a little inwards, so that a wall beside the face darkens this corner.
    lift, inset = 0.01, 0.03
    point = np.empty(3)
    u, v = (axis + 1) % 3, (axis + 2) % 3
    for f in range(len(faces)):
        for corner in range(4):
            point[axis] = faces[f, axis] + (1 + lift if side > 0 else -lift)
            point[u] = faces[f, u] + (1 - inset if corner & 1 else inset)
            point[v] = faces[f, v] + (1 - inset if corner & 2 else inset)
            light[f, corner] = _gathered(solid, point, steps)


@njit(cache=True, nogil=True)
def _light_ground(solid: np.ndarray, margin: int, step: int, steps: np.ndarray, light: np.ndarray) -> None:
    point = np.empty(3)
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            point[0], point[1], point[2] = i * step - margin + 1e-3, j * step - margin + 1e-3, -1e-3
            light[i, j] = _gathered(solid, point, steps)


@njit(cache=True, nogil=True)
def _gathered(solid: np.ndarray, point: np.ndarray, steps: np.ndarray) -> float:
    total = 0.0
    for r in range(len(steps)):
        if not _blocked(solid, point, steps[r]):
            total += steps[r, 6]
    return total / len(steps)


@njit(cache=True, nogil=True)
def _blocked(solid: np.ndarray, point: np.ndarray, step: np.ndarray) -> bool:
    """Whether a ray meets a voxel, in voxel coordinates (Amanatides & Woo, A Fast Voxel Traversal, 1987)."""
    nx, ny, nz = solid.shape
    low, high = 0.0, 1e9
    for axis in range(3):
        first = -point[axis] * step[3 + axis]
        last = (solid.shape[axis] - point[axis]) * step[3 + axis]
        low, high = max(low, min(first, last)), min(high, max(first, last))
    if low >= high:
        return False
    enter = low + 1e-9
    x, y, z = point[0] + step[0] * enter, point[1] + step[1] * enter, point[2] + step[2] * enter
    i, j, k = min(max(int(x), 0), nx - 1), min(max(int(y), 0), ny - 1), min(max(int(z), 0), nz - 1)
    si, sj, sk = (1 if step[0] > 0 else -1), (1 if step[1] > 0 else -1), (1 if step[2] > 0 else -1)
    # When the ray leaves this voxel along each axis, and how long it takes from one to the next.
    tx, ty, tz = (i + (si > 0) - x) * step[3], (j + (sj > 0) - y) * step[4], (k + (sk > 0) - z) * step[5]
    wx, wy, wz = abs(step[3]), abs(step[4]), abs(step[5])
    while True:
        if solid[i, j, k]:
            return True
        if tx <= ty and tx <= tz:
            i += si
            tx += wx
            if i < 0 or i >= nx:
                return False
        elif ty <= tz:
            j += sj
            ty += wy
            if j < 0 or j >= ny:
                return False
        else:
            k += sk
            tz += wz
            if k < 0 or k >= nz:
                return False
