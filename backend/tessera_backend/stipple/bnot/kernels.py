"""Compiled loops over a raster for power cells: which pixels are whose, and how pixels on a border are shared.

Sites are float32 (N, 2), pixels of the raster, x right, y down; weights float64 (N,), square pixels; labels int32
(H, W). The power of a site at a place is the squared distance less the site's weight; a place is in the cell of the
site of least power. All write into arrays that they are handed.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit

# Sites whose cells may meet in a pixel: its own and the eight around it.
_MEET = 9
# Corners that a square has after as many cuts.
_CORNERS = 4 + _MEET
# On paper only every fourth row is looked at, for the borders there, which need not be exact.
_PAPER_ROWS = 4


@njit(cache=True, fastmath=True)
def sweep(labels: np.ndarray, sites: np.ndarray, weights: np.ndarray) -> None:
    """Two raster scans, there and back: each pixel takes over a neighbour's site if that has less power at it."""
    height, width = labels.shape
    for turn in (1, -1):
        for k in range(height):
            row = k if turn > 0 else height - 1 - k
            for m in range(width):
                column = m if turn > 0 else width - 1 - m
                x, y = column + 0.5, row + 0.5
                best = labels[row, column]
                least = _power(best, x, y, sites, weights)
                if m > 0:
                    other = labels[row, column - turn]
                    if other != best:
                        power = _power(other, x, y, sites, weights)
                        if power < least:
                            least, best = power, other
                if k > 0:
                    other = labels[row - turn, column]
                    if other != best:
                        power = _power(other, x, y, sites, weights)
                        if power < least:
                            least, best = power, other
                labels[row, column] = best


@njit(cache=True, fastmath=True, inline="always")
def _power(i: int, x: float, y: float, sites: np.ndarray, weights: np.ndarray) -> float:
    dx, dy = sites[i, 0] - x, sites[i, 1] - y
    return dx * dx + dy * dy - weights[i]


@njit(cache=True)
def integrate(
    labels: np.ndarray,
    density: np.ndarray,
    sites: np.ndarray,
    weights: np.ndarray,
    sums: np.ndarray,
    near: np.ndarray,
    slopes: np.ndarray,
) -> None:
    """Integrals of the density over cells whose borders cut across pixels, and their slopes in the weights.

    Args:
        labels: of the sites with the least power at the pixels' centres.
        density: float32 (H, W); constant on each pixel.
        sums: float64 (N, 3), becomes mass, x moment, y moment.
        near, slopes: int32 (N, K) and float64 (2, N, K). Each pair of cells that touch is booked once, with the site of
            lower index: near has the other one, -1 where free; slopes[0] by how much the first one's mass grows with
            its weight and falls with the other's, slopes[1] by how much its area does. A pair that finds no room is
            left out.
    """
    sums[:] = 0
    near[:] = -1
    slopes[:] = 0
    height, width = labels.shape
    meet = np.empty(_MEET, np.int32)
    powers = np.empty(_MEET)
    polygons = np.empty((2, _CORNERS, 2))
    makers = np.empty((2, _CORNERS), np.int64)
    for row in range(height):
        for column in range(width):
            rho = density[row, column]
            if rho <= 0 and row % _PAPER_ROWS:
                continue
            x, y = column + 0.5, row + 0.5
            own = labels[row, column]
            inner = 0 < row < height - 1 and 0 < column < width - 1
            if inner and _alone(labels, row, column):
                count = 1
            else:
                count = _meeting(labels, row, column, sites, weights, meet, powers)
            left, left_x, left_y = 1.0, 0.0, 0.0
            for k in range(1, count):
                i = meet[k]
                if count == 2:
                    dx, dy = sites[i, 0] - sites[own, 0], sites[i, 1] - sites[own, 1]
                    area, to_x, to_y, slope = _beyond(dx, dy, 0.5 * powers[1])
                    _book(own, i, rho, 0.5 * slope, near, slopes)
                else:
                    area, to_x, to_y = _part(k, count, meet, powers, sites, polygons, makers, rho, near, slopes)
                sums[i, 0] += rho * area
                sums[i, 1] += rho * (area * x + to_x)
                sums[i, 2] += rho * (area * y + to_y)
                left, left_x, left_y = left - area, left_x - to_x, left_y - to_y
            sums[own, 0] += rho * left
            sums[own, 1] += rho * (left * x + left_x)
            sums[own, 2] += rho * (left * y + left_y)


@njit(cache=True, inline="always")
def _alone(labels: np.ndarray, row: int, column: int) -> bool:
    own = labels[row, column]
    different = (labels[row, column - 1] ^ own) | (labels[row, column + 1] ^ own)
    for r in (row - 1, row + 1):
        different |= (labels[r, column - 1] ^ own) | (labels[r, column] ^ own) | (labels[r, column + 1] ^ own)
    return different == 0


