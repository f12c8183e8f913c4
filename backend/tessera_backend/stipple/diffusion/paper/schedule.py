"""How much noise each step of the diffusion has, and what a step back is.

Gilad et al. 2026, sections 3.3 and 4.1; the betas are those of Doignies et al.'s released model, whose last step still
keeps 8 % of the offsets' scale.
"""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = 1000
# Only the last of them are gone through, from dots that already follow the density (SDEdit, Meng et al. 2022).
TRUNCATED = 300
FIRST_BETA, LAST_BETA = 1e-4, 1e-2
MIN_SNR = 5.0

BETAS = torch.linspace(FIRST_BETA, LAST_BETA, STEPS, dtype=torch.float64)
# Share of the variance that is signal after step t.
KEPT = torch.cumprod(1 - BETAS, 0)


def noised(offsets: Tensor, steps: Tensor, noise: Tensor) -> Tensor:
    """Offsets as they are at steps: sqrt(kept) offsets + sqrt(1 - kept) noise.

    Args:
        offsets, noise: (B, 2, rows, columns).
        steps: int (B,).
    """
    kept = KEPT[steps.cpu()].to(offsets)[:, None, None, None]
    return kept.sqrt() * offsets + (1 - kept).sqrt() * noise


def loss_weights(steps: Tensor) -> Tensor:
    """Min-SNR weights of the squared error in the noise: min(SNR, 5) / SNR, float32 like `steps`, (B,)."""
    kept = KEPT[steps.cpu()]
    ratio = kept / (1 - kept)
    return (ratio.clamp(max=MIN_SNR) / ratio).float().to(steps.device)


def respaced(count: int, first: int = TRUNCATED) -> list[int]:
    """So many steps out of the last `first`, falling, evenly spaced, from first - 1; ends at 0 if all are taken."""
    return [round(first * (count - i) / count) - 1 for i in range(count)]


def step_back(offsets: Tensor, noise: Tensor, step: int, following: int, fresh: Tensor) -> Tensor:
    """A step of ancestral sampling from `step` to `following`, an earlier one or -1, without any noise.

    Ho et al., Denoising Diffusion Probabilistic Models, NeurIPS 2020, algorithm 2, with the variance of the forward
    step, as the paper has it.

    Args:
        noise: as the net predicts it.
        fresh: standard normal; not used if `following` is -1.
    """
    kept, before = _kept(step), _kept(following)
    beta = 1 - kept / before
    mean = (offsets - beta / (1 - kept) ** 0.5 * noise) / (1 - beta) ** 0.5
    return mean + beta**0.5 * fresh if following >= 0 else mean


def step_forth(offsets: Tensor, step: int, following: int, fresh: Tensor) -> Tensor:
    """The way back up from `following` to `step` (RePaint, Lugmayr et al. 2022)."""
    beta = 1 - _kept(step) / _kept(following)
    return (1 - beta) ** 0.5 * offsets + beta**0.5 * fresh


def _kept(step: int) -> float:
    return float(KEPT[step]) if step >= 0 else 1.0
