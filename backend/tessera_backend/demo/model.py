"""The demo mesh: a little robot that carries a seedling, made by the code on this page.

Every part is a superquadric, a tube, a turned profile or a leaf; no model or texture of others went in, so it is this
project's own work, under the project's licence. It was made to show what voxelization is good at: big plain parts and
a face that must stay one, a stem thinner than a voxel, a texture (the screen), colours of vertices (shaded paint,
veined leaves), light of its own (the lamp), and a left that mirrors the right.

Units are decimetres; z up; it looks towards -y. Colours are linear but in the texture. Source of the shapes: Barr,
Superquadrics and Angle-Preserving Transformations, IEEE CG&A 1(1), 1981.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..colour import parsed, srgb_to_linear
from ..voxelize.mesh import Material, Mesh

CREAM, TEAL, CORAL, DARK, CLAY = "#f6e7c6", "#1f9c97", "#f06a45", "#39425e", "#c9663d"
SOIL, LEAF, VEIN, GLOW, SCREEN = "#5a3a26", "#4fa534", "#a9dc5a", "#ffd75e", "#1b2542"
EYES, BLUSH = "#6ff0d4", "#f28a9b"
# The screen's picture, pixels.
_WIDE, _HIGH = 320, 200
PAINT, FACE, LAMP = range(3)


@dataclasses.dataclass(frozen=True)
class _Part:
    """Triangles: corners (T, 3, 3), their colours (T, 3, 3), linear, texture coordinates (T, 3, 2), and a material."""

    corners: np.ndarray
    colors: np.ndarray
    uv: np.ndarray
    material: int = PAINT


def robot() -> Mesh:
    """The mesh: about 9,000 triangles of three materials, its own mirror image across x = 0."""
    middle = [*_head(), *_body(), *_pot()]
    left = [*_leg(), *_arm(), *_ear(), *_leaf()]
    parts = [*middle, *left, *map(_mirrored, left)]
    materials = Material(), Material(texture=face()), Material(emission=(0.25, 0.16, 0.0))
    colors = np.concatenate([part.colors for part in parts])
    return Mesh.of(
        np.concatenate([part.corners for part in parts]),
        uv=np.concatenate([part.uv for part in parts]),
        colors=np.concatenate([colors, np.ones((*colors.shape[:2], 1))], 2),
        material=np.repeat([part.material for part in parts], [len(part.corners) for part in parts]),
        materials=materials,
    )


def face() -> np.ndarray:
    """The picture on its screen, uint8 (200, 320, 4), sRGB: two eyes, a smile, and cheeks that glow."""
    y, x = np.mgrid[:_HIGH, :_WIDE] + 0.5
    side = np.abs(x - _WIDE / 2)
    picture = np.broadcast_to(parsed(SCREEN), (_HIGH, _WIDE, 3)).copy()

    def paint(color: str, where: np.ndarray) -> None:
        picture[where] = parsed(color)

    paint(EYES, _within(side - 78, y - 78, 25, 34))
    paint(EYES, (np.abs(np.hypot(side, y - 88) - 66) < 11) & (y > 126))
    paint(BLUSH, _within(side - 116, y - 136, 20, 13))
    return np.dstack([np.rint(picture * 255), np.full((_HIGH, _WIDE), 255)]).astype(np.uint8)


def _within(x: np.ndarray, y: np.ndarray, wide: float, high: float) -> np.ndarray:
    """Rounded boxes of these half sides: |x / wide|^3 + |y / high|^3 < 1."""
    inside: np.ndarray = np.abs(x / wide) ** 3 + np.abs(y / high) ** 3 < 1
    return inside


# -- parts -----------------------------------------------------------------------------------------------


def _head() -> list[_Part]:
    shell = _superquadric((0, 0, 7.0), (2.9, 2.3, 1.95), 0.42, CREAM, shade=0.12)
    glass = _superquadric((0, -0.75, 6.95), (2.4, 1.85, 1.5), 0.3, SCREEN)
    shares = (glass.corners[..., [0, 2]] - [-2.4, 5.45]) / [4.8, 3.0]
    screen = dataclasses.replace(glass, uv=shares, colors=np.ones_like(glass.colors), material=FACE)
    neck = _tube([(0, 0, 4.5), (0, 0, 5.4)], [0.95, 0.95], DARK)
    return [shell, screen, neck]


def _body() -> list[_Part]:
    trunk = _superquadric((0, 0, 3.25), (2.05, 1.7, 1.65), 0.42, TEAL, shade=0.25)
    belt = _superquadric((0, 0, 1.95), (2.05, 1.7, 0.4), 0.35, CREAM)
    ring = _turned([(0.0, -1.96), (1.1, -1.96), (1.1, -1.4)], DARK, axis=1, height=3.3)
    lamp = _turned([(0.0, -2.22), (0.72, -2.22), (0.72, -1.9)], GLOW, axis=1, height=3.3)
    return [trunk, belt, ring, dataclasses.replace(lamp, material=LAMP)]


def _pot() -> list[_Part]:
    """A flower pot for a hat, and the stem in it."""
    wall = [(0.0, 8.6), (0.95, 8.6), (1.12, 9.5), (1.4, 9.5), (1.4, 10.05), (1.1, 10.05)]
    earth = _turned([(1.1, 10.05), (0.8, 10.1), (0.0, 10.15)], SOIL)
    height = np.linspace(0, 1, 7)
    stem = np.stack([np.zeros(7), -0.12 * np.sin(np.pi * height), 10.0 + 1.2 * height], 1)
    return [_turned(wall, CLAY), earth, _tube(stem, np.full(7, 0.08), LEAF, around=6)]


def _leaf() -> list[_Part]:
    """A blade that rises from the stem and bends over, with a light vein; its two sides."""
    along, across = np.meshgrid(np.linspace(0, 1, 15), np.linspace(-1, 1, 9), indexing="ij")
    wide = 1.0 * np.sin(np.pi * along**0.85) ** 0.7
    middle = 11.05 + 1.2 * np.sin(2.1 * along) - 0.15 * np.abs(across) * wide
    vein = np.clip(1.5 - 4 * np.abs(across * wide), 0, 1)[..., None]
    colors = _linear(VEIN) * vein + _linear(LEAF) * (1 - vein)
    thick = 0.3 * (1 - across**4) * np.sin(np.pi * along) ** 0.5
    sides = (np.stack([2.3 * along, across * wide, middle + side * thick], -1) for side in (1, -1))
    return [_surface(places, colors) for places in sides]


def _leg() -> list[_Part]:
    boot = _superquadric((1.05, -0.3, 0.7), (0.92, 1.2, 0.68), 0.38, CORAL, shade=0.1)
    sole = _superquadric((1.05, -0.3, 0.2), (0.98, 1.3, 0.2), 0.3, DARK)
    return [boot, sole, _tube([(1.0, 0, 1.0), (1.0, 0, 1.8)], [0.5, 0.5], DARK)]


def _arm() -> list[_Part]:
    way = [(1.8, 0, 3.75), (2.5, -0.05, 3.35), (3.1, -0.15, 3.35), (3.45, -0.25, 3.9)]
    hand = _superquadric((3.47, -0.3, 4.35), (0.59, 0.6, 0.6), 0.5, CORAL, around=16)
    return [_tube(way, [0.42, 0.38, 0.36, 0.36], DARK), hand]


def _ear() -> list[_Part]:
    return [_turned([(0.85, 2.7), (0.85, 3.3), (0.0, 3.3)], CORAL, axis=0, height=7.0)]


# -- shapes ----------------------------------------------------------------------------------------------


def _superquadric(
    center: tuple[float, float, float],
    radii: tuple[float, float, float],
    power: float,
    color: str,
    *,
    shade: float = 0.0,
    around: int = 26,
) -> _Part:
    """From a box (power 0) to an ellipsoid (1); darker towards its bottom by the share `shade`."""
    polar, turn = np.meshgrid(
        np.linspace(-np.pi / 2, np.pi / 2, around // 2 + 1), np.linspace(0, 2 * np.pi, around + 1), indexing="ij"
    )
    cosine, sine = _power(np.cos(polar), power), _power(np.sin(polar), power)
    unit = np.stack([cosine * _power(np.cos(turn), power), cosine * _power(np.sin(turn), power), sine], -1)
    light = 1 - shade * (0.5 - 0.5 * unit[..., 2:])
    return _surface(np.array(center) + unit * radii, _linear(color) * light)


def _power(value: np.ndarray, power: float) -> np.ndarray:
    """Of the magnitude; the sign stays. What is 0 but for rounding is 0."""
    value = np.where(np.abs(value) < 1e-12, 0, value)
    signed: np.ndarray = np.sign(value) * np.abs(value) ** power
    return signed


def _tube(path: object, radii: object, color: str, around: int = 12) -> _Part:
    """Round a path (N, 3) of N radii; open, for its ends are in other parts."""
    points, thick = np.asarray(path, float), np.asarray(radii, float)
    ahead = np.gradient(points, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    aside = np.cross(ahead, (0.0, 1.0, 0.0))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    turn = np.linspace(0, 2 * np.pi, around + 1)[:, None]
    rim = np.cos(turn) * aside[:, None] + np.sin(turn) * np.cross(ahead, aside)[:, None]
    return _surface(points[:, None] + thick[:, None, None] * rim, _linear(color))


def _turned(profile: list[tuple[float, float]], color: str, axis: int = 2, height: float = 0.0) -> _Part:
    """A profile of (radius, place along the axis), turned round an axis, which lies at a height."""
    radius, along = np.array(profile).T
    turn = np.linspace(0, 2 * np.pi, 25)
    rows = [radius[:, None] * np.cos(turn), radius[:, None] * np.sin(turn), np.repeat(along[:, None], 25, 1)]
    places = np.roll(np.stack(rows, -1), axis - 2, -1)
    return _surface(places + np.array([0, 0, height]), _linear(color))


def _surface(places: np.ndarray, colors: np.ndarray) -> _Part:
    """Two triangles for each cell of a grid of points (N, M, 3); colours of the same shape, or one."""
    both = np.concatenate([places, np.broadcast_to(colors, places.shape)], 2)
    a, b, c, d = (part.reshape(-1, 6) for part in (both[:-1, :-1], both[1:, :-1], both[1:, 1:], both[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)])
    return _Part(triangles[..., :3], triangles[..., 3:], np.zeros((len(triangles), 3, 2)))


def _mirrored(part: _Part) -> _Part:
    """Across x = 0; corners in the other order, so that its faces look outwards, too."""
    corners = part.corners[:, ::-1] * [-1, 1, 1]
    return dataclasses.replace(part, corners=corners, colors=part.colors[:, ::-1], uv=part.uv[:, ::-1])


def _linear(color: str) -> np.ndarray:
    return srgb_to_linear(parsed(color))
