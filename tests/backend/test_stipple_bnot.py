"""Blue noise through optimal transport: power cells, Newton's system, what turns make of it, and hard inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.progress import SILENT, Progress
from tessera_backend.stipple import bnot, metrics, start, stipple, voronoi
from tessera_backend.stipple.bnot import power
from tessera_backend.stipple.voronoi import reference
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import StippleParams


def ramp(side=256):
    """Grey whose density is x^2."""
    return np.tile(1 - ((np.arange(side) + 0.5) / side) ** 2, (side, 1))


def islands(side=128):
    """Three black discs on white, whose masses are no whole numbers of dots."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    image = np.ones((side, side))
    for u, v, r in ((0.25, 0.3, 0.17), (0.7, 0.35, 0.21), (0.5, 0.78, 0.14)):
        image[(x - u) ** 2 + (y - v) ** 2 < r * r] = 0
    return image


def shares(made):
    return made.positions.astype(np.float64) / made.page


def cells_of(image, count, seed=0, spread=0.0):
    """Power cells of relaxed sites with random weights."""
    density = (1 - image).astype(np.float32)
    rng = np.random.default_rng(seed)
    sites, labels = start.along_curve(density, count, rng)
    bnot.begin(sites, labels, density, StippleParams(dots=count), rng, SILENT)
    return power.measured(sites, rng.normal(0, 1, count) * spread, labels, density)


# -- cells


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.floats(0, 6))
def test_cells_share_the_mass_out(seed, spread):
    """Whatever the weights, masses and moments add up to those of the density."""
    cells = cells_of(ramp(64), 40, seed, spread)
    density = cells.density.astype(np.float64)
    y, x = np.mgrid[0:64, 0:64] + 0.5
    expected = density.sum(), (density * x).sum(), (density * y).sum()
    np.testing.assert_allclose(cells.sums.sum(axis=0), expected, rtol=1e-9)
    assert (cells.masses > -1e-9).all()


def test_equal_weights_are_voronoi_cells():
    """With one weight for all, masses and centroids are those of nearest sites, counted on a finer raster."""
    cells = cells_of(ramp(64), 40)
    np.testing.assert_array_equal(cells.labels, reference.label(cells.sites, (64, 64)))
    fine = np.kron(cells.density, np.ones((16, 16))) / 256
    counted = reference.cell_moments(reference.label(cells.sites * 16, fine.shape), fine, 40)
    np.testing.assert_allclose(cells.masses, counted[:, 0], atol=0.006 * cells.masses.mean())
    np.testing.assert_allclose(cells.sites + cells.ways, counted[:, 1:] / counted[:, :1] / 16, atol=0.03)


def test_only_differences_of_weights_matter():
    """A constant added to all weights changes nothing."""
    cells = cells_of(ramp(64), 40, spread=3)
    shifted = power.measured(cells.sites, cells.weights + 100, cells.labels, cells.density)
    np.testing.assert_array_equal(shifted.labels, cells.labels)
    np.testing.assert_allclose(shifted.sums, cells.sums, rtol=1e-9)


def test_weights_shift_the_border():
    """Between two sites the border is where both powers are the same, and cuts across pixels."""
    sites, density = np.array([[2.0, 5.0], [8.0, 5.0]], np.float32), np.ones((10, 10), np.float32)
    cells = power.measured(
        sites, np.array([3.0, 0.0]), np.repeat([[0, 1]], 5, axis=1) + np.zeros((10, 1), np.int32), density
    )
    # (x - 2)^2 - 3 = (x - 8)^2 at 5.25.
    np.testing.assert_allclose(cells.masses, [52.5, 47.5])
    np.testing.assert_allclose(cells.sites + cells.ways, [[2.625, 5], [7.625, 5]], rtol=1e-6)
    # A border of 10 pixels, 6 pixels between the sites: 10 / (2 * 6).
    np.testing.assert_allclose(cells.slopes[:, 0, 0], 10 / 12)


@pytest.mark.parametrize("image", [ramp(64), islands(64)], ids=["ramp", "islands"])
def test_slopes_are_those_of_the_masses(image):
    """The system that Newton's method solves, against central differences of masses by each weight."""
    cells = cells_of(image, 30, spread=1.0)
    step = 1e-4
    slopes = np.zeros((30, 30))
    for i, slot in zip(*np.nonzero(cells.near >= 0), strict=True):
        j, slope = cells.near[i, slot], cells.slopes[0, i, slot]
        slopes[[i, j], [j, i]] -= slope
        slopes[[i, j], [i, j]] += slope
    for i in range(30):
        masses = []
        for sign in (1, -1):
            weights = cells.weights.copy()
            weights[i] += sign * step
            masses.append(power.measured(cells.sites, weights, cells.labels, cells.density).masses)
        np.testing.assert_allclose((masses[0] - masses[1]) / (2 * step), slopes[i], atol=2e-4 * slopes.max())


# -- weights


@pytest.mark.parametrize("image", [ramp(128), islands()], ids=["ramp", "islands"])
def test_newton_evens_out_all_masses(image):
    """Also across paper: three parts with no whole numbers of dots end with cells of one mass."""
    cells = cells_of(image, 150)
    whole = np.zeros(150, int)
    targets = power.mean_of_part(cells.masses, whole)
    assert power.spread(cells, targets) > 0.02
    evened = power.evened(cells, whole, 1e-4, 40, 150)
    assert power.spread(evened, targets) < 1e-3
    assert evened.sites is cells.sites


