"""Learned stippling, after StippleDiffusion (Gilad et al. 2026): the only part of the stippler that needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tessera_protocol.jobs import StippleParams

from ...progress import SILENT, Progress
from . import local, paper
from .local import first_labels

__all__ = ["first_labels", "place"]

# As published: from rejection sampling, three times through each of the last 300 steps, which are 898 calls.
_PUBLISHED: dict[str, Any] = {"sampler": "repaint", "steps": 300, "start": "density", "truncation": 300}
# With fewer calls, what serves the small net that ships best: little noise, around a start that has the masses right.
_SHORTENED: dict[str, Any] = {"sampler": "ancestral", "start": "kd"}
_LEAST_TRUNCATION = 60


def place(
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> tuple[np.ndarray, dict[str, Any]]:
    """Place dots with a network.

    Args:
        density: float32 (H, W), not negative, not all 0.
        params: dots, model, calls and weights are read.
        rng: all that is random comes from it.
        progress: told before each call of the network.
        device: of torch.
    Returns:
        float32 (dots, 2), pixels; and how they were made, of plain JSON types.
    Raises:
        InvalidInput: the weights are missing, damaged or of another kind.
    """
    weights: str | Path = Path(params.weights) if params.weights else f"stipple-{params.model}"
    if params.model == "paper":
        way = _PUBLISHED
        if params.calls:
            way = _SHORTENED | {"steps": params.calls, "truncation": max(params.calls, _LEAST_TRUNCATION)}
        return paper.place(density, params.dots, weights, **way, rng=rng, device=device, progress=progress)
    calls = params.calls or None
    return local.place(density, params.dots, weights, calls=calls, rng=rng, device=device, progress=progress)
