"""Power cells of sites on a raster, and the weights with which all of them have the same mass.

A border between two power cells is straight, and moves from the middle towards the site with the smaller weight.
Which weights make the masses even is found by Newton's method: how masses change with weights is a Laplacian on the
graph of cells (de Goes et al., Blue Noise through Optimal Transport, SIGGRAPH Asia 2012, section 4.2).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ...progress import SILENT, Progress
from ..voronoi import kernels as graph
from . import kernels

# Borders a site of lower index can have; the mean is 3.
_MOST_BORDERS = 16
# Newton's system counts paper as this share of the ink's mean density, or a step would send borders that lie on it
# anywhere, and parts that paper divides could not be solved for. Found anew at each step: Levenberg and Marquardt.
_CAUTION, _LEAST_CAUTION, _MOST_CAUTION = 0.03, 0.003, 20.0
# Of the system's right side, what a solution may leave.
_RESIDUAL = 1e-3
# A cell with less than this share of what it should have is starved; one that has nothing never comes back.
_STARVED = 0.3
# Spread of the masses beyond which a move of sites was too long.
_WILD = 0.15
_TRIALS = 4
# Two cells are of one part of the picture if more than this share of what either's borders let pass is between them.
_BRIDGE = 0.01


@dataclasses.dataclass(frozen=True)
class Cells:
    """Sites, their weights, and what their power cells hold.

    Borders cut across pixels, so masses are exact for a density that is constant on each pixel, except where the
    corner of a cell is in a pixel that none of the cell's own pixels touches.

    Attributes:
        sites: float32 (N, 2), pixels.
        weights: float64 (N,), square pixels; only differences matter.
        labels: int32 (H, W), the cell that each pixel's centre is in.
        density: float32 (H, W), not negative, not all 0.
        sums: float64 (N, 3), of each cell its mass, x moment and y moment.
        near, slopes: int32 (N, K) and float64 (2, N, K), how masses change with weights, as `kernels.integrate` has it.
    """

    sites: np.ndarray
    weights: np.ndarray
    labels: np.ndarray
    density: np.ndarray
    sums: np.ndarray
    near: np.ndarray
    slopes: np.ndarray

    @property
    def masses(self) -> np.ndarray:
        """Of the cells, float64 (N,)."""
        return np.asarray(self.sums[:, 0])

    @property
    def ways(self) -> np.ndarray:
        """From each site to the centroid of its cell, float32 (N, 2); 0 where that is empty."""
        full = self.masses > 0
        ways = np.zeros((len(self.sites), 2), np.float32)
        ways[full] = self.sums[full, 1:] / self.sums[full, :1] - self.sites[full]
        return ways


def measured(sites: np.ndarray, weights: np.ndarray, labels: np.ndarray, density: np.ndarray) -> Cells:
    """Cells of sites with such weights; labels are a guess at them, as those of a step before, and are not changed."""
    count, labels = len(sites), labels.copy()
    sums, near = np.empty((count, 3)), np.empty((count, _MOST_BORDERS), np.int32)
    slopes = np.empty((2, count, _MOST_BORDERS))
    kernels.sweep(labels, sites, weights)
    kernels.integrate(labels, density, sites, weights, sums, near, slopes)
    return Cells(sites, weights, labels, density, sums, near, slopes)


def spread(cells: Cells, targets: np.ndarray) -> float:
    """Root mean square of what masses differ from float64 (N,) targets, as a share of the mean mass."""
    return float(np.sqrt(np.mean((cells.masses - targets) ** 2)) / cells.masses.mean())


def parts(cells: Cells) -> np.ndarray:
    """Which of the parts that paper divides the picture into each cell is in, int32 (N,).

    Parts hardly ever have whole numbers of dots' masses. To even that out, some cell has to reach across the paper,
    and its centroid would draw its site out of either part.
    """
    count = len(cells.sites)
    i, slot = np.nonzero(cells.near >= 0)
    j, slopes = cells.near[i, slot], cells.slopes[0, i, slot]
    passes = np.bincount(i, slopes, count) + np.bincount(j, slopes, count)
    joined = slopes > _BRIDGE * np.minimum(passes[i], passes[j])
    pairs = sparse.coo_matrix((np.ones(np.count_nonzero(joined)), (i[joined], j[joined])), (count, count))
    return np.asarray(csgraph.connected_components(pairs, directed=False)[1])


def mean_of_part(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Of values, (N,), float64 (N,): of masses it is what they should be for all cells of a part to have the same."""
    return np.asarray((np.bincount(part, values) / np.maximum(np.bincount(part), 1))[part])


