"""Gaussian blue noise: dots as Gaussians that push each other away while the density pulls them in."""

from __future__ import annotations

import numpy as np

from tessera_protocol.jobs import StippleParams

from ...progress import SILENT, Progress
from .. import voronoi
from .energy import Energy

# Variance of a Gaussian, as a share of the area that a dot has; the paper has 0.25. Narrower ones make dots line up in
# fewer steps, but under 0.2 they leave lights for darks; with wider ones the masses are even sooner than the spacing.
SHARE = 0.3
# Gradient steps for each of the iterations asked for; widths and neighbours are found anew between iterations.
STEPS = 6
# Of the reciprocal of the largest slope that one Gaussian's force has; at 2 dots swing.
RATE = 1.0
MOMENTUM = 0.9
# Longest step, as a share of the spacing.
LONGEST = 0.2
# Cells are as good as exact after so many, starting from the curve's stretches.
_SWEEPS = 3


def relax(
    sites: np.ndarray,
    labels: np.ndarray,
    density: np.ndarray,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> int:
    """Relax sites on a raster; arguments and result are those of `lloyd.relax`, and `rng` is not needed.

    Where dots far outnumber the pixels that have ink, they stay where they are. Dots may come to lie on paper.
    """
    spacing = (np.count_nonzero(density) / len(sites)) ** 0.5
    progress("relaxing", 0.0, "Measuring tones")
    energy = Energy(density, len(sites), SHARE, progress)
    height, width = density.shape
    edge = np.nextafter(np.array([width, height], np.float32), np.float32(0)).astype(np.float64)
    places = sites.astype(np.float64)
    speed = np.zeros_like(places)
    done = 0
    for step in range(params.iterations):
        part = progress.part(step / params.iterations, (step + 1) / params.iterations)
        moved = descend(energy, places, speed, edge, part)
        done += 1
        progress.show(lambda: [places])
        if moved < params.tolerance * spacing:
            break
    sites[:] = places
    for _ in range(_SWEEPS):
        voronoi.propagate(labels, sites)
    return done


def descend(
    energy: Energy, places: np.ndarray, speed: np.ndarray, edge: np.ndarray, progress: Progress = SILENT
) -> float:
    """Some steps down the gradient with momentum, in place; returns how far dots went on average, pixels."""
    if not energy.prepare(places):
        return 0.0
    start = places.copy()
    # A Gaussian of variance 2 s pushes with r / (8 pi s^2) near its middle.
    mobility = RATE * 8 * np.pi * energy.widths[:, None] ** 2
    longest = LONGEST * np.sqrt(energy.widths / SHARE)
    for step in range(STEPS):
        progress("relaxing", step / STEPS, "Relaxing")
        speed *= MOMENTUM
        speed += mobility * energy.forces(places)[1]
        length = np.maximum(np.hypot(speed[:, 0], speed[:, 1]), 1e-12)
        speed *= np.minimum(1.0, longest / length)[:, None]
        places += speed
        np.clip(places, 0, edge, out=places)
    return float(np.hypot(*(places - start).T).mean())
