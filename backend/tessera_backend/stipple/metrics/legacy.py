"""The five measures as the code behind Table 1 of StippleDiffusion (Gilad et al. 2026) computes them.

They are here to explain that table, not to rank methods, for which they are no use:

- The weight is the brightness, so that the white paper is the mass while dots lie on the dark subject. Energy, EMD
  and Sinkhorn distance then measure how far the subject is from its background: nearly the same for any dots on it.
- The energy is a sum over samples without their area, and leaves out the cells at the border, which have no end.
- The capacity is the spread of the mean brightness of the cells, not of their mass: equal masses are not rewarded.
- EMD has a plain, not a squared, cost (W1), to 5000 pixels drawn at random; all of it changes from draw to draw.

Points and pictures are those of the exact measures, but the picture is its grey values, 1 is white.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import Voronoi, cKDTree

from . import balanced, spatial_measure, transport

# Samples of a cell: half its bounding box's pixels, within these.
_FEWEST, _MOST = 10, 50
_DRAWN = {"emd": 5_000, "sinkhorn": 10_000}
_STRENGTH = 0.01


def legacy_metrics(points: np.ndarray, picture: np.ndarray, seed: int = 0) -> dict[str, float]:
    """The columns of Table 1.

    Args:
        points: (N, 2), shares of the sides; at least 4, not all on a line.
        picture: (H, W), [0, 1], 1 is white.
        seed: of the draws.
    Returns:
        "energy", "capacity", "emd", "sinkhorn" and "spatial".
    """
    rng = np.random.default_rng(seed)
    owners, squared, weights = _samples_of_cells(points, picture, rng)
    count = np.bincount(owners, minlength=len(points))
    means = np.bincount(owners, weights, len(points)) / np.maximum(count, 1)
    cost = {name: _costs_to_drawn(points, picture, many, rng) for name, many in _DRAWN.items()}
    return {
        "energy": float(weights @ squared),
        "capacity": float(means.std() / max(means.mean(), 1e-12)),
        "emd": transport(cost["emd"], np.full(_DRAWN["emd"], 1 / _DRAWN["emd"])),
        "sinkhorn": _sinkhorn(cost["sinkhorn"]),
        "spatial": spatial_measure(points, picture, "points"),
    }


def _samples_of_cells(
    points: np.ndarray, picture: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random places in the cells that have an end: (whose, squared distance to it, brightness there)."""
    height, width = picture.shape
    diagram = Voronoi(points)
    boxes = np.full((len(points), 2, 2), np.nan)
    for i, region in enumerate(diagram.point_region):
        corners = diagram.regions[region]
        if corners and -1 not in corners:
            inside = np.clip(diagram.vertices[corners], 0, 1)
            boxes[i] = inside.min(axis=0), inside.max(axis=0)
    closed = np.flatnonzero(~np.isnan(boxes[:, 0, 0]))
    low, high = boxes[closed, 0], boxes[closed, 1]
    pixels = np.prod((high - low) * (width, height), axis=1)
    owners = np.repeat(np.arange(len(closed)), np.clip(pixels / 2, _FEWEST, _MOST).astype(int))
    places = rng.uniform(low[owners], high[owners])
    distances, nearest = cKDTree(points).query(places)
    own = nearest == closed[owners]
    rows = np.minimum((places[own, 1] * height).astype(int), height - 1)
    columns = np.minimum((places[own, 0] * width).astype(int), width - 1)
    return nearest[own], distances[own] ** 2, picture[rows, columns]


def _costs_to_drawn(points: np.ndarray, picture: np.ndarray, many: int, rng: np.random.Generator) -> np.ndarray:
    """Distances from points to pixels drawn by brightness."""
    height, width = picture.shape
    shares = picture.ravel() / picture.sum(dtype=np.float64)
    rows, columns = np.divmod(rng.choice(picture.size, many, p=shares), width)
    drawn = np.column_stack([(columns + 0.5) / width, (rows + 0.5) / height])
    return np.sqrt(((points[:, None] - drawn) ** 2).sum(axis=-1))


def _sinkhorn(cost: np.ndarray) -> float:
    rows, columns = (np.full(side, 1 / side) for side in cost.shape)
    plan = balanced(cost, rows, columns, _STRENGTH)
    return float((plan * cost).sum())
