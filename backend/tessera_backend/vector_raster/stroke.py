"""Strokes: coverage of a line of some width by the distance to its nearest edge. Compiled; arguments are trusted.

Within half a pixel's diagonal of its rim, a stroke looks like the strip between two parallel lines, of which a pixel's
share is known in closed form. Joins come out round, and a stroke that crosses itself counts once.
"""

from __future__ import annotations

import math

import numpy as np

from ..compiled import njit
from .trace import BAND

# A line touches a pixel from at most half its diagonal away.
DIAGONAL = math.sqrt(0.5)


@njit(cache=True)
def _half_plane(s: float, nx: float, ny: float) -> tuple[float, float, float, float]:
    """The area of a pixel on the near side of a line, and its derivatives by s, nx and ny.

    The line has the unit normal (nx, ny) and lies s beyond the pixel's centre. The area is the distribution function
    of a sum of two uniform variables of widths |nx| and |ny|, whose density is a trapezoid.
    """
    a, b = abs(nx), abs(ny)
    swapped = a < b
    if swapped:
        a, b = b, a
    rest = 0.5 * (a + b) - abs(s)
    by_a, by_b = 0.0, 0.0
    if rest <= 0:
        area, by_s = 0.5, 0.0
    elif abs(s) <= 0.5 * (a - b):
        area, by_s, by_a = abs(s) / a, 1 / a, -abs(s) / (a * a)
    else:
        area, by_s = 0.5 - 0.5 * rest * rest / (a * b), rest / (a * b)
        by_a = 0.5 * by_s * (rest / a - 1)
        by_b = 0.5 * by_s * (rest / b - 1)
    if swapped:
        by_a, by_b = by_b, by_a
    side = math.copysign(1.0, s)
    return 0.5 + side * area, by_s, side * math.copysign(by_a, by_a * nx), side * math.copysign(by_b, by_b * ny)


@njit(cache=True)
def strip(
    x: float, y: float, edge: tuple[float, float, float, float], half: float
) -> tuple[float, float, float, float, float, float]:
    """Coverage of the pixel with centre (x, y), and its derivatives by x0, y0, x1, y1 of its nearest edge and by half.

    half: half the stroke's width, px.
    """
    x0, y0, x1, y1 = edge
    dx, dy = x1 - x0, y1 - y0
    length = math.sqrt(dx * dx + dy * dy)
    # From the edge's nearest point, at t, to the centre.
    t = min(max(((x - x0) * dx + (y - y0) * dy) / (length * length), 0.0), 1.0) if length > 0 else 0.0
    vx, vy = x - x0 - t * dx, y - y0 - t * dy
    distance = math.sqrt(vx * vx + vy * vy)
    inner = 0 < t < 1
    if inner:
        # The edge's own normal: well defined where the distance is zero.
        nx, ny = -dy / length, dx / length
        distance = vx * nx + vy * ny
    elif distance > 1e-9:
        nx, ny = vx / distance, vy / distance
    else:
        nx, ny = 1.0, 0.0
    area, by_s, by_nx, by_ny = _half_plane(half - distance, nx, ny)
    area2, by_s2, by_nx2, by_ny2 = _half_plane(half + distance, nx, ny)
    cover, by_half, by_distance = area + area2 - 1, by_s + by_s2, by_s2 - by_s
    # The normal's turn, by an angle: along (-ny, nx).
    turn = (by_ny + by_ny2) * nx - (by_nx + by_nx2) * ny
    if inner:
        turn /= length
        first, second = -(1 - t) * by_distance, -t * by_distance
        return (
            cover,
            first * nx - turn * nx,
            first * ny - turn * ny,
            second * nx + turn * nx,
            second * ny + turn * ny,
            by_half,
        )
    turn = turn / distance if distance > 1e-9 else 0.0
    gx, gy = -by_distance * nx + turn * ny, -by_distance * ny - turn * nx
    if t == 0:
        return cover, gx, gy, 0.0, 0.0, by_half
    return cover, 0.0, 0.0, gx, gy, by_half


@njit(cache=True)
def stamp(
    edge: tuple[float, float, float, float],
    v: int,
    half: float,
    window: tuple[int, int, int, int],
    stride: int,
    closeness: np.ndarray,
    mark: np.ndarray,
    owner: np.ndarray,
) -> None:
    """Mark the pixels within reach of an edge, and make it the owner of those that it is the nearest to so far.

    closeness: float64, the square of the reach less that of the distance to the nearest edge: 0 where none is.
    owner: int32, the vertex at that edge's end.
    """
    left, top, right, bottom = window
    reach = half + DIAGONAL
    x0, y0, x1, y1 = edge
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    scale = 1 / square if square > 0 else 0.0
    low, high = min(y0, y1) - reach, max(y0, y1) + reach
    for row in range(max(math.floor(low), top), min(math.floor(high) + 1, bottom)):
        y = row + 0.5 - y0
        begin, end = 0.0, 1.0
        if dy != 0:
            begin = max(min((y - reach) / dy, (y + reach) / dy), 0.0)
            end = min(max((y - reach) / dy, (y + reach) / dy), 1.0)
        if begin <= end:
            first = max(math.floor(x0 + min(begin * dx, end * dx) - reach), left)
            last = min(math.floor(x0 + max(begin * dx, end * dx) + reach) + 1, right)
            for column in range(first, last):
                x = column + 0.5 - x0
                t = min(max((x * dx + y * dy) * scale, 0.0), 1.0)
                vx, vy = x - t * dx, y - t * dy
                close = reach * reach - vx * vx - vy * vy
                cell = row % BAND * stride + column - left
                if close > closeness[cell]:
                    closeness[cell] = close
                    owner[cell] = v
                    mark[cell] = 1
