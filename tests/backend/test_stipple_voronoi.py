"""Cells on a raster and what evens out their masses: kernels against the plain reference and known solutions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.stipple import capacity, start, voronoi
from tessera_backend.stipple.voronoi import kernels, reference


def ramp(height=90, width=130):
    """Density that rises from 0 to 1 from left to right."""
    return np.tile(np.linspace(0, 1, width, dtype=np.float32) ** 2, (height, 1))


def far(labels, sites):
    """Distance of each pixel centre to the site of its label."""
    rows, columns = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]] + 0.5
    return np.hypot(sites[labels, 0] - columns, sites[labels, 1] - rows)


def relaxed(density, count, steps, seed=0):
    """Sites after some steps of Lloyd's relaxation, and their labels."""
    sites, labels = start.along_curve(density, count, np.random.default_rng(seed))
    for _ in range(2):
        voronoi.propagate(labels, sites)
    for _ in range(steps):
        moments = voronoi.cell_moments(labels, density, count)
        full = moments[:, 0] > 0
        sites[full] = moments[full, 1:] / moments[full, :1]
        voronoi.propagate(labels, sites)
    return sites, labels


@pytest.mark.parametrize(("count", "steps"), [(1, 0), (10, 3), (300, 0), (300, 8), (1500, 8)])
def test_labels_are_the_nearest_sites(count, steps):
    """Propagated labels equal those of a k-d tree, but for a few pixels that are hardly farther away."""
    density = ramp(200, 250)
    sites, labels = relaxed(density, count, steps)
    excess = far(labels, sites) - far(reference.label(sites, density.shape), sites)
    # float32 distances; and the rare pixels that scans miss, see the package's docstring.
    assert np.mean(excess > 1e-3) <= 1e-3
    assert excess.max() < 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_every_site_keeps_its_pixel(count, height, width, seed):
    """However many sites share a raster, each pixel has a valid label, and its own site if it is the only one in it."""
    rng = np.random.default_rng(seed)
    sites = (rng.random((count, 2)) * (width, height)).astype(np.float32)
    sites = np.minimum(sites, np.array([width, height], np.float32) - np.float32(0.01))
    labels = np.zeros((height, width), np.int32)
    voronoi.propagate(labels, sites)
    assert labels.min() >= 0
    assert labels.max() < count
    excess = far(labels, sites) - far(reference.label(sites, labels.shape), sites)
    own = labels[sites[:, 1].astype(int), sites[:, 0].astype(int)]
    assert (np.hypot(*(sites[own] - sites).T) < 1.5).all(), "a pixel went to a site that is not in or beside it"
    assert np.isfinite(excess).all()


def test_moments_equal_the_reference():
    """Mass and first moments of the cells are those of plain sums, and the masses add up to the whole."""
    density = ramp()
    _, labels = relaxed(density, 200, 2)
    moments = voronoi.cell_moments(labels, density, 200)
    np.testing.assert_allclose(moments, reference.cell_moments(labels, density, 200), rtol=1e-6)
    np.testing.assert_allclose(moments[:, 0].sum(), density.sum(dtype=float), rtol=1e-9)


def test_borders_are_as_long_as_they_are():
    """Of square cells, a border's conductance is density times length over distance, booked once for each pair."""
    side, across = 8, 4
    centres = side * (np.arange(across) + 0.5)
    sites = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2).astype(np.float32)
    labels = reference.label(sites, (side * across, side * across))
    near = np.empty((len(sites), 8), np.int32)
    conductance = np.empty((len(sites), 8))
    kernels.borders(labels, np.full(labels.shape, 0.5, np.float32), sites, near, conductance)
    assert np.count_nonzero(near >= 0) == 2 * across * (across - 1)
    np.testing.assert_allclose(conductance[near >= 0], 0.5, rtol=1e-6)
    assert set(near[0][near[0] >= 0]) == {1, across}


def test_potential_solves_its_equation():
    """The solved potential's Laplacian is the excess, to the share that was asked for."""
    density = ramp() + np.float32(0.01)
    sites, labels = relaxed(density, 300, 3)
    near, conductance = np.empty((300, 16), np.int32), np.empty((300, 16))
    kernels.borders(labels, density, sites, near, conductance)
    matrix = np.zeros((300, 300))
    for i, k in np.argwhere(near >= 0):
        matrix[i, near[i, k]] = matrix[near[i, k], i] = -conductance[i, k]
    diagonal = -1.01 * matrix.sum(axis=1)
    excess = np.random.default_rng(0).normal(size=300)
    potential = np.empty(300)
    kernels.solve(near, conductance, diagonal, excess, 500, 1e-6, potential)
    residual = matrix @ potential + diagonal * potential - excess
    assert np.linalg.norm(residual) <= 1.01e-6 * np.linalg.norm(excess)


def test_evening_evens_out():
    """Steps take the unevenness of the cells' masses away, also when it spans the whole picture."""
    density = np.full((100, 100), 0.5, np.float32)
    sites, labels = relaxed(ramp(100, 100) + np.float32(0.5), 400, 3)

    def unevenness():
        mass = voronoi.cell_moments(labels, density, 400)[:, 0]
        return float(np.mean((mass / mass.mean() - 1) ** 2))

    voronoi.propagate(labels, sites)
    before = unevenness()
    for _ in range(15):
        sites += capacity.evening_steps(sites, labels, density)
        voronoi.propagate(labels, sites)
    assert before > 0.05
    assert unevenness() < 0.1 * before


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 300), st.integers(0, 10**6))
def test_curve_gives_equal_shares(height, width, count, seed):
    """Along the curve every site stands where there is density, and any prefix of sites has its share of mass."""
    rng = np.random.default_rng(seed)
    density = np.where(rng.random((height, width)) < 0.4, rng.random((height, width)), 0).astype(np.float32)
    density[rng.integers(height), rng.integers(width)] = 1
    sites, labels = start.along_curve(density, count, rng)
    assert (density[sites[:, 1].astype(int), sites[:, 0].astype(int)] > 0).all()
    assert labels.min() >= 0
    assert labels.max() < count
    # A stretch of the curve between two sites holds one share, but whole pixels.
    mass = voronoi.cell_moments(labels, density, count)[:, 0]
    assert np.abs(np.cumsum(mass) - np.arange(1, count + 1) * mass.sum() / count).max() <= 1.001


def test_curve_visits_neighbours():
    """On a full raster of a power of two, the curve's consecutive pixels touch: it is Hilbert's."""
    density = np.ones((16, 16), np.float32)
    for seed in range(8):
        _, labels = start.along_curve(density, 256, np.random.default_rng(seed))
        along = np.argsort(labels.ravel(), kind="stable")[:254]  # the last two have one label
        steps = np.abs(np.diff(np.divmod(along, 16), axis=1)).sum(axis=0)
        assert (steps == 1).all()


def test_curve_has_a_site_in_each_stretch():
    """Any run of k stretches holds k sites, give or take some at either end."""
    density = np.ones((64, 64), np.float32)
    sites, labels = start.along_curve(density, 500, np.random.default_rng(3))
    held = np.bincount(labels[sites[:, 1].astype(int), sites[:, 0].astype(int)], minlength=500)
    assert np.abs(np.cumsum(held) - np.arange(1, 501)).max() <= 6
