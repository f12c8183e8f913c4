"""Moving sites so that all cells get equal shares of the mass: what relaxation alone leaves uneven.

A border that moves passes mass from one cell to the other. Which flow through all borders evens the masses out, to
first order, follows from a potential on the graph of cells: its Laplacian, with the borders' mass per movement as
conductances, has to equal the excess of mass. It is the Newton step of de Goes et al., Blue Noise through Optimal
Transport, SIGGRAPH Asia 2012, section 4.2. They shift the borders of power cells by weights; here the sites
themselves move along the potential's gradient, so the cells stay Voronoi cells. Being solved for all cells at once,
it moves mass over the whole picture as easily as to the next cell.
"""

from __future__ import annotations

import numpy as np

from . import voronoi
from .voronoi import kernels

# Borders a site of lower index can have; the mean is 3.
_MOST_BORDERS = 16
# Ties potentials weakly to 0: a part that no border connects with the rest cannot pass its excess on.
_LEAK = 1e-3
_ROUNDS = 30
_ENOUGH = 1e-2
# Longest step, as a share of the distance to the neighbours: beyond it borders do not move in proportion.
_LONGEST = 0.3


def evening_steps(sites: np.ndarray, labels: np.ndarray, density: np.ndarray) -> np.ndarray:
    """How sites have to move for their cells' masses to become equal, to first order.

    Args:
        sites: float32 (N, 2), pixels.
        labels: int32 (H, W), their Voronoi cells.
        density: float32 (H, W).
    Returns:
        float32 (N, 2), pixels; at most 0.3 of the distance to the neighbours.
    """
    count = len(sites)
    near = np.empty((count, _MOST_BORDERS), np.int32)
    conductance = np.empty((count, _MOST_BORDERS))
    kernels.borders(labels, density, sites, near, conductance)
    sums = np.empty((count, 4))
    potential = np.zeros(count)
    kernels.slopes(near, conductance, sites, potential, sums)
    joined = sums[:, 0] > 0
    diagonal = np.where(joined, sums[:, 0] * (1 + _LEAK), 1.0)
    mass = voronoi.cell_moments(labels, density, count)[:, 0]
    excess = np.where(joined, mass - mass.mean(), 0.0)
    kernels.solve(near, conductance, diagonal, excess, _ROUNDS, _ENOUGH, potential)
    kernels.slopes(near, conductance, sites, potential, sums)
    weights = np.where(joined, sums[:, 0], 1.0)
    steps = 2 * sums[:, 2:] / weights[:, None]
    longest = _LONGEST * np.sqrt(sums[:, 1] / weights)
    length = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-12)
    return (steps * np.minimum(1.0, longest / length)[:, None]).astype(np.float32)
