"""Recipes of the paper's model: losses fall, resumed runs are the same, weights can be used."""

import json

import numpy as np
import pytest
import torch

from tessera_backend import models
from tessera_backend.stipple.diffusion.paper import assignment, place
from tessera_backend.stipple.diffusion.training import loop, paper
from tessera_protocol.errors import InvalidInput

SMALL = {"width": 8, "depth": 1, "seed": 3}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(paper, "_SIDE", 6)
    monkeypatch.setattr(paper, "_POOL", 12)
    monkeypatch.setattr(paper, "_ITERATIONS", 6)
    monkeypatch.setattr(paper, "_HELD_OUT", 1)


def mean_loss(recipe):
    """Over the same sixteen batches each time."""
    recipe.net.eval()
    with torch.no_grad():
        return np.mean([float(loss) for step in range(100, 116) for loss in recipe.losses(step)])


def falls(recipe, path):
    """Train; whether the loss is lower than before, and the last line of the log."""
    before = mean_loss(recipe)
    loop.train(recipe, path)
    last = json.loads(path.with_suffix(".jsonl").read_text().splitlines()[-1])
    return mean_loss(recipe) < 0.99 * before, last


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base.safetensors"
    loop.train(paper.Base(loop.Settings(steps=5, **SMALL)), path)
    return path


def test_losses_of_the_base_fall(tmp_path, monkeypatch):
    """Twenty steps are enough."""
    monkeypatch.setattr(paper.Base, "rate", 5e-3)
    assert falls(paper.Base(loop.Settings(steps=20, **SMALL)), tmp_path / "b.safetensors")[0]


@pytest.mark.parametrize("variant", ["vanilla", "full"])
def test_losses_of_the_branch_fall_on_a_frozen_base(tmp_path, base, monkeypatch, variant):
    """Twenty steps lower the loss, the base is what it was, and the weights place dots."""
    monkeypatch.setattr(paper.Control, "rate", 2e-2)
    path = tmp_path / "c.safetensors"
    recipe = paper.Control(loop.Settings(steps=20, start=base, variant=variant, **SMALL))
    lower, last = falls(recipe, path)
    assert lower
    assert {"capacity_density", "capacity_kd", "spacing_density", "spacing_kd"} < set(last)
    known, before = models.load(path, "stipple-paper"), models.load(base, "stipple-paper-base")
    assert all(torch.equal(known.tensors[f"base.{name}"], values) for name, values in before.tensors.items())
    assert known.meta["architecture"]["variant"] == variant
    assert known.meta["recipe"]["targets"] == "tone"
    assert known.meta["data"] == ["procedural fields"]
    sites, _ = place(np.ones((30, 30), np.float32), 40, path, steps=2, rng=np.random.default_rng(0))
    assert len(sites) == 40


@pytest.mark.parametrize("name", ["base", "control"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, base, monkeypatch, name):
    """Bit for bit."""
    settings = loop.Settings(steps=6, start=base if name == "control" else None, **SMALL)
    recipe = {"base": paper.Base, "control": paper.Control}[name]
    monkeypatch.setattr(recipe, "measures", lambda self, net: {})
    whole, halves = tmp_path / "whole.safetensors", tmp_path / "halves.safetensors"
    loop.train(recipe(settings), whole)
    stopped = recipe(settings)
    losses = stopped.losses

    def breaks(step):
        if step == 3:
            raise KeyboardInterrupt
        return losses(step)

    monkeypatch.setattr(stopped, "losses", breaks)
    monkeypatch.setattr(loop, "_KEEP_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        loop.train(stopped, halves)
    loop.train(recipe(settings), halves, resume=True)
    one, two = models.load(whole).tensors, models.load(halves).tensors
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_training_can_go_on_from_earlier_weights(tmp_path, base, monkeypatch):
    """Those of a branch are taken as they are, with their variant."""
    monkeypatch.setattr(paper.Control, "measures", lambda self, net: {})
    first = tmp_path / "first.safetensors"
    loop.train(paper.Control(loop.Settings(steps=2, start=base, variant="gated", **SMALL)), first)
    again = paper.Control(loop.Settings(steps=2, start=first, **SMALL))
    known = models.load(first)
    assert again.net.variant == "gated"
    assert all(torch.equal(values, known.tensors[name]) for name, values in again.net.state_dict().items())
    assert again.meta()["recipe"]["started_from"]["started_from"]["name"] == "stipple-paper-base"


def test_examples_are_turned_as_pictures_are():
    """Offsets of turned dots are the turned offsets, and the density under each dot stays."""
    rng = np.random.default_rng(0)
    points = rng.random((30, 36, 2))[0] * 6
    offsets = torch.from_numpy(assignment.encode(points, 6, 6))
    picture = torch.rand(1, 24, 24)
    for seed in range(12):
        [turned], [seen] = paper._turned([offsets], np.random.default_rng(seed), [picture])
        found = assignment.decode(turned.numpy())
        read = seen[0, (found[:, 1] * 4).astype(int), (found[:, 0] * 4).astype(int)]
        before = picture[0, (points[:, 1] * 4).astype(int), (points[:, 0] * 4).astype(int)]
        assert torch.allclose(read.sort().values, before.sort().values)


def test_control_needs_a_base():
    with pytest.raises(InvalidInput, match="recipe base"):
        paper.Control(loop.Settings(steps=1))


def test_other_words_are_refused(base):
    for wrong in ({"variant": "huge"}, {"targets": "bnot"}):
        with pytest.raises(InvalidInput):
            paper.Control(loop.Settings(steps=1, start=base, **wrong))
