"""Where dots start: one in each of equal shares of the mass along a Hilbert curve.

A curve that stays near where it has been puts as many dots into every region as its mass asks for, to within one or
two. Relaxation is local and would never repair that; it only has to even out the spacing. Where in its share a dot
starts is drawn, and where around it: from equal steps a flat tone would start as a square lattice, which relaxation
does not leave.
"""

from __future__ import annotations

import numpy as np

from ..compiled import njit

# Sites are strewn by up to so much of their spacing, either way. On a flat tone this takes 4 dB off the anisotropy.
_STREWN = np.float32(0.5)


def along_curve(density: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Place a site in each of so many stretches of a Hilbert curve, of equal mass.

    Args:
        density: float32 (H, W), not negative, not all 0.
        count: number of sites.
        rng: which of the curve's eight orientations, where stretches begin, where in and beside its stretch each
            site is.
    Returns:
        sites float32 (count, 2), pixels, all where there is density; labels int32 (H, W), for each pixel the
        site on or beside whose stretch of the curve it lies: a first guess at the nearest.
    """
    sites = np.empty((count, 2), np.float32)
    labels = np.empty(density.shape, np.int32)
    orientation, first = int(rng.integers(8)), rng.random()
    # Stretches from anywhere on, too: those from the curve's end are squares again when `count` is a power of 4.
    steps = np.sort((np.arange(count) + first + rng.random(count)) % count)
    # Not right up to a pixel's border, where float32 may round into the next one.
    inside = rng.uniform(0.05, 0.95, (count, 2)).astype(np.float32)
    mass = float(density.sum(dtype=np.float64))
    _walk(density, mass, orientation, steps, inside, sites, labels)
    _strew(sites, density, mass / count, rng)
    return sites, labels


def _strew(sites: np.ndarray, density: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """Move sites at random, in place, where that takes them to other ink."""
    own = density[sites[:, 1].astype(np.intp), sites[:, 0].astype(np.intp)]
    reach = _STREWN * np.sqrt(np.float32(share) / own)[:, None]
    there = sites + reach * rng.uniform(-1, 1, sites.shape).astype(np.float32)
    height, width = density.shape
    inside = ((there >= 0) & (there < (width, height))).all(axis=1)
    rows, columns = there[inside, 1].astype(np.intp), there[inside, 0].astype(np.intp)
    inside[inside] = density[rows, columns] > 0
    sites[inside] = there[inside]


@njit(cache=True)
def _walk(
    density: np.ndarray,
    mass: float,
    orientation: int,
    steps: np.ndarray,
    inside: np.ndarray,
    sites: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Hilbert's curve over the smallest square of a power of two, with an explicit stack, parts outside left out.

    A part is a square at (x, y) spanned by the vectors a and b; it is entered at its corner and left at x + a.
    """
    height, width = density.shape
    count = sites.shape[0]
    side = 1
    while side < max(height, width):
        side *= 2
    stack = np.empty((128, 6), np.int64)
    _orient(stack[0], side, orientation)
    depth, placed, gathered, share = 1, 0, 0.0, mass / count
    last_row, last_column = 0, 0
    while depth > 0:
        depth -= 1
        x, y, ax, ay, bx, by = stack[depth]
        left, top = x + min(ax, 0) + min(bx, 0), y + min(ay, 0) + min(by, 0)
        if left >= width or top >= height:
            continue
        if abs(ax + ay) > 1:
            _push_quarters(stack, depth, x, y, ax // 2, ay // 2, bx // 2, by // 2)
            depth += 4
            continue
        gathered += density[top, left]
        if density[top, left] > 0:
            last_row, last_column = top, left
        while placed < count and steps[placed] * share < gathered:
            sites[placed, 0] = left + inside[placed, 0]
            sites[placed, 1] = top + inside[placed, 1]
            placed += 1
        labels[top, left] = min(int(gathered / share), count - 1)
    for i in range(placed, count):  # rounding of sums may leave one over
        sites[i, 0] = last_column + inside[i, 0]
        sites[i, 1] = last_row + inside[i, 1]


@njit(cache=True)
def _orient(part: np.ndarray, side: int, orientation: int) -> None:
    """The whole square, entered at one of its corners, along one of its sides."""
    flip_x, flip_y, turn = orientation & 1, (orientation >> 1) & 1, orientation >> 2
    across, down = (-side if flip_x else side), (-side if flip_y else side)
    part[0], part[1] = (side if flip_x else 0), (side if flip_y else 0)
    part[2], part[3] = (0, down) if turn else (across, 0)
    part[4], part[5] = (across, 0) if turn else (0, down)


@njit(cache=True)
def _push_quarters(stack: np.ndarray, depth: int, x: int, y: int, ax: int, ay: int, bx: int, by: int) -> None:
    """The four quarters of a part, last on top of the stack is first on the curve; a and b are halved already."""
    _push(stack, depth + 3, x, y, bx, by, ax, ay)
    _push(stack, depth + 2, x + bx, y + by, ax, ay, bx, by)
    _push(stack, depth + 1, x + ax + bx, y + ay + by, ax, ay, bx, by)
    _push(stack, depth, x + 2 * ax + bx, y + 2 * ay + by, -bx, -by, -ax, -ay)


@njit(cache=True)
def _push(stack: np.ndarray, depth: int, x: int, y: int, ax: int, ay: int, bx: int, by: int) -> None:
    stack[depth, 0], stack[depth, 1], stack[depth, 2] = x, y, ax
    stack[depth, 3], stack[depth, 4], stack[depth, 5] = ay, bx, by
