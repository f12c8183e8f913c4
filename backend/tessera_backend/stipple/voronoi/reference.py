"""Voronoi cells on a raster, plain and slow: the definition of right, for tests."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree


def label(sites: np.ndarray, raster: tuple[int, int]) -> np.ndarray:
    """Index of the nearest site of each pixel centre, int32 (H, W)."""
    height, width = raster
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    _, nearest = cKDTree(sites).query(np.column_stack([columns.ravel(), rows.ravel()]))
    return nearest.astype(np.int32).reshape(raster)


def cell_moments(labels: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """(mass, x moment, y moment) of each cell, float64 (count, 3)."""
    rows, columns = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]] + 0.5
    weights = (weight, weight * columns, weight * rows)
    return np.column_stack([np.bincount(labels.ravel(), w.ravel().astype(float), count) for w in weights])
