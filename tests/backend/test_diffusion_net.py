"""What the net sees, what it does before it has learned, and how dots are drawn from it."""

import itertools

import numpy as np
import pytest
import torch

from tessera_backend.stipple import metrics
from tessera_backend.stipple.diffusion.local import features, relax, sampler
from tessera_backend.stipple.diffusion.local import grid as kd
from tessera_backend.stipple.diffusion.local.net import SPREAD, Denoiser
from tessera_backend.stipple.diffusion.training import densities


def scene(rows=8, columns=10, seed=1, side=64):
    density = densities.field(np.random.default_rng(seed), (side, side)) + 0.05
    return kd.encode(torch.from_numpy(density), rows, columns)[0]


def normal(grid, seed=0):
    return torch.randn(grid.points.shape, generator=torch.Generator().manual_seed(seed))


def busy(seed=0):
    """A net whose head is not 0, as if it had learned."""
    torch.manual_seed(seed)
    net = Denoiser(8, 2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net


def test_neighbours_are_the_nearest():
    """Against all distances, sorted; in the way of a GPU as well."""
    dots = torch.rand(2, 50, 2, generator=torch.Generator().manual_seed(3))
    expected = torch.cdist(dots, dots).argsort(-1)[..., 1 : features.NEIGHBOURS + 1]
    assert torch.equal(features.neighbours(dots), expected)
    assert torch.equal(features._by_matrix(dots, features.NEIGHBOURS), expected)


def test_few_dots_have_neighbours_too():
    """With five dots, four of them stand in for eight."""
    near = features.neighbours(torch.rand(1, 5, 2))
    assert near.shape == (1, 5, features.NEIGHBOURS)
    assert not (near == torch.arange(5)[None, :, None]).any()


def test_views_know_no_scale():
    """Twice the raster, or twice the density: the same view."""
    grid = scene()
    noise = 0.3 * normal(grid)
    large = kd.Grid(3 * grid.density.repeat_interleave(2, 2).repeat_interleave(2, 3), 2 * grid.points, 2 * grid.spacing)
    views = [features.look(g, g.dots(noise), features.neighbours(g.dots(noise))) for g in (grid, large)]
    # Samples between pixel centres differ a little from those of a raster with blocks of four.
    assert (views[0].channels - views[1].channels).abs().mean() < 0.01


def test_a_constant_lattice_sees_itself_at_rest():
    """Away from the borders, cells of a square lattice have nearly mass 1 and their centroid at the dot."""
    grid, _ = kd.encode(torch.full((64, 64), 0.5), 8, 8)
    dots = grid.dots(torch.zeros_like(grid.points))
    view = features.look(grid, dots, features.neighbours(dots))
    inner = torch.zeros(8, 8, dtype=torch.bool)
    inner[2:6, 2:6] = True
    assert view.centroid[0, inner.flatten()].abs().max() < 1e-3
    assert view.channels[0, inner.flatten(), -1].abs().max() < 0.15


def test_before_it_has_learned_the_net_shrinks_noise():
    """With its head at 0 the estimate is the best linear one: offsets times spread^2 / (spread^2 + noise^2)."""
    grid = scene()
    offsets = normal(grid)
    estimate = Denoiser(8, 1)(grid, offsets, torch.tensor([0.7]))
    torch.testing.assert_close(estimate, offsets * SPREAD**2 / (SPREAD**2 + 0.49))


def test_levels_fall():
    """From the first to the last, in as many calls as asked for; one call starts from the first."""
    assert sampler.levels(1) == [0.3]
    steps = sampler.levels(6)
    assert len(steps) == 6
    assert (steps[0], steps[-1]) == pytest.approx((0.3, 0.05))
    assert all(a > b for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize("renew", [0.0, 1.0])
def test_a_seed_repeats_bit_for_bit(renew):
    """The same noise, the same dots; other noise, others."""
    grid, net = scene(), busy()

    def dots(seed):
        with torch.no_grad():
            generator = torch.Generator().manual_seed(seed)
            return sampler.sample(net, grid, normal(grid, seed), sampler.levels(4), renew, generator)

    assert torch.equal(dots(1), dots(1))
    assert not torch.equal(dots(1), dots(2))


def test_a_batch_is_its_members():
    """Sampled together or alone, dots are the same."""
    one, two = scene(seed=1), scene(seed=2)
    noise = torch.cat([normal(one, 1), normal(two, 2)])
    with torch.no_grad():
        both = sampler.sample(busy(), kd.stack([one, two]), noise, sampler.levels(2))
        alone = [sampler.sample(busy(), g, n[None], sampler.levels(2)) for g, n in zip((one, two), noise, strict=True)]
    torch.testing.assert_close(both, torch.cat(alone), atol=1e-4, rtol=1e-3)


def test_chunks_change_nothing(monkeypatch):
    """Dots that are looked at in parts see what they see all at once."""
    grid = scene()
    dots = grid.dots(0.3 * normal(grid))
    near = features.neighbours(dots)
    with torch.no_grad():
        whole = features.look(grid, dots, near)
        monkeypatch.setattr(features, "_CHUNK", 7)
        parts = features.look(grid, dots, near)
    torch.testing.assert_close(whole.channels, parts.channels)
    torch.testing.assert_close(whole.centroid, parts.centroid)


def test_gradients_reach_the_density_through_features():
    """With the grid held still, finite differences of one call agree with its gradient."""
    torch.manual_seed(0)
    grid, net = scene(4, 5, side=32), busy().double()
    fixed = kd.Grid(grid.density.double(), grid.points.double(), grid.spacing.double())
    density = fixed.density.clone().requires_grad_()
    weights = torch.randn(fixed.points.shape, dtype=torch.float64)
    offsets = 0.3 * torch.randn(fixed.points.shape, dtype=torch.float64)

    def total(of):
        level = torch.tensor([0.3], dtype=torch.float64)
        return (net(kd.Grid(of, fixed.points, fixed.spacing), offsets, level) * weights).sum()

    (slope,) = torch.autograd.grad(total(density), density)
    # Of sum 0: the features take the density's mass as given.
    change = torch.randn(density.shape, dtype=torch.float64)
    change -= change.mean()
    step = 1e-6 * change
    with torch.no_grad():
        difference = float(total(density + step) - total(density - step)) / 2
    assert float((slope * step).sum()) == pytest.approx(difference, rel=1e-3)


def test_soft_relaxation_spaces_dots():
    """Without any learning: eight steps from the jittered grid halve the capacity error and gain spacing."""
    grid = scene(16, 16, side=128)
    density = grid.density[0, 0].numpy()
    start = 0.4 * normal(grid)
    with torch.no_grad():
        offsets = [start, relax.relax(grid, start, 8)]
    sets = [np.clip(grid.dots(o)[0].numpy() / 128, 1e-6, 1 - 1e-6) for o in offsets]
    before, after = (metrics.capacity_error(s, density) for s in sets)
    assert after < 0.5 * before
    assert metrics.spatial_measure(sets[1], density, "mass") > metrics.spatial_measure(sets[0], density, "mass") + 0.15
