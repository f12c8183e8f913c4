"""Lloyd's relaxation, over-relaxed: every site moves to, and a little past, the centroid of its Voronoi cell.

Secord, Weighted Voronoi Stippling, NPAR 2002, with the density as weight, is engine `wvs`. Its limit is a centroidal
tessellation, whose sites lie as the square root of the weight (Gersho's conjecture): darks lose dots to lights.
Engine `tone` therefore weighs with the density squared; its sites lie as the density itself. That holds where cells
are small against what they show; the last steps even out the masses of the cells, and at the very end go by the
density's own centroids, which costs those steps no tone and brings dots nearest to what they stand for.
"""

from __future__ import annotations

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import capacity, start, voronoi
from .voronoi import kernels

# Halves the energy's excess for equal steps, against 1; at 2 sites swing for ever.
OVER = 1.8
# Steps at the end, of a third of all at most, that go no further than the centroid; `tone` evens out masses there.
CLOSING = {"tone": 10, "wvs": 1}
# The last steps of all go by the density itself.
PLAIN = 2
# How much of the way to even masses to go in a step: the last few per cent of it cost spacing.
EVENING_SHARE = 0.9
# `wvs` starts a little on its way to the square root, since steps are slow to take dots across the picture.
WVS_START_POWER = np.float32(0.95)


def begin(density: np.ndarray, params: StippleParams, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sites to start from and a first guess at their cells, as `start.along_curve` returns them."""
    mass = density**WVS_START_POWER if params.engine == "wvs" else density
    return start.along_curve(mass, params.dots, rng)


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
        progress: told before each step; shown them after it.
    Returns:
        the number of steps done. The last one goes to the centroid and not past it.
    """
    closing = min(CLOSING[params.engine], (params.iterations + 2) // 3)
    weight = density * density if params.engine == "tone" else density
    enough = params.tolerance * (np.count_nonzero(density) / len(sites)) ** 0.5
    for _ in range(2):
        progress("relaxing", 0.0, "Finding cells")
        voronoi.propagate(labels, sites)
    done = 0
    for step in range(params.iterations - closing):
        progress("relaxing", step / params.iterations, f"Relaxing, step {step + 1}")
        ways, empty = ways_to_centroids(sites, labels, weight)
        move(sites, np.float32(OVER) * ways, empty, labels, density, rng)
        done += 1
        progress.show(lambda: [sites])
        if float(np.hypot(ways[:, 0], ways[:, 1]).mean()) < enough:
            break
    for left in range(closing, 0, -1):
        progress("relaxing", 1 - left / params.iterations, f"Relaxing, step {done + 1}")
        ways, empty = ways_to_centroids(sites, labels, density if left <= PLAIN else weight)
        if params.engine == "tone":
            ways += np.float32(EVENING_SHARE) * capacity.evening_steps(sites, labels, density)
        move(sites, ways, empty, labels, density, rng)
        done += 1
        progress.show(lambda: [sites])
    return done


def finish(
    sites: np.ndarray, labels: np.ndarray, density: np.ndarray, rng: np.random.Generator, progress: Progress
) -> np.ndarray:
    """Bring cells up to date, and sites that lie on paper onto the nearest ink of their cell.

    Args as of `relax`.

    Returns:
        mean tone of each cell's ink, float64 (N,), [0, 1]: the density weighted with itself, so that the paper
        that a cell on a silhouette's rim has beside its ink does not count.
    """
    progress("finishing", 0.0, "Measuring cells")
    if not len(sites):
        return np.empty(0)
    voronoi.propagate(labels, sites)
    stray = density[_rows(sites), _columns(sites)] <= 0
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


def ways_to_centroids(sites: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From each site to the centroid of its cell, float32 (N, 2), and the indices of those without mass."""
    moments = voronoi.cell_moments(labels, weight, len(sites))
    full = moments[:, 0] > 0
    ways = np.zeros((len(sites), 2), np.float32)
    ways[full] = moments[full, 1:] / moments[full, :1] - sites[full]
    return ways, np.flatnonzero(~full)


def move(
    sites: np.ndarray,
    ways: np.ndarray,
    empty: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Move sites, keep them on the raster, and bring labels up to date.

    Those with empty cells go beside those with the heaviest: propagation would never give them a pixel.
    """
    sites += ways
    if len(empty):
        mass = voronoi.cell_moments(labels, density, len(sites))[:, 0]
        heaviest = np.argsort(mass, kind="stable")[::-1][: min(len(empty), len(sites) - len(empty))]
        aside = rng.uniform(-0.5, 0.5, (len(heaviest), 2)).astype(np.float32)
        sites[empty[: len(heaviest)]] = sites[heaviest] + aside
    height, width = density.shape
    np.clip(sites, 0, np.array([width, height], np.float32) - np.float32(0.01), out=sites)
    voronoi.propagate(labels, sites)
