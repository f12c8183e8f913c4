"""A picture of voxels in soft light: for previews, contact sheets and pages."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from ...colour import linear_to_srgb, srgb_to_linear
from ...compiled import njit
from ..voxels import Voxels
from . import lighting

PREVIEW = 360  # pixels of a side of the picture that is shown while a job runs
SAMPLES = 3  # a side of each pixel
MARGIN = 0.06  # of the picture's side, left free all round
# Seen by the eye: (right, up, towards it). The light comes from the left, from above and a little from behind us.
_SUN = np.array([-0.62, 0.62, 0.48])
_SUN_COLOR = np.array([1.0, 0.95, 0.86]) * 0.86
_SKY_COLOR = np.array([0.90, 0.95, 1.0]) * 0.72
_SHOULDER, _BRIGHTEST = 0.7, 1.7
# How far the ground's shadow goes, as a share of the longest side, and its alpha where no light comes.
_SHADOW_REACH, _SHADOW = 0.3, 0.55
_GROUND_STEP = 2  # voxels between points of the ground that are lit
# Joints between voxels: this dark over this share of a face, where voxels are this many pixels wide at least.
_JOINT, _JOINT_WIDTH, _JOINT_PIXELS = 0.90, 0.05, 5.0


@dataclasses.dataclass(frozen=True)
class _Camera:
    """Orthographic: to_pixels maps grid coordinates (x, y, z, 1) to (column, row, depth), near is less."""

    to_pixels: np.ndarray  # float64 (3, 4)
    eye: np.ndarray  # float64 (3,), unit, towards it
    sun: np.ndarray  # float64 (3,), unit, towards it
    scale: float  # pixels a voxel's longest side

    def side(self, axis: int) -> int:
        """Which faces across an axis look towards the eye: 1 those at the upper end, -1 at the lower."""
        return 1 if self.eye[axis] > 0 else -1


def preview(
    voxels: Voxels,
    pixels: int = 400,
    *,
    azimuth: float = 35.0,
    elevation: float = 24.0,
    ground: bool = True,
    steady: bool = False,
) -> np.ndarray:
    """A three-quarter picture on a transparent background.

    Args:
        pixels: side of the picture; the voxels fill it but for a margin.
        azimuth: degrees; 0 sees the front, 90 the right side. The light turns with the eye.
        elevation: degrees above the horizon.
        ground: whether they stand on a ground, of which only their soft shadow is seen (from above only).
        steady: frame them alike from every azimuth, for turntables; else as large as this view allows.
    Returns:
        uint8 (pixels, pixels, 4), sRGB with straight alpha.
    """
    if not voxels.labels.any():
        return np.zeros((pixels, pixels, 4), np.uint8)
    labels = _cropped(voxels.labels)
    pitch = voxels.size / voxels.size.max()
    camera = _camera(labels > 0, pitch, pixels * SAMPLES, np.radians(azimuth), np.radians(elevation), steady)
    shadow = np.zeros((pixels, pixels), np.float32)
    if ground and camera.eye[2] > 0:
        _draw_ground(shadow, labels, pitch, camera)
    picture = np.zeros((pixels, pixels, 4), np.uint8)
    faces = _Faces.of(labels, camera)
    first = _first_faces(faces, camera, pixels * SAMPLES)
    shades = _shades(faces, first, labels, pitch, voxels.palette, camera)
    _develop(first, faces.axes, faces.corners, _edges(camera), shades, _joint(camera), shadow, _codes(), picture)
    return picture


def _cropped(labels: np.ndarray) -> np.ndarray:
    """The box of what is solid."""
    solid = np.argwhere(labels)
    return np.ascontiguousarray(labels[tuple(map(slice, solid.min(0), solid.max(0) + 1))])


def _camera(solid: np.ndarray, pitch: np.ndarray, side: int, azimuth: float, elevation: float, steady: bool) -> _Camera:
    """Frames what is solid in `side` samples, the margin left free."""
    eye = np.array(
        [np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)],
    )
    right = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    axes = np.stack([right, -np.cross(eye, right), -eye])
    box = np.array(solid.shape) * pitch
    if steady:
        across = np.hypot(box[0], box[1])
        tall = across * abs(np.sin(elevation)) + box[2] * np.cos(elevation)
        centre, extent = axes[:2] @ box / 2, max(across, tall)
    else:
        # A column's ends are enough: no voxel between them reaches further.
        ends = solid.copy()
        ends[:, :, 1:-1] &= ~(solid[:, :, 2:] & solid[:, :, :-2])
        places = (np.argwhere(ends) + 0.5) * pitch @ axes[:2].T
        reach = np.abs(axes[:2]) @ pitch / 2
        low, high = places.min(0) - reach, places.max(0) + reach
        centre, extent = (low + high) / 2, (high - low).max()
    scale = side * (1 - 2 * MARGIN) / extent
    to_pixels = np.zeros((3, 4))
    to_pixels[:2] = np.column_stack([axes[:2] * pitch * scale, side / 2 - centre * scale])
    to_pixels[2, :3] = axes[2] * pitch
    sun = _SUN @ np.stack([right, -axes[1], eye])
    return _Camera(to_pixels, eye, sun / np.linalg.norm(sun), scale / SAMPLES)


@dataclasses.dataclass(frozen=True)
class _Faces:
    """Open faces that look towards the eye."""

    voxels: np.ndarray  # int32 (F, 3)
    axes: np.ndarray  # int8 (F,), which axis each is across
    corners: np.ndarray  # float64 (F, 3), column, row, depth of the corner of least coordinates

    @staticmethod
    def of(labels: np.ndarray, camera: _Camera) -> _Faces:
        found = [_open_faces(labels > 0, axis, camera.side(axis)) for axis in range(3)]
        axes = np.repeat(np.arange(3, dtype=np.int8), [len(part) for part in found])
        voxels = np.concatenate(found)
        places = voxels.astype(np.float64)
        places[np.arange(len(axes)), axes] += np.array([camera.side(axis) > 0 for axis in range(3)])[axes]
        return _Faces(voxels, axes, places @ camera.to_pixels[:, :3].T + camera.to_pixels[:, 3])


def _open_faces(solid: np.ndarray, axis: int, side: int) -> np.ndarray:
    """int32 (F, 3): voxels with nothing beside them in this direction."""
    covered = np.zeros_like(solid)
    here, beside = [slice(None)] * 3, [slice(None)] * 3
    here[axis], beside[axis] = (slice(None, -1), slice(1, None)) if side > 0 else (slice(1, None), slice(None, -1))
    covered[tuple(here)] = solid[tuple(beside)]
    return np.argwhere(solid & ~covered).astype(np.int32)


def _edges(camera: _Camera) -> np.ndarray:
    """float64 (3, 2, 3): the two sides of a face across each axis, along the two axes that follow, in samples."""
    columns = camera.to_pixels[:, :3].T
    return np.stack([columns[[(axis + 1) % 3, (axis + 2) % 3]] for axis in range(3)])


def _joint(camera: _Camera) -> float:
    return _JOINT if camera.scale >= _JOINT_PIXELS else 1.0


def _first_faces(faces: _Faces, camera: _Camera, side: int) -> np.ndarray:
    """int32 (side, side): the face each sample sees, -1 for none."""
    depth = np.full((side, side), np.inf, np.float32)
    first = np.full((side, side), -1, np.int32)
    for axis, edges in enumerate(_edges(camera)):
        if abs(np.cross(edges[0], edges[1])[2]) > 1e-9:
            own = np.flatnonzero(faces.axes == axis)
            _fill(depth, first, own, faces.corners, edges)
    return first


def _shades(
    faces: _Faces, first: np.ndarray, labels: np.ndarray, pitch: np.ndarray, palette: np.ndarray, camera: _Camera
) -> np.ndarray:
    """float32 (F, 4, 3), linear: light at four corners of faces that are seen, times their colour.

    Sky light in corners is not lost but bounces, and takes on the colour: the cubic of Jimenez et al., Practical
    Realtime Strategies for Accurate Indirect Occlusion, 2016, section 5.
    """
    seen = np.zeros(len(faces.axes) + 1, bool)
    seen[first] = True  # the last one is of no face
    sky, sun = np.zeros((2, len(faces.axes), 4), np.float32)
    for axis in range(3):
        side = camera.side(axis)
        own = np.flatnonzero(seen[:-1] & (faces.axes == axis))
        voxels = faces.voxels[own]
        sky[own] = lighting.face_light(labels > 0, pitch, voxels, axis, side, lighting.sky_rays(axis, side))
        slant = side * camera.sun[axis]
        if slant > 0:
            rays = lighting.sun_rays(camera.sun)
            sun[own] = slant * lighting.face_light(labels > 0, pitch, voxels, axis, side, rays)
    shown = labels[tuple(faces.voxels.T)].astype(np.int64) - 1
    tint = srgb_to_linear(palette / 255.0)[shown].astype(np.float32)[:, None]
    open_sky = sky[..., None]
    bounced = ((2.0404 * tint - 0.3324) * open_sky + (-4.7951 * tint + 0.6417)) * open_sky + (2.7552 * tint + 0.6903)
    ambient = open_sky * np.maximum(bounced, 1)
    return (tint * (ambient * _SKY_COLOR + sun[..., None] * _SUN_COLOR)).astype(np.float32)


def _draw_ground(alpha: np.ndarray, labels: np.ndarray, pitch: np.ndarray, camera: _Camera) -> None:
    """Fills the picture (H, W) with the alpha of the ground's shadow, which ends before the picture does."""
    margin = max(2, round(_SHADOW_REACH * max(labels.shape)))
    shape = tuple(-(-(side + 2 * margin) // _GROUND_STEP) + 1 for side in labels.shape[:2])
    solid = labels > 0
    rays = lighting.sky_rays(2, 1).copy()
    rays[:, 3] = 1
    sky = lighting.ground_light(solid, pitch, margin, _GROUND_STEP, rays, shape)
    sun = lighting.ground_light(solid, pitch, margin, _GROUND_STEP, lighting.sun_rays(camera.sun), shape)
    # Blurred, because few rays leave grain, which an even ground shows.
    blur = 0.025 * max(labels.shape) / _GROUND_STEP
    shadow = _SHADOW * ndimage.gaussian_filter(1 - (0.7 * sky + 0.3 * sun), blur)
    for axis, side in enumerate(shape):
        middle = (side - 1) / 2
        away = (np.abs(np.arange(side) - middle) - middle) * _GROUND_STEP / margin + 1
        shadow *= _fade(away).reshape((-1, 1) if axis == 0 else (1, -1))
    pixels = len(alpha)
    rim = _fade(1 - np.minimum(np.arange(pixels), np.arange(pixels)[::-1]) / (MARGIN * 2 * pixels))
    inverse = np.linalg.inv(camera.to_pixels[:2, :2])
    start = margin - inverse @ camera.to_pixels[:2, 3]
    _lay(alpha, shadow.astype(np.float32), inverse * (SAMPLES / _GROUND_STEP), start / _GROUND_STEP)
    alpha *= np.outer(rim, rim).astype(np.float32)


def _fade(share: np.ndarray) -> np.ndarray:
    """1 at 0 and before, 0 at 1, smooth between."""
    left = 1 - np.clip(share, 0, 1)
    return left * left * (3 - 2 * left)


@njit(cache=True, nogil=True)
def _lay(alpha: np.ndarray, shadow: np.ndarray, inverse: np.ndarray, start: np.ndarray) -> None:
    """The ground's shadow at every pixel, bilinear."""
    for row in range(alpha.shape[0]):
        for column in range(alpha.shape[1]):
            x = inverse[0, 0] * (column + 0.5) + inverse[0, 1] * (row + 0.5) + start[0]
            y = inverse[1, 0] * (column + 0.5) + inverse[1, 1] * (row + 0.5) + start[1]
            if 0 <= x < shadow.shape[0] - 1 and 0 <= y < shadow.shape[1] - 1:
                i, j = int(x), int(y)
                s, t = x - i, y - j
                near = shadow[i, j] * (1 - t) + shadow[i, j + 1] * t
                far = shadow[i + 1, j] * (1 - t) + shadow[i + 1, j + 1] * t
                alpha[row, column] = near * (1 - s) + far * s


@njit(cache=True, nogil=True)
def _fill(depth: np.ndarray, first: np.ndarray, own: np.ndarray, corners: np.ndarray, edges: np.ndarray) -> None:
    """Draws the numbers of faces, equal parallelograms, with a depth buffer."""
    height, width = depth.shape
    u, v = edges[0], edges[1]
    area = u[0] * v[1] - u[1] * v[0]
    left, right = min(0.0, u[0]) + min(0.0, v[0]), max(0.0, u[0]) + max(0.0, v[0])
    top, bottom = min(0.0, u[1]) + min(0.0, v[1]), max(0.0, u[1]) + max(0.0, v[1])
    for f in own:
        x, y, near = corners[f]
        for row in range(max(0, int(y + top)), min(height, int(y + bottom) + 1)):
            for column in range(max(0, int(x + left)), min(width, int(x + right) + 1)):
                px, py = column + 0.5 - x, row + 0.5 - y
                s = (px * v[1] - py * v[0]) / area
                t = (py * u[0] - px * u[1]) / area
                # The slack closes seams that rounding would open.
                if s < -1e-5 or t < -1e-5 or s > 1 + 1e-5 or t > 1 + 1e-5:
                    continue
                z = near + s * u[2] + t * v[2]
                if z < depth[row, column]:
                    depth[row, column] = z
                    first[row, column] = f


@njit(cache=True, nogil=True)
def _develop(
    first: np.ndarray,
    axes: np.ndarray,
    corners: np.ndarray,
    edges: np.ndarray,
    shades: np.ndarray,
    joint: float,
    shadow: np.ndarray,
    codes: np.ndarray,
    picture: np.ndarray,
) -> None:
    """Fills the picture with means of SAMPLES x SAMPLES, light bilinear over each face, over black of alpha `shadow`.

    `codes` has the sRGB values of light from 0 to _BRIGHTEST.
    """
    last = len(codes) - 1
    total = np.empty(3)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            total[:] = 0
            hits = 0
            for i in range(row * SAMPLES, (row + 1) * SAMPLES):
                for j in range(column * SAMPLES, (column + 1) * SAMPLES):
                    if first[i, j] >= 0:
                        hits += 1
                        _add_shade(i, j, first[i, j], axes, corners, edges, shades, joint, total)
            cover = hits / SAMPLES**2
            alpha = cover + (1 - cover) * shadow[row, column]
            if alpha > 0:
                for channel in range(3):
                    share = min(total[channel] / SAMPLES**2 / alpha / _BRIGHTEST, 1.0)
                    picture[row, column, channel] = codes[int(share * last + 0.5)]
                picture[row, column, 3] = int(alpha * 255 + 0.5)


@njit(cache=True, nogil=True)
def _add_shade(
    row: int,
    column: int,
    face: int,
    axes: np.ndarray,
    corners: np.ndarray,
    edges: np.ndarray,
    shades: np.ndarray,
    joint: float,
    total: np.ndarray,
) -> None:
    u, v = edges[axes[face], 0], edges[axes[face], 1]
    px, py = column + 0.5 - corners[face, 0], row + 0.5 - corners[face, 1]
    area = u[0] * v[1] - u[1] * v[0]
    s = min(max((px * v[1] - py * v[0]) / area, 0.0), 1.0)
    t = min(max((py * u[0] - px * u[1]) / area, 0.0), 1.0)
    dim = joint if min(s, 1 - s, t, 1 - t) < _JOINT_WIDTH else 1.0
    a, b, c, d = (1 - s) * (1 - t) * dim, s * (1 - t) * dim, (1 - s) * t * dim, s * t * dim
    four = shades[face]
    for channel in range(3):
        total[channel] += a * four[0, channel] + b * four[1, channel] + c * four[2, channel] + d * four[3, channel]


def _codes() -> np.ndarray:
    """uint8 (4096,): sRGB values (IEC 61966-2-1) of linear light from 0 to _BRIGHTEST.

    From _SHOULDER on it rises less and less, so that bright faces in full light differ still.
    """
    light = np.linspace(0, _BRIGHTEST, 4096)
    room = 1 - _SHOULDER
    light = np.where(light < _SHOULDER, light, 1 - room * np.exp(-(light - _SHOULDER) / room))
    return np.rint(255 * linear_to_srgb(light)).astype(np.uint8)
