"""Meshes that tests of voxel art share, made of numbers."""

import numpy as np

from tessera_backend.voxelize.mesh import Mesh

_SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)


def quad(a, b, c, d):
    """Two triangles, (2, 3, 3)."""
    return np.array([[a, b, c], [a, c, d]], float)


def box(low=(0, 0, 0), high=(1, 1, 1)):
    """Twelve triangles, (12, 3, 3)."""
    faces = [quad(*np.insert(_SQUARE, axis, side, 1)) for axis in range(3) for side in (0.0, 1.0)]
    return np.concatenate(faces) * (np.array(high, float) - low) + low


def ball(center=(0, 0, 0), radius=1.0, steps=24):
    """A globe of quads."""
    polar, around = np.linspace(0, np.pi, steps + 1), np.linspace(0, 2 * np.pi, 2 * steps + 1)
    p, a = np.meshgrid(polar, around, indexing="ij")
    points = np.stack([np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)], -1) * radius + center
    corners = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
    a, b, c, d = (corner.reshape(-1, 3) for corner in corners)
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def mesh(*parts, **looks):
    """One mesh of all parts' triangles."""
    return Mesh.of(np.concatenate(parts), **looks)


def tetrahedra(count, seed):
    """Triangles of random tetrahedra in the unit cube."""
    corners = np.random.default_rng(seed).random((count, 4, 3))
    return corners[:, [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]].reshape(-1, 3, 3)