def evened(
    cells: Cells, part: np.ndarray, enough: float, steps: int, rounds: int, progress: Progress = SILENT
) -> Cells:
    """Newton's steps for the weights until the cells of each part have the same mass.

    Args:
        cells: to begin with.
        part: int (N,), as `parts` has it; the same for all makes all masses the same.
        enough: spread to reach.
        steps: most steps, those included that did harm and were taken back.
        rounds: most of conjugate gradients in each; few leave what is uneven over long ways for later.
        progress: told before each step.
    """
    targets = mean_of_part(cells.masses, part)
    caution, now = _CAUTION, spread(cells, targets)
    for step in range(steps):
        if now <= enough:
            break
        progress("relaxing", step / steps, "Evening out cells")
        change = newton_step(cells, targets, caution, rounds)
        # Nothing but this holds the weights of one part near those of the next.
        change -= mean_of_part(change, part)
        tried = measured(cells.sites, cells.weights + change, cells.labels, cells.density)
        then = spread(tried, targets)
        # Weights maximize a concave function whose gradient is what is missing: the step has not gone past its top.
        # The spread may rise meanwhile: a border that comes across paper takes all that a part lacks from one cell.
        uphill = float((targets - tried.masses) @ change) >= 0
        if (uphill or then < 0.98 * now) and _starved(tried, targets) <= _starved(cells, targets):
            cells, now, caution = tried, then, max(caution / 3, _LEAST_CAUTION)
        else:
            caution *= 5
            if caution > _MOST_CAUTION:
                break
    return cells


def newton_step(cells: Cells, targets: np.ndarray, caution: float, rounds: int) -> np.ndarray:
    """How weights have to change for masses to become the targets, to first order, float64 (N,).

    Args:
        caution: density that is added to borders, as a share of the ink's mean.
        rounds: most of conjugate gradients.
    """
    count, ink = len(cells.sites), float(cells.density[cells.density > 0].mean())
    slopes = cells.slopes[0] + caution * ink * cells.slopes[1]
    i, slot = np.nonzero(cells.near >= 0)
    diagonal = np.bincount(i, slopes[i, slot], count) + np.bincount(cells.near[i, slot], slopes[i, slot], count)
    joined = diagonal > 0
    missing = np.where(joined, targets - cells.masses, 0.0)
    step = np.zeros(count)
    graph.solve(cells.near, slopes, np.where(joined, diagonal, 1.0), missing, rounds, _RESIDUAL, step)
    return step


def moved(cells: Cells, ways: np.ndarray) -> Cells:
    """Cells after their sites moved by float32 (N, 2), pixels: less far, if otherwise cells would starve."""
    height, width = cells.density.shape
    edge = np.array([width, height], np.float32) - np.float32(0.01)
    part = parts(cells)
    before = _starved(cells, mean_of_part(cells.masses, part))
    for _ in range(_TRIALS):
        sites = np.clip(cells.sites + ways, 0, edge)
        tried = measured(sites, cells.weights, cells.labels, cells.density)
        targets = mean_of_part(tried.masses, part)
        if _starved(tried, targets) <= before and spread(tried, targets) < _WILD:
            break
        ways = ways / 2
    return tried


def _starved(cells: Cells, targets: np.ndarray) -> int:
    return int(np.count_nonzero(cells.masses < _STARVED * targets))
