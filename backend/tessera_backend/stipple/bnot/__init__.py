"""Blue noise through optimal transport: every dot in the centroid of a power cell, all cells of the same mass."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import StippleParams

from ...progress import Progress
from .. import lloyd, voronoi
from . import power

# Of the iterations asked for, one in so many is a step of `tone`, to start from; as many turns as asked for follow.
TONE_STEPS = 3
# Over-relaxed, as in `lloyd`.
OVER = 1.5
# Turns at the beginning and at the end that go no further than the centroid.
_CALM = 2
# Turns are taken on the coarsest raster with so many inked pixels for each dot, since cells cut across pixels anyway.
_PIXELS = 8
# Spread of the masses that is good enough while sites move, most Newton steps for it, and most rounds of solving for
# each; the same for the end.
_MOVING = 3e-3, 2, 40
_LAST = 1e-3, 24, 150
# Spread of masses beyond which the weights are beyond repair.
_LOST = 0.12
# Labels are as good as exact after so many.
_SWEEPS = 3


def relax(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> dict[str, Any]:
    """Relax sites on a raster.

    De Goes, Breeden, Ostromoukhov and Desbrun, Blue Noise through Optimal Transport, SIGGRAPH Asia 2012: in turns,
    sites step to the centroids of their power cells, which lowers the cost of transport, and weights make the masses
    of the cells even. It begins where `tone` has led in a few steps.

    Args as of `lloyd.relax`.

    Returns:
        facts for the metadata: "iterations_run", turns done; "power_cells_rms", how much the masses of the power
        cells differ in the end: root mean square, as a share of the mean.
    """
    begin(sites, labels, density, params, rng, progress.part(0.0, 0.2))
    done, weights = take_turns(sites, labels, density, params, (OVER, 0.0), progress.part(0.2, 0.85))
    cells = power.measured(sites, weights, labels, density)
    whole = np.zeros(len(sites), np.intp)
    cells = power.evened(cells, whole, *_LAST, progress.part(0.85, 1.0))
    differ = power.spread(cells, power.mean_of_part(cells.masses, whole))
    return {"iterations_run": done, "power_cells_rms": round(differ, 6)}


def begin(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Bring sites, in place, from the curve to where hardly any cell is far from its share; args as of `relax`."""
    few = dataclasses.replace(params, engine="tone", iterations=-(-params.iterations // TONE_STEPS))
    lloyd.relax(sites, labels, density, few, rng, progress)


def take_turns(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    pace: tuple[float, float],
    progress: Progress,
) -> tuple[int, np.ndarray]:
    """Move sites, in place, to the centroids of power cells that are even within each part of the picture.

    Args:
        sites, labels, density, progress: as of `relax`; labels become those of Voronoi cells.
        params: iterations and tolerance are read.
        pace: how far to go of the way to the centroid, and how much of the last move is added to it.
    Returns:
        turns done; weights, float64 (N,), square pixels.
    """
    enough = params.tolerance * (np.count_nonzero(density) / len(sites)) ** 0.5
    coarse, side = _coarsened(density, _PIXELS * len(sites))
    cells = power.measured(sites / np.float32(side), np.zeros(len(sites)), labels[::side, ::side], coarse)
    cells = _settled(cells)
    speed, done = np.zeros_like(sites), 0
    for turn in range(params.iterations):
        progress("relaxing", turn / params.iterations, f"Relaxing, step {turn + 1}")
        over, momentum = pace if _CALM <= turn < params.iterations - _CALM else (1.0, 0.0)
        before = cells.sites
        cells = _settled(power.moved(cells, np.float32(momentum) * speed + np.float32(over) * cells.ways))
        speed = cells.sites - before
        done += 1
        progress.show(lambda cells=cells: [cells.sites * np.float32(side)])  # type: ignore[misc]
        if side * float(np.hypot(speed[:, 0], speed[:, 1]).mean()) < enough:
            break
    edge = np.array(density.shape[::-1], np.float32) - np.float32(0.01)
    sites[:] = np.minimum(cells.sites * np.float32(side), edge)
    for _ in range(_SWEEPS):
        voronoi.propagate(labels, sites)
    return done, cells.weights * side**2


def _settled(cells: power.Cells) -> power.Cells:
    """Cells that are even enough within each part of the picture.

    Where that failed, weights begin anew: cells without any are Voronoi cells, which all have something.
    """
    part = power.parts(cells)
    if power.spread(cells, power.mean_of_part(cells.masses, part)) > _LOST:
        cells = power.measured(cells.sites, np.zeros(len(part)), _nearest(cells), cells.density)
        part = power.parts(cells)
    return power.evened(cells, part, *_MOVING)


def _nearest(cells: power.Cells) -> np.ndarray:
    """Labels of Voronoi cells."""
    labels = cells.labels.copy()
    for _ in range(_SWEEPS):
        voronoi.propagate(labels, cells.sites)
    return labels


def _coarsened(density: np.ndarray, pixels: int) -> tuple[np.ndarray, int]:
    """Mean density of the largest square blocks of which so many have ink, float32, and their side, pixels.

    Blocks that the edge cuts count paper as well.
    """
    side = 1
    while np.count_nonzero(density) >= 4 * pixels:
        height, width = density.shape
        even = np.pad(density, ((0, height % 2), (0, width % 2)))
        density, side = (
            (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / np.float32(4),
            2 * side,
        )
    return np.ascontiguousarray(density), side
