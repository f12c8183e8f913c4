"""Stage 1: a radiance field from pictures."""

import numpy as np
import pytest

from tessera_backend.progress import Progress
from tessera_backend.voxelize import engines, metrics, radiance, rays, voxelize
from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.finetune import kernels
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.render.views import six_views
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import VoxelizeParams

from .voxel_meshes import ball, box, mesh

SHAPE = (4, 3, 5)


def ways(count, seed):
    """Rays from all around that aim at points inside; float64."""
    rng = np.random.default_rng(seed)
    way = rng.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return rng.random((count, 3)) * SHAPE - 20 * way, way


def field(seed):
    rng = np.random.default_rng(seed)
    return rng.random(SHAPE) * 1.5 + 0.01, rng.random((*SHAPE, 3))


def loss(sigma, rgb, *pixels):
    slopes = np.zeros_like(sigma), np.zeros_like(rgb)
    return rays.fit(sigma, rgb, *pixels, 0.3, *slopes, np.zeros_like(sigma)), *slopes


def test_lengths_in_voxels_add_up_to_the_chord():
    """Of the box, computed from its six planes."""
    starts, along = ways(40, 0)
    sigma = np.ones(SHAPE)
    places, lengths = np.empty((20, 3), np.int64), np.empty(20)
    for start, way in zip(starts, along, strict=True):
        count = rays._through(sigma, start, way, places, lengths)
        planes = np.stack([-start / way, (np.array(SHAPE) - start) / way])
        assert lengths[:count].sum() == pytest.approx(planes.max(0).min() - planes.min(0).max())
        middles = planes.min(0).max() + np.cumsum(lengths[:count]) - lengths[:count] / 2
        middles = start + middles[:, None] * way
        np.testing.assert_array_equal(np.floor(middles), places[:count])


def test_gradients_are_finite_differences():
    """In float64, of each density and colour that some ray meets."""
    sigma, rgb = field(1)
    pixels = (*ways(30, 2), np.random.default_rng(3).random((30, 4)))
    _, by_sigma, by_rgb = loss(sigma, rgb, *pixels)
    rng = np.random.default_rng(4)
    for values, slope in ((sigma, by_sigma), (rgb, by_rgb)):
        for at in rng.integers(0, values.size, 12):
            low, high = (values.copy() for _ in range(2))
            low.flat[at] -= 1e-6
            high.flat[at] += 1e-6
            pairs = [(v, rgb) if values is sigma else (sigma, v) for v in (low, high)]
            below, above = (loss(*pair, *pixels)[0] for pair in pairs)
            assert slope.flat[at] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-6)


def test_smoothness_has_the_gradient_of_its_sum():
    """Of squared differences of neighbours, both alive."""
    rng = np.random.default_rng(5)
    values, alive = rng.random(SHAPE), rng.random(SHAPE) < 0.8
    slope = np.zeros(SHAPE)
    rays.smooth(values, alive, 0.7, slope)

    def total(v):
        both = [alive.take(range(n - 1), a) & alive.take(range(1, n), a) for a, n in enumerate(SHAPE)]
        return 0.7 * sum((np.diff(v, axis=a) ** 2)[there].sum() for a, there in enumerate(both))

    for at in range(0, values.size, 7):
        step = np.zeros(SHAPE)
        step.flat[at] = 1e-6
        assert slope.flat[at] == pytest.approx((total(values + step) - total(values - step)) / 2e-6, abs=1e-6)


def figure():
    """A red body with a blue head."""
    parts = [box((-2, -1, 0), (2, 1, 5)), ball((0, 0, 6), 1.3, 12)]
    rgb = [(0.8, 0.1, 0.1, 1.0), (0.1, 0.1, 0.9, 1.0)]
    return mesh(*parts, colors=np.concatenate([np.tile(c, (len(p), 3, 1)) for p, c in zip(parts, rgb, strict=True)]))


def test_a_field_finds_the_figure_and_its_colours():
    """Silhouettes near the best that the grid can do; the loss falls; the same seed gives the same."""
    shape = figure()
    grid = Grid.fitted(shape, 16)
    found, again = (radiance.radiance(shape, grid, 60, seed=1) for _ in range(2))
    np.testing.assert_array_equal(found.alpha, again.alpha)
    assert found.losses[1] < found.losses[0] / 2
    solid = found.opaque() >= radiance.SOLID
    assert metrics.silhouettes(solid, six_views(shape, grid)).ratio > 0.93
    x = grid.shape[0] // 2
    head, body = found.rgb[x, 1, -4], found.rgb[x, 0, 4]
    assert head[2] > 1.5 * head[0]
    assert body[0] > 1.5 * body[2]


@pytest.mark.parametrize("crispness", [0.0, 1.0])
def test_the_engine_can_begin_with_it(crispness):
    """One piece, mirrored like the mesh, and the metadata says so."""
    params = VoxelizeParams(side=16, engine="voxify", init="radiance", iterations=20, crispness=crispness)
    made = voxelize(figure(), params)
    assert len(components(made.solid)[1]) == 1
    np.testing.assert_array_equal(made.solid, np.flip(made.solid, 0))
    assert made.meta["init"] == "radiance"
    assert made.meta["radiance"]["losses"][1] < made.meta["radiance"]["losses"][0]
    assert made.meta["steps"] == 20


def test_it_can_be_cancelled_and_cut_short():
    """While pictures are drawn, and between steps."""
    shape = figure()
    grid = Grid.fitted(shape, 12)
    asked = []
    with pytest.raises(Cancelled):
        radiance.radiance(shape, grid, progress=Progress(cancelled=lambda: asked.append(1) or len(asked) > 5))
    assert len(asked) == 6
    said = []
    radiance.radiance(shape, grid, progress=Progress(lambda *told: said.append(told), enough=lambda: True))
    assert sum("step" in text for _, _, text in said) == 1


def test_previews_are_of_both_stages():
    """Pictures of the field as it grows, then of the voxels."""
    pictures = []
    listening = Progress(listener=lambda preview: pictures.append(preview()["picture"]))
    params = VoxelizeParams(side=8, engine="voxify", init="radiance", iterations=10)
    voxelize(figure(), params, listening)
    assert len(pictures) >= 15 + 2
    assert {(picture.dtype, picture.shape) for picture in pictures} == {(np.dtype(np.uint8), (360, 360, 4))}


def test_kernels_can_be_compiled_before_they_are_needed():
    """With arrays of the kinds that they get later: none is compiled then."""
    engines.warm()
    every = (kernels.view, rays.fit, rays.smooth, rays.adam)
    before = [len(kernel.signatures) for kernel in every]
    voxelize(figure(), VoxelizeParams(side=8, engine="voxify", init="radiance", iterations=10))
    assert [len(kernel.signatures) for kernel in every] == before
