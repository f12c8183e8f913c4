"""Dots of several plates placed together: each plate is blue noise by itself, and so is the union of all.

Wei, Multi-Class Blue Noise Sampling, SIGGRAPH 2010, states the goal; Qin et al., Wasserstein Blue Noise Sampling, ACM
TOG 36(5), 2017, reach it by descending the sum of what each class and their union have to lose. Here both are
Lloyd's energies: a site goes part of the way to the centroid of its cell among its own plate's sites, which keeps its
plate's tone, and part of the way to that of its cell among all sites, which keeps colours from clumping.
"""

from __future__ import annotations

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..compiled import njit
from ..progress import Progress
from . import capacity, lloyd, start, voronoi

# The union's share of each step. At 0.6 plates give up a twentieth of their spacing, and the union wins a half.
UNION = 0.6


def place(
    densities: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress
) -> tuple[list[np.ndarray], list[np.ndarray], int]:
    """Place sites of all plates, shared out by mass.

    Args:
        densities: float32 (P, H, W), not negative, not all 0.
        params: dots, iterations and tolerance are read.
        rng: all that is random comes from it.
        progress: told before each step.
    Returns:
        sites float32 (N_p, 2) of each plate, pixels, of which all N_p sum up to `dots`; labels int32 (H, W) of each;
        the number of steps done.
    """
    total = densities.sum(axis=0)
    everyone, labels = start.along_curve(total, params.dots, rng)
    classes = share_out(densities, everyone)
    sites = [everyone[classes == p] for p in range(len(densities))]
    own = [_latest(labels, classes == p) for p in range(len(densities))]
    # From here on the union's sites are in the order of their plates.
    order = np.argsort(classes, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    labels = rank[labels]
    steps = _relax(sites, own, labels, densities, params, rng, progress)
    return sites, own, steps


def share_out(densities: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """A plate for each site along a curve, int64 (N,), so that on every stretch of it each plate has its share.

    Error diffusion along the curve: what a site's pixel asks of other plates is owed to them by the next ones.
    """
    columns, rows = sites.astype(np.intp).T
    asked = densities[:, rows, columns].T.astype(np.float64)
    asked /= asked.sum(axis=1, keepdims=True)
    classes = np.empty(len(sites), np.int64)
    _diffuse(asked, classes)
    return classes


@njit(cache=True)
def _diffuse(asked: np.ndarray, classes: np.ndarray) -> None:
    owed = np.zeros(asked.shape[1])
    for i in range(asked.shape[0]):
        best = -1
        for p in range(asked.shape[1]):
            owed[p] += asked[i, p]
            if asked[i, p] > 0 and (best < 0 or owed[p] > owed[best]):
                best = p
        classes[i] = best
        owed[best] -= 1


def _latest(labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Labels among the chosen sites only: of the latest one on the curve."""
    return np.maximum(np.cumsum(chosen) - 1, 0).astype(np.int32)[labels]


def _relax(
    sites: list[np.ndarray],
    own: list[np.ndarray],
    labels: np.ndarray,
    densities: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> int:
    """As `lloyd.relax` does with engine `tone`, with the union's steps blended in; returns the number of steps."""
    total = densities.sum(axis=0)
    closing = min(lloyd.CLOSING["tone"], (params.iterations + 2) // 3)
    enough = params.tolerance * (np.count_nonzero(total) / params.dots) ** 0.5
    bounds = np.cumsum([len(some) for some in sites])[:-1]
    for _ in range(2):
        progress("relaxing", 0.0, "Finding cells")
        for some, cells in zip(sites, own, strict=True):
            voronoi.propagate(cells, some)
        voronoi.propagate(labels, np.concatenate(sites))
    done, left = 0, params.iterations
    while left > 0:
        progress("relaxing", 1 - left / params.iterations, f"Relaxing, step {done + 1}")
        everyone = np.concatenate(sites)
        plain = left <= lloyd.PLAIN
        shared = lloyd.ways_to_centroids(everyone, labels, total if plain else total * total)[0]
        moved = 0.0
        for p, apart in enumerate(np.split(shared, bounds)):
            if not len(apart):
                continue
            density = densities[p]
            ways, empty = lloyd.ways_to_centroids(sites[p], own[p], density if plain else density * density)
            ways += np.float32(UNION) * (apart - ways)
            moved += float(np.hypot(ways[:, 0], ways[:, 1]).sum())
            if left > closing:
                ways *= np.float32(lloyd.OVER)
            else:
                ways += np.float32(lloyd.EVENING_SHARE) * capacity.evening_steps(sites[p], own[p], density)
            lloyd.move(sites[p], ways, empty, own[p], density, rng)
        voronoi.propagate(labels, np.concatenate(sites))
        done += 1
        progress.show(lambda: sites)
        left = closing if left > closing and moved < enough * len(everyone) else left - 1
    return done
