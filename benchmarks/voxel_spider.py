"""A spider of spheres and beams: legs thinner than a voxel, for the pictures of what becomes of thin parts."""

from __future__ import annotations

import numpy as np

from tessera_backend.colour import parsed, srgb_to_linear
from tessera_backend.voxelize.mesh import Mesh

BODY, HEAD, LEG, EYE, PUPIL, MARK = "#5b3a8c", "#6f4aa8", "#2a2140", "#ffffff", "#181425", "#f2b63d"
# Of legs: knees and feet of those on the right, from the front to the back; z up, it looks towards -y.
_KNEES = [(1.9, -2.3, 2.5), (2.5, -0.9, 2.8), (2.6, 0.6, 2.9), (2.1, 1.9, 2.9)]
_FEET = [(2.9, -4.0, 0.0), (4.1, -1.5, 0.0), (4.3, 1.0, 0.0), (3.3, 3.5, 0.0)]
_THICK = 0.045


def spider() -> Mesh:
    """Its own mirror image across x = 0; the span is 8.6."""
    parts = [
        _sphere((0, 1.5, 1.7), (1.35, 1.7, 1.2), BODY),
        _sphere((0, 1.9, 2.72), (0.55, 0.75, 0.35), MARK),
        _sphere((0, -0.75, 1.45), (0.95, 0.95, 0.85), HEAD),
    ]
    for side in (-1, 1):
        parts += [_sphere((0.42 * side, -1.45, 1.8), (0.36, 0.36, 0.36), EYE)]
        parts += [_sphere((0.42 * side, -1.72, 1.82), (0.18, 0.16, 0.18), PUPIL)]
        for knee, foot in zip(_KNEES, _FEET, strict=True):
            hip = (0.3 * side, 0.25 * knee[1], 1.4)
            bend, end = (side * knee[0], *knee[1:]), (side * foot[0], *foot[1:])
            parts += [_beam(hip, bend), _beam(bend, end)]
    corners, colors = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Mesh.of(corners, colors=np.concatenate([colors, np.ones((*colors.shape[:2], 1))], 2))


def _sphere(center: tuple[float, ...], radii: tuple[float, ...], color: str) -> tuple[np.ndarray, np.ndarray]:
    turn, rise = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(-np.pi / 2, np.pi / 2, 13), indexing="ij")
    unit = np.stack([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)], -1)
    places = unit * radii + center
    a, b, c, d = places[:-1, :-1], places[1:, :-1], places[1:, 1:], places[:-1, 1:]
    corners = np.concatenate([np.stack(each, 2).reshape(-1, 3, 3) for each in ((a, b, c), (a, c, d))])
    return corners, _painted(corners, color)


def _beam(start: tuple[float, ...], end: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A four-sided prism without ends, which lie in knees and feet."""
    first, last = np.array(start), np.array(end)
    along = (last - first) / np.linalg.norm(last - first)
    across = np.cross(along, (0.3, 0.9, 0.3))
    across /= np.linalg.norm(across)
    ring = _THICK * np.array([across, np.cross(along, across), -across, -np.cross(along, across)])
    faces = []
    for near, far in zip(ring, np.roll(ring, 1, 0), strict=True):
        faces += [[first + near, last + near, last + far], [first + near, last + far, first + far]]
    corners = np.array(faces)
    return corners, _painted(corners, LEG)


def _painted(corners: np.ndarray, color: str) -> np.ndarray:
    return np.broadcast_to(srgb_to_linear(parsed(color)), corners.shape)
