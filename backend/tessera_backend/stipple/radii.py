"""How large each dot is: by the tone of its cell, or so that the ink on the page adds up to the tones."""

from __future__ import annotations

import math

import numpy as np

from tessera_protocol.jobs import StippleParams

# Of the spacing that the darkest tone leaves, what neighbours in a relaxed arrangement hardly ever fall below.
NEAREST = 0.75
LEAST_RADIUS = 0.01


# Dots sized by tone take this much of the tone on themselves; were the lightest smaller in proportion, the lights would
# need more dots than the darks, which looks like dust.
LEAST_SHARE = 0.4
# A line through dots is as long as the root of their number: 2 would keep the tone, but leave nearly no line in the
# lights; 1 would make everything grey.
LINE_POWER = 1.5


def placing(tones: np.ndarray, params: StippleParams) -> np.ndarray:
    """How dense dots have to lie so that count and size together, not each by itself, make up the tone.

    Args:
        tones: float32 (P, H, W), dark is 1.
        params: marks, engine, radius_min and radius_max are read; `wvs` does not keep the tone anyway.
    Returns:
        float32 (P, H, W): the tones themselves for dots of one size, else tone over dot area. For a line
        a power of them.
    """
    if params.marks == "line":
        return tones**LINE_POWER
    if params.engine == "wvs" or not params.radius_min or params.radius_min == params.radius_max:
        return tones
    share = max(params.radius_min / params.radius_max, LEAST_SHARE)
    density = tones / (share + (1 - share) * np.minimum(tones, 1)) ** 2
    return density / density.max()


def of_dots(tones: np.ndarray, density: np.ndarray, area: float, params: StippleParams) -> np.ndarray:
    """Radii of the dots.

    Args:
        tones: of the cells, float (N,), [0, 1].
        density: of all plates, float32 (P, H, W).
        area: of the page that `density` covers, mm^2.
        params: dots, radius_min, radius_max and minimum_gap are read.
    Returns:
        float32 (N,), mm: `radius_min` at tone 0 (paper), `radius_max` at tone 1 (black).
    """
    largest = params.radius_max or covering(density.sum(axis=0), area, params.dots, params.minimum_gap)
    smallest = params.radius_min or largest
    return (smallest + (largest - smallest) * np.clip(tones, 0, 1)).astype(np.float32)


def of_line(density: np.ndarray, area: float, length: float) -> float:
    """Half the width (mm) with which lines of that length, mm, put as much ink on the page as the densities ask for."""
    return max(area * float(density.sum(axis=0).mean()) / (2 * max(length, 1e-9)), LEAST_RADIUS)


def covering(density: np.ndarray, area: float, dots: int, minimum_gap: float) -> float:
    """The one radius (mm) with which so many dots put as much ink on the page as the density asks for.

    In the darkest parts neighbours then touch or overlap; with a minimum gap the dots are smaller, so that there, too,
    most find room.
    """
    radius = math.sqrt(area * float(density.mean()) / (math.pi * dots))
    if minimum_gap > 0:
        # Dots a mm^2 in the darkest parts; as a hexagonal lattice they would stand at this distance.
        darkest = dots * float(np.percentile(density, 99)) / (area * float(density.mean()))
        spacing = math.sqrt(2 / (math.sqrt(3) * max(darkest, 1e-12)))
        radius = min(radius, (NEAREST * spacing - minimum_gap) / 2)
    return max(radius, LEAST_RADIUS)
