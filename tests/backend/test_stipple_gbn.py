"""Gaussian blue noise: the energy and its slopes, what descent makes of it, and hard inputs."""

import numpy as np
import pytest

from tessera_backend.progress import SILENT, Progress
from tessera_backend.stipple import gbn, metrics, start, stipple
from tessera_backend.stipple.gbn import field
from tessera_backend.stipple.gbn.energy import Energy
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import StippleParams


def ramp(side=256):
    """Grey whose density is x^2."""
    return np.tile(1 - ((np.arange(side) + 0.5) / side) ** 2, (side, 1))


def tones(side=256):
    """Two sharp parts of two tones on white, one with a soft edge."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    image = np.ones((side, side))
    image[(x - 0.35) ** 2 + (y - 0.4) ** 2 < 0.06] = 0.1
    return np.minimum(image, 0.5 + np.clip(8 * np.maximum(abs(x - 0.72) - 0.2, abs(y - 0.7) - 0.22), 0, 0.5))


def shares(made):
    return made.positions.astype(np.float64) / made.page


def gaussian(squared, variance):
    return np.exp(-squared / (2 * variance)) / (2 * np.pi * variance)


def prepared(image, count, seed=0, jitter=0.0):
    """An energy and sites for it, with widths and neighbours."""
    density = (1 - image).astype(np.float32)
    rng = np.random.default_rng(seed)
    sites = start.along_curve(density, count, rng)[0].astype(np.float64)
    sites = np.clip(sites + rng.normal(0, 1, sites.shape) * jitter, 0, np.array(density.shape[::-1]) - 0.01)
    energy = Energy(density, count, gbn.SHARE)
    assert energy.prepare(sites)
    return energy, sites


# -- energy


def test_energy_is_the_sum_over_all_pairs():
    """Against plain sums over pairs and over pixels, with the same widths."""
    image = ramp(48)
    density = 1 - image
    energy, sites = prepared(image, 40)
    mass = density * 40 / density.sum()
    y, x = np.mgrid[0:48, 0:48] + 0.5
    pixels = np.column_stack([x.ravel(), y.ravel()])
    of_pixels = field.fit_widths(mass, gbn.SHARE).on((48, 48), 1).ravel()
    between = ((sites[:, None] - sites) ** 2).sum(-1)
    pairs = gaussian(between, energy.widths[:, None] + energy.widths)
    expected = np.triu(pairs, 1).sum()
    to_pixels = ((sites[:, None] - pixels) ** 2).sum(-1)
    expected -= (gaussian(to_pixels, energy.widths[:, None] + of_pixels) * mass.ravel()).sum()
    # Gaussians between two powers of 2 are mixtures of both, and the field is cut off at its border: a few per cent.
    assert energy.forces(sites)[0] == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("image", [ramp(40), tones(64), np.zeros((30, 50))], ids=["ramp", "tones", "flat"])
def test_forces_are_the_slope_of_the_energy(image):
    """Against central differences, widths and neighbours being fixed."""
    energy, sites = prepared(image, 25, jitter=1.0)
    forces = energy.forces(sites)[1]
    step = 1e-4
    for i in range(0, 25, 3):
        for axis in range(2):
            there = [sites.copy() for _ in range(2)]
            there[0][i, axis] -= step
            there[1][i, axis] += step
            low, high = (energy.forces(places)[0] for places in there)
            # Gaussians end at 4 deviations: a pixel that comes in or goes out there is a jump of 0.0003 of a height.
            assert -(high - low) / (2 * step) == pytest.approx(forces[i, axis], rel=1e-3, abs=2e-3 * abs(forces).max())


def test_perfect_dots_feel_no_force():
    """On a constant density the middle of a hexagonal lattice is at rest, though greys end at the page's edge."""
    pitch = 8.0
    y, x = np.mgrid[0:34, 0:32]
    sites = np.column_stack([((x + 0.5 * (y % 2) + 0.25) * pitch).ravel(), ((y + 0.5) * pitch * 3**0.5 / 2).ravel()])
    density = np.ones((round(34 * pitch * 3**0.5 / 2), round(32 * pitch)), np.float32)
    energy = Energy(density, len(sites), gbn.SHARE)
    assert energy.prepare(sites)
    forces = np.hypot(*energy.forces(sites)[1].T).reshape(34, 32)
    # A dot that sits a tenth of the pitch off is pulled back with about a tenth of the largest slope there is.
    largest = np.exp(-0.5) / (2 * np.pi * (2 * energy.widths.mean()) ** 1.5)
    assert forces[8:-8, 8:-8].max() < 1e-3 * largest


@pytest.mark.parametrize("seed", range(3))
def test_energy_falls(seed):
    """Every iteration lowers the energy of the widths it has, the first ones the most."""
    energy, sites = prepared(tones(), 400, seed)
    speed = np.zeros_like(sites)
    falls = []
    for _ in range(15):
        before = energy.forces(sites)[0]
        gbn.descend(energy, sites, speed, np.array([255.9, 255.9]))
        falls.append(before - energy.forces(sites)[0])
        energy.prepare(sites)
    # descend fits widths to where dots are: `before` is of the same widths.
    assert min(falls) > 0
    assert falls[0] > 10 * falls[2] > 10 * falls[-1]


# -- quality


