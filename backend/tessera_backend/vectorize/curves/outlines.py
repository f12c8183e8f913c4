"""From masks to control points: what a shape's outline is before it is moved."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, find_objects
from skimage.measure import label as components

from . import contours, fit

# How far the backdrop goes beyond the canvas, px.
_BEYOND = 4.0
# How far a shape reaches beneath those that lie on it, px: curves are not quite on the borders of pixels.
_UNDERLAP = 2


def outlined(shape: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Contours, each of control points (3 n, 2), of a mask, bool (H, W): an outline and its holes; none of nothing."""
    fitted = [fit.fit_closed(ring, tolerance) for ring in contours.outlines(shape)]
    if not fitted or len(fitted[0]) < 6:
        return []
    return [curve for curve in fitted if len(curve) >= 6]


def completed(mask: np.ndarray, later: np.ndarray) -> np.ndarray:
    """A shape's mask, whole behind what covers it: holes that shapes on it fill are none, and it reaches beneath them.

    Args:
        mask: bool (H, W), what it has to cover.
        later: bool (H, W), where a shape that is painted later shows.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    around = np.s_[
        max(rows[0] - _UNDERLAP, 0) : rows[-1] + 1 + _UNDERLAP,
        max(columns[0] - _UNDERLAP, 0) : columns[-1] + 1 + _UNDERLAP,
    ]
    whole = mask.copy()
    inside, above = whole[around], later[around]
    gaps = components(~inside, connectivity=1)
    for number, box in enumerate(find_objects(gaps), start=1):
        hole = gaps[box] == number
        on_edge = box[0].start == 0 or box[1].start == 0 or box[0].stop == gaps.shape[0] or box[1].stop == gaps.shape[1]
        if not on_edge and above[box][hole].all():
            inside[box][hole] = True
    inside |= binary_dilation(inside, iterations=_UNDERLAP, mask=above)
    return whole


def backdrop(width: int, height: int) -> np.ndarray:
    """A rectangle around an opaque picture, control points (12, 2): whatever moves, nothing shines through."""
    right, bottom = width + _BEYOND, height + _BEYOND
    corners = np.array([[-_BEYOND, -_BEYOND], [right, -_BEYOND], [right, bottom], [-_BEYOND, bottom]])
    sides = np.roll(corners, -1, axis=0) - corners
    return np.stack([corners, corners + sides / 3, corners + sides * 2 / 3], axis=1).reshape(-1, 2)
