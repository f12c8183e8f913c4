"""The learned engine with the weights that are shipped: any number of dots, well placed, and gradients for all."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from tessera_backend import models
from tessera_backend.progress import Progress
from tessera_backend.stipple import diffusion, lloyd, metrics
from tessera_backend.stipple.diffusion.local import placing, sampler
from tessera_protocol.errors import Cancelled, InvalidInput, error
from tessera_protocol.jobs import StippleParams

SIDE = 160
Y, X = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE


def ramp():
    return X**2


def gauss():
    return np.exp(-((X - 0.5) ** 2 + (Y - 0.5) ** 2) / (2 * 0.18**2))


def blobs():
    """A sharp silhouette of two parts and two tones, on white."""
    density = np.zeros((SIDE, SIDE))
    density[(X - 0.35) ** 2 + (Y - 0.4) ** 2 < 0.06] = 0.9
    density[(abs(X - 0.75) < 0.15) & (abs(Y - 0.7) < 0.2)] = 0.4
    return density


def placed(density, dots, seed=0, **options):
    sites, _ = diffusion.place(density.astype(np.float32), dots, rng=np.random.default_rng(seed), **options)
    return sites.astype(np.float64) / density.shape[::-1]


def fourfold(points):
    """Order of the four nearest neighbours, over all dots, and the mean of that over windows of 50 dots.

    1 if they lie along the axes of one square lattice, 0 if anywhere.
    """
    tree = cKDTree(points)
    near = points[tree.query(points, 5)[1][:, 1:]] - points[:, None]
    order = np.exp(4j * np.arctan2(near[..., 1], near[..., 0])).mean(1)
    return abs(order.mean()), abs(order[tree.query(points, 50)[1]].mean(1)).mean()


# -- laws


@pytest.mark.parametrize("dots", [10, 11, 13, 100, 257, 1009])
@pytest.mark.parametrize("density", [blobs()[:, :90], X[:60] * 0.3])
def test_as_many_dots_as_asked_for(dots, density):
    """Primes too; all distinct and on the raster."""
    sites = diffusion.place(density.astype(np.float32), dots, rng=np.random.default_rng(1))[0]
    assert sites.shape == (dots, 2)
    assert sites.dtype == np.float32
    assert len(np.unique(sites, axis=0)) == dots
    assert (sites >= 0).all()
    assert (sites < density.shape[::-1]).all()


@pytest.mark.parametrize("model", ["stipple-student", "stipple-local"])
def test_a_seed_repeats_bit_for_bit(model):
    """The same seed, the same dots; another, others."""
    options = {"model": model, "calls": 3}
    one, two, other = (placed(ramp(), 200, seed, **options) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_ink_in_one_pixel_and_along_a_line():
    """Dots lie where the only ink is, or within a pixel of it."""
    density = np.zeros((50, 80))
    density[20, 30] = 1
    assert abs(placed(density, 12) * [80, 50] - [30.5, 20.5]).max() < 0.75
    density[20, 10:70] = 1
    along = placed(density, 40) * [80, 50]
    assert abs(along[:, 1] - 20.5).max() < 1
    assert np.diff(np.sort(along[:, 0])).max() < 6


def test_it_says_how_dots_were_made():
    """Weights by name and hash, calls and steps as they were."""
    rng = np.random.default_rng(0)
    _, made = diffusion.place(ramp().astype(np.float32), 101, calls=2, polish=1, rng=rng)
    assert made["model"] == "stipple-student"
    assert made["weights"] == "stipple-student.safetensors"
    assert made["sha256"] == models.load(models.shipped("stipple-student")).sha256
    assert (made["calls"], made["polish_steps"], made["device"]) == (2, 1, "cpu")
    assert made["grid"][0] * made["grid"][1] - made["dots_thinned"] == 101


def test_it_can_be_cancelled():
    """From within the calls, and it has told where it is by then."""
    told = []

    def report(stage, fraction, text):
        told.append(fraction)
        if fraction > 0.3:
            raise error("cancelled", "Enough.")

    with pytest.raises(Cancelled):
        placed(ramp(), 100, progress=Progress(report))
    assert told == sorted(told)


def test_other_weights_are_refused(tmp_path):
    """Those of another engine."""
    models.save(tmp_path / "w.safetensors", {"a": torch.ones(1)}, {"kind": "vectorizer"})
    with pytest.raises(InvalidInput) as caught:
        placed(ramp(), 100, model=tmp_path / "w.safetensors")
    assert caught.value.failure.code == "unusable-input"


def test_first_labels_are_near():
    """Each pixel's first label is at most a block farther than the nearest site."""
    sites = np.random.default_rng(0).uniform(0, [50, 30], (40, 2)).astype(np.float32)
    labels = diffusion.first_labels(sites, (30, 50))
    y, x = np.mgrid[0:30, 0:50] + 0.5
    centres = np.column_stack([x.ravel(), y.ravel()])
    least = cKDTree(sites).query(centres)[0]
    assert (np.hypot(*(sites[labels.ravel()] - centres).T) <= least + 6).all()


