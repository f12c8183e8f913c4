"""Compiled loops over a raster of labels. They trust their arguments: the package's public functions check.

Sites are float32 (N, 2), pixels of the raster, x right, y down; labels int32 (H, W). Pixel (row, column) has its
centre at (column + 0.5, row + 0.5). All write into arrays that they are handed.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit


@njit(cache=True)
def stamp(labels: np.ndarray, sites: np.ndarray) -> None:
    """Give every site the pixel it is in, so that none is out of the reach of propagation."""
    height, width = labels.shape
    for i in range(sites.shape[0]):
        column = min(max(int(sites[i, 0]), 0), width - 1)
        row = min(max(int(sites[i, 1]), 0), height - 1)
        labels[row, column] = i


@njit(cache=True, fastmath=True)
def sweep_down(labels: np.ndarray, sites: np.ndarray) -> None:
    """One raster scan: each pixel keeps the nearest of its own, its left and its upper neighbour's site."""
    height, width = labels.shape
    for row in range(height):
        y = np.float32(row + 0.5)
        for column in range(width):
            x = np.float32(column + 0.5)
            best = labels[row, column]
            dx, dy = sites[best, 0] - x, sites[best, 1] - y
            least = dx * dx + dy * dy
            if column > 0:
                other = labels[row, column - 1]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            if row > 0:
                other = labels[row - 1, column]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            labels[row, column] = best


@njit(cache=True, fastmath=True)
def sweep_up(labels: np.ndarray, sites: np.ndarray) -> None:
    """The scan back: each pixel keeps the nearest of its own, its right and its lower neighbour's site."""
    height, width = labels.shape
    for row in range(height - 1, -1, -1):
        y = np.float32(row + 0.5)
        for column in range(width - 1, -1, -1):
            x = np.float32(column + 0.5)
            best = labels[row, column]
            dx, dy = sites[best, 0] - x, sites[best, 1] - y
            least = dx * dx + dy * dy
            if column < width - 1:
                other = labels[row, column + 1]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            if row < height - 1:
                other = labels[row + 1, column]
                if other != best:
                    dx, dy = sites[other, 0] - x, sites[other, 1] - y
                    distance = dx * dx + dy * dy
                    if distance < least:
                        least, best = distance, other
            labels[row, column] = best


@njit(cache=True)
def moments(labels: np.ndarray, weight: np.ndarray, sums: np.ndarray) -> None:
    """sums[i] = (mass, x moment, y moment) of cell i under `weight`, float32 (H, W); sums is float64 (N, 3)."""
    sums[:] = 0
    height, width = labels.shape
    for row in range(height):
        y = row + 0.5
        for column in range(width):
            w = weight[row, column]
            if w > 0:
                i = labels[row, column]
                sums[i, 0] += w
                sums[i, 1] += w * (column + 0.5)
                sums[i, 2] += w * y


@njit(cache=True)
def onto_ink(labels: np.ndarray, density: np.ndarray, sites: np.ndarray, stray: np.ndarray, least: np.ndarray) -> None:
    """Move sites flagged in `stray`, bool (N,), into the nearest pixel of their cell that has density.

    least is float32 (N,), scratch.
    """
    height, width = labels.shape
    least[:] = np.inf
    targets = np.full((sites.shape[0], 2), -1, np.int32)
    for row in range(height):
        for column in range(width):
            i = labels[row, column]
            if stray[i] and density[row, column] > 0:
                dx, dy = sites[i, 0] - (column + 0.5), sites[i, 1] - (row + 0.5)
                distance = np.float32(dx * dx + dy * dy)
                if distance < least[i]:
                    least[i] = distance
                    targets[i, 0], targets[i, 1] = column, row
    for i in range(sites.shape[0]):
        if targets[i, 0] >= 0:
            for axis in range(2):
                # A little inside the pixel: on its border, rounding would decide whose it is.
                low = np.float32(targets[i, axis] + 0.125)
                sites[i, axis] = min(max(sites[i, axis], low), low + np.float32(0.75))


