"""From dots that roughly follow a density to dots that do so evenly: the last 300 steps of the diffusion.

Gilad et al. 2026, section 3.3. All noise is drawn on the CPU, so that one seed means the same noise on every device.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tessera_protocol.errors import TesseraError, error

from ....progress import SILENT, Progress
from ..local import grid as kd
from . import schedule
from .control import Condition, Controlled

# name -> how often each step is gone back up and down again.
ANCESTRAL = {"repaint": 2, "ancestral": 0}
DIFFUSERS = ("ddim", "dpm++")
SAMPLERS = (*ANCESTRAL, *DIFFUSERS)
STARTS = ("density", "kd")


def start_points(density: np.ndarray, rows: int, columns: int, start: str, rng: np.random.Generator) -> np.ndarray:
    """Where dots are before they get noise, float64 (rows columns, 2), pixels.

    Args:
        density: float32 (H, W), not negative, not all 0.
        start: "density" draws every dot from the density, on its own, which is what the paper's rejection sampling
            does; here by inverting the cumulative mass, in one round. "kd" takes the centroids of boxes of equal mass.
    """
    if start == "kd":
        grid, _ = kd.encode(torch.from_numpy(density), rows, columns)
        return grid.points.reshape(-1, 2).double().numpy()
    mass = np.cumsum(density, dtype=np.float64)
    count = rows * columns
    pixels = np.minimum(np.searchsorted(mass, rng.random(count) * mass[-1], side="right"), density.size - 1)
    y, x = np.divmod(pixels, density.shape[1])
    return np.column_stack([x, y]) + rng.random((count, 2))


def calls_of(sampler: str, steps: int) -> int:
    """How often the net is called: 898 times by the paper's "repaint" with 300 steps."""
    return steps + ANCESTRAL.get(sampler, 0) * (steps - 1)


def sample(
    net: Controlled,
    condition: Condition,
    offsets: Tensor,
    sampler: str,
    steps: int,
    generator: torch.Generator,
    truncation: int = schedule.TRUNCATED,
    progress: Progress = SILENT,
) -> Tensor:
    """Offsets of dots, (B, 2, rows, columns), cells.

    Args:
        offsets: of the dots to start from, of that shape, on the net's device; noise is added here.
        sampler: one of `SAMPLERS`.
        steps: how many of the last `truncation` are taken, 1 to all.
        generator: of all noise, on the CPU.
        truncation: 1 to 300; how much noise dots get to start with, 0.79 cells at 300.
        progress: told before each call.
    Raises:
        InvalidInput: "unusable-input" for "ddim" and "dpm++" where diffusers is not installed.
    """
    draw = _Noise(offsets, generator)
    first = torch.full((len(offsets),), truncation - 1)
    noisy = schedule.noised(offsets, first, draw())
    predict = _Counted(net, condition, calls_of(sampler, steps), progress)
    if sampler in ANCESTRAL:
        return _ancestral(predict, noisy, schedule.respaced(steps, truncation), ANCESTRAL[sampler], draw)
    return _with_diffusers(predict, noisy, sampler, steps, truncation)


class _Noise:
    """Draws standard normal noise of one shape."""

    def __init__(self, like: Tensor, generator: torch.Generator) -> None:
        self._like, self._generator = like, generator

    def __call__(self) -> Tensor:
        return torch.randn(self._like.shape, generator=self._generator).to(self._like)


class _Counted:
    """The net with everything but what changes from call to call."""

    def __init__(self, net: Controlled, condition: Condition, total: int, progress: Progress) -> None:
        self._net, self._condition, self._total, self._progress = net, condition, total, progress
        self._made = 0

    def __call__(self, offsets: Tensor, step: int) -> Tensor:
        self._progress("placing", self._made / self._total, f"Placing dots, call {self._made + 1} of {self._total}")
        self._made += 1
        return self._net(offsets, torch.full((len(offsets),), step, device=offsets.device), self._condition)


def _ancestral(predict: _Counted, offsets: Tensor, steps: list[int], jumps: int, draw: _Noise) -> Tensor:
    """Down all steps; at each but the last, up again and down `jumps` times, which gives dots time to spread."""
    for step, following in zip(steps, [*steps[1:], -1], strict=True):
        offsets = schedule.step_back(offsets, predict(offsets, step), step, following, draw())
        for _ in range(jumps if following >= 0 else 0):
            offsets = schedule.step_forth(offsets, step, following, draw())
            offsets = schedule.step_back(offsets, predict(offsets, step), step, following, draw())
    return offsets


def _with_diffusers(predict: _Counted, offsets: Tensor, sampler: str, steps: int, truncation: int) -> Tensor:
    """A scheduler of diffusers over the truncated schedule, which to it is a whole one."""
    scheduler = _scheduler(sampler, truncation)
    with warnings.catch_warnings():
        # It makes arrays of tensors in a way that numpy 2 will not keep for ever.
        warnings.simplefilter("ignore", DeprecationWarning)
        scheduler.set_timesteps(steps)
    for step in scheduler.timesteps.tolist():
        offsets = scheduler.step(predict(offsets, int(step)), int(step), offsets).prev_sample
    return offsets


def _scheduler(sampler: str, truncation: int) -> Any:
    try:
        import diffusers
    except ImportError as exc:
        raise _no_diffusers(sampler) from exc
    betas = schedule.BETAS[:truncation].float().numpy()
    common = {"num_train_timesteps": truncation, "trained_betas": betas, "timestep_spacing": "trailing"}
    if sampler == "ddim":
        return diffusers.DDIMScheduler(**common, clip_sample=False, set_alpha_to_one=True)
    return diffusers.DPMSolverMultistepScheduler(**common, algorithm_type="dpmsolver++", final_sigmas_type="zero")


def _no_diffusers(sampler: str) -> TesseraError:
    return error(
        "unusable-input",
        f"The sampler {sampler!r} needs the package diffusers, which is not installed.",
        field="sampler",
        given=sampler,
        allowed=", ".join(ANCESTRAL),
        remedy="Install it with: pip install diffusers. Or choose another sampler.",
    )
