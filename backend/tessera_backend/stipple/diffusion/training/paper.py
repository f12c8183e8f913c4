"""Recipes `base` and `control`: the paper's model, first without, then with densities (Gilad et al. 2026, section 4).

Differences from the text: targets come from engine `tone`, which keeps the greys, where the paper has `wvs`, which does
not; batches are turned and mirrored; and weights are averaged, as the loop does for all recipes.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tessera_protocol.errors import error
from tessera_protocol.jobs import StippleParams

from .... import models
from ....progress import SILENT
from ... import gbn, lloyd, metrics
from ..paper import assignment, control, placing, schedule
from ..paper.unet import PAPER, Architecture, UNet
from . import densities, targets
from .local import data, described
from .loop import Recipe, Settings

BASE = "stipple-paper-base"
# Cells along a side of the grid, as the paper has it.
_SIDE = 32
_BATCH = 8
# Examples kept; the oldest is replaced after so many steps.
_POOL = 256
_STAY = 16
_PIXELS_PER_CELL = 10
_ITERATIONS = 30
TARGETS = ("tone", "wvs")
_HELD_OUT = 4
# Shares of examples on constant density, and of steps among the last 300; for `base`.
_EVEN, _LATE = 0.25, 0.75


class Base(Recipe):
    """Blue noise without being told of a density.

    A quarter of the examples are 1024 dots of engine `gbn` on constant grey, as all are for the paper's base. The
    others are what `control` learns from, without the densities: offsets there are many cells long, and a base that
    has never seen such, and stays frozen, is of no use to it.
    """

    kind = BASE
    rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        _check("targets", settings.targets, TARGETS)
        # What is small and trained for minutes does not overfit.
        dropout = PAPER.dropout if settings.width >= PAPER.width else 0.0
        torch.manual_seed(settings.seed)
        self.net: UNet = UNet(Architecture(settings.width, PAPER.multipliers, settings.depth, dropout))
        if settings.start is not None:
            known = models.load(settings.start, BASE)
            self.net = UNet(Architecture.of(known.meta["architecture"]))
            self.net.load_state_dict(known.tensors)
        self.net.to(settings.device)
        self._known = densities.pictures(settings.pictures)
        self._pool = _Pool(settings.seed, self._example)

    def losses(self, step: int) -> Iterator[Tensor]:
        rng = _seeded(self.generator(step))
        offsets = _turned([offsets for offsets, _ in self._pool.batch(step, rng)], rng)[0].to(self.settings.device)
        # Most from the steps that `control` uses.
        most = np.where(rng.random(_BATCH) < _LATE, schedule.TRUNCATED, schedule.STEPS)
        steps = torch.from_numpy(rng.integers(0, most)).to(offsets.device)
        noise = _normal(offsets, rng)
        predicted = self.net(schedule.noised(offsets, steps, noise), steps)
        yield ((predicted - noise) ** 2).mean()

    def _example(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        if rng.random() < _EVEN:
            side = _SIDE * 8
            return _relaxed(np.ones((side, side), np.float32), "gbn", rng), torch.empty(0)
        return _toned(rng, self._known, self.settings.targets)

    def meta(self) -> dict[str, Any]:
        return {
            "architecture": dataclasses.asdict(self.net.architecture),
            "recipe": described(self),
            "data": [*data(self), "constant density"],
        }


class Control(Recipe):
    """The branch on a frozen base, with densities made on the fly, over the last 300 steps, Min-SNR weighted."""

    kind = placing.KIND
    rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        if settings.start is None:
            raise error(
                "missing-input",
                "The recipe control needs weights of recipe base.",
                field="start",
                remedy="Train base first, and name its file with --start.",
            )
        _check("variant", settings.variant, tuple(control.VARIANTS))
        _check("targets", settings.targets, TARGETS)
        self.net, self._earlier = _begun(settings)
        self._known = densities.pictures(settings.pictures)
        self._pool = _Pool(settings.seed, lambda rng: _toned(rng, self._known, settings.targets))
        self._held_out: list[np.ndarray] = []

    def losses(self, step: int) -> Iterator[Tensor]:
        rng = _seeded(self.generator(step))
        examples = self._pool.batch(step, rng)
        offsets, rasters = _turned([e[0] for e in examples], rng, [e[1] for e in examples])
        offsets, rasters = offsets.to(self.settings.device), rasters.to(self.settings.device)
        steps = torch.from_numpy(rng.integers(0, schedule.TRUNCATED, _BATCH)).to(offsets.device)
        noise = _normal(offsets, rng)
        predicted = self.net(schedule.noised(offsets, steps, noise), steps, self.net.look(rasters))
        yield (((predicted - noise) ** 2).mean((1, 2, 3)) * schedule.loss_weights(steps)).mean()

    def measures(self, net: nn.Module) -> dict[str, float]:
        """Capacity error and spacing on densities that are never learned from, after 20 steps thrice."""
        if not self._held_out:
            rng = np.random.default_rng([1, 1 << 40])
            raster = 16 * _SIDE, 16 * _SIDE
            self._held_out = [_density(rng, [], raster) for _ in range(_HELD_OUT)]
        found: dict[str, list[float]] = {}
        for i, density in enumerate(self._held_out):
            for start in ("density", "kd"):
                rng = np.random.default_rng(i)
                sites, _ = placing.place_piece(net.eval(), density, _SIDE * _SIDE, "repaint", 20, start, 300, rng)
                points = sites / np.array(density.shape[::-1], np.float64)
                found.setdefault(f"capacity_{start}", []).append(metrics.capacity_error(points, density))
                found.setdefault(f"spacing_{start}", []).append(metrics.spatial_measure(points, density, "mass"))
        return {name: round(float(np.mean(values)), 4) for name, values in found.items()}

    def meta(self) -> dict[str, Any]:
        recipe = {**described(self), "targets": self.settings.targets, "started_from": self._earlier}
        return {"architecture": self.net.architecture, "recipe": recipe, "data": data(self)}


def _begun(settings: Settings) -> tuple[control.Controlled, dict[str, Any]]:
    """The net that `start` names, be it a base, which gets a fresh branch, or one with a branch; and its recipe."""
    known = models.load(settings.start)
    if known.meta.get("kind") == placing.KIND:
        net = control.Controlled.of(known.meta["architecture"])
        net.load_state_dict(known.tensors)
    else:
        known = models.load(settings.start, BASE)
        base = UNet(Architecture.of(known.meta["architecture"]))
        base.load_state_dict(known.tensors)
        torch.manual_seed(settings.seed)
        net = control.Controlled(base, settings.variant)
    return net.to(settings.device), {**known.meta["recipe"], "steps": known.meta["steps"]}


class _Pool:
    """A window over an endless list of examples, which moves on with the steps; each is made when it is needed."""

    def __init__(self, seed: int, make: Callable[[np.random.Generator], tuple[Tensor, Tensor]]) -> None:
        self._seed, self._make = seed, make
        self._kept: OrderedDict[int, tuple[Tensor, Tensor]] = OrderedDict()

    def batch(self, step: int, rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
        return [self._example(int(i)) for i in step // _STAY + rng.integers(0, _POOL, _BATCH)]

    def _example(self, index: int) -> tuple[Tensor, Tensor]:
        if index not in self._kept:
            self._kept[index] = self._make(np.random.default_rng([self._seed, 1 << 32, index]))
            if len(self._kept) > 2 * _POOL:
                self._kept.popitem(last=False)
        return self._kept[index]


def _toned(rng: np.random.Generator, known: list[np.ndarray], engine: str) -> tuple[Tensor, Tensor]:
    """Offsets of dots that an engine placed on a random density, and its raster."""
    density = _density(rng, known, (_SIDE * _PIXELS_PER_CELL, _SIDE * _PIXELS_PER_CELL))
    return _relaxed(density, engine, rng), control.raster_of(torch.from_numpy(density), _SIDE, _SIDE)[0]


def _density(rng: np.random.Generator, known: list[np.ndarray], raster: tuple[int, int]) -> np.ndarray:
    """A random density, cut to its ink."""
    grid, _ = targets.scene(rng, known, _SIDE, _SIDE, raster)
    return grid.density[0, 0].numpy()


def _relaxed(density: np.ndarray, engine: str, rng: np.random.Generator) -> Tensor:
    """Offsets of dots that an engine placed, (2, 32, 32), cells."""
    params = StippleParams(dots=_SIDE * _SIDE, engine=engine, iterations=_ITERATIONS, tolerance=0.0)
    sites, labels = lloyd.begin(density, params, rng)
    (gbn if engine == "gbn" else lloyd).relax(sites, labels, density, params, rng, SILENT)
    cell = np.array(density.shape[::-1]) / _SIDE
    return torch.from_numpy(assignment.encode(sites / cell, _SIDE, _SIDE))


def _turned(offsets: list[Tensor], rng: np.random.Generator, *others: list[Tensor]) -> list[Tensor]:
    """Batches of offsets and of pictures, each example in one of the square's eight positions."""
    turned: list[list[Tensor]] = [[] for _ in range(1 + len(others))]
    for i, planes in enumerate(offsets):
        across, down, transposed = rng.integers(2, size=3)
        own, *pictures = planes, *(other[i] for other in others)
        if across:
            own = own.flip(-1) * own.new_tensor([-1.0, 1.0])[:, None, None]
            pictures = [p.flip(-1) for p in pictures]
        if down:
            own = own.flip(-2) * own.new_tensor([1.0, -1.0])[:, None, None]
            pictures = [p.flip(-2) for p in pictures]
        if transposed:
            own = own.flip(0).transpose(-1, -2)
            pictures = [p.transpose(-1, -2) for p in pictures]
        for kept, one in zip(turned, [own, *pictures], strict=True):
            kept.append(one)
    return [torch.stack(batch) for batch in turned]


def _seeded(rng: np.random.Generator) -> np.random.Generator:
    """The same, after dropout was seeded from it."""
    torch.manual_seed(int(rng.integers(1 << 62)))
    return rng


def _normal(like: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(like.shape, dtype=np.float32)).to(like.device)


def _check(field: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        words = ", ".join(allowed)
        problem = f"{field.capitalize()} is {given!r}, but {words} are possible."
        raise error("out-of-range", problem, field=field, given=given, allowed=words)
