"""The greedy mesh: exactly the exposed faces, each once, in its colour, seen from outside."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.voxelize.export.greedy import exposed_faces, greedy

from .voxel_grids import figure, grids


def faces_of(labels):
    """Exposed faces one by one: {(voxel, axis, side): label}."""
    padded = np.pad(labels, 1)
    faces = {}
    for voxel in map(tuple, np.argwhere(labels)):
        for axis in range(3):
            for side in (-1, 1):
                beside = np.array(voxel) + 1
                beside[axis] += side
                if not padded[tuple(beside)]:
                    faces[*voxel, axis, side] = int(labels[voxel])
    return faces


def rasterized(mesh):
    """The faces that quads cover, with repeats."""
    covered = Counter()
    for corners, label, normal in zip(mesh.vertices[mesh.quads], mesh.labels, mesh.normals, strict=True):
        axis = int(np.abs(normal).argmax())
        low, high = corners.min(0), corners.max(0)
        assert low[axis] == high[axis], "a quad lies in a plane"
        high[axis] += 1
        for place in np.ndindex(*(high - low)):
            voxel = low + place
            voxel[axis] -= normal[axis] > 0
            covered[(*map(int, voxel), axis, int(normal[axis])), int(label)] += 1
    return covered


@settings(max_examples=120, deadline=None)
@given(labels=grids(), merge=st.booleans())
def test_quads_are_the_exposed_faces(labels, merge):
    """Drawn back into faces, the quads are all of them, each once and in its colour."""
    mesh = greedy(labels, merge=merge)
    faces = faces_of(labels)
    assert rasterized(mesh) == Counter(faces.items())
    assert mesh.areas().sum() == exposed_faces(labels) == len(faces)
    assert merge or len(mesh) == len(faces)


@pytest.mark.parametrize(("share", "seed"), [(0.5, 0), (0.95, 1)])
def test_noise_is_covered_exactly(share, seed):
    """Every kind of neighbourhood at once, with cavities and edges that touch."""
    rng = np.random.default_rng(seed)
    labels = (rng.integers(1, 4, (11, 8, 9)) * (rng.random((11, 8, 9)) < share)).astype(np.uint8)
    assert rasterized(greedy(labels)) == Counter(faces_of(labels).items())


@settings(max_examples=60, deadline=None)
@given(labels=grids(), merge=st.booleans())
def test_quads_turn_counter_clockwise(labels, merge):
    """Seen from outside; their corners are a rectangle's, and no vertex comes twice."""
    mesh = greedy(labels, merge=merge)
    first, second, third, fourth = np.moveaxis(mesh.vertices[mesh.quads].astype(int), 1, 0)
    np.testing.assert_array_equal(np.sign(np.cross(second - first, third - first)), mesh.normals)
    np.testing.assert_array_equal(first + third, second + fourth)
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)


def test_a_box_is_six_quads():
    """However large; with eight vertices."""
    mesh = greedy(np.ones((9, 4, 30), np.uint8))
    assert (len(mesh), len(mesh.vertices)) == (6, 8)
    assert sorted(mesh.areas()) == [36, 36, 120, 120, 270, 270]


def test_colours_are_not_merged():
    """Two colours beside each other make ten quads of a box, not six."""
    labels = np.ones((2, 2, 2), np.uint8)
    labels[1] = 255
    mesh = greedy(labels)
    assert len(mesh) == 10
    assert set(mesh.labels) == {1, 255}


def test_nothing_is_no_quads():
    """An empty grid has an empty mesh of the right shapes."""
    mesh = greedy(np.zeros((3, 2, 4), np.uint8))
    assert mesh.vertices.shape == (0, 3)
    assert mesh.quads.shape == (0, 4)
    assert mesh.normals.shape == (0, 3)


@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_memory_order_does_not_matter(order):
    """Views and other orders give the same mesh."""
    np.testing.assert_array_equal(greedy(order(figure())).quads, greedy(figure()).quads)