def test_parts_keep_their_masses():
    """Paper divides the picture into parts, and evening out within them leaves their sums alone."""
    cells = cells_of(islands(), 150)
    part = power.parts(cells)
    assert part.max() == 2
    low = cells.sites[:, 1] > 74
    assert not set(part[low]) & set(part[~low])
    evened = power.evened(cells, part, 1e-4, 20, 150)
    assert power.spread(evened, power.mean_of_part(cells.masses, part)) < 1e-3
    np.testing.assert_allclose(np.bincount(part, evened.masses), np.bincount(part, cells.masses), rtol=1e-3)


# -- quality


@pytest.mark.parametrize("picture", [ramp, islands])
def test_cells_are_equal_and_transport_is_short(picture):
    """W2 is under that of `tone`, and the metadata tell how equal the cells are."""
    image = picture(96)
    made, tone = (stipple(image, StippleParams(dots=200, engine=e)) for e in ("bnot", "tone"))
    assert made.meta["power_cells_rms"] < 0.01
    assert made.meta["iterations_run"] == 30
    assert metrics.emd(shares(made), 1 - image, 3000) < metrics.emd(shares(tone), 1 - image, 3000)
    # Voronoi cells are not the ones that are even, least of all on parts with no whole number of dots.
    assert metrics.capacity_error(shares(made), 1 - image) < 0.012
    assert metrics.spatial_measure(shares(made), 1 - image, "mass") > 0.85


@pytest.mark.parametrize("seed", range(2))
def test_the_ramp_keeps_its_strips(seed):
    """Of 1024 dots on density x^2, every strip's share is within 6 dots of its mass: 1, 7, 19 and 37 of 64."""
    points = shares(stipple(ramp(512), StippleParams(dots=1024, engine="bnot", seed=seed)))
    np.testing.assert_allclose(metrics.strips(points), np.array([1, 7, 19, 37]) / 64, atol=0.006)


def test_turns_lower_the_cost():
    """Each turn of plain steps leaves sites nearer to what they stand for."""
    cells, costs = cells_of(ramp(128), 200), []
    y, x = np.mgrid[0:128, 0:128] + 0.5
    for _ in range(6):
        cells = power.evened(cells, np.zeros(200, int), 1e-4, 8, 100)
        sites = cells.sites.astype(np.float64)
        second = (cells.density * (x**2 + y**2)).sum() + cells.masses @ (sites**2).sum(axis=1)
        costs.append(second - 2 * (sites * cells.sums[:, 1:]).sum())
        cells = power.moved(cells, cells.ways)
    assert costs == sorted(costs, reverse=True)


# -- hard inputs


def lines():
    """Lines one pixel wide."""
    image = np.full((90, 90), 255, np.uint8)
    image[20] = image[:, 40] = 0
    return image


@pytest.mark.parametrize("dots", [10, 1000])
@pytest.mark.parametrize(
    "image",
    [np.zeros((1, 1), np.uint8), lines(), np.zeros((2000, 2), np.uint8), np.full((40, 40), 128, np.uint8)],
    ids=["one pixel", "lines", "two wide", "constant"],
)
def test_hard_pictures(image, dots):
    """All dots find a place on ink."""
    params = StippleParams(dots=dots, engine="bnot", iterations=5, fit="stretch", page_width=50.0, page_height=50.0)
    made = stipple(image, params)
    column, row = np.minimum(shares(made) * image.shape[::-1], np.array(image.shape[::-1]) - 1).astype(int).T
    around = np.pad(image, 1, mode="edge")  # a working pixel on the rim may lie half outside
    assert made.positions.shape == (dots, 2)
    assert np.isfinite(made.meta["power_cells_rms"])
    assert all(around[r : r + 3, c : c + 3].min() < 255 for r, c in zip(row, column, strict=True))


def test_more_dots_than_ink():
    """Where dots far outnumber inked pixels there are no cells to even out, and no failure either."""
    density = np.zeros((300, 300), np.float32)
    density[10, 10:14] = density[250, 250] = 1
    rng = np.random.default_rng(0)
    sites, labels = start.along_curve(density, 2000, rng)
    facts = bnot.relax(sites, labels, density, StippleParams(dots=2000, iterations=2), rng, SILENT)
    assert facts["iterations_run"] <= 2
    assert np.isfinite(sites).all()
    voronoi.propagate(labels, sites)


def test_seeds():
    """The same seed gives the same dots, bit for bit; another one, others."""
    made = [stipple(islands(64), StippleParams(dots=200, engine="bnot", seed=s)).positions for s in (5, 5, 6)]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_every_step_hears_the_wish_to_stop():
    """Progress is told before each step, goes forward, and may end the job there."""
    seen = []
    progress = Progress(lambda stage, share, _: seen.append((stage, share)), lambda: len(seen) > 20)
    with pytest.raises(Cancelled):
        stipple(ramp(64), StippleParams(dots=50, engine="bnot"), progress)
    assert seen[-1][0] == "relaxing"
    seen.clear()
    progress = Progress(lambda stage, share, _: seen.append((stage, share)))
    stipple(ramp(64), StippleParams(dots=50, engine="bnot"), progress)
    assert [stage for stage, _ in seen].count("relaxing") >= 30
    assert [share for _, share in seen] == sorted(share for _, share in seen)