# -- quality


@pytest.mark.parametrize("picture", [ramp, gauss, blobs])
def test_default_quality(picture):
    """Four calls and three steps: even masses, good spacing, and nearer to the density than Secord's dots."""
    density = picture()
    points = placed(density, 600)
    params = StippleParams(dots=600, engine="wvs", iterations=30)
    rng = np.random.default_rng(0)
    relaxed, labels = lloyd.begin(density.astype(np.float32), params, rng)
    lloyd.relax(relaxed, labels, density.astype(np.float32), params, rng, Progress())
    assert metrics.capacity_error(points, density) < 0.012
    assert metrics.spatial_measure(points, density, "mass") > 0.82
    assert metrics.emd(points, density, 2500) < metrics.emd(relaxed / SIDE, density, 2500)


@pytest.mark.parametrize("picture", [ramp, gauss, blobs])
@pytest.mark.parametrize(("model", "calls"), [("stipple-student", 4), ("stipple-local", 50)])
def test_nets_alone(picture, model, calls):
    """Without any step of the classical engine."""
    density = picture()
    points = placed(density, 600, model=model, calls=calls, polish=0)
    assert metrics.capacity_error(points, density) < 0.03
    assert metrics.spatial_measure(points, density, "mass") > 0.77


@pytest.mark.parametrize("polish", [0, 3])
def test_the_ramp_keeps_its_tones_and_no_rows(polish):
    """Strips of x^2 within .006 of their masses, and next to nothing left of the grid's axes."""
    fine = np.tile(((np.arange(256) + 0.5) / 256) ** 2, (256, 1))
    points = placed(fine, 1024, polish=polish)
    np.testing.assert_allclose(metrics.strips(points), np.array([1, 7, 19, 37]) / 64, atol=0.006)
    whole, windows = fourfold(points)
    assert whole < 0.15
    assert windows < 0.2


def test_turned_pictures_are_as_good():
    """A picture on its side gives dots as even and as well spaced."""
    for density, turned in ((blobs(), blobs().T), (ramp(), ramp().T)):
        one, two = placed(density, 500), placed(np.ascontiguousarray(turned), 500)
        capacity = [metrics.capacity_error(p, d) for p, d in ((one, density), (two, turned))]
        spacing = [metrics.spatial_measure(p, d, "mass") for p, d in ((one, density), (two, turned))]
        assert abs(capacity[0] - capacity[1]) < 0.004
        assert spacing[0] == pytest.approx(spacing[1], rel=0.05)


def test_gradients_of_dots_by_the_density():
    """Through grid and net, the mean of a smooth function over the dots follows the density as mass does, to 10 %."""
    *_, net = placing._loaded(models.shipped("stipple-student"), "cpu", 0)
    density = np.exp(-((X - 0.5) ** 2 + (Y - 0.5) ** 2) / 0.12) + 0.1
    given = torch.from_numpy(density.astype(np.float32)).requires_grad_()
    start = sampler.START * torch.randn(1, 20, 20, 2, generator=torch.Generator().manual_seed(1))
    dots = placing.run(net, given, (20, 20), start, sampler.levels(4)) / SIDE
    (slope,) = torch.autograd.grad(torch.cos(2.1 * dots[:, 0] + 1.3 * dots[:, 1]).mean(), given)
    function, mass = np.cos(2.1 * X + 1.3 * Y), density.sum()
    for change in (np.cos(3 * X) * np.cos(2 * Y), np.exp(-((X - 0.3) ** 2 + (Y - 0.6) ** 2) / 0.08), X * Y):
        truth = (function * change).sum() / mass - (function * density).sum() * change.sum() / mass**2
        assert float((slope.numpy() * change).sum()) == pytest.approx(truth, rel=0.1)


# -- what is shipped


@pytest.mark.parametrize("name", ["stipple-student", "stipple-local"])
def test_weights_come_with_their_papers(name):
    """A header that says how they were made, a card for people, and no great size."""
    path = models.shipped(name)
    assert path.stat().st_size < 2_000_000
    meta = models.load(path, name).meta
    assert {"architecture", "recipe", "steps", "data", "version"} <= meta.keys()
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "tessera train stipple" in card
    assert "icence" in card
