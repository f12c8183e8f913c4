"""Simplification: from a picture to simpler and simpler ones, from which coarse levels take their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ...progress import SILENT, Progress
from . import structural


def simplified(
    image: np.ndarray, params: VectorizeParams, progress: Progress = SILENT, device: str = "cpu"
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The pictures that levels are taken from.

    Args:
        image: float32 (H, W, 3), sRGB in [0, 1].
        params: levels, simplify, diffusion_model and seed are read.
        progress: told before each step.
        device: of torch, for diffusion.
    Returns:
        `params.levels` pictures like `image`, the finest, which is `image`, first; and how they were made.
    Raises:
        InvalidInput: the diffusion model can't be read or used, or its package is missing.
    """
    if params.simplify == "structural":
        return structural.simplified(image, params.levels, progress), {"simplify": "structural"}
    from . import sds

    progress("simplify", 0.0, "Loading the diffusion model")
    model, facts = sds.load(params.diffusion_model, device)
    pictures = sds.simplified(image, params.levels, model, params.seed, progress)
    return pictures, {"simplify": "sds", "diffusion": facts}
