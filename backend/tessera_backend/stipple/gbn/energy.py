"""The energy of dots that are Gaussians over a density, and its gradient."""

from __future__ import annotations

import numpy as np

from ...progress import SILENT, Progress
from . import field, kernels

# More cells than this for a dot would only cost memory, on pictures that are nearly empty.
_CELLS_PER_DOT = 64
# Where a cell has more dots than this, dots far outnumber pixels.
_MOST_COMPANY = 256


class Energy:
    """Half the squared difference of the dots' Gaussians and the density's, without what no dot changes.

    E = sum over pairs of G(x_i - x_j; s_i + s_j) - sum over dots i and pixels p of m_p G(x_i - x_p; s_i + s_p), where
    G(r; S) is the Gaussian of mass 1 and variance S, and m_p the pixels' mass in dots. Ahmed, Ren and Wonka, Gaussian
    Blue Noise, SIGGRAPH Asia 2022. There all pixels have Gaussians of one width; here they follow the local spacing as
    the dots' do, or dots would crowd where the tone changes: perfect dots then feel no force at all.

    Attributes:
        widths: float64 (N,), variances s of the dots' Gaussians, square pixels.
    """

    def __init__(self, density: np.ndarray, count: int, share: float, progress: Progress = SILENT) -> None:
        """Prepare everything that does not depend on where dots are.

        Args:
            density: float32 (H, W), not negative, not all 0.
            count: number of dots.
            share: variance of a Gaussian, as a share of the area that a dot has.
            progress: told a few times.
        """
        mass = density * (count / density.sum(dtype=np.float64))
        self._shape = density.shape
        self._map = field.fit_widths(mass, share)
        self._pull = field.pull(mass, self._map, progress)
        self.widths = np.empty(count)
        self._starts, self._partners = np.zeros(count + 1, np.int64), np.empty(0, np.int32)

    def prepare(self, sites: np.ndarray) -> bool:
        """Fit widths and find neighbours for sites, float64 (N, 2), pixels; False if they are too crowded for it."""
        self.widths = self._map.at(sites)
        height, width = self._shape
        reach = kernels.REACH * float(np.sqrt(np.median(self.widths)))
        side = max(reach, (height * width / (_CELLS_PER_DOT * len(sites))) ** 0.5)
        rows, columns = int(height / side) + 1, int(width / side) + 1
        column, row = (sites / side).astype(np.int64).T
        cells = row * columns + column
        counts = np.bincount(cells, minlength=rows * columns)
        if float(counts.astype(np.float64) @ counts) > _MOST_COMPANY * len(sites):
            return False
        grid = (side, np.concatenate([[0], np.cumsum(counts)]), np.argsort(cells, kind="stable"), columns, rows)
        kernels.pair(sites, self.widths, *grid, self._starts, np.empty(0, np.int32))
        self._partners = np.empty(self._starts[-1], np.int32)
        kernels.pair(sites, self.widths, *grid, self._starts, self._partners)
        return True

    def forces(self, sites: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy, 1 / square pixels, and minus its gradient, float64 (N, 2); widths and neighbours are as prepared."""
        forces = np.zeros((len(sites), 2))
        energy = kernels.repel(sites, self.widths, self._starts, self._partners, forces)
        to = self._pull
        energy += kernels.attract(sites, self.widths, to.blocks, to.shapes, to.finest, to.border, forces)
        return energy, forces
