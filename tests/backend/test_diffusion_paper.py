"""The paper's model: assignment, nets, schedule and sampler."""

import builtins
import dataclasses
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend import models
from tessera_backend.progress import SILENT, Progress
from tessera_backend.stipple import metrics
from tessera_backend.stipple.diffusion.paper import assignment, control, placing, sampler, schedule
from tessera_backend.stipple.diffusion.paper.control import Controlled, raster_of
from tessera_backend.stipple.diffusion.paper.unet import PAPER, SMALL, Architecture, UNet
from tessera_protocol.errors import Cancelled, InvalidInput

TINY = Architecture(width=8, multipliers=(1, 2), blocks=1, dropout=0.0)


@pytest.fixture
def net():
    return tiny()


def tiny(variant="full", awake=True):
    """A small net; awake, its branch has a say."""
    torch.manual_seed(0)
    made = Controlled(UNet(TINY), variant)
    if awake:
        for parameter in made.branch.inject.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    return made.eval()


@pytest.fixture
def weights(net, tmp_path):
    path = tmp_path / "tiny.safetensors"
    models.save(path, net.state_dict(), {"kind": placing.KIND, "architecture": net.architecture})
    return path


def ramp(height=48, width=64):
    return np.tile(((np.arange(width) + 0.5) / width) ** 2, (height, 1)).astype(np.float32)


def seen(net, rows=8, columns=8):
    torch.manual_seed(1)
    return net.look(raster_of(torch.rand(40, 40), rows, columns)), torch.randn(1, 2, rows, columns)


def cost(points, cells, rows, columns):
    return ((points[cells] - assignment.centres(rows, columns)) ** 2).sum()


# -- assignment

sizes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))


@given(sizes)
@settings(max_examples=40, deadline=None)
def test_encoding_keeps_the_points(size):
    """Decoded, they are the same set, in the order of cells."""
    rows, columns, seed = size
    points = np.random.default_rng(seed).random((rows * columns, 2)) * (columns, rows)
    found = assignment.decode(assignment.encode(points, rows, columns))
    assert np.allclose(np.sort(found, 0), np.sort(points, 0), atol=1e-5)


@given(sizes)
@settings(max_examples=40, deadline=None)
def test_each_cell_gets_one_point(size):
    """By both ways, and the exact one is not dearer."""
    rows, columns, seed = size
    points = np.random.default_rng(seed).random((rows * columns, 2)) ** 2 * (columns, rows)
    ways = [way(points, rows, columns) for way in (assignment.exact, assignment.approximate)]
    for cells in ways:
        assert sorted(cells) == list(range(rows * columns))
    assert cost(points, ways[0], rows, columns) <= cost(points, ways[1], rows, columns) + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_assignment_is_the_best_of_all(seed):
    """Against every permutation of six points."""
    points = np.random.default_rng(seed).random((6, 2)) * (3, 2)
    least = min(cost(points, list(order), 2, 3) for order in itertools.permutations(range(6)))
    assert cost(points, assignment.exact(points, 2, 3), 2, 3) == pytest.approx(least)


def test_approximate_assignment_is_near_the_best():
    """Within two per cent on 20 x 24 cells, for points that crowd in a corner."""
    points = np.random.default_rng(0).random((480, 2)) ** 2 * (24, 20)
    exact, near = (cost(points, way(points, 20, 24), 20, 24) for way in (assignment.exact, assignment.approximate))
    assert near <= 1.02 * exact


def test_rows_are_y():
    """A point that is right of and above its centre has offsets (+, -), in the picture's first row."""
    points = assignment.centres(2, 3)
    points[1] += (0.25, -0.125)
    offsets = assignment.encode(points, 2, 3)
    assert offsets.shape == (2, 2, 3)
    assert offsets[:, 0, 1].tolist() == [0.25, -0.125]
    assert np.count_nonzero(offsets) == 2


