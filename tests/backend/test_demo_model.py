"""The demo mesh: made by the code beside it, and fit to show what voxelization can do."""

from __future__ import annotations

import numpy as np
import pytest

from tessera_backend.cli.demo import VOXELS
from tessera_backend.demo import model
from tessera_backend.voxelize import Mesh, Voxels, voxelize
from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.mesh import checked


@pytest.fixture(scope="module")
def robot() -> Mesh:
    return model.robot()


@pytest.fixture(scope="module", params=sorted(VOXELS))
def voxels(request: pytest.FixtureRequest, robot: Mesh) -> Voxels:
    return voxelize(robot, VOXELS[request.param][1])


def test_it_is_a_mesh(robot: Mesh) -> None:
    """A few thousand whole triangles, with a texture, colours of vertices and a lamp; it stands on the ground."""
    assert len(checked(robot)) == len(robot)
    assert 2000 < len(robot) < 10_000
    assert np.isfinite(robot.positions).all()
    assert set(np.unique(robot.material)) == {model.PAINT, model.FACE, model.LAMP}
    assert len(np.unique(robot.colors.reshape(-1, 4), axis=0)) > 50
    assert robot.bounds()[0][2] == 0


def test_it_is_its_own_mirror_image(robot: Mesh) -> None:
    """Each corner has one across x = 0, and the picture on its screen is symmetric."""
    corners = np.round(robot.positions.reshape(-1, 3), 3) + 0.0
    mirrored = corners * [-1, 1, 1] + 0.0
    np.testing.assert_array_equal(np.unique(corners, axis=0), np.unique(mirrored, axis=0))
    np.testing.assert_array_equal(model.face(), model.face()[:, ::-1])


def test_faces_look_outwards(robot: Mesh) -> None:
    """The volume that they enclose is nearly that of the boxes it is made of: none is inside out."""
    a, b, c = np.moveaxis(robot.positions.astype(np.float64), 1, 0)
    volume = (a * np.cross(b, c)).sum() / 6
    assert 100 < volume < 250


def test_its_voxels_are_one_symmetric_piece(voxels: Voxels) -> None:
    """In every way that the demo shows it, the stem holds the leaves."""
    assert len(components(voxels.solid)[1]) == 1
    np.testing.assert_array_equal(voxels.labels, voxels.labels[::-1])
    waist = voxels.solid.sum((0, 1))
    top = len(waist) - len(waist) // 8
    assert 0 < waist[top - 4 : top].min() <= 4, "the stem is thin"
    assert waist[top:].min() > 0


def test_its_voxels_have_a_face(voxels: Voxels) -> None:
    """Seen from the front, the middle of the dark screen has a mouth, and there are two eyes of its colour above it."""
    wide, high = voxels.labels.shape[::2]
    front = np.take_along_axis(voxels.labels, (voxels.labels > 0).argmax(1)[:, None], 1)[:, 0]
    screen = front[round(0.22 * wide) : -round(0.22 * wide), round(0.45 * high) : round(0.67 * high)]
    dark = np.bincount(screen.ravel()).argmax()
    middle = screen[len(screen) // 2]
    (mouth,) = set(middle[middle != dark].tolist())
    parts, sizes = components((screen == mouth)[:, None])
    assert len(sizes) == 3
    across = len(screen) // 2
    (middle,) = np.unique(parts[across])[1:]
    left, right = (set(np.unique(half)) - {0, middle} for half in (parts[:across], parts[across:]))
    assert left.isdisjoint(right), "two eyes beside a mouth"
    assert sizes[left.pop() - 1] == sizes[right.pop() - 1] >= 4
