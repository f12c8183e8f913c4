"""The kd grid: equal masses, centroids, and gradients that say how mass moves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.stipple.diffusion.local import grid as kd
from tessera_backend.stipple.diffusion.local import tree
from tessera_backend.stipple.diffusion.training import densities

sizes = st.integers(1, 9)


def field(seed, shape=(40, 56)):
    return densities.field(np.random.default_rng(seed), shape)


def masses(density, boxes, fine=8):
    """Mass of each box, by samples on a fine raster."""
    height, width = density.shape
    sampled = np.kron(density, np.ones((fine, fine))) / fine**2
    table = np.pad(sampled.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    x = np.clip(np.round(boxes[:, :2] * fine).astype(int), 0, width * fine)
    y = np.clip(np.round(boxes[:, 2:] * fine).astype(int), 0, height * fine)
    return table[y[:, 1], x[:, 1]] - table[y[:, 0], x[:, 1]] - table[y[:, 1], x[:, 0]] + table[y[:, 0], x[:, 0]]


@settings(max_examples=25, deadline=None)
@given(rows=sizes, columns=sizes, seed=st.integers(0, 99))
def test_boxes_tile_the_raster(rows, columns, seed):
    """As many as cells, none outside, areas that add up, and a box for every pixel; the neighbour to the right of a
    cell lies to its right."""
    density = field(seed)
    grid, boxes = kd.encode(torch.from_numpy(density), rows, columns)
    areas = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    assert areas.sum() == pytest.approx(density.size, rel=1e-9)
    assert (areas > 0).all()
    labels = np.full(density.shape, -1, np.int32)
    tree.paint(boxes, labels)
    assert labels.min() >= 0
    lefts = boxes.reshape(rows, columns, 4)[..., 0]
    assert (np.diff(lefts, axis=1) >= -1e-9).all()
    points = grid.points.flatten(0, 2)[:, None].double().numpy()
    assert (points[:, 0] >= boxes[:, ::2] - 1e-4).all()
    assert (points[:, 0] <= boxes[:, 1::2] + 1e-4).all()


@settings(max_examples=25, deadline=None)
@given(rows=sizes, columns=sizes, seed=st.integers(0, 99))
def test_boxes_have_equal_masses(rows, columns, seed):
    """Each has 1 / N of the mass, to the millionth (by the integral image) and to a few per cent (by samples)."""
    density = field(seed) + 0.02
    _, boxes = kd.encode(torch.from_numpy(density), rows, columns)
    tables = kd._Tables(torch.from_numpy(density))
    exact = kd._inside(tables.mass, torch.from_numpy(boxes)).numpy()
    np.testing.assert_allclose(exact * rows * columns / exact.sum(), 1, rtol=1e-6)
    np.testing.assert_allclose(masses(density, boxes) * rows * columns / density.sum(), 1, atol=0.1)


def test_points_are_centroids():
    """Of their boxes, also where borders cut through pixels."""
    density = field(3) + 0.05
    grid, boxes = kd.encode(torch.from_numpy(density), 6, 7)
    fine = 32
    y, x = (np.mgrid[0 : 40 * fine, 0 : 56 * fine] + 0.5) / fine
    sampled = np.kron(density, np.ones((fine, fine)))
    for box, point in zip(boxes[::5], grid.points.view(-1, 2).numpy()[::5], strict=True):
        weight = sampled * ((x > box[0]) & (x < box[1]) & (y > box[2]) & (y < box[3]))
        expected = [(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()]
        np.testing.assert_allclose(point, expected, atol=0.03)


def test_spacing_is_the_lattice_pitch():
    """On a constant density it is the square root of the area a dot has, whatever the tone."""
    grid, _ = kd.encode(torch.full((64, 96), 0.3), 8, 12)
    np.testing.assert_allclose(grid.spacing.numpy(), 8, rtol=1e-5)
    expected = np.stack(np.meshgrid(np.arange(12) * 8 + 4, np.arange(8) * 8 + 4), -1)
    np.testing.assert_allclose(grid.points[0].numpy(), expected, atol=1e-3)


@settings(max_examples=10, deadline=None)
@given(rows=sizes, columns=sizes, seed=st.integers(0, 99))
def test_the_mean_point_is_the_centre_of_mass(rows, columns, seed):
    """Equal masses and true centroids: so their mean is the whole's."""
    density = field(seed) + 0.02
    grid, _ = kd.encode(torch.from_numpy(density), rows, columns)
    y, x = np.mgrid[0:40, 0:56] + 0.5
    expected = [(density * x).sum() / density.sum(), (density * y).sum() / density.sum()]
    np.testing.assert_allclose(grid.points.flatten(0, 2).mean(0).numpy(), expected, atol=1e-3)


