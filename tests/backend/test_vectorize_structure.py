"""Stage I: shapes settle on their masks, and do not overlap their neighbours in a layer."""

import dataclasses

import numpy as np
import pytest

from tessera_backend.progress import Progress
from tessera_backend.vector_raster import Paint, Raster
from tessera_backend.vectorize import Drawing, Path
from tessera_backend.vectorize.curves.area import cover
from tessera_backend.vectorize.paper import structure
from tessera_backend.vectorize.paper.layers import arrange
from tessera_backend.vectorize.scene import to_scene
from tessera_protocol.errors import Cancelled

SIZE = 64


def disc(x, y, radius, size=SIZE):
    rows, columns = np.mgrid[:size, :size] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


def square(low, high):
    return np.array([[low, low], [high, low], [high, high], [low, high]], float)


def boxed(corners):
    """A polygon as a contour: handles at thirds of the sides."""
    after = np.roll(corners, -1, 0)
    return np.stack([corners, corners + (after - corners) / 3, corners + (after - corners) * 2 / 3], 1).reshape(-1, 2)


def overlap(path, mask):
    inside = cover(path, mask.shape[1], mask.shape[0])
    return (inside & mask).sum() / (inside | mask).sum()


def test_a_shape_that_is_off_settles_on_its_mask():
    """A square around a disc, as bad a start as any, ends as the disc."""
    mask = disc(33, 30, 18)
    start = Path((boxed(square(14, 50)),), np.zeros(3))
    assert overlap(start, mask) < 0.8
    (fitted,) = structure.fit_layer([start], [mask], np.random.default_rng(0))
    assert overlap(fitted, mask) > 0.97


def test_neighbours_of_a_layer_are_kept_apart():
    """Two squares that overlap by a third part where their masks do."""
    left, right = np.zeros((2, SIZE, SIZE), bool)
    left[20:44, 10:32] = right[20:44, 32:54] = True
    shift = np.array([6.0, 0.0])
    starts = [
        Path((boxed(np.array([[10, 20], [32, 20], [32, 44], [10, 44.0]]) + shift),), np.zeros(3)),
        Path((boxed(np.array([[32, 20], [54, 20], [54, 44], [32, 44.0]]) - shift),), np.zeros(3)),
    ]
    fitted = structure.fit_layer(starts, [left, right], np.random.default_rng(0))
    both = cover(fitted[0], SIZE, SIZE) & cover(fitted[1], SIZE, SIZE)
    assert both.sum() < 20
    assert overlap(fitted[0], left) > 0.95
    assert overlap(fitted[1], right) > 0.95


def layer_scene(seed):
    rng = np.random.default_rng(seed)
    corners = [square(8, 36) + rng.random((4, 2)) * 4, square(28, 56) + rng.random((4, 2)) * 4]
    paths = tuple(Path((boxed(c),), rng.random(3)) for c in corners)
    scene = to_scene(Drawing(SIZE, SIZE, paths, ("",)))
    target = rng.random((SIZE, 3, SIZE)).astype(np.float32)
    return scene, target


def test_the_loss_is_the_published_one():
    """Mean squared error of the coloured masks, and the sum of what is darker than one shape at opacity 0.3."""
    scene, target = layer_scene(0)
    raster = Raster(SIZE, SIZE)
    value, _ = structure.loss(raster, scene, target)
    colored = raster.forward(scene, (0.0, 0.0, 0.0))
    dark = dataclasses.replace(scene, paint=Paint.solid(np.zeros((2, 3))), opacity=np.full(2, 0.3))
    twice = np.maximum(178 / 255 - raster.forward(dark, (1.0, 1.0, 1.0)), 0)
    # The weight of the code, 2e-7, is for a sum over 512 x 512 pixels; here it is the same share of a smaller picture.
    expected = ((colored - target) ** 2).mean() + 2e-7 * twice.sum() * (512 / SIZE) ** 2
    assert value == pytest.approx(expected, rel=1e-4)
    assert twice.sum() > 1


def test_its_gradient_agrees_with_differences():
    """Both terms, moving every point along a random direction."""
    scene, target = layer_scene(1)
    raster = Raster(SIZE, SIZE, dtype=np.float64, segments=12)
    _, gradient = structure.loss(raster, scene, target)
    along = np.random.default_rng(2).standard_normal(scene.points.shape)
    h = 1e-4
    values = [
        structure.loss(raster, dataclasses.replace(scene, points=scene.points + s * h * along), target)[0]
        for s in (-1, 1)
    ]
    assert (values[1] - values[0]) / (2 * h) == pytest.approx((gradient * along).sum(), rel=1e-3)


def test_every_part_gets_a_shape_of_its_level():
    """In the parts' order; the ground reaches beyond the canvas; a seed gives the same shapes."""
    ground = np.ones((48, 80), bool)
    house, window = np.zeros((2, 48, 80), bool)
    house[10:40, 20:60] = True
    window[18:26, 30:38] = True
    parts = arrange([[house], [window]], ground, 10)
    paths = structure.shapes(parts, 0.5, np.random.default_rng(3))
    assert [path.level for path in paths] == [0, 0, 1]
    for path, part in zip(paths, parts, strict=True):
        inside = cover(path, 80, 48)
        assert (inside & part.mask).sum() > 0.95 * (inside | part.mask).sum()
    assert cover(paths[0], 80, 48).all()
    again = structure.shapes(parts, 0.5, np.random.default_rng(3))
    for one, other in zip(paths, again, strict=True):
        np.testing.assert_array_equal(one.contours[0], other.contours[0])


def test_a_hole_stays_open():
    """A ring, the hole of which is transparent, has two contours that run against each other."""
    ring = disc(32, 32, 24) & ~disc(32, 32, 10)
    (part,) = arrange([], ring, 1)
    (path,) = structure.shapes([part], 0.5, np.random.default_rng(0))
    assert len(path.contours) == 2
    assert overlap(path, ring) > 0.95


def test_it_can_be_cancelled_between_layers():
    """Asked before each."""
    parts = arrange([], np.ones((8, 8), bool), 1)
    with pytest.raises(Cancelled):
        structure.shapes(parts, 0.5, np.random.default_rng(0), Progress(cancelled=lambda: True))
