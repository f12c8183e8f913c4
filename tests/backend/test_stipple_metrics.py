"""The five measures against closed forms."""

import math

import numpy as np
import pytest

from tessera_backend.stipple import metrics


def lattice(side):
    """Centres of side x side squares, shares of the sides."""
    places = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)


def test_square_lattice():
    """On constant density, squares of k pixels have N E / mass of (1 - 1 / k^2) / 6, and equal capacities."""
    points, density = lattice(16), np.ones((256, 256))
    energy, normalized = metrics.cvt_energy(points, density)
    assert normalized == pytest.approx((1 - 1 / 256) / 6, rel=1e-9)
    assert energy == pytest.approx(normalized / 256)
    assert metrics.capacity_error(points, density) == pytest.approx(0, abs=1e-12)
    for normalizer in ("points", "mass"):
        rho = metrics.spatial_measure(points, density, normalizer)
        assert rho == pytest.approx(math.sqrt(math.sqrt(3) / 2), rel=1e-9)


def test_energy_does_not_depend_on_the_density_scale():
    """Normalized energy and the share of the bound are the same for half the ink."""
    points, density = lattice(8), np.random.default_rng(0).random((64, 64))
    assert metrics.cvt_energy(points, density)[1] == pytest.approx(metrics.cvt_energy(points, density / 2)[1])
    over = [metrics.cvt_energy(points, d)[0] / metrics.energy_bound(64, d) for d in (density, density / 2)]
    assert over[0] == pytest.approx(over[1])


def test_bound_of_constant_density():
    """The hexagonal lattice's second moment."""
    assert metrics.energy_bound(100, np.ones((4, 4))) == pytest.approx(5 / (18 * math.sqrt(3)) / 100)


def test_capacity_error_counts_empty_cells():
    """Two points, all mass at one of them: ((2 - 1)^2 + (0 - 1)^2) / 2."""
    density = np.zeros((8, 8))
    density[:, :2] = 1
    assert metrics.capacity_error(np.array([[0.1, 0.5], [0.9, 0.5]]), density) == pytest.approx(1.0)


def test_rows_and_columns_are_not_mixed_up():
    """Mass in the right strip of a wide picture is near a point there, and far from one at the bottom."""
    density = np.zeros((10, 40))
    density[:, 38:] = 1
    assert (
        metrics.cvt_energy(np.array([[0.975, 0.5]]), density)[0]
        < metrics.cvt_energy(np.array([[0.5, 0.9]]), density)[0]
    )
    centred = metrics.cvt_energy(np.array([[0.975, 0.5]]), density)[0] / density.mean()
    # Two columns of 1/40 at +-1/80, ten rows of 1/10: the variance of a row of ten.
    assert centred == pytest.approx(1 / 80**2 + (1 - 1 / 100) / 12, rel=1e-9)


def test_transport_of_equal_capacities_is_the_energy():
    """Where all cells carry the same mass, nobody has to leave his cell: W2^2 = E / mass."""
    points, density = lattice(4), np.ones((64, 64))
    energy, _ = metrics.cvt_energy(points, density)
    assert metrics.emd(points, density) == pytest.approx(math.sqrt(energy), rel=1e-6)


def test_transport_between_two_places():
    """Both points on the left, half of the mass on the right: half of it goes all the way."""
    density = np.zeros((1, 100))
    density[0, [0, 99]] = 1
    points = np.array([[0.005, 0.5], [0.005, 0.5]])
    assert metrics.emd(points, density) == pytest.approx(math.sqrt(0.5) * 0.99, rel=1e-6)
    # The marginals leave no choice here, so the blur cannot change the cost.
    for strength in (5e-3, 1e-1):
        assert metrics.sinkhorn(points, density, strength)[0] == pytest.approx(math.sqrt(0.5) * 0.99, rel=1e-6)


def test_blur_grows_with_the_strength():
    """The entropic cost is never below the exact one, and comes near it for a small strength."""
    points, density = np.random.default_rng(3).random((40, 2)), np.random.default_rng(4).random((32, 32))
    exact = metrics.emd(points, density)
    costs = [metrics.sinkhorn(points, density, strength)[0] for strength in (1e-3, 1e-2, 1e-1)]
    assert exact <= costs[0] * 1.01  # a plan may leave 1 % misplaced
    assert costs == sorted(costs)
    assert costs[0] < 1.1 * exact


def test_too_small_a_strength_is_refused():
    """Nothing is returned that is not a plan."""
    points, density = np.random.default_rng(3).random((40, 2)), np.random.default_rng(4).random((32, 32))
    with pytest.raises(ValueError, match="strength"):
        metrics.sinkhorn(points, density, 1e-6)


def test_sinkhorn_of_one_point():
    """A single point takes everything: cost is the mean squared distance, entropy that of the density."""
    density = np.ones((8, 8))
    point = np.array([[0.5, 0.5]])
    cost = metrics.cvt_energy(point, density)[0]
    blurred, regularized = metrics.sinkhorn(point, density)
    assert blurred == pytest.approx(math.sqrt(cost), rel=1e-9)
    assert regularized == pytest.approx(cost - 0.01 * math.log(64), rel=1e-9)


def test_blocks_keep_the_mass():
    """Whatever their size, blocks carry all mass, and their centre of mass is near the density's."""
    density = np.random.default_rng(1).random((50, 70))
    places, shares = metrics._blocks(density, 100)
    assert len(places) <= 100
    assert shares.sum() == pytest.approx(1)
    assert shares @ places == pytest.approx([0.5, 0.5], abs=0.02)


def test_strips():
    """Shares of equal strips, left to right."""
    points = np.array([[0.1, 0], [0.2, 0], [0.3, 0], [0.9, 0]])
    assert metrics.strips(points).tolist() == [0.5, 0.25, 0, 0.25]


def test_all_metrics_are_plain_numbers():
    """One call gives all by name; without transport where there are too many points."""
    density = np.ones((40, 40))
    few = metrics.all_metrics(lattice(4), density)
    assert all(isinstance(value, float | list) for value in few.values())
    assert few["w2_over_local"] == pytest.approx(1, rel=1e-6)
    many = metrics.all_metrics(lattice(64), density)
    assert many["w2"] is None
    assert many["capacity_error"] >= 0
