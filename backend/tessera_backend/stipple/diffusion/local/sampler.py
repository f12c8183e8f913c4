"""From noise around the kd grid to dots: few calls of a student, or many of the net that it was taught by."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ....progress import SILENT, Progress
from .grid import Grid
from .net import Denoiser

# How wide dots are strewn around the grid before the first call of a student, spacings.
START = 0.5
# Noise that its first and its last call are told of. The first is told of less than there is: what a net takes for
# noise it takes back, towards the grid, and relaxation would then keep the grid's rows.
_FIRST, _LAST = 0.3, 0.05
# And of the ancestral sampler: from noise that hides the grid.
FULL_START, _FULL_LAST = 1.0, 0.02


def levels(calls: int, first: float = _FIRST, last: float = _LAST) -> list[float]:
    """Levels of noise, spaced by cube roots: denser where dots are nearly in place."""
    if calls == 1:
        return [first]
    low, high = last ** (1 / 3), first ** (1 / 3)
    return [float((high + i / (calls - 1) * (low - high)) ** 3) for i in range(calls)]


def full_levels(calls: int) -> list[float]:
    """Levels for `sample` with `renew` 1, which is ancestral sampling."""
    return levels(calls, FULL_START, _FULL_LAST)


def sample(
    net: Denoiser,
    grid: Grid,
    offsets: Tensor,
    steps: Sequence[float],
    renew: float = 0.0,
    generator: torch.Generator | None = None,
    progress: Progress = SILENT,
) -> Tensor:
    """Offsets of dots, (B, rows, columns, 2), spacings.

    Args:
        offsets: where dots start, of that shape: normal noise of deviation `START`, or `FULL_START` for `full_levels`.
        steps: levels of noise, falling, one a call.
        renew: share of the noise that is drawn anew after each call, [0, 1]; 0 (DDIM) is for a student, 1
            (ancestral) for a net that was trained on targets alone.
        generator: of the new noise, on the CPU; needed if `renew` is not 0.
        progress: told before each call.
    """
    for i, level in enumerate(steps):
        progress("placing", i / len(steps), f"Placing dots, call {i + 1} of {len(steps)}")
        estimate = net(grid, offsets, torch.full((len(offsets),), level, device=offsets.device))
        following = steps[i + 1] if i + 1 < len(steps) else 0.0
        kept = (offsets - estimate) / level
        if renew and following:
            fresh = torch.randn(kept.shape, generator=generator).to(kept)
            kept = renew * fresh + (1 - renew * renew) ** 0.5 * kept
        offsets = estimate + following * kept
    return offsets