@njit(cache=True)
def borders(
    labels: np.ndarray, density: np.ndarray, sites: np.ndarray, near: np.ndarray, conductance: np.ndarray
) -> None:
    """Which cells touch, and how much mass passes their border if it moves: integral of density over distance.

    Each pair is booked once, on the site of lower index: near, int32 (N, K), has the other one, -1 where free;
    conductance is float64 (N, K). A pair that finds no room is left out: that takes a huge cell among tiny ones.
    """
    near[:] = -1
    conductance[:] = 0
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            here = labels[row, column]
            if column + 1 < width and labels[row, column + 1] != here:
                between = density[row, column] + density[row, column + 1]
                _book(here, labels[row, column + 1], 0, between, sites, near, conductance)
            if row + 1 < height and labels[row + 1, column] != here:
                between = density[row, column] + density[row + 1, column]
                _book(here, labels[row + 1, column], 1, between, sites, near, conductance)


@njit(cache=True)
def _book(
    i: int, j: int, axis: int, twice_density: float, sites: np.ndarray, near: np.ndarray, conductance: np.ndarray
) -> None:
    """One pixel side of the border between i and j, as long as its share of the true, slanting border."""
    if twice_density <= 0:
        return
    if i > j:
        i, j = j, i
    dx, dy = sites[j, 0] - sites[i, 0], sites[j, 1] - sites[i, 1]
    squared = max(dx * dx + dy * dy, np.float32(1e-6))
    for k in range(near.shape[1]):
        if near[i, k] == j or near[i, k] < 0:
            near[i, k] = j
            conductance[i, k] += 0.5 * twice_density * abs(dx if axis == 0 else dy) / squared
            return


@njit(cache=True)
def solve(
    near: np.ndarray,
    conductance: np.ndarray,
    diagonal: np.ndarray,
    excess: np.ndarray,
    rounds: int,
    enough: float,
    potential: np.ndarray,
) -> None:
    """The potential whose Laplacian on the graph of cells is the excess, all float64 (N,), by conjugate gradients.

    Preconditioned by the diagonal; ends after so many rounds, or when the residual's norm is that share of the
    excess's. In compiled loops, since BLAS would start threads for each of its many short dot products.
    """
    potential[:] = 0
    residual = excess.copy()
    direction = residual / diagonal
    image = np.empty_like(excess)
    fall, goal = _dot(residual, direction), enough * enough * _dot(excess, excess)
    for _ in range(rounds):
        if _dot(residual, residual) <= goal:
            break
        _laplacian(near, conductance, diagonal, direction, image)
        step = fall / _dot(direction, image)
        before, fall = fall, 0.0
        for i in range(excess.shape[0]):
            potential[i] += step * direction[i]
            residual[i] -= step * image[i]
            fall += residual[i] * residual[i] / diagonal[i]
        for i in range(excess.shape[0]):
            direction[i] = residual[i] / diagonal[i] + fall / before * direction[i]


@njit(cache=True)
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(cache=True)
def _laplacian(
    near: np.ndarray, conductance: np.ndarray, diagonal: np.ndarray, potential: np.ndarray, out: np.ndarray
) -> None:
    """out = diagonal * potential, less what the neighbours' potentials bring through the borders."""
    for i in range(near.shape[0]):
        out[i] = diagonal[i] * potential[i]
    for i in range(near.shape[0]):
        for k in range(near.shape[1]):
            j = near[i, k]
            if j < 0:
                break
            out[i] -= conductance[i, k] * potential[j]
            out[j] -= conductance[i, k] * potential[i]


@njit(cache=True)
def slopes(
    near: np.ndarray, conductance: np.ndarray, sites: np.ndarray, potential: np.ndarray, sums: np.ndarray
) -> None:
    """Gradients of a potential at the sites, from their neighbours: sums, float64 (N, 4), is of weights (the
    conductances), of weighted squared distances, and of x and y of what 2 / weights makes the gradient."""
    sums[:] = 0
    for i in range(near.shape[0]):
        for k in range(near.shape[1]):
            j = np.int64(near[i, k])  # of the type of i, for the pair below
            if j < 0:
                break
            c = conductance[i, k]
            dx, dy = float(sites[j, 0]) - sites[i, 0], float(sites[j, 1]) - sites[i, 1]
            squared = max(dx * dx + dy * dy, 1e-6)
            slope = c * (potential[j] - potential[i]) / squared
            for site in (i, j):
                sums[site, 0] += c
                sums[site, 1] += c * squared
                sums[site, 2] += slope * dx
                sums[site, 3] += slope * dy
