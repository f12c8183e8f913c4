"""Thin parts, dropped or thickened: on a mirror, with something on their ends, and in their own colours."""

import numpy as np
import pytest

from tessera_backend.voxelize.color.labels import colored
from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.direct import voxelized
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.render.views import six_views
from tessera_backend.voxelize.shape import threads
from tessera_backend.voxelize.shape.symmetry import Fold

from .voxel_meshes import box, mesh

RED, GREEN, CREAM = (0.6, 0.05, 0.05), (0.1, 0.5, 0.1), (0.9, 0.8, 0.6)


def painted(*parts):
    """One mesh of boxes (low, high, linear colour)."""
    colors = np.concatenate([np.broadcast_to(color, (12, 3, 3)) for *_, color in parts])
    return mesh(*(box(low, high) for low, high, _ in parts), colors=colors)


def antenna(wide):
    """A block that is its own mirror image, and a needle on its middle."""
    half = wide / 2
    return painted(((-half, -2, 0), (half, 2, 4), RED), ((-0.1, -0.1, 3.5), (0.1, 0.1, 12), GREEN))


@pytest.mark.parametrize("wide", [6, 7])
def test_what_is_thin_on_a_mirror_is_thickened(wide):
    """Of an even number of layers, two; of an odd one, three; and the block stays as it is."""
    kept, thick = (voxelized(antenna(wide), 12, 2, thin=thin) for thin in ("keep", "thicken"))
    above = thick.solid[:, :, 6:-1]
    assert set(above.any(1).sum(0)) == {2 + wide % 2}
    assert set(above.any(0).sum(0)) == {2}
    assert (kept.solid <= thick.solid).all()
    assert (kept.solid[:, :, :3] == thick.solid[:, :, :3]).all()
    assert len(np.unique(thick.labels[:, :, 6:-1])) == 2


def test_thickened_voxels_stay_in_the_grid():
    """At its rims they grow inwards."""
    area = np.ones((6, 5, 4), np.float32)
    places = np.array([[5, 4, 3], [0, 0, 0]])
    grown = threads.thickened(places, area, Fold((6, 5, 4)))
    assert {tuple(place) for place in grown.tolist()} == {
        *np.ndindex(2, 2, 2),
        *((5 - x, 4 - y, 3 - z) for x, y, z in np.ndindex(2, 2, 2)),
    }


@pytest.mark.parametrize("size", [1.6, 3.6])
def test_dropping_leaves_nothing_in_the_air(size):
    """What little hung on a dropped stem goes with it; what is large is held. What never hung on anything stays."""
    trunk, stem = ((-3, -3, 0), (3, 3, 6), RED), ((-0.05, -0.05, 5.5), (0.05, 0.05, 9), GREEN)
    half = size / 2
    head = ((-half, -half, 8.5), (half, half, 8.5 + size), GREEN)
    dropped = voxelized(painted(trunk, stem, head), 24, 2, thin="drop").solid
    assert len(components(dropped)[1]) == 1
    assert dropped[:, :, -1].any() == (size > 2)
    loose = voxelized(painted(trunk, head), 24, 2, thin="drop").solid
    assert len(components(loose)[1]) == 2


@pytest.mark.parametrize("crispness", [0.0, 1.0])
def test_a_roof_has_not_the_colour_of_what_is_far_above(crispness):
    """A voxel that a view sees past something is not painted with it, though most of the pixel shows that."""
    house = painted(((0, 0, 0), (8, 8, 3), CREAM), ((3.6, 0, 11), (6.4, 8, 12), GREEN))
    grid = Grid.fitted(house, 12)
    solid = np.zeros(grid.shape, bool)
    solid[:, :, :3] = True
    labels, palette = colored(solid, six_views(house, grid), 2, crispness=crispness)
    assert (palette[labels[:, :, :3] - 1][..., 0] > 150).all()
