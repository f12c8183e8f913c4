"""Lloyd's relaxation, over-relaxed: every site moves to, and a little past, the centroid of its Voronoi cell.

Secord, Weighted Voronoi Stippling, NPAR 2002, with the density as weight, is engine `wvs`. Its limit is a centroidal
tessellation, whose sites lie as the square root of the weight (Gersho's conjecture): darks lose dots to lights.
Engine `tone` therefore weighs with the density squared; its sites lie as the density itself.
"""

from __future__ import annotations

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import start, voronoi
from .voronoi import kernels

# Halves the energy's excess for equal steps, against 1; at 2 sites swing for ever.
OVER = 1.8


def relax(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> int:
    """Relax sites on a raster.

    Args:
        sites: float32 (N, 2), pixels; moved in place.
        labels: int32 (H, W), indices of near sites; updated in place.
        density: float32 (H, W), not negative, not all 0.
        params: engine, iterations and tolerance are read.
        rng: where sites with empty cells go.
        progress: told before each step.
    Returns:
        the number of steps done. The last one goes to the centroid and not past it.
    """
    weight = density * density if params.engine == "tone" else density
    for _ in range(2):
        voronoi.propagate(labels, sites)
    enough = params.tolerance * (np.count_nonzero(weight) / len(sites)) ** 0.5
    done, settled = 0, False
    while done < params.iterations and not settled:
        progress("relaxing", done / params.iterations, f"Relaxing, step {done + 1} of {params.iterations}")
        done += 1
        last = done == params.iterations
        moved = _step(sites, voronoi.cell_moments(labels, weight, len(sites)), 1.0 if last else OVER, weight, rng)
        voronoi.propagate(labels, sites)
        settled = moved < enough
    return done


def finish(
    sites: np.ndarray, labels: np.ndarray, density: np.ndarray, rng: np.random.Generator, progress: Progress
) -> np.ndarray:
    """Make the cells exact and put sites that lie on paper onto the nearest ink of their cell.

    Args as of `relax`.

    Returns:
        mean tone of each cell's ink, float64 (N,), [0, 1]: the density weighted with itself, so that the paper
        that a cell on a silhouette's rim has beside its ink does not count.
    """
    voronoi.settle(labels, sites, progress)
    stray = density[_rows(sites), _columns(sites)] <= 0
    if stray.any():
        kernels.onto_ink(labels, density, sites, stray, np.empty(len(sites), np.float32))
        homeless = np.flatnonzero(density[_rows(sites), _columns(sites)] <= 0)
        sites[homeless] = _anywhere(density, len(homeless), rng)
    mass = voronoi.cell_moments(labels, density, len(sites))[:, 0]
    squares = voronoi.cell_moments(labels, density * density, len(sites))[:, 0]
    own = density[_rows(sites), _columns(sites)].astype(np.float64)
    return np.divide(squares, mass, out=own, where=mass > 0)


def _rows(sites: np.ndarray) -> np.ndarray:
    return sites[:, 1].astype(np.intp)


def _columns(sites: np.ndarray) -> np.ndarray:
    return sites[:, 0].astype(np.intp)


def _anywhere(density: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Sites drawn from the density: for those of which cells have no ink, as when dots outnumber pixels."""
    return start.along_curve(density, count, rng)[0] if count else np.empty((0, 2), np.float32)


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
