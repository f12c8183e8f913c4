"""Light that reaches faces of voxels and the ground below them: soft sky and soft sun, by marching through the grid."""

from __future__ import annotations

import functools

import numpy as np

from ...compiled import njit

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


def _walled(solid: np.ndarray) -> np.ndarray:
    """uint8 (X + 2, Y + 2, Z + 2): 1 voxels, 2 a wall all round, so that a march need not look where the grid ends."""
    walled = np.full([side + 2 for side in solid.shape], 2, np.uint8)
    walled[1:-1, 1:-1, 1:-1] = solid
    return walled


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
    _light_faces(_walled(solid), faces, axis, side, _steps(rays, pitch), light)
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
    _light_ground(_walled(solid), margin, step, _steps(rays, pitch), light)
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
            point[axis] = 1 + faces[f, axis] + (1 + lift if side > 0 else -lift)
            point[u] = 1 + faces[f, u] + (1 - inset if corner & 1 else inset)
            point[v] = 1 + faces[f, v] + (1 - inset if corner & 2 else inset)
            light[f, corner] = _gathered(solid, point[0], point[1], point[2], steps)


@njit(cache=True, nogil=True)
def _light_ground(solid: np.ndarray, margin: int, step: int, steps: np.ndarray, light: np.ndarray) -> None:
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            light[i, j] = _gathered(solid, i * step - margin + 1.001, j * step - margin + 1.001, 0.999, steps)


@njit(cache=True, nogil=True)
def _gathered(solid: np.ndarray, x: float, y: float, z: float, steps: np.ndarray) -> float:
    nx, ny, nz = solid.shape[0] - 1, solid.shape[1] - 1, solid.shape[2] - 1
    cells = solid.ravel()
    total = 0.0
    for r in range(len(steps)):
        ix, iy, iz = steps[r, 3], steps[r, 4], steps[r, 5]
        # When the ray is inside the grid.
        x0, x1, y0, y1, z0, z1 = (1 - x) * ix, (nx - x) * ix, (1 - y) * iy, (ny - y) * iy, (1 - z) * iz, (nz - z) * iz
        enter, leave = max(0.0, min(x0, x1), min(y0, y1), min(z0, z1)), min(max(x0, x1), max(y0, y1), max(z0, z1))
        enter += 1e-9
        if enter >= leave or not _blocked(
            cells,
            *solid.shape,
            x + steps[r, 0] * enter,
            y + steps[r, 1] * enter,
            z + steps[r, 2] * enter,
            ix,
            iy,
            iz,
        ):
            total += steps[r, 6]
    return total / len(steps)


@njit(cache=True, nogil=True)
def _blocked(
    cells: np.ndarray, nx: int, ny: int, nz: int, x: float, y: float, z: float, ix: float, iy: float, iz: float
) -> bool:
    """Whether a ray from inside the walled grid meets a voxel (Amanatides & Woo, A Fast Voxel Traversal, 1987).

    ix, iy, iz are the time that it takes through a voxel along each axis, with the direction's sign.
    """
    i, j, k = min(max(int(x), 1), nx - 2), min(max(int(y), 1), ny - 2), min(max(int(z), 1), nz - 2)
    tx, ty, tz = (i + (ix > 0) - x) * ix, (j + (iy > 0) - y) * iy, (k + (iz > 0) - z) * iz
    wx, wy, wz = abs(ix), abs(iy), abs(iz)
    step_x, step_y, step_z = (ny * nz if ix > 0 else -ny * nz), (nz if iy > 0 else -nz), (1 if iz > 0 else -1)
    cell = (i * ny + j) * nz + k
    while cells[cell] == 0:
        if tx <= ty and tx <= tz:
            cell += step_x
            tx += wx
        elif ty <= tz:
            cell += step_y
            ty += wy
        else:
            cell += step_z
            tz += wz
    return cells[cell] == 1
