"""Recipe `student`: the net is run as it will be used, and every call is drawn to the nearest optimum of its result.

Targets belong to the dots at hand, so nothing is averaged over the many ways in which dots could lie; and no gradient
has to go back through the sampler, since each call starts from where the one before has really ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .... import models
from ..local import grid as kd
from ..local.sampler import START, levels
from . import densities, local, targets
from .loop import Recipe, Settings

KIND = "stipple-student"
_SIZES = ((32, 32), (24, 24), (16, 16), (36, 28), (28, 40), (48, 48))
_OFTEN = (0.4, 0.15, 0.1, 0.1, 0.1, 0.15)
_PIXELS_PER_CELL = 8
_BATCH_CELLS = 4096
_CALLS = (2, 4, 4, 4, 6)
# In so many of the runs, noise is drawn anew between calls.
_RENEWED = 0.25
_TEACHER_STEPS = 8
_FARTHEST = 2.0


class Student(Recipe):
    """Distillation of relaxation into few calls."""

    kind = KIND
    rate = 8e-4

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.known = densities.pictures(settings.pictures)
        start = settings.start or models.shipped(local.KIND)
        self.net = local.initial(settings, start, local.KIND)

    def losses(self, step: int) -> Iterator[Tensor]:
        rng = self.generator(step)
        grid, labels = self._batch(rng)
        steps = levels(int(rng.choice(_CALLS)))
        renewed = rng.random() < _RENEWED
        offsets = START * local.normal_like(grid.points, rng)
        for level, following in zip(steps, [*steps[1:], 0.0], strict=True):
            estimate = self.net(grid, offsets, torch.full((len(offsets),), level, device=offsets.device))
            yield self._distance(grid, estimate, labels, rng) / len(steps)
            kept = local.normal_like(offsets, rng) if renewed else (offsets - estimate.detach()) / level
            offsets = estimate.detach() + following * kept

    def meta(self) -> dict[str, Any]:
        return {"architecture": self.net.architecture, "recipe": local.described(self), "data": local.data(self)}

    def _batch(self, rng: np.random.Generator) -> tuple[kd.Grid, list[np.ndarray]]:
        rows, columns = _SIZES[int(rng.choice(len(_SIZES), p=_OFTEN))]
        raster = rows * _PIXELS_PER_CELL, columns * _PIXELS_PER_CELL
        count = int(np.clip(_BATCH_CELLS // (rows * columns), 2, 8))
        scenes = [targets.scene(rng, self.known, rows, columns, raster) for _ in range(count)]
        return local.on_device(kd.stack([s[0] for s in scenes]), self.settings.device), [s[1] for s in scenes]

    def _distance(self, grid: kd.Grid, estimate: Tensor, labels: list[np.ndarray], rng: np.random.Generator) -> Tensor:
        """How far dots are from where relaxation takes them, with a robust norm in spacings."""
        dots = grid.dots(estimate).detach().cpu()
        density = grid.density.cpu()
        goals = [
            targets.relaxed(one[0], points, own, _TEACHER_STEPS, rng)
            for one, points, own in zip(density, dots, labels, strict=True)
        ]
        goal = grid.offsets(torch.stack(goals).to(estimate.device))
        squared = ((estimate - goal) ** 2).sum(-1)
        near = (squared.detach() < _FARTHEST**2).float()
        return (5 * ((0.01 + squared).sqrt() - 0.1) * near).mean()