@pytest.mark.parametrize(
    ("count", "height", "width", "shape"),
    [
        (1024, 5, 5, (32, 32)),
        (1000, 5, 5, (32, 32)),
        (1025, 5, 5, (33, 32)),
        (800, 10, 20, (20, 40)),
        (10, 1, 900, (1, 10)),
    ],
)
def test_grids(count, height, width, shape):
    """Square for squares; never more than a row too large."""
    assert assignment.grid_of(count, height, width) == shape


# -- nets


def test_the_papers_sizes():
    """27 million parameters of the U-Net, 17 more of its branch, without memory for any."""
    with torch.device("meta"):
        net = Controlled(UNet(PAPER))
        condition = net.look(torch.empty(2, 1, 128, 128))
        found = net(torch.empty(2, 2, 32, 32), torch.empty(2), condition)
    assert found.shape == (2, 2, 32, 32)
    assert condition.features.shape == (2, 16, 128, 128)
    assert [layer.in_channels for layer in net.branch.hint if hasattr(layer, "in_channels")] == [19, 32, 64]
    assert sum(p.numel() for p in net.base.parameters()) == 27_316_226
    assert sum(p.numel() for p in net.branch.parameters()) == 16_736_416
    assert net.base.encoder.channels == [128, 128, 256, 256, 384, 384, 384]


@pytest.mark.parametrize("variant", control.VARIANTS)
def test_a_fresh_branch_changes_nothing(variant):
    """In all variants: what it injects starts as 0."""
    net = tiny(variant, awake=False)
    condition, offsets = seen(net)
    steps = torch.tensor([7])
    assert torch.equal(net(offsets, steps, condition), net.base(offsets, steps))
    assert (condition.features is None) == (variant in ("vanilla", "gated"))


def test_the_base_does_not_learn(net):
    """Gradients reach every part of the branch, and nothing of the base; dropout stays off in it."""
    net.train()
    condition, offsets = seen(net)
    net(offsets, torch.tensor([7]), condition).square().sum().backward()
    assert all(p.grad is None for p in net.base.parameters())
    assert all(p.grad is not None and p.grad.any() for p in net.branch.parameters())
    assert net.branch.training
    assert not any(module.training for module in net.base.modules())


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 2), (5, 9), (32, 33)], ids=str)
def test_grids_of_any_size(net, shape):
    """Odd sides, and sides too small to be reflected."""
    condition, offsets = seen(net, *shape)
    assert net(offsets, torch.tensor([7]), condition).shape == (1, 2, *shape)


def test_features_are_read_where_dots_are(net):
    """A dot over the middle between two pixels sees their mean; one off the picture sees its border."""
    features = torch.arange(16.0).view(1, 1, 1, 16).expand(1, 16, 8, 16)
    offsets = torch.zeros(1, 2, 2, 4)
    offsets[0, 0, 0, 1] = 0.25
    offsets[0, 0, 0, 2] = 50.0
    found = control._read(features, offsets)
    assert found.shape == (1, 16, 2, 4)
    assert torch.allclose(found[0, 0, 1], torch.tensor([1.5, 5.5, 9.5, 13.5]))
    assert torch.allclose(found[0, 0, 0], torch.tensor([1.5, 6.5, 15.0, 13.5]))


def test_greys_may_be_scaled():
    """Half the greys ask for the same dots."""
    density = torch.rand(30, 50)
    assert torch.allclose(raster_of(density, 6, 10), raster_of(density / 2, 6, 10))
    assert float((raster_of(density, 6, 10) ** 2).mean()) == pytest.approx(1.0, rel=1e-5)


def test_architectures_survive_json(net):
    values = {**dataclasses.asdict(SMALL), "multipliers": [1, 2, 3]}
    assert Architecture.of(values) == SMALL
    assert Controlled.of({**net.architecture, "multipliers": [1, 2]}).architecture == net.architecture


# -- schedule


