"""What is measured of dots, and how the numbers become rows: one function a table."""

from __future__ import annotations

import itertools
import statistics
import sys
from collections.abc import Sequence

import numpy as np

import pictures
from peers import Floats, Method
from tessera_backend.stipple import metrics
from tessera_backend.stipple.metrics import arrangement, legacy

# The raster that everything is measured on, and that every method is given.
PIXELS, PIXELS_PER_DOT = 512 * 512, 50
# A method that took longer than this is not run again for a median.
SLOW = 5.0
# Column -> what `metrics.all_metrics` calls it.
QUALITY = {
    "E_norm": "energy_normalized",
    "capacity error": "capacity_error",
    "W2": "w2",
    "W2/sqrt(E/mass)": "w2_over_local",
    "Sinkhorn": "sinkhorn",
    "rho points": "spatial_points",
    "rho mass": "spatial_mass",
}
LEGACY = {"CVT energy": "energy", "capacity": "capacity", "EMD": "emd", "Sinkhorn": "sinkhorn", "rho": "spatial"}

Row = list[object]
Solved = dict[tuple[str, str], tuple[Floats, pictures.Grey]]


def raster(picture: pictures.Picture, dots: int) -> pictures.Grey:
    """The picture as every method gets it for so many dots."""
    return picture.raster(max(PIXELS, PIXELS_PER_DOT * dots))


def solve_all(methods: Sequence[Method], inputs: Sequence[pictures.Picture], dots: int) -> Solved:
    """Dots of every method on every picture: (method, picture) -> (positions, raster)."""
    solved = {}
    for picture, method in itertools.product(inputs, methods):
        grey = raster(picture, dots)
        points, seconds = method.solve(grey, dots, 0)
        solved[method.name, picture.name] = points, grey
        print(f"{picture.name}, {dots} dots, {method.name}: {seconds:.3g} s", file=sys.stderr)
    return solved


def quality(solved: Solved) -> list[Row]:
    """Table 1 with exact measures: mean and standard deviation over the pictures, one row a method."""
    values: dict[str, list[list[float]]] = {}
    for (method, _), (points, grey) in solved.items():
        measured = metrics.all_metrics(points, 1 - grey / 255.0)
        values.setdefault(method, []).append([measured[name] for name in QUALITY.values()])
    return [[method, *_spread(rows)] for method, rows in values.items()]


def published(solved: Solved) -> list[Row]:
    """Table 1 by the measures of the code that made it."""
    values: dict[str, list[list[float]]] = {}
    for (method, _), (points, grey) in solved.items():
        measured = legacy.legacy_metrics(points, grey / 255.0)
        values.setdefault(method, []).append([measured[name] for name in LEGACY.values()])
    return [[method, *_spread(rows)] for method, rows in values.items()]


def by_count(
    methods: Sequence[Method], inputs: Sequence[pictures.Picture], many: Sequence[int], repeat: int
) -> tuple[list[Row], list[Row]]:
    """Table 2, CPU seconds by dot count, and capacity error and spatial measure of the same dots.

    Medians of runs, then means over the pictures; None where a method is left out.
    """
    times: list[Row] = [[method.name] for method in methods]
    qualities: list[Row] = [[method.name] for method in methods]
    for dots, (i, method) in itertools.product(many, enumerate(methods)):
        if dots > method.most_dots:
            times[i].append(None)
            qualities[i] += [None, None]
            continue
        measured = [_timed(method, raster(picture, dots), dots, repeat) for picture in inputs]
        seconds, capacity, spatial = map(float, np.mean(measured, axis=0))
        times[i].append(seconds)
        qualities[i] += [capacity, spatial]
        print(f"{dots} dots, {method.name}: {seconds:.3g} s", file=sys.stderr)
    return times, qualities


def strips(methods: Sequence[Method], dots: int, seeds: int) -> list[Row]:
    """Shares of the four strips of x squared, worst deviation over the seeds, and what is left of a square lattice."""
    grey = raster(pictures.ramp(), dots)
    target = np.diff((np.arange(5) / 4) ** 3)
    rows: list[Row] = [["target", *target.tolist(), None, None]]
    for method in methods:
        sets = [method.solve(grey, dots, seed)[0] for seed in range(seeds)]
        shares = np.array([metrics.strips(points) for points in sets])
        order = float(np.mean([arrangement.bond_order(points) for points in sets]))
        rows.append([method.name, *shares[0].tolist(), float(abs(shares - target).max()), order])
    return rows


def _spread(rows: list[list[float]]) -> list[str]:
    return [f"{mean:.4g} ± {std:.2g}" for mean, std in zip(np.mean(rows, 0), np.std(rows, 0), strict=True)]


def _timed(method: Method, grey: pictures.Grey, dots: int, repeat: int) -> tuple[float, float, float]:
    """Median CPU time, and of the first run capacity error and spatial measure by mass."""
    points, first = method.solve(grey, dots, 0)
    more = [method.solve(grey, dots, 0)[1] for _ in range(repeat - 1 if first < SLOW else 0)]
    density = 1 - grey / 255.0
    spatial = metrics.spatial_measure(points, density, "mass")
    return statistics.median([first, *more]), metrics.capacity_error(points, density), spatial