@njit(cache=True)
def _meeting(
    labels: np.ndarray,
    row: int,
    column: int,
    sites: np.ndarray,
    weights: np.ndarray,
    meet: np.ndarray,
    powers: np.ndarray,
) -> int:
    """Sites whose borders with the pixel's own cut it, after that one, and their powers over its; returns how many."""
    height, width = labels.shape
    own = labels[row, column]
    meet[0], powers[0] = own, 0.0
    count = 1
    for r in range(max(row - 1, 0), min(row + 2, height)):
        for c in range(max(column - 1, 0), min(column + 2, width)):
            other = labels[r, c]
            if other == own:
                continue
            known = False
            for k in range(1, count):
                known = known or meet[k] == other
            if known:
                continue
            x, y = column + 0.5, row + 0.5
            over = _power(other, x, y, sites, weights) - _power(own, x, y, sites, weights)
            if over < abs(sites[other, 0] - sites[own, 0]) + abs(sites[other, 1] - sites[own, 1]):
                meet[count], powers[count] = other, over
                count += 1
    return count


@njit(cache=True)
def _beyond(dx: float, dy: float, least: float) -> tuple[float, float, float, float]:
    """Of the pixel, what has (dx, dy) . u > least, u from its centre: area, moments, and how the area falls with least.

    least is not negative, so that this is a triangle at a corner, or reaches from side to side.
    """
    across, down = abs(dx), abs(dy)
    steep = down > across
    large, small = max(across, down), min(across, down)
    deep = 0.5 * (large + small) - least
    if deep < small:
        along, beside = deep / large, deep / small
        area, slope = 0.5 * along * beside, deep / (large * small)
        to_large, to_small = area * (0.5 - along / 3), area * (0.5 - beside / 3)
    else:
        low, high = (deep - small) / large, deep / large
        area, slope = 0.5 * (low + high), 1 / large
        to_large = 0.5 * area - (low * low + low * high + high * high) / 6
        to_small = (high - low) / 12
    to_x, to_y = (to_small, to_large) if steep else (to_large, to_small)
    return area, (to_x if dx > 0 else -to_x), (to_y if dy > 0 else -to_y), slope


@njit(cache=True)
def _part(
    k: int,
    count: int,
    meet: np.ndarray,
    powers: np.ndarray,
    sites: np.ndarray,
    polygons: np.ndarray,
    makers: np.ndarray,
    rho: float,
    near: np.ndarray,
    slopes: np.ndarray,
) -> tuple[float, float, float]:
    """Area and moments, about the pixel's centre, of what one of the sites that meet in a pixel has of it.

    Books this part's borders; those between two parts that both are cut out count once.
    """
    for a in range(4):
        polygons[0, a, 0] = -0.5 if a % 3 == 0 else 0.5
        polygons[0, a, 1] = -0.5 if a < 2 else 0.5
        makers[0, a] = -1
    corners, at = 4, 0
    i = meet[k]
    for other in range(count):
        if other == k or corners == 0:
            continue
        j = meet[other]
        # 2 (s_j - s_i) . u <= power_j - power_i at the centre.
        dx, dy = 2.0 * (sites[j, 0] - sites[i, 0]), 2.0 * (sites[j, 1] - sites[i, 1])
        corners = _cut(polygons, makers, at, corners, dx, dy, powers[other] - powers[k], other)
        at = 1 - at
    area, to_x, to_y = 0.0, 0.0, 0.0
    for a in range(corners):
        b = a + 1 if a + 1 < corners else 0
        x0, y0, x1, y1 = polygons[at, a, 0], polygons[at, a, 1], polygons[at, b, 0], polygons[at, b, 1]
        cross = x0 * y1 - x1 * y0
        area += cross
        to_x += cross * (x0 + x1)
        to_y += cross * (y0 + y1)
        other = makers[at, a]
        if other == 0 or other > k:
            j = meet[other]
            dx, dy = sites[j, 0] - sites[i, 0], sites[j, 1] - sites[i, 1]
            length = np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
            _book(i, j, rho, 0.5 * length / np.sqrt(max(dx * dx + dy * dy, np.float32(1e-12))), near, slopes)
    return area / 2, to_x / 6, to_y / 6


@njit(cache=True)
def _cut(
    polygons: np.ndarray, makers: np.ndarray, at: int, corners: int, dx: float, dy: float, most: float, by: int
) -> int:
    """Leave of a convex polygon what has (dx, dy) . u <= most: from polygons[at] to the other one; returns its corners.

    makers[at, a] is who made the side after corner a, -1 the pixel itself.
    """
    to, found = 1 - at, 0
    here = dx * polygons[at, 0, 0] + dy * polygons[at, 0, 1] - most
    for a in range(corners):
        b = a + 1 if a + 1 < corners else 0
        there = dx * polygons[at, b, 0] + dy * polygons[at, b, 1] - most
        if here <= 0:
            polygons[to, found, 0], polygons[to, found, 1] = polygons[at, a, 0], polygons[at, a, 1]
            makers[to, found] = makers[at, a]
            found += 1
        if (here <= 0) != (there <= 0):
            share = here / (here - there)
            for axis in range(2):
                polygons[to, found, axis] = polygons[at, a, axis] + share * (
                    polygons[at, b, axis] - polygons[at, a, axis]
                )
            makers[to, found] = by if here <= 0 else makers[at, a]
            found += 1
        here = there
    return found


@njit(cache=True)
def _book(i: int, j: int, rho: float, slope: float, near: np.ndarray, slopes: np.ndarray) -> None:
    if i > j:
        i, j = j, i
    for k in range(near.shape[1]):
        if near[i, k] == j or near[i, k] < 0:
            near[i, k] = j
            slopes[0, i, k] += rho * slope
            slopes[1, i, k] += slope
            return