def test_the_papers_noise():
    """At step 300, 62 % of the variance is left, and Min-SNR acts below step 182 only."""
    assert float(schedule.KEPT[299]) == pytest.approx(0.62, abs=0.002)
    weights = schedule.loss_weights(torch.arange(300))
    assert torch.equal(weights[183:], torch.ones(117))
    assert (weights[:182].diff() > 0).all()
    assert weights[0] == pytest.approx(5 * 1e-4, rel=0.01)


def test_steps_of_a_perfect_net_end_where_they_should():
    """With the true noise as prediction, ancestral sampling comes to the offsets themselves, however many steps."""
    torch.manual_seed(0)
    goal = torch.randn(1, 2, 4, 4, dtype=torch.float64)
    for count in (1, 7, 300):
        steps = [*schedule.respaced(count), -1]
        now = schedule.noised(goal, torch.tensor([299]), torch.randn_like(goal))
        for step, following in itertools.pairwise(steps):
            kept = float(schedule.KEPT[step])
            noise = (now - kept**0.5 * goal) / (1 - kept) ** 0.5
            now = schedule.step_back(now, noise, step, following, torch.randn_like(goal))
        assert torch.allclose(now, goal)


def test_a_step_forth_adds_the_steps_noise():
    """From noised offsets at one step to those at a later one, in mean and in variance."""
    torch.manual_seed(0)
    goal = torch.full((1, 2, 300, 300), 3.0, dtype=torch.float64)
    at = schedule.noised(goal, torch.tensor([100]), torch.randn_like(goal))
    later = schedule.step_forth(at, 250, 100, torch.randn_like(goal))
    kept = float(schedule.KEPT[250])
    assert float(later.mean()) == pytest.approx(3 * kept**0.5, abs=0.01)
    assert float(later.var()) == pytest.approx(1 - kept, rel=0.01)


@pytest.mark.parametrize("count", [1, 3, 20, 299, 300])
def test_respacing(count):
    steps = schedule.respaced(count)
    assert steps[0] == 299
    assert len(set(steps)) == len(steps) == count
    assert sorted(steps, reverse=True) == steps
    assert steps[-1] >= 0


# -- sampler


def counted(net):
    """The net, and a list that grows with each call."""
    calls = []
    net.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_the_papers_898_calls(net):
    """300 steps, of which all but the last are gone through three times."""
    calls = counted(net)
    condition, offsets = seen(net, 3, 3)
    with torch.inference_mode():
        sampler.sample(net, condition, offsets, "repaint", 300, torch.Generator().manual_seed(0))
    assert len(calls) == sampler.calls_of("repaint", 300) == 898


@pytest.mark.parametrize("name", sampler.SAMPLERS)
def test_samplers(net, weights, name):
    """Same dots twice, bit for bit; others for another seed; as many calls as said, and progress to each."""
    told = []
    progress = Progress(lambda stage, fraction, text: told.append((stage, fraction, text)))

    def placed(seed, progress=SILENT):
        return placing.place(
            ramp(), 50, weights, sampler=name, steps=6, rng=np.random.default_rng(seed), progress=progress
        )

    (first, info), (second, _), (other, _) = placed(0, progress), placed(0), placed(1)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float32
    assert info["calls"] == len([text for _, _, text in told if "call" in text]) == (16 if name == "repaint" else 6)
    assert [f for _, f, _ in told] == sorted(f for _, f, _ in told)


def test_samplers_of_diffusers_reach_a_known_goal(monkeypatch):
    """With a perfect net, both come to the offsets themselves."""
    torch.manual_seed(0)
    goal = torch.randn(1, 2, 4, 4)

    class Perfect(torch.nn.Module):
        def forward(self, offsets, steps, condition):
            kept = schedule.KEPT[steps].float()[:, None, None, None]
            return (offsets - kept.sqrt() * goal) / (1 - kept).sqrt()

    for name in sampler.DIFFUSERS:
        for truncation in (60, 300):
            generator = torch.Generator().manual_seed(0)
            found = sampler.sample(Perfect(), None, torch.zeros_like(goal), name, 10, generator, truncation)
            assert torch.allclose(found, goal, atol=1e-3)


