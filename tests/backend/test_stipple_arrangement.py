"""Spectra, bond order and the published tables' measures, on arrangements whose answers are known."""

import math

import numpy as np
import pytest

from tessera_backend.stipple import stipple
from tessera_backend.stipple.metrics import arrangement, legacy
from tessera_protocol.jobs import StippleParams

RNG = np.random.default_rng(0)


def square_lattice(side):
    places = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)


def turned(points, degrees):
    a = math.radians(degrees)
    return points @ np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])


def test_white_noise_has_a_flat_spectrum():
    """Power 1 at every frequency, and no direction stands out."""
    measured = arrangement.spectrum([RNG.random((400, 2)) for _ in range(20)])
    assert measured.frequency[-1] == pytest.approx(3.0)
    assert measured.power[5:].mean() == pytest.approx(1.0, abs=0.05)
    assert measured.anisotropy[10:].mean() == pytest.approx(-10 * math.log10(20), abs=1.0)


def test_a_lattice_has_all_its_power_in_few_directions():
    """A square lattice of N points has power N at sqrt(N) along the axes, and 0 below."""
    measured = arrangement.spectrum([square_lattice(16)])
    assert measured.power[:14].max() < 1e-9
    at = np.argmax(measured.power)
    assert measured.frequency[at] == pytest.approx(1.0)
    assert measured.anisotropy[at] > 10


@pytest.mark.parametrize("angle", [0, 17, 45])
def test_bond_order_finds_square_lattices_at_any_angle(angle):
    """1 for a lattice, however it is turned; near 0 for random points; squares are not hexagons."""
    lattice = square_lattice(40)
    inside = (np.abs(lattice - 0.5) < 0.45).all(axis=1)
    assert arrangement.bond_order(turned(lattice, angle)) > 0.9
    assert arrangement.bond_order(RNG.random((2000, 2))) < 0.06
    assert arrangement.bond_order(lattice[inside], 6) < 0.3


@pytest.mark.parametrize("engine", ["tone", "wvs", "gbn"])
def test_flat_tones_are_no_lattice(engine):
    """Equal steps along the curve would be the squares of a chess board, which Lloyd's relaxation keeps."""
    orders = []
    for seed in range(4):
        made = stipple(np.full((256, 256), 128, np.uint8), StippleParams(dots=1024, engine=engine, seed=seed))
        orders.append(arrangement.bond_order(made.positions / np.array(made.page)))
    assert np.mean(orders) < 0.2


def test_legacy_measures_reward_what_they_should_not():
    """Their mass is the paper: of two sets of dots, that which ignores the dark subject is nearer to it."""
    picture = np.ones((128, 128))
    picture[32:96, 32:96] = 0.1
    on_subject = 0.25 + 0.5 * square_lattice(16)
    anywhere = square_lattice(16)
    bad, good = (legacy.legacy_metrics(points, picture) for points in (anywhere, on_subject))
    assert good["emd"] > 2 * bad["emd"]
    assert good["sinkhorn"] > bad["sinkhorn"]
    assert set(good) == {"energy", "capacity", "emd", "sinkhorn", "spatial"}


def test_legacy_measures_repeat_with_a_seed():
    """Draws are seeded; another seed gives other numbers, which exact measures would not."""
    points, picture = RNG.random((64, 2)), RNG.random((32, 32))
    first = legacy.legacy_metrics(points, picture, 1)
    assert first == legacy.legacy_metrics(points, picture, 1)
    assert first["emd"] != legacy.legacy_metrics(points, picture, 2)["emd"]
