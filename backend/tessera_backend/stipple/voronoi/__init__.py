"""Voronoi cells of sites on a raster, by label propagation: kept up to date while the sites move a little.

`propagate` is what relaxation calls: two scans per step, right but for a few pixels in a hundred thousand (a
discrete cell may hang together by a corner only, which no scan passes). `settle` is exact. The two sides of a
border count as right where they are equally far.
"""

from __future__ import annotations

import numpy as np

from ...progress import SILENT, Progress
from . import kernels

# Sites a bucket of the exact search: fewer cost more walking, more cost more distances.
_PER_BUCKET = 2.0
_PIXELS_PER_CALL = 1 << 21


def propagate(labels: np.ndarray, sites: np.ndarray) -> None:
    """Bring labels up to date after the sites moved.

    Args:
        labels: int32 (H, W), index of a near site of each pixel; updated in place.
        sites: float32 (N, 2), pixels, x right, y down.
    """
    kernels.stamp(labels, sites)
    kernels.sweep_down(labels, sites)
    kernels.sweep_up(labels, sites)


def settle(labels: np.ndarray, sites: np.ndarray, progress: Progress = SILENT) -> None:
    """Make labels exact: of each pixel centre the nearest site. Fast where they are nearly so already.

    Args:
        labels: int32 (H, W), any sites' indices; updated in place.
        sites: float32 (N, 2), pixels, x right, y down.
        progress: told between bands of rows.
    """
    height, width = labels.shape
    side = max(1.0, (_PER_BUCKET * height * width / len(sites)) ** 0.5)
    columns, rows = int(width / side) + 1, int(height / side) + 1
    starts = np.empty(columns * rows + 1, np.int32)
    members = np.empty(len(sites), np.int32)
    kernels.fill_buckets(sites, side, columns, rows, starts, members)
    band = max(1, _PIXELS_PER_CALL // width)
    for first in range(0, height, band):
        progress("measuring cells", first / height)
        kernels.nearest(labels, sites, side, columns, rows, starts, members, first, min(first + band, height))


def cell_moments(labels: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """Mass, x moment and y moment of each cell under a weight.

    Args:
        labels: int32 (H, W).
        weight: float32 (H, W), not negative.
        count: number of cells.
    Returns:
        float64 (count, 3); moments in weight times pixels.
    """
    sums = np.empty((count, 3))
    kernels.moments(labels, weight, sums)
    return sums