def test_without_diffusers(net, monkeypatch):
    """Said in a sentence, with what to do."""
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "diffusers":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    condition, offsets = seen(net)
    with pytest.raises(InvalidInput, match="pip install diffusers"):
        sampler.sample(net, condition, offsets, "ddim", 5, torch.Generator())


# -- placing


@pytest.mark.parametrize("start", sampler.STARTS)
@pytest.mark.parametrize(("dots", "shape"), [(10, (48, 64)), (37, (20, 90)), (64, (33, 33))])
def test_as_many_dots_as_asked(weights, dots, shape, start):
    """Inside the picture, on oblong ones, too."""
    density = ramp(*shape)
    sites, info = placing.place(density, dots, weights, start=start, steps=2, rng=np.random.default_rng(0))
    assert sites.shape == (dots, 2)
    assert (sites >= 0).all()
    assert (sites < shape[::-1]).all()
    assert 0 <= info["dots_thinned"] == info["cells"] - dots < 10
    assert info["weights"] == "tiny.safetensors"


def test_large_grids_are_cut(weights, monkeypatch):
    """Into pieces that have dots as their mass asks for; none without ink."""
    monkeypatch.setattr(placing, "MOST_SIDE", 6)
    density = ramp(64, 96)
    density[:, 40:60] = 0
    parts = placing.pieces(density, 200)
    assert len(parts) > 5
    assert sum(count for _, count in parts) == 200
    for (top, bottom, left, right), count in parts:
        share = density[top:bottom, left:right].sum() / density.sum()
        assert count == pytest.approx(200 * share, abs=3)
        assert max(assignment.grid_of(count, bottom - top, right - left)) <= 6
    sites, info = placing.place(density, 200, weights, steps=1, rng=np.random.default_rng(0))
    assert len(sites) == 200
    assert info["pieces"] == len(parts)


def test_starts_follow_the_density():
    """Both put a quarter of the mass's dots where a quarter of the mass is."""
    density = ramp()
    for start in sampler.STARTS:
        points = sampler.start_points(density, 20, 20, start, np.random.default_rng(0))
        assert points.shape == (400, 2)
        assert np.mean(points[:, 0] < 64 * 0.25 ** (1 / 3)) == pytest.approx(0.25, abs=0.07)
    density[:, 20:] = 0
    points = sampler.start_points(density, 20, 20, "density", np.random.default_rng(0))
    assert points[:, 0].max() < 20


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"sampler": "euler"}, "sampler"),
        ({"start": "grid"}, "start"),
        ({"steps": 301}, "steps"),
        ({"truncation": 0}, "truncation"),
    ],
)
def test_wrong_values(weights, wrong, field):
    with pytest.raises(InvalidInput) as caught:
        placing.place(ramp(), 50, weights, rng=np.random.default_rng(0), **wrong)
    assert caught.value.failure.field == field


def test_placing_can_be_cancelled(weights):
    with pytest.raises(Cancelled):
        placing.place(ramp(), 50, weights, rng=np.random.default_rng(0), progress=Progress(cancelled=lambda: True))


def test_shipped_weights():
    """From random dots to even ones on a smooth density, by the paper's start with few steps; and under 16 MB."""
    density = ramp(256, 256)
    sites, info = placing.place(
        density, 1024, sampler="ancestral", steps=20, start="density", truncation=300, rng=np.random.default_rng(0)
    )
    points = sites / np.float64(256)
    assert metrics.capacity_error(points, density) < 0.08
    assert metrics.spatial_measure(points, density, "mass") > 0.68
    assert info["weights"] == "stipple-paper.safetensors"
    assert models.shipped("stipple-paper").stat().st_size < 16e6