@pytest.mark.parametrize("picture", [ramp, tones])
def test_dots_keep_the_tone(picture):
    """Capacity error, W2 and spacing are at least what BNOT reaches on such densities."""
    image = picture()
    measured = metrics.all_metrics(shares(stipple(image, StippleParams(dots=600, engine="gbn"))), 1 - image)
    # BNOT has .005 to .010, 1.02 to 1.05 and about .80 on densities of this kind.
    assert measured["capacity_error"] < 0.006
    assert measured["w2_over_local"] < 1.08
    assert measured["spatial_mass"] > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_the_ramp_keeps_its_strips(seed):
    """Of 1024 dots on density x^2, every strip's share is within 6 dots of its mass: 1, 7, 19 and 37 of 64."""
    points = shares(stipple(ramp(512), StippleParams(dots=1024, engine="gbn", seed=seed)))
    np.testing.assert_allclose(metrics.strips(points), np.array([1, 7, 19, 37]) / 64, atol=0.006)


def test_spectrum_is_blue():
    """On constant density there is next to nothing below half the frequency of the peak, in any direction."""
    waves = np.arange(-24, 25)
    power = np.zeros((49, 49))
    for seed in range(4):
        points = shares(stipple(np.zeros((64, 64)), StippleParams(dots=576, engine="gbn", seed=seed)))
        # A window, since the page is no torus and its edges would leak into the low frequencies.
        window = np.prod(np.sin(np.pi * points) ** 2, axis=1)
        across, down = (np.exp(-2j * np.pi * waves[:, None] * points[:, k]) for k in range(2))
        power += abs((down * window) @ across.T) ** 2 / (window**2).sum() / 4
    frequency = np.hypot(waves, waves[:, None])
    # The peak is near sqrt(N) = 24; the window itself reaches 2 waves far.
    low = power[(frequency > 4) & (frequency < 12)]
    assert low.mean() < 0.02
    assert low.max() < 0.2
    assert power[(frequency > 21) & (frequency < 28)].mean() > 1


# -- laws and hard inputs


def test_seeds():
    """The same seed gives the same dots, bit for bit; another one, others."""
    made = [stipple(tones(64), StippleParams(dots=200, engine="gbn", seed=s)).positions for s in (5, 5, 6)]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def islands():
    image = np.full((120, 120), 255, np.uint8)
    for row, column in ((3, 3), (3, 110), (60, 60), (115, 20)):
        image[row : row + 4, column : column + 4] = 0
    return image


@pytest.mark.parametrize("dots", [10, 1000])
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1), np.uint8),
        islands(),
        np.zeros((2000, 2), np.uint8),
        np.full((20, 20), 1e-4) * np.eye(20) + 0.999,
    ],
    ids=["one pixel", "islands", "long and thin", "a hint"],
)
def test_hard_pictures(image, dots):
    """All dots find a place on ink, and none on top of another."""
    made = stipple(
        image, StippleParams(dots=dots, engine="gbn", iterations=8, fit="stretch", page_width=50.0, page_height=50.0)
    )
    assert len(np.unique(made.positions, axis=0)) == dots
    column, row = np.minimum(shares(made) * image.shape[::-1], np.array(image.shape[::-1]) - 1).astype(int).T
    around = np.pad(image, 1, mode="edge")  # a working pixel on the rim may lie half outside
    paper = 255 if image.dtype == np.uint8 else 1
    assert all(around[r : r + 3, c : c + 3].min() < paper for r, c in zip(row, column, strict=True))


def test_islands_keep_their_shares():
    """Dots don't cross wide paper: each of four equal parts has a quarter of them."""
    points = shares(stipple(islands(), StippleParams(dots=400, engine="gbn")))
    which = (points[:, 0] > 0.3) + 2 * (points[:, 0] > 0.7) + 4 * (points[:, 1] > 0.7)
    np.testing.assert_allclose(np.unique(which, return_counts=True)[1], 100, atol=2)


def test_crowded_dots_stay():
    """Where thousands of dots share a pixel nothing is quadratic: the energy says so and dots stay."""
    density = np.zeros((1000, 1000), np.float32)
    density[10, 10] = density[900, 900] = 1
    rng = np.random.default_rng(0)
    sites, labels = start.along_curve(density, 20_000, rng)
    before = sites.copy()
    assert gbn.relax(sites, labels, density, StippleParams(dots=20_000, iterations=2), rng, SILENT) == {
        "iterations_run": 2
    }
    np.testing.assert_array_equal(sites, before)


def test_stops_early_when_told():
    """A tolerance ends the descent before the iterations are used up; 0 uses them all."""
    loose = StippleParams(dots=100, engine="gbn", iterations=100, tolerance=0.02)
    assert 2 < stipple(ramp(64), loose).meta["iterations_run"] < 100
    for iterations in (0, 1, 7):
        meta = stipple(ramp(64), StippleParams(dots=50, engine="gbn", iterations=iterations)).meta
        assert (meta["iterations_run"], meta["engine"]) == (iterations, "gbn")


def test_every_step_hears_the_wish_to_stop():
    """Progress is told before each step, goes forward, and may end the job there."""
    seen = []
    progress = Progress(lambda stage, share, _: seen.append((stage, share)), lambda: len(seen) > 20)
    with pytest.raises(Cancelled):
        stipple(ramp(64), StippleParams(dots=50, engine="gbn"), progress)
    assert seen[-1][0] == "relaxing"
    seen.clear()
    stipple(
        ramp(64), StippleParams(dots=50, engine="gbn"), Progress(lambda stage, share, _: seen.append((stage, share)))
    )
    assert [stage for stage, _ in seen].count("relaxing") >= 30
    assert [share for _, share in seen] == sorted(share for _, share in seen)
