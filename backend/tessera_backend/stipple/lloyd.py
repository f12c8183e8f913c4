"""Lloyd's relaxation, over-relaxed: every site moves to, and a little past, the centroid of its Voronoi cell.

Secord, Weighted Voronoi Stippling, NPAR 2002, with the density as weight, is engine `wvs`. Its limit is a centroidal
tessellation, whose sites lie as the square root of the weight (Gersho's conjecture): darks lose dots to lights.
Engine `tone` therefore weighs with the density squared; its sites lie as the density itself.
"""

from __future__ import annotations

import numpy as np

from ..progress import Progress
from . import voronoi

# Halves the energy's excess for equal steps, against 1; at 2 sites swing for ever.
OVER = 1.8


def weight(density: np.ndarray, engine: str) -> np.ndarray:
    """What centroids are taken of, float32 (H, W), for engine "tone" or "wvs"."""
    return density * density if engine == "tone" else density


def relax(
    sites: np.ndarray,
    labels: np.ndarray,
    weight: np.ndarray,
    iterations: int,
    tolerance: float,
    rng: np.random.Generator,
    progress: Progress,
) -> int:
    """Relax sites on a raster.

    Args:
        sites: float32 (N, 2), pixels; moved in place.
        labels: int32 (H, W), near sites; updated in place.
        weight: float32 (H, W), not negative, not all 0.
        iterations: most steps; the last one goes to the centroid and not past it.
        tolerance: stop when sites move less than this share of their mean spacing; 0 never stops early.
        rng: where sites with empty cells go.
        progress: told before each step.
    Returns:
        the number of steps done.
    """
    for _ in range(2):
        voronoi.propagate(labels, sites)
    enough = tolerance * (np.count_nonzero(weight) / len(sites)) ** 0.5
    step, last = 0, iterations <= 1
    while step < iterations:
        progress("relaxing", step / iterations, f"Relaxing, step {step + 1} of {iterations}")
        step += 1
        moved = _step(sites, voronoi.cell_moments(labels, weight, len(sites)), 1.0 if last else OVER, weight, rng)
        voronoi.propagate(labels, sites)
        if last:
            break
        last = step == iterations - 1 or moved < enough
    return step


def _step(
    sites: np.ndarray, moments: np.ndarray, over: float, weight: np.ndarray, rng: np.random.Generator
) -> float:
    """Move each site `over` times the way to its centroid; returns the mean distance to it, pixels."""
    mass = moments[:, 0]
    full = mass > 0
    ways = np.zeros((len(sites), 2), np.float32)
    ways[full] = moments[full, 1:] / mass[full, None] - sites[full]
    sites += np.float32(over) * ways
    height, width = weight.shape
    np.clip(sites, 0, np.array([width, height], np.float32) - np.float32(0.01), out=sites)
    empty = np.flatnonzero(~full)[: np.count_nonzero(full)]
    if len(empty):
        _split_heaviest(sites, mass, empty, rng)
    return float(np.hypot(ways[:, 0], ways[:, 1]).mean())


def _split_heaviest(sites: np.ndarray, mass: np.ndarray, empty: np.ndarray, rng: np.random.Generator) -> None:
    """Put sites with empty cells beside those with the heaviest: propagation would never give them a pixel."""
    heaviest = np.argsort(mass, kind="stable")[::-1][: len(empty)]
    sites[empty] = sites[heaviest] + rng.uniform(-0.5, 0.5, (len(empty), 2)).astype(np.float32)
    np.maximum(sites, 0, out=sites)
