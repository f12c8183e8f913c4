"""The one place where an engine is chosen: a density becomes sites on its raster."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import gbn, lloyd


@dataclasses.dataclass(frozen=True)
class Placed:
    """What an engine gives back.

    Attributes:
        sites: float32 (N, 2), pixels of the density's raster, x right, y down.
        labels: int32 (H, W), index of a near site of each pixel, as `voronoi.propagate` leaves them.
        facts: for the metadata, of plain JSON types; `iterations_run` at least.
    """

    sites: np.ndarray
    labels: np.ndarray
    facts: dict[str, Any]


def place(density: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress) -> Placed:
    """Place `params.dots` sites as `params.engine` does.

    Args:
        density: float32 (H, W), not negative, not all 0.
        params: engine, dots, iterations and tolerance are read.
        rng: all that is random comes from it.
        progress: told before each step.
    """
    progress("placing", 0.0, f"Placing {params.dots} dots")
    sites, labels = lloyd.begin(density, params, rng)
    relax = gbn.relax if params.engine == "gbn" else lloyd.relax
    steps = relax(sites, labels, density, params, rng, progress.part(0.05, 1.0))
    return Placed(sites, labels, {"iterations_run": steps})
