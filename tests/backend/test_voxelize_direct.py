"""Engine surface, from a mesh to palette voxels."""

import numpy as np
import pytest

from tessera_backend.voxelize import Mesh
from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.direct import voxelized
from tessera_protocol.errors import TesseraError

RED, BLUE = (0.8, 0.1, 0.1, 1.0), (0.1, 0.1, 0.8, 1.0)
SIDES = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])


def box(low, high):
    """Twelve triangles, (12, 3, 3)."""
    corners = np.array([[(low, high)[i >> a & 1][a] for a in range(3)] for i in range(8)], np.float32)
    quads = corners[SIDES]
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def figure(mirrored=True):
    """A red body with a blue head, and an arm of each side, or of one."""
    boxes = [box((-2, -1, 0), (2, 1, 6)), box((-1, -1, 6), (1, 1, 8)), box((2, -0.5, 4), (4, 0.5, 5))]
    boxes += [box((-4, -0.5, 4), (-2, 0.5, 5))] if mirrored else []
    colors = np.concatenate([np.tile(np.array(BLUE if i == 1 else RED), (12, 3, 1)) for i in range(len(boxes))])
    return Mesh.of(np.concatenate(boxes), colors=colors)


def test_a_figure_of_two_colours():
    voxels = voxelized(figure(), 16, 8)
    assert voxels.labels.shape == (16, 4, 16)
    assert len(voxels.palette) == 2
    assert len(components(voxels.solid)[1]) == 1
    head, body = (voxels.palette[voxels.labels[8, 0, z] - 1] for z in (14, 4))
    assert head[2] > 200 > head[0]
    assert body[0] > 200 > body[2]
    np.testing.assert_allclose(voxels.origin, (-4, -1, 0))
    np.testing.assert_allclose(voxels.size, 0.5)


@pytest.mark.parametrize("crispness", [0.0, 0.5, 1.0])
def test_mirror_images_stay_so(crispness):
    voxels = voxelized(figure(), 19, 4, crispness=crispness)
    np.testing.assert_array_equal(voxels.labels, np.flip(voxels.labels, 0))
    one_sided = voxelized(figure(mirrored=False), 19, 4, crispness=crispness)
    assert not np.array_equal(one_sided.solid, np.flip(one_sided.solid, 0))


def test_a_given_palette_is_kept_to():
    palette = np.array([[255, 0, 0], [0, 0, 255], [0, 255, 0]], np.uint8)
    voxels = voxelized(figure(), 12, palette=palette)
    np.testing.assert_array_equal(voxels.palette, palette)
    assert set(np.unique(voxels.labels)) == {0, 1, 2}


def test_the_same_seed_gives_the_same_voxels():
    first, again = (voxelized(figure(), 20, 2, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)
    np.testing.assert_array_equal(first.palette, again.palette)


def test_nothing_is_no_mesh():
    with pytest.raises(TesseraError, match="no triangles"):
        voxelized(Mesh.of(np.zeros((0, 3, 3))))
