"""How good dots are: the five measures of StippleDiffusion (Gilad et al. 2026), section 5.5, computed exactly.

Points are (N, 2) shares of the sides, x right, y down; a density is (H, W), dark is 1, its pixels centred at
((column + 0.5) / W, (row + 0.5) / H). Integrals are sums over pixels times 1 / (H W). Raw values scale with 1 / N
and with the density, so each measure that needs it also comes normalized.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

# Transport needs a matrix of dots by blocks.
MOST_BLOCKS = 8000
MOST_TRANSPORTED = 4000
# Share of the mass that a plan may leave in the wrong place.
_MISPLACED = 0.01


def cvt_energy(points: np.ndarray, density: np.ndarray) -> tuple[float, float]:
    """Energy of the Voronoi tessellation: the density's mean squared distance to its nearest point.

    Returns:
        (E, N E / mass). Normalized it is 5 / (18 sqrt 3) = 0.1604 for a hexagonal lattice on constant density.
    """
    _, squared, mass = _assigned(points, density)
    energy = float(mass @ squared)
    return energy, energy * len(points) / float(mass.sum())


def energy_bound(count: int, density: np.ndarray) -> float:
    """What the energy of `count` points tends to at best (Gersho's conjecture, proved in the plane).

    5 / (18 sqrt 3) (integral of sqrt(density))^2 / N. Asymptotic: relaxed sets have 1.06 to 1.16 of it on smooth
    densities, and slightly less than 1 is possible on sharp silhouettes.
    """
    return 5 / (18 * math.sqrt(3)) * float(np.sqrt(density, dtype=np.float64).mean()) ** 2 / count


def capacity_error(points: np.ndarray, density: np.ndarray) -> float:
    """Mean of (m_i / mean mass - 1)^2 over the masses m_i of the Voronoi cells; empty cells count as 0."""
    owners, _, mass = _assigned(points, density)
    cells = np.bincount(owners, mass, minlength=len(points))
    return float(np.mean((cells / cells.mean() - 1) ** 2))


def emd(points: np.ndarray, density: np.ndarray, blocks: int = MOST_BLOCKS) -> float:
    """W2, the square root of the exact optimal transport cost from equal points to the density.

    The density is summed over square blocks, the smallest that leave at most `blocks` which are not empty. Against
    sqrt(E / mass), which no equal points at these places can beat, 1 says that every dot carries the same mass.
    Needs POT, and a matrix of points by blocks.
    """
    targets, shares = _blocks(density, blocks)
    return math.sqrt(transport(_squared_distances(points, targets), shares))


def transport(cost: np.ndarray, shares: np.ndarray) -> float:
    """Least cost of moving equal masses, one a row of `cost`, to the shares, one a column, which sum to 1."""
    # POT would load every array library there is; numpy is all we hand it.
    for library in ("PYTORCH", "JAX", "TENSORFLOW", "CUPY"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{library}", "1")
    import ot

    value = ot.emd2(np.full(len(cost), 1 / len(cost)), shares, cost, numItermax=2_000_000)
    return max(float(value), 0.0)


def sinkhorn(
    points: np.ndarray, density: np.ndarray, strength: float = 0.01, blocks: int = MOST_BLOCKS
) -> tuple[float, float]:
    """Entropic transport with kernel exp(-d^2 / strength), d in shares of the sides.

    Returns:
        (sqrt of the transport cost <P, C>, <P, C> - strength H(P)). At the paper's strength of 0.01 everything is
        blurred by a tenth of the picture; 0.0001 tells methods apart.
    Raises:
        ValueError: the strength is too small for points so far from the density: the plan does not settle.
    """
    targets, shares = _blocks(density, blocks)
    cost = _squared_distances(points, targets)
    plan = balanced(cost, np.full(len(points), 1 / len(points)), shares, strength)
    moved = float((plan * cost).sum())
    positive = plan[plan > 0]
    entropy = -float((positive * np.log(positive)).sum())
    return math.sqrt(max(moved, 0.0)), moved - strength * entropy


def spatial_measure(points: np.ndarray, density: np.ndarray, normalizer: str = "points") -> float:
    """Lagae and Dutre's rho: mean nearest-neighbour distance as a share of the greatest there could be.

    Each point's distance counts against sqrt(2 / (sqrt 3 D)) with D = N density(point) / c, and as 2 at most.

    Args:
        normalizer: c is the mean density at the points ("points", as the paper's code has it, which is too small
            where the density varies) or over the picture ("mass", unbiased).
    """
    height, width = density.shape
    distances = cKDTree(points).query(points, 2)[0][:, 1]
    columns = np.clip((points[:, 0] * width).astype(int), 0, width - 1)
    rows = np.clip((points[:, 1] * height).astype(int), 0, height - 1)
    local = density[rows, columns].astype(np.float64)
    mean = float(local.mean() if normalizer == "points" else density.mean(dtype=np.float64))
    expected = np.maximum(len(points) * local / max(mean, 1e-12), 1e-8)
    return float(np.minimum(2.0, distances / np.sqrt(2 / (math.sqrt(3) * expected))).mean())


def strips(points: np.ndarray, count: int = 4) -> np.ndarray:
    """Share of the points in each of so many vertical strips of equal width, left to right."""
    return np.histogram(points[:, 0], bins=count, range=(0, 1))[0] / len(points)


def all_metrics(points: np.ndarray, density: np.ndarray) -> dict[str, Any]:
    """Every measure by name; transport, which needs POT, is None above 4000 points.

    Raises:
        ImportError: POT is missing (`pip install pot`).
    """
    energy, normalized = cvt_energy(points, density)
    transported = len(points) <= MOST_TRANSPORTED
    distance = emd(points, density) if transported else None
    blurred, regularized = sinkhorn(points, density) if transported else (None, None)
    return {
        "energy": energy,
        "energy_normalized": normalized,
        "energy_over_bound": energy / energy_bound(len(points), density),
        "capacity_error": capacity_error(points, density),
        "w2": distance,
        "w2_over_local": distance / math.sqrt(energy / float(density.mean())) if distance is not None else None,
        "sinkhorn": blurred,
        "sinkhorn_regularized": regularized,
        "spatial_points": spatial_measure(points, density, "points"),
        "spatial_mass": spatial_measure(points, density, "mass"),
        "strips": strips(points).tolist(),
    }


def _assigned(points: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every pixel with mass: nearest point, squared distance to it, mass."""
    rows, columns = np.nonzero(density > 0)
    height, width = density.shape
    centres = np.column_stack([(columns + 0.5) / width, (rows + 0.5) / height])
    distances, owners = cKDTree(points).query(centres)
    return owners, distances**2, density[rows, columns].astype(np.float64) / density.size


def _blocks(density: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres and shares of the mass of square blocks of pixels, those at the right and lower edge cut short."""
    height, width = density.shape
    for side in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64):
        tops, lefts = np.arange(0, height, side), np.arange(0, width, side)
        sums = np.add.reduceat(np.add.reduceat(density.astype(np.float64), tops, axis=0), lefts, axis=1)
        rows, columns = np.nonzero(sums)
        if len(rows) <= most:
            break
    x = np.minimum((columns + 0.5) * side, width) / width
    y = np.minimum((rows + 0.5) * side, height) / height
    masses = sums[rows, columns]
    return np.column_stack([x, y]), masses / masses.sum()


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    across = a[:, None, 0] - b[None, :, 0]
    down = a[:, None, 1] - b[None, :, 1]
    return across * across + down * down


def balanced(cost: np.ndarray, rows: np.ndarray, columns: np.ndarray, strength: float) -> np.ndarray:
    """Entropic transport plan: exp(-cost / strength), rows and columns scaled to the given sums.

    Rounds go on until none of the factors changes by more than a billionth.

    Raises:
        ValueError: the strength is too small: the plan does not settle.
    """
    # Shifted so that each row and each column has a 1: a plan is the same, and none is lost to underflow.
    shifted = cost - cost.min(axis=1, keepdims=True)
    shifted -= shifted.min(axis=0)
    kernel = np.exp(-shifted / strength)
    right = np.ones(len(columns))
    left = rows
    with np.errstate(all="ignore"):
        for _ in range(2000):
            left = rows / (kernel @ right)
            before, right = right, columns / (kernel.T @ left)
            if np.abs(right - before).max() <= 1e-9 * np.abs(before).max():
                break
        plan = left[:, None] * kernel * right
    # Not "<=": what is beyond the range of floats is NaN, and that is no plan either.
    if not np.abs(plan.sum(axis=1) - rows).sum() <= _MISPLACED:
        raise ValueError("the strength is too small: the plan did not settle in 2000 rounds")
    return np.asarray(plan)
