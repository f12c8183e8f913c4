"""The part of a mesh that is in a box."""

from __future__ import annotations

import numpy as np

from tessera_protocol.errors import error

from ..mesh import Mesh

# What sticks out no further, of the box's diagonal, is in it: float32 positions are no better.
_SLACK = 1e-6


def within(mesh: Mesh, bounds: np.ndarray | None) -> Mesh:
    """What of a checked mesh lies in a box, float (2, 3), its lower and its upper corner; all of it for None.

    Raises:
        InvalidInput: "unusable-input" where nothing does.
    """
    if bounds is None:
        return mesh
    inside = clipped(mesh, *np.asarray(bounds, np.float64))
    if not len(inside):
        raise error(
            "unusable-input",
            "Nothing of the mesh is in the box that the voxels fill.",
            field="bounds",
            remedy="Take bounds that the mesh is in at least partly, or none: then they are the mesh's own.",
        )
    return inside


def clipped(mesh: Mesh, low: np.ndarray, high: np.ndarray) -> Mesh:
    """Triangles are cut at the box's planes (Sutherland and Hodgman, 1974); nothing closes what was cut open.

    Args:
        low, high: float (3,), corners of the box, in the mesh's units.
    """
    slack = _SLACK * float(np.linalg.norm(high - low))
    for axis in range(3):
        for side, plane in ((1.0, low[axis] - slack), (-1.0, -high[axis] - slack)):
            mesh = _cut(mesh, side * mesh.positions[..., axis] - np.float32(plane))
    return mesh


def _cut(mesh: Mesh, height: np.ndarray) -> Mesh:
    """Where the height of corners, float32 (T, 3), is not below 0."""
    inside = height >= 0
    count = inside.sum(1)
    if (count == 3).all():
        return mesh
    alone = np.where(count == 1, inside.argmax(1), (~inside).argmax(1))
    one, two = np.flatnonzero(count == 1), np.flatnonzero(count == 2)
    # The corner that is alone on its side first; the sides that begin there are cut.
    tips = _weights(height, one, alone[one])
    rests = _weights(height, two, alone[two])
    first = np.stack([rests[:, 1], np.broadcast_to(_corner(alone[two], 1), (len(two), 3)), rests[:, 2]], 1)
    second = np.stack([first[:, 2], first[:, 1], np.broadcast_to(_corner(alone[two], 2), (len(two), 3))], 1)
    parts = [mesh.taken(count == 3)]
    parts += [_blended(mesh, which, made) for which, made in ((one, tips), (two, first), (two, second))]
    return Mesh(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("positions", "uv", "colors", "material")
        ),
        mesh.materials,
    )


def _corner(alone: np.ndarray, ahead: int) -> np.ndarray:
    """Weights, float32 (N, 3), of the corner that many after the one that is alone."""
    return np.eye(3, dtype=np.float32)[(alone + ahead) % 3]


def _weights(height: np.ndarray, which: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """float32 (N, 3, 3): weights of the corner that is alone, and of the cuts of the two sides that begin there."""
    here = height[which, alone]
    made = [_corner(alone, 0)]
    for ahead in (1, 2):
        share = (here / (here - height[which, (alone + ahead) % 3]))[:, None]
        made.append((1 - share) * _corner(alone, 0) + share * _corner(alone, ahead))
    return np.stack(made, 1)


def _blended(mesh: Mesh, which: np.ndarray, weights: np.ndarray) -> Mesh:
    """Triangles whose corners are mixed of others', by weights (N, 3, 3)."""
    return Mesh(
        weights @ mesh.positions[which],
        weights @ mesh.uv[which],
        weights @ mesh.colors[which],
        mesh.material[which],
        mesh.materials,
    )
