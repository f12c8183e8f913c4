"""Recipe `local`: a denoiser that learns where the classical engine takes dots from around their kd grid."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .... import models
from ..local import grid as kd
from ..local.net import SPREAD, Denoiser
from . import densities, targets
from .loop import Recipe, Settings

KIND = "stipple-local"
# Rows and columns of grids, and how often each is learned from.
_SIZES = {(32, 32): 0.7, (20, 20): 0.15, (40, 28): 0.15}
_PIXELS_PER_CELL = 8
_BATCH_CELLS = 8192
# Targets kept of each size; with each batch one of its targets is replaced, so every one is used some ten times.
_POOL = 160
# Jitter of the start, spacings. From an even lattice, relaxation would keep its rows.
_JITTER = 0.55
_STEPS = 30
_LEAST_NOISE, _MOST_NOISE = 0.02, 1.0
# Offsets beyond this are of dots that were taken elsewhere because their cells were empty.
_FARTHEST = 2.0


class Local(Recipe):
    """Denoising score matching with a robust loss: residuals have heavy tails."""

    kind = KIND
    rate = 2e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.known = densities.pictures(settings.pictures)
        self.net = initial(settings, settings.start, KIND)
        self._pool: OrderedDict[tuple[int, int], tuple[kd.Grid, Tensor]] = OrderedDict()

    def losses(self, step: int) -> Iterator[Tensor]:
        rng = self.generator(step)
        size = int(rng.choice(len(_SIZES), p=list(_SIZES.values())))
        rows, columns = list(_SIZES)[size]
        # A window over an endless list of targets moves on with the steps, whether or not they are known yet.
        picked = step + rng.integers(0, _POOL, max(1, _BATCH_CELLS // (rows * columns)))
        examples = [self._example(size, int(i)) for i in picked]
        grid = on_device(kd.stack([e[0] for e in examples]), self.settings.device)
        offsets = torch.cat([e[1] for e in examples]).to(self.settings.device)
        low, high = math.log(_LEAST_NOISE), math.log(_MOST_NOISE)
        level = normal_like(torch.empty(len(offsets)), rng, uniform=True).to(offsets)
        level = (low + (high - low) * level).exp()
        noisy = offsets + level[:, None, None, None] * normal_like(offsets, rng)
        estimate = self.net(grid, noisy, level)
        scale = (level**2 + SPREAD**2) / (level * SPREAD) ** 2
        squared = ((estimate - offsets) ** 2).sum(-1) * scale[:, None, None]
        near = (offsets.abs().amax(-1) < _FARTHEST).float()
        yield (2 * ((1 + squared).sqrt() - 1) * near).mean()

    def meta(self) -> dict[str, Any]:
        return {"architecture": self.net.architecture, "recipe": described(self), "data": data(self)}

    def _example(self, size: int, index: int) -> tuple[kd.Grid, Tensor]:
        """Target number `index` of a size: its grid, and offsets of the relaxed dots."""
        key = size, index
        if key not in self._pool:
            rows, columns = list(_SIZES)[size]
            rng = np.random.default_rng([self.settings.seed, 1 << 32, size, index])
            raster = rows * _PIXELS_PER_CELL, columns * _PIXELS_PER_CELL
            grid, labels = targets.scene(rng, self.known, rows, columns, raster)
            start = grid.dots(_JITTER * normal_like(grid.points, rng))[0]
            dots = targets.relaxed(grid.density[0, 0], start, labels, _STEPS, rng)
            self._pool[key] = grid, grid.offsets(dots[None])
            if len(self._pool) > len(_SIZES) * _POOL:
                self._pool.popitem(last=False)
        return self._pool[key]


def initial(settings: Settings, start: Any, kind: str) -> Denoiser:
    """A fresh net, made from the seed, or one with the weights in a file of that kind."""
    torch.manual_seed(settings.seed)
    if start is None:
        return Denoiser(settings.width, settings.depth).to(settings.device)
    known = models.load(start, kind)
    net = Denoiser(**known.meta["architecture"])
    net.load_state_dict(known.tensors)
    return net.to(settings.device)


def normal_like(values: Tensor, rng: np.random.Generator, uniform: bool = False) -> Tensor:
    """Standard normal numbers, or uniform ones from 0 to 1, drawn on the CPU."""
    drawn = rng.random(values.shape) if uniform else rng.standard_normal(values.shape)
    return torch.from_numpy(drawn.astype(np.float32)).to(values.device)


def on_device(grid: kd.Grid, device: str) -> kd.Grid:
    """The grid there."""
    return kd.Grid(grid.density.to(device), grid.points.to(device), grid.spacing.to(device))


def described(recipe: Recipe) -> dict[str, Any]:
    """What would repeat the run, apart from the pictures."""
    settings = recipe.settings
    length = {"minutes": settings.minutes} if settings.steps is None else {"steps": settings.steps}
    start = {} if settings.start is None else {"start": settings.start.name}
    return {"name": recipe.kind, "seed": settings.seed, **length, **start}


def data(recipe: Any) -> list[str]:
    """Where densities came from."""
    folders = [f"{folder.name}: pictures of a folder" for folder in recipe.settings.pictures]
    return [*folders, "procedural fields"]
