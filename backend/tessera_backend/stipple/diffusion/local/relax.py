"""Lloyd's relaxation as plain torch operations: no raster of labels, and gradients for every step.

Each cell is a stencil of 7 x 7 samples, of which a dot owns those that are nearer to it than to its neighbours, with
soft borders. It is what a learned sampler has to beat, and needs no training.
"""

from __future__ import annotations

from torch import Tensor

from ....progress import SILENT, Progress
from . import features
from .grid import Grid

# Past the centroid, as in the classical engine, but soft cells bear less of it.
_OVER = 1.4


def relax(grid: Grid, offsets: Tensor, steps: int, progress: Progress = SILENT) -> Tensor:
    """Offsets after so many steps towards the cells' centroids under the density squared.

    Args:
        offsets: (B, rows, columns, 2), spacings.
        progress: told before each step.
    """
    for step in range(steps):
        progress("relaxing", step / steps, f"Relaxing, step {step + 1} of {steps}")
        dots = grid.dots(offsets)
        centroid = features.look(grid, dots, features.neighbours(dots)).centroid
        offsets = offsets + _OVER * centroid.view_as(offsets)
    return offsets
