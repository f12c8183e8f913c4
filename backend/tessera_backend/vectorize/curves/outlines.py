"""From masks to control points: what a shape's outline is before it is moved."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, find_objects
from scipy.spatial import cKDTree
from skimage.measure import label as components

from . import contours, fit
from .holes import tangled

# How far the backdrop goes beyond the canvas, px.
_BEYOND = 4.0
# How far a shape reaches beneath those that lie on it, px: curves are not quite on the borders of pixels.
_UNDERLAP = 2
# How far its hidden edge stays from where those end, px.
_RETREAT = 1
# How often holes that cross other contours are made smaller, by two tolerances each time, before they are left out.
_THICKER = 3


def outlined(shape: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Contours, each of control points (3 n, 2), of a mask, bool (H, W): an outline and its holes; none of nothing.

    Contours don't cross: where they would, because what is between two of them is thin, holes are smaller.
    """
    rings = contours.outlines(shape)
    curves = [fit.fit_closed(ring, tolerance) for ring in rings]
    if not curves or len(curves[0]) < 6:
        return []
    for turn in range(1, _THICKER + 2):
        kept = [i for i, curve in enumerate(curves) if len(curve) >= 6]
        rings, curves = [rings[i] for i in kept], [curves[i] for i in kept]
        bounds = np.cumsum([0, *(len(curve) for curve in curves)])
        wrong = tangled(np.concatenate(curves), bounds)
        for i in range(1, len(curves)):
            if wrong[bounds[i] // 3 : bounds[i + 1] // 3].any():
                others = np.concatenate([ring for other, ring in enumerate(rings) if other != i])
                clear = _clear(rings[i], others, 2 * turn * tolerance)
                curves[i] = fit.fit_closed(clear, tolerance) if turn <= _THICKER else clear[:0]
    return [curve for curve in curves if len(curve) >= 6]


def _clear(ring: np.ndarray, others: np.ndarray, least: float) -> np.ndarray:
    """A ring whose points are moved away from others that they are nearer to than `least` px."""
    far, nearest = cKDTree(others).query(ring)
    away = (ring - others[nearest]) / np.maximum(far, 1e-9)[:, None]
    return ring + np.maximum(least - far, 0.0)[:, None] * away


def completed(mask: np.ndarray, later: np.ndarray) -> np.ndarray:
    """A shape's mask, whole behind what covers it: holes that shapes on it fill are none, and it reaches beneath them.

    It does not reach as far as where these end on others that lie deeper: of two edges in the same place, one after the
    other anti-aliased, the lower one shows as a rim.

    Args:
        mask: bool (H, W), what it has to cover.
        later: bool (H, W), where a shape that is painted later shows.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    room = _UNDERLAP + _RETREAT
    around = np.s_[
        max(rows[0] - room, 0) : rows[-1] + 1 + room,
        max(columns[0] - room, 0) : columns[-1] + 1 + room,
    ]
    whole = mask.copy()
    inside, above = whole[around], later[around]
    shown = inside & ~above
    gaps = components(~inside, connectivity=1)
    for number, box in enumerate(find_objects(gaps), start=1):
        hole = gaps[box] == number
        on_edge = box[0].start == 0 or box[1].start == 0 or box[0].stop == gaps.shape[0] or box[1].stop == gaps.shape[1]
        if not on_edge and above[box][hole].all():
            inside[box][hole] = True
    inside |= binary_dilation(inside, iterations=_UNDERLAP, mask=above)
    ends = binary_dilation(~(inside | above), iterations=_RETREAT)
    inner = inside & ~(ends & above & ~binary_dilation(shown, iterations=_UNDERLAP))
    if shown.any() and components(inner, connectivity=1).max() == components(inside, connectivity=1).max():
        inside[:] = inner
    return whole


def backdrop(width: int, height: int) -> np.ndarray:
    """A rectangle around an opaque picture, control points (12, 2): whatever moves, nothing shines through."""
    right, bottom = width + _BEYOND, height + _BEYOND
    corners = np.array([[-_BEYOND, -_BEYOND], [right, -_BEYOND], [right, bottom], [-_BEYOND, bottom]])
    sides = np.roll(corners, -1, axis=0) - corners
    return np.stack([corners, corners + sides / 3, corners + sides * 2 / 3], axis=1).reshape(-1, 2)
