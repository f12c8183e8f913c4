"""Training: losses fall, runs resume as if they had not stopped, and weights say how they were made."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tessera_backend import models
from tessera_backend.cli.train import train_command
from tessera_backend.stipple import metrics
from tessera_backend.stipple.diffusion import training
from tessera_backend.stipple.diffusion.training import local, loop, student, targets
from tessera_protocol.errors import InvalidInput

SMALL = {"width": 8, "depth": 1, "seed": 3}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Grids of a few dots: what is tested is the way, not where it leads."""
    monkeypatch.setattr(local, "_SIZES", {(6, 6): 0.5, (5, 8): 0.5})
    monkeypatch.setattr(local, "_BATCH_CELLS", 160)
    monkeypatch.setattr(local, "_POOL", 20)
    monkeypatch.setattr(local, "_STEPS", 6)
    monkeypatch.setattr(student, "_SIZES", ((6, 6),))
    monkeypatch.setattr(student, "_OFTEN", (1.0,))
    monkeypatch.setattr(student, "_BATCH_CELLS", 72)


@pytest.fixture
def teacher(tmp_path):
    path = tmp_path / "teacher.safetensors"
    loop.train(local.Local(loop.Settings(steps=5, **SMALL)), path)
    return path


def weights(path):
    return models.load(path).tensors


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


def test_losses_fall(tmp_path, monkeypatch):
    """Sixty fast steps on small grids take something off what an untrained net has."""
    monkeypatch.setattr(local.Local, "rate", 2e-2)
    recipe = local.Local(loop.Settings(steps=60, **SMALL))
    loop.train(recipe, tmp_path / "w.safetensors")
    lines = [json.loads(line) for line in (tmp_path / "w.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 40, 60]
    assert lines[-1]["loss"] < 0.98 * lines[0]["loss"]
    header = models.load(tmp_path / "w.safetensors", "stipple-local").meta
    assert header["architecture"] == {"width": 8, "depth": 1}
    assert header["steps"] == 60
    assert header["data"] == ["procedural fields"]
    assert header["recipe"] == {"name": "stipple-local", "seed": 3, "steps": 60}


@pytest.mark.parametrize("name", ["local", "student"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, teacher, monkeypatch, name):
    """Bit for bit, though everything that was in memory is gone."""
    start = teacher if name == "student" else None
    settings = loop.Settings(steps=8, start=start, **SMALL)
    whole, halves = tmp_path / "whole.safetensors", tmp_path / "halves.safetensors"
    loop.train(training.recipe(name)(settings), whole)

    stopped = training.recipe(name)(settings)
    losses = stopped.losses

    def breaks(step):
        if step == 4:
            raise KeyboardInterrupt
        return losses(step)

    monkeypatch.setattr(stopped, "losses", breaks)
    monkeypatch.setattr(loop, "_KEEP_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        loop.train(stopped, halves)
    assert not halves.exists()
    loop.train(training.recipe(name)(settings), halves, resume=True)
    assert same(weights(whole), weights(halves))


def test_seeds_repeat_and_differ(tmp_path):
    """The same seed, the same weights; another, others."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        recipe = local.Local(loop.Settings(steps=3, width=8, depth=1, seed=seed))
        loop.train(recipe, tmp_path / f"{name}.safetensors")
    a, b, c = (weights(tmp_path / f"{name}.safetensors") for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_resuming_asks_for_the_same_run(tmp_path, teacher):
    """Another run's state, and none at all, are told apart from a state to go on with."""
    with pytest.raises(InvalidInput) as caught:
        loop.train(local.Local(loop.Settings(steps=9, **SMALL)), teacher, resume=True)
    assert caught.value.failure.code == "unusable-input"
    with pytest.raises(InvalidInput) as caught:
        loop.train(local.Local(loop.Settings(steps=9, **SMALL)), tmp_path / "new.safetensors", resume=True)
    assert caught.value.failure.code == "missing-input"


def test_a_student_starts_from_its_teacher(teacher):
    """Its net has the teacher's shape and weights, and each of its calls has a loss."""
    recipe = student.Student(loop.Settings(steps=5, start=teacher, width=99, seed=0))
    assert same(weights(teacher), recipe.net.state_dict())
    losses = list(recipe.losses(0))
    assert len(losses) in student._CALLS
    assert all(float(loss.detach()) > 0 for loss in losses)


def test_the_teacher_improves_dots():
    """Targets keep the index and spend mass evenly."""
    rng = np.random.default_rng(0)
    grid, labels = targets.scene(rng, [], 12, 12, (96, 96))
    density = grid.density[0, 0]
    start = grid.dots(0.55 * local.normal_like(grid.points, rng))[0]
    goal = targets.relaxed(density, start, labels, 10, rng)
    before, after = (
        metrics.capacity_error(np.clip(s.numpy() / 96, 1e-6, 1 - 1e-6), density.numpy()) for s in (start, goal)
    )
    assert after < 0.02 < before
    moved = (grid.offsets(goal[None]) - grid.offsets(start[None])).norm(dim=-1)
    assert float(moved.median()) < 1


def test_the_command(tmp_path):
    """Weights, log and state lie where they were asked for."""
    output = tmp_path / "w.safetensors"
    arguments = ["stipple", "local", "--steps", "2", "--width", "8", "--depth", "1", "-o", str(output)]
    result = CliRunner().invoke(train_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "2 steps" in result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w.jsonl", "w.safetensors", "w.state"]


@pytest.mark.parametrize("arguments", [["stipple", "nonsense", "-o", "w.safetensors"], ["stipple", "local", "-o", "x"]])
def test_the_command_refuses_early(tmp_path, monkeypatch, arguments):
    """An unknown recipe and an unfit output are errors of the user."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(train_command, arguments)
    assert isinstance(result.exception, InvalidInput)
    assert not list(tmp_path.iterdir())
