"""Sums over Gaussians: a dot's with its neighbours', found through a grid of cells, and a dot's with the density's.

A Gaussian here has mass 1 and is given by its variance S in square pixels: exp(-r^2 / 2S) / (2 pi S).
"""

from __future__ import annotations

import math

import numpy as np

from ...compiled import njit

# Gaussians end at four standard deviations, at 0.0003 of their height.
REACH = 4.0
# Sums over blocks are as good as integrals while a standard deviation is this many blocks, at least; the second
# number is for the pixels themselves, which cannot be split.
_BLOCKS = 1.25
_PIXELS = 0.6


@njit(cache=True)
def halve(fine: np.ndarray, coarse: np.ndarray) -> None:
    """coarse[r, c] is the sum of the block of 2 x 2 (fewer at the edges) of `fine`."""
    coarse[:] = 0
    for row in range(fine.shape[0]):
        for column in range(fine.shape[1]):
            coarse[row // 2, column // 2] += fine[row, column]


@njit(cache=True, fastmath={"reassoc", "contract"})  # or sums over a row are not done several pixels at a time
def under(
    x: float,
    y: float,
    variance: float,
    blocks: np.ndarray,
    shapes: np.ndarray,
    finest: float,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """What a Gaussian at (x, y) finds of a field that is given by its sums over blocks.

    Args:
        x, y: in the field's own pixels times `finest`.
        blocks: float64 (B,), of all levels, one after the other; a level's blocks are twice as long and wide as those
            of the level before.
        shapes: int64 (levels, 3), of each its rows, its columns, and where in `blocks` it begins.
        finest: side of the first level's blocks.
        scratch: float64 (2, 64).
        out: float64 (3,): sum of field times Gaussian, and its slope in x and in y.
    """
    deviation = max(math.sqrt(variance), _PIXELS * finest)
    variance = deviation * deviation
    level, side = 0, finest
    while level + 1 < shapes.shape[0] and 2 * side * _BLOCKS <= deviation:
        level, side = level + 1, 2 * side
    variance -= (side * side - finest * finest) / 12  # blocks blur by themselves
    rows, columns, begin = shapes[level]
    reach = REACH * deviation
    left, right = max(int((x - reach) / side), 0), min(int((x + reach) / side) + 1, columns)
    top, bottom = max(int((y - reach) / side), 0), min(int((y + reach) / side) + 1, rows)
    for c in range(left, right):
        away = (c + 0.5) * side - x
        scratch[0, c - left] = math.exp(-0.5 * away * away / variance)
        scratch[1, c - left] = scratch[0, c - left] * away
    total, to_x, to_y = 0.0, 0.0, 0.0
    for r in range(top, bottom):
        mass, moment = 0.0, 0.0
        at = begin + r * columns
        for c in range(left, right):
            mass += scratch[0, c - left] * blocks[at + c]
            moment += scratch[1, c - left] * blocks[at + c]
        away = (r + 0.5) * side - y
        weight = math.exp(-0.5 * away * away / variance)
        total += weight * mass
        to_x += weight * moment
        to_y += weight * mass * away
    norm = 1 / (2 * math.pi * variance)
    out[0], out[1], out[2] = norm * total, norm * to_x / variance, norm * to_y / variance


@njit(cache=True)
def mean_densities(
    places: np.ndarray, areas: np.ndarray, mass: np.ndarray, squares: np.ndarray, shapes: np.ndarray, means: np.ndarray
) -> None:
    """means[i] = mean density of the ink around places[i], under a Gaussian of variance areas[i]; untouched on paper.

    The density is weighted with itself, so that the paper beside a silhouette does not count: `mass` and `squares`
    are the blocks of the density and of its square, as `under` takes them, of single pixels the first.
    """
    scratch, out = np.empty((2, 64)), np.empty(3)
    for i in range(places.shape[0]):
        under(places[i, 0], places[i, 1], areas[i], mass, shapes, 1.0, scratch, out)
        if out[0] > 1e-12:
            found = out[0]
            under(places[i, 0], places[i, 1], areas[i], squares, shapes, 1.0, scratch, out)
            means[i] = out[0] / found


@njit(cache=True)
def attract(
    sites: np.ndarray,
    widths: np.ndarray,
    blocks: np.ndarray,
    shapes: np.ndarray,
    finest: float,
    border: float,
    forces: np.ndarray,
) -> float:
    """Adds the field's pull to forces, float64 (N, 2), and returns its energy.

    The field is as in `under`, and begins at (-border, -border).
    """
    scratch, out = np.empty((2, 64)), np.empty(3)
    energy = 0.0
    for i in range(sites.shape[0]):
        x, y = sites[i, 0] + border, sites[i, 1] + border
        under(x, y, widths[i], blocks, shapes, finest, scratch, out)
        energy -= out[0]
        forces[i, 0] += out[1]
        forces[i, 1] += out[2]
    return energy


@njit(cache=True)
def repel(sites: np.ndarray, widths: np.ndarray, starts: np.ndarray, partners: np.ndarray, forces: np.ndarray) -> float:
    """Adds the dots' push to forces, float64 (N, 2), and returns its energy; each pair is listed once."""
    energy = 0.0
    for i in range(sites.shape[0]):
        for k in range(starts[i], starts[i + 1]):
            j = partners[k]
            dx, dy = sites[i, 0] - sites[j, 0], sites[i, 1] - sites[j, 1]
            variance = widths[i] + widths[j]
            value = math.exp(-0.5 * (dx * dx + dy * dy) / variance) / (2 * math.pi * variance)
            energy += value
            push = value / variance
            forces[i, 0] += push * dx
            forces[i, 1] += push * dy
            forces[j, 0] -= push * dx
            forces[j, 1] -= push * dy
    return energy


@njit(cache=True)
def pair(
    sites: np.ndarray,
    widths: np.ndarray,
    side: float,
    cell_starts: np.ndarray,
    members: np.ndarray,
    columns: int,
    rows: int,
    starts: np.ndarray,
    partners: np.ndarray,
) -> None:
    """Pairs within reach, each listed with its wider dot.

    With no room in `partners` pairs are only counted: starts, int64 (N + 1,), is filled either way. Cells are squares
    of `side`; members[cell_starts[c] : cell_starts[c + 1]] are the dots of cell c.
    """
    found = 0
    for i in range(sites.shape[0]):
        starts[i] = found
        x, y = sites[i, 0], sites[i, 1]
        reach = REACH * math.sqrt(2 * widths[i])
        left, right = max(int((x - reach) / side), 0), min(int((x + reach) / side), columns - 1)
        for row in range(max(int((y - reach) / side), 0), min(int((y + reach) / side), rows - 1) + 1):
            for k in range(cell_starts[row * columns + left], cell_starts[row * columns + right + 1]):
                j = members[k]
                if widths[j] > widths[i] or (widths[j] == widths[i] and j >= i):
                    continue
                dx, dy = x - sites[j, 0], y - sites[j, 1]
                if dx * dx + dy * dy < REACH * REACH * (widths[i] + widths[j]):
                    if found < partners.shape[0]:
                        partners[found] = j
                    found += 1
    starts[sites.shape[0]] = found
