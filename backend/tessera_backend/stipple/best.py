"""The engine that takes its time: blue noise through optimal transport with momentum, then Voronoi cells made even."""

from __future__ import annotations

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import bnot, capacity, voronoi

# Of the way to the centroid, and of the last move: grains of the packing grow together much sooner than without.
PACE = 1.0, 0.85
EVENING = 2
SHARE = 0.9


def relax(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> int:
    """Relax sites on a raster; arguments and result are those of `lloyd.relax`."""
    bnot.begin(sites, labels, density, params, rng, progress.part(0.0, 0.2))
    done, _ = bnot.take_turns(sites, labels, density, params, PACE, progress.part(0.2, 0.9))
    edge = np.array(density.shape[::-1], np.float32) - np.float32(0.01)
    for step in range(EVENING):
        progress("relaxing", 0.9 + 0.1 * step / EVENING, "Evening out cells")
        sites += np.float32(SHARE) * capacity.evening_steps(sites, labels, density)
        np.clip(sites, 0, edge, out=sites)
        voronoi.propagate(labels, sites)
    return done
