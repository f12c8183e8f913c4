"""Bounds: voxels in another box than the mesh's own, and meshes cut at its planes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.voxelize import Mesh, voxelize
from tessera_backend.voxelize.source.clip import clipped
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import VoxelizeParams

from .voxel_meshes import box, quad


def test_voxels_keep_to_bounds() -> None:
    """Grids of two frames in one box fit over each other; what is outside of it is not there."""
    cube = Mesh.of(box((0, 0, 0), (1, 1, 1)))
    bounds = np.array([[0, 0, 0], [4, 2, 1]], float)
    here = voxelize(cube, VoxelizeParams(side=16), bounds=bounds)
    there = voxelize(Mesh.of(box((3, 1, 0), (4, 2, 1))), VoxelizeParams(side=16), bounds=bounds)
    assert here.labels.shape == there.labels.shape == (16, 8, 4)
    np.testing.assert_array_equal(here.solid[:4, :4], True)
    assert here.solid.sum() == there.solid.sum() == 64
    np.testing.assert_array_equal(there.solid[12:, 4:], True)
    np.testing.assert_allclose([here.origin, here.size], [[0, 0, 0], [0.25, 0.25, 0.25]])
    far = Mesh.of(np.concatenate([box(), box((9, 9, 9), (10, 10, 10)), box((0.5, -3, 0), (1, -2, 1))]))
    np.testing.assert_array_equal(voxelize(far, VoxelizeParams(side=16), bounds=bounds).labels > 0, here.solid)
    with pytest.raises(InvalidInput, match="Nothing of the mesh is in the box"):
        voxelize(cube, VoxelizeParams(side=16), bounds=bounds + 50)


def area(mesh: Mesh) -> float:
    first, second = (mesh.positions[:, corner] - mesh.positions[:, 0] for corner in (1, 2))
    return float(np.linalg.norm(np.cross(first, second), axis=1).sum() / 2)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
@settings(deadline=None, max_examples=60)
def test_two_halves_of_a_mesh_are_the_whole(seed: int, axis: int) -> None:
    """Cut in two boxes: each half is in its box, their areas add up, colours run through the cut."""
    positions = np.random.default_rng(seed).normal(size=(20, 3, 3))

    mesh = Mesh.of(positions, colors=positions[..., [0, 1, 2, 0]])
    low, high = np.full(3, -9.0), np.full(3, 9.0)
    low[axis] = high[axis] = 0.1
    halves = [clipped(mesh, low, np.full(3, 9.0)), clipped(mesh, np.full(3, -9.0), high)]
    assert area(halves[0]) + area(halves[1]) == pytest.approx(area(mesh), rel=1e-3)
    assert halves[0].positions[..., axis].min(initial=1) > 0.09
    assert halves[1].positions[..., axis].max(initial=-1) < 0.11
    for half in halves:
        np.testing.assert_allclose(half.colors[..., :3], half.positions, atol=1e-5)


def test_a_flat_mesh_in_a_deep_box() -> None:
    """One layer of voxels, where it lies."""
    plane = Mesh.of(quad((0, 0, 0.3), (1, 0, 0.3), (1, 1, 0.3), (0, 1, 0.3)))
    voxels = voxelize(plane, VoxelizeParams(side=10), bounds=np.array([[0, 0, 0], [1, 1, 1]], float))
    layers = voxels.solid.sum((0, 1))
    assert layers.max() == layers.sum() == 100
    assert layers.argmax() in (2, 3)