def test_empty_parts_and_single_pixels():
    """Mass in one pixel of a raster: every point is in it, and distinct."""
    density = torch.zeros(20, 30)
    density[7, 11] = 1
    grid, _ = kd.encode(density, 5, 5)
    points = grid.points.view(-1, 2).numpy()
    inside = (points >= [11, 7]) & (points <= [12, 8])
    assert inside.mean() > 0.9
    assert np.isfinite(grid.spacing.numpy()).all()
    assert len(np.unique(points, axis=0)) == 25


@pytest.mark.parametrize("seed", range(3))
def test_gradients_against_finite_differences(seed):
    """Along smooth changes of the density, a weighted sum of the points changes as the gradient says, within 5 %.

    For small ones: a larger one turns cuts into the other axis, and points jump.
    """
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[0:64, 0:64] + 0.5) / 64
    a, b, c = rng.uniform(1, 6, 3)
    density = torch.from_numpy(1.2 + np.sin(a * x + b * y) * np.cos(c * y - x)).requires_grad_()
    weights = torch.from_numpy(rng.standard_normal((1, 12, 9, 2)))

    def total(of):
        return (kd.encode(of, 12, 9)[0].points.double() * weights).sum()

    plain, _ = kd.encode(density.detach(), 12, 9)
    assert torch.equal(plain.points, kd.encode(density, 12, 9)[0].points.detach())
    (slope,) = torch.autograd.grad(total(density), density)
    pairs = []
    for change in (np.cos(3 * x + y), np.sin(4 * y) * x, np.exp(-((x - 0.4) ** 2 + (y - 0.6) ** 2) / 0.05)):
        step = torch.from_numpy(0.0005 * change)
        with torch.no_grad():
            pairs.append((float((slope * step).sum()), float(total(density + step) - total(density - step)) / 2))
    found, differences = np.array(pairs).T
    assert np.linalg.norm(found - differences) < 0.05 * np.linalg.norm(differences)


def transported(function, density, change):
    """How the mean of a function over the mass changes when the density does: the continuum's truth."""
    mass = density.sum()
    return (function * change).sum() / mass - (function * density).sum() * change.sum() / mass**2


def test_gradients_move_mass():
    """The mean of a smooth function over the points follows the density as the continuum's does, within 2 %."""
    y, x = (np.mgrid[0:128, 0:128] + 0.5) / 128
    density = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.12) + 0.1
    given_density = torch.from_numpy(density).requires_grad_()
    points = kd.encode(given_density, 24, 24)[0].points / 128
    (slope,) = torch.autograd.grad(torch.cos(2.1 * points[..., 0] + 1.3 * points[..., 1]).mean(), given_density)
    for change in (np.cos(3 * x) * np.cos(2 * y), np.exp(-((x - 0.3) ** 2 + (y - 0.6) ** 2) / 0.08), x * y):
        truth = transported(np.cos(2.1 * x + 1.3 * y), density, change)
        assert float((slope * torch.from_numpy(change)).sum()) == pytest.approx(truth, rel=0.02)
