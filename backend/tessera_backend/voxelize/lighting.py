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


@njit(cache=True, nogil=True)
def face_light(
    solid: np.ndarray, pitch: np.ndarray, faces: np.ndarray, axis: int, side: int, rays: np.ndarray
) -> np.ndarray:
    """The mean radiance of the rays that get away, at four corners of faces.

    Args:
        solid: bool (X, Y, Z).
        pitch: float64 (3,), sides of a voxel; rays are in the same space.
        faces: int32 (F, 3), voxels whose face across `axis`, at its `side`, is open.
    Returns:
        float32 (F, 4), corners in the order (0, 0), (1, 0), (0, 1), (1, 1) along the two axes that follow.
    """
    # A little off the plane, and a little inwards, so that a wall beside the face darkens this corner.
    lift, inset = 0.01, 0.03
    light = np.empty((len(faces), 4), np.float32)
    point = np.empty(3)
    u, v = (axis + 1) % 3, (axis + 2) % 3
    for f in range(len(faces)):
        for corner in range(4):
            point[axis] = faces[f, axis] + (1 + lift if side > 0 else -lift)
            point[u] = faces[f, u] + (1 - inset if corner & 1 else inset)
            point[v] = faces[f, v] + (1 - inset if corner & 2 else inset)
            light[f, corner] = _gathered(solid, pitch, point, rays)
    return light


@njit(cache=True, nogil=True)
def ground_light(
    solid: np.ndarray, pitch: np.ndarray, margin: int, step: int, rays: np.ndarray, light: np.ndarray
) -> None:
    """Shares of the rays that get away from points of the plane z = 0, those right below the voxels included.

    Args:
        margin: voxels from the first point to the grid's corner.
        step: voxels between points.
        light: float32 (points along x, points along y), filled.
    """
    point = np.empty(3)
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            point[0], point[1], point[2] = i * step - margin + 1e-3, j * step - margin + 1e-3, -1e-3
            light[i, j] = _gathered(solid, pitch, point, rays)


@njit(cache=True, nogil=True)
def _gathered(solid: np.ndarray, pitch: np.ndarray, point: np.ndarray, rays: np.ndarray) -> float:
    total = 0.0
    for r in range(len(rays)):
        dx, dy, dz = rays[r, 0] / pitch[0], rays[r, 1] / pitch[1], rays[r, 2] / pitch[2]
        if not _blocked(solid, point[0], point[1], point[2], dx, dy, dz):
            total += rays[r, 3]
    return total / len(rays)


@njit(cache=True, nogil=True)
def _span(start: float, step: float, length: int, low: float, high: float) -> tuple[float, float]:
    """When a ray is between 0 and length, cut to what it was before; low > high: never."""
    if abs(step) < 1e-9:
        return (low, high) if 0 <= start <= length else (1.0, 0.0)
    first, last = -start / step, (length - start) / step
    if first > last:
        first, last = last, first
    return max(low, first), min(high, last)


@njit(cache=True, nogil=True)
def _blocked(solid: np.ndarray, x: float, y: float, z: float, dx: float, dy: float, dz: float) -> bool:
    """Whether a ray meets a voxel, in voxel coordinates (Amanatides & Woo, A Fast Voxel Traversal, 1987)."""
    nx, ny, nz = solid.shape
    low, high = _span(x, dx, nx, 0.0, 1e9)
    low, high = _span(y, dy, ny, low, high)
    low, high = _span(z, dz, nz, low, high)
    if low >= high:
        return False
    x, y, z = x + dx * (low + 1e-9), y + dy * (low + 1e-9), z + dz * (low + 1e-9)
    i, j, k = min(max(int(x), 0), nx - 1), min(max(int(y), 0), ny - 1), min(max(int(z), 0), nz - 1)
    si, sj, sk = (1 if dx > 0 else -1), (1 if dy > 0 else -1), (1 if dz > 0 else -1)
    wx, wy, wz = 1 / max(abs(dx), 1e-9), 1 / max(abs(dy), 1e-9), 1 / max(abs(dz), 1e-9)
    tx = (i + 1 - x if dx > 0 else x - i) * wx
    ty = (j + 1 - y if dy > 0 else y - j) * wy
    tz = (k + 1 - z if dz > 0 else z - k) * wz
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
