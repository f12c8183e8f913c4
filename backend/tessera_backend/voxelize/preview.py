"""A picture of voxels in soft light: for previews, contact sheets and pages."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from ..compiled import njit
from . import lighting
from .voxels import Voxels

SAMPLES = 3  # a side of each pixel
MARGIN = 0.06  # of the picture's side, left free all round
# Seen by the eye: (right, up, towards it). The light comes from the left, from above and a little from behind us.
_SUN = np.array([-0.62, 0.62, 0.48])
_SUN_COLOR = np.array([1.0, 0.95, 0.86]) * 0.86
_SKY_COLOR = np.array([0.90, 0.95, 1.0]) * 0.72
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
    fine = pixels * SAMPLES
    camera = _camera(labels > 0, pitch, fine, np.radians(azimuth), np.radians(elevation), steady)
    color = np.zeros((fine, fine, 4), np.float32)
    _draw_faces(color, labels, pitch, voxels.palette, camera)
    shadow = np.zeros((pixels, pixels), np.float32)
    if ground and camera.eye[2] > 0:
        _draw_ground(shadow, labels, pitch, camera)
    return _averaged(color, shadow)


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
        ends = solid & ~(np.roll(solid, 1, 2) & np.roll(solid, -1, 2))
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


def _draw_faces(color: np.ndarray, labels: np.ndarray, pitch: np.ndarray, palette: np.ndarray, camera: _Camera) -> None:
    solid = labels > 0
    albedo = _srgb_to_linear(palette)
    depth = np.full(color.shape[:2], np.inf, np.float32)
    sun_rays = lighting.sun_rays(camera.sun)
    joint = _JOINT if camera.scale >= _JOINT_PIXELS else 1.0
    for axis in range(3):
        side = 1 if camera.eye[axis] > 0 else -1
        faces = _open_faces(solid, axis, side)
        sky = np.empty((len(faces), 4), np.float32)
        sun = np.zeros((len(faces), 4), np.float32)
        lighting.face_light(solid, pitch, faces, axis, side, lighting.sky_rays(axis, side), sky)
        slant = side * camera.sun[axis]
        if slant > 0:
            lighting.face_light(solid, pitch, faces, axis, side, sun_rays, sun)
        base = albedo[labels[tuple(faces.T)].astype(np.int64) - 1]
        shades = _shades(base, sky, sun * max(slant, 0.0))
        corner = camera.to_pixels[:, :3] @ (faces + (np.arange(3) == axis) * (side > 0)).T + camera.to_pixels[:, 3:]
        along_u, along_v = camera.to_pixels[:, (axis + 1) % 3], camera.to_pixels[:, (axis + 2) % 3]
        _fill(color, depth, np.ascontiguousarray(corner.T), along_u, along_v, shades, joint)


def _open_faces(solid: np.ndarray, axis: int, side: int) -> np.ndarray:
    """int32 (F, 3): voxels with nothing beside them in this direction."""
    covered = np.zeros_like(solid)
    here, beside = [slice(None)] * 3, [slice(None)] * 3
    here[axis], beside[axis] = (slice(None, -1), slice(1, None)) if side > 0 else (slice(1, None), slice(None, -1))
    covered[tuple(here)] = solid[tuple(beside)]
    return np.argwhere(solid & ~covered).astype(np.int32)


def _shades(albedo: np.ndarray, sky: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """float32 (F, 4, 3), linear: light at four corners of faces, times their colour.

    Sky light in corners is not lost but bounces, and takes on the colour: the cubic of Jimenez et al., Practical
    Realtime Strategies for Accurate Indirect Occlusion, 2016, section 5.
    """
    seen = sky[..., None].astype(np.float64)
    tint = albedo[:, None, :]
    bounced = ((2.0404 * tint - 0.3324) * seen + (-4.7951 * tint + 0.6417)) * seen + (2.7552 * tint + 0.6903)
    ambient = np.maximum(seen, bounced * seen)
    return (tint * (ambient * _SKY_COLOR + sun[..., None] * _SUN_COLOR)).astype(np.float32)


def _draw_ground(alpha: np.ndarray, labels: np.ndarray, pitch: np.ndarray, camera: _Camera) -> None:
    """Fills the picture (H, W) with the alpha of the ground's shadow, which ends before the picture does."""
    margin = max(2, round(_SHADOW_REACH * max(labels.shape)))
    shape = tuple(-(-(side + 2 * margin) // _GROUND_STEP) + 1 for side in labels.shape[:2])
    sky, sun = np.empty(shape, np.float32), np.empty(shape, np.float32)
    rays = lighting.sky_rays(2, 1).copy()
    rays[:, 3] = 1
    lighting.ground_light(labels > 0, pitch, margin, _GROUND_STEP, rays, sky)
    lighting.ground_light(labels > 0, pitch, margin, _GROUND_STEP, lighting.sun_rays(camera.sun), sun)
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
def _fill(
    color: np.ndarray,
    depth: np.ndarray,
    corners: np.ndarray,
    along_u: np.ndarray,
    along_v: np.ndarray,
    shades: np.ndarray,
    joint: float,
) -> None:
    """Draws equal parallelograms at corners (F, 3) with a depth buffer; light is bilinear over each."""
    height, width = depth.shape
    area = along_u[0] * along_v[1] - along_u[1] * along_v[0]
    if abs(area) < 1e-9:
        return
    left, right = min(0.0, along_u[0]) + min(0.0, along_v[0]), max(0.0, along_u[0]) + max(0.0, along_v[0])
    top, bottom = min(0.0, along_u[1]) + min(0.0, along_v[1]), max(0.0, along_u[1]) + max(0.0, along_v[1])
    for f in range(len(corners)):
        x, y, near = corners[f]
        for row in range(max(0, int(y + top)), min(height, int(y + bottom) + 1)):
            for column in range(max(0, int(x + left)), min(width, int(x + right) + 1)):
                px, py = column + 0.5 - x, row + 0.5 - y
                s = (px * along_v[1] - py * along_v[0]) / area
                t = (py * along_u[0] - px * along_u[1]) / area
                # The slack closes seams that rounding would open.
                if s < -1e-5 or t < -1e-5 or s > 1 + 1e-5 or t > 1 + 1e-5:
                    continue
                z = near + s * along_u[2] + t * along_v[2]
                if z >= depth[row, column]:
                    continue
                depth[row, column] = z
                dim = joint if min(s, 1 - s, t, 1 - t) < _JOINT_WIDTH else 1.0
                a, b, c, d = (1 - s) * (1 - t), s * (1 - t), (1 - s) * t, s * t
                for channel in range(3):
                    shade = a * shades[f, 0, channel] + b * shades[f, 1, channel]
                    shade += c * shades[f, 2, channel] + d * shades[f, 3, channel]
                    color[row, column, channel] = shade * dim
                color[row, column, 3] = 1.0


def _averaged(color: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 4), sRGB with straight alpha, of premultiplied linear samples over black with alpha (H, W)."""
    side = color.shape[0] // SAMPLES
    picture = np.zeros((side, side, 4), np.uint8)
    steps = np.linspace(0, 1, 4096)
    _encode(color, shadow, np.rint(_linear_to_srgb(steps) * 255).astype(np.uint8), picture)
    return picture


@njit(cache=True, nogil=True)
def _encode(color: np.ndarray, shadow: np.ndarray, codes: np.ndarray, picture: np.ndarray) -> None:
    """Means over SAMPLES x SAMPLES, through a table of codes for [0, 1]."""
    last = len(codes) - 1
    total = np.empty(4)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            total[:] = 0
            for i in range(row * SAMPLES, (row + 1) * SAMPLES):
                for j in range(column * SAMPLES, (column + 1) * SAMPLES):
                    for channel in range(4):
                        total[channel] += color[i, j, channel]
            total /= SAMPLES**2
            alpha = total[3] + (1 - total[3]) * shadow[row, column]
            if alpha > 0:
                for channel in range(3):
                    picture[row, column, channel] = codes[int(min(total[channel] / alpha, 1.0) * last + 0.5)]
                picture[row, column, 3] = int(alpha * 255 + 0.5)


def _srgb_to_linear(values: np.ndarray) -> np.ndarray:
    """uint8 to float64 in [0, 1] (IEC 61966-2-1)."""
    share = values / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _linear_to_srgb(values: np.ndarray) -> np.ndarray:
    """[0, 1] in and out; what is brighter is cut."""
    share = np.clip(values, 0, 1)
    return np.where(share <= 0.0031308, share * 12.92, 1.055 * share ** (1 / 2.4) - 0.055)
