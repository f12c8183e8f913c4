"""Which contours of a path are islands and which are holes; contours are taken not to cross each other."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...compiled import njit
from ..drawing import Drawing, Path

# Points per cubic of the polygons that stand for contours here.
_STEPS = 8


def polygon(contour: np.ndarray, steps: int = _STEPS, shift: float = 0.0) -> np.ndarray:
    """Points on a contour, (n * steps, 2), of (3 n, 2) control points: each knot, and between knots evenly in t.

    `shift`, in steps: from 0, at each knot, to 1.
    """
    a, b, c = (contour[i::3][:, None] for i in range(3))
    d = np.roll(a, -1, 0)
    t = ((np.arange(steps) + shift) / steps)[None, :, None]
    s = 1 - t
    return (s**3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t**3 * d).reshape(-1, 2)


def nonzero(contours: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Contours that have by the nonzero rule the area which these have by the even-odd rule."""
    rings = [polygon(contour) for contour in contours]
    around = _around(rings)
    turned = []
    for i, contour in enumerate(contours):
        hole = len(around[i]) % 2 == 1
        turned.append(contour if (area(rings[i]) > 0) != hole else _reversed(contour))
    return tuple(turned)


def islands(path: Path) -> list[Path]:
    """A compound path's parts: each one outline with its own holes, in the order of the outlines."""
    rings = [polygon(contour) for contour in path.contours]
    around = _around(rings)
    signs = [np.sign(area(ring)) for ring in rings]
    outside = [sum(signs[j] for j in own) for own in around]
    # Where one comes from nothing into the shape, an island begins.
    outer = [i for i in range(len(rings)) if outside[i] == 0]
    parts: dict[int, list[int]] = {i: [i] for i in outer}
    for i in range(len(rings)):
        owners = [j for j in around[i] if j in parts]
        if i not in parts and owners:
            # The innermost island around it has most contours around itself.
            parts[max(owners, key=lambda j: len(around[j]))].append(i)
    return [dataclasses.replace(path, contours=tuple(path.contours[i] for i in own)) for own in parts.values()]


def split_islands(drawing: Drawing) -> Drawing:
    """The same picture with every compound path taken apart, so that paths can be counted and compared."""
    return dataclasses.replace(drawing, paths=tuple(part for path in drawing.paths for part in islands(path)))


def _around(rings: list[np.ndarray]) -> list[list[int]]:
    """For each ring those that it lies in, which is where most of its points are."""
    low, high = (np.array([limit(ring, axis=0) for ring in rings]).reshape(-1, 2) for limit in (np.min, np.max))
    around = []
    for i, ring in enumerate(rings):
        near = np.flatnonzero(((low < high[i]) & (high > low[i])).all(1)).tolist()
        around.append([j for j in near if j != i and _mostly_in(rings[j], ring)])
    return around


@njit(cache=True)
def holds(ring: np.ndarray, x: float, y: float) -> bool:
    """Whether a point lies in a polygon (n, 2), by counting crossings of a ray to the right."""
    inside = False
    last = len(ring) - 1
    for i in range(len(ring)):
        if (ring[i, 1] > y) != (ring[last, 1] > y):
            share = (y - ring[i, 1]) / (ring[last, 1] - ring[i, 1])
            if ring[i, 0] + share * (ring[last, 0] - ring[i, 0]) > x:
                inside = not inside
        last = i
    return inside


@njit(cache=True)
def _mostly_in(ring: np.ndarray, other: np.ndarray) -> bool:
    """Whether more than half of the other polygon's points are in a polygon."""
    count = 0
    for x, y in other:
        count += holds(ring, x, y)
    return count > 0.5 * len(other)


def area(ring: np.ndarray) -> float:
    """Signed area of a closed polygon (n, 2), px^2; positive where it runs clockwise as seen (y down)."""
    x, y = ring.T
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y))


def _reversed(contour: np.ndarray) -> np.ndarray:
    """The same curve the other way round, from the same knot."""
    return np.roll(contour[::-1], 1, axis=0)
