"""The engine that takes its time: blue noise through optimal transport with momentum, then Voronoi cells made even."""

from __future__ import annotations

from typing import Any

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import bnot, capacity, voronoi

# Of the way to the centroid, and of the last move. With momentum the grains of the packing grow together in half the
# turns that over-relaxation takes; with much more of it, large sets become unsteady.
PACE = 1.0, 0.8
# Steps at the end, and what they go: of the way to even masses, and of the way to the centroid, which makes up for
# most of the spacing that the former cost.
EVENING, EVEN, CENTRED = 3, np.float32(0.7), np.float32(0.3)


def relax(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> dict[str, Any]:
    """Relax sites on a raster; arguments and result are those of `lloyd.relax`.

    Turns as of `bnot` lead to regular spacing at the least cost of transport. Of its weights nothing is kept: the last
    steps move sites such that Voronoi cells, too, have nearly the same mass.
    """
    bnot.begin(sites, labels, density, params, rng, progress.part(0.0, 0.15))
    done, _ = bnot.take_turns(sites, labels, density, params, PACE, progress.part(0.15, 0.95))
    edge = np.array(density.shape[::-1], np.float32) - np.float32(0.01)
    for step in range(min(EVENING, params.iterations)):
        progress("relaxing", 0.95 + 0.05 * step / EVENING, "Evening out cells")
        moments = voronoi.cell_moments(labels, density, len(sites))
        full = moments[:, 0] > 0
        ways = EVEN * capacity.evening_steps(sites, labels, density)
        ways[full] += CENTRED * (moments[full, 1:] / moments[full, :1] - sites[full]).astype(np.float32)
        sites[:] = np.clip(sites + ways, 0, edge)
        voronoi.propagate(labels, sites)
    return {"iterations_run": done}
