"""Outlines of masks: smooth, closed, and outside the canvas where the mask reaches its border."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_fill_holes, gaussian_filter
from skimage.measure import find_contours, points_in_poly
from skimage.measure import label as components

from .nesting import area

# How far the blur before tracing reaches, px; the next smaller one where a shape would lose too much of its area.
_BLURS = (0.8, 0.6, 0.4, 0.0)
# Share of its area that an outline may lose or gain; thin bridges break, and what is behind them is lost.
_CHANGED = 0.03
# How much of it a small shape may lose by being round, besides.
_ROUNDED = 0.2
# Room around a mask, px; across the canvas's border the mask goes on for that long.
_ROOM = 6
# Holes smaller than this are left out, px.
_SMALLEST_HOLE = 2.0


def outline(mask: np.ndarray) -> np.ndarray | None:
    """The outer outline of a mask's largest piece; holes in it are ignored.

    Args:
        mask: bool (H, W).
    Returns:
        float64 (n, 2), px, x right, y down; closed without repeating its first point, clockwise as seen. None of an
        empty mask.
    """
    rings = outlines(mask, holes=False)
    return rings[0] if rings else None


def outlines(mask: np.ndarray, *, holes: bool = True) -> list[np.ndarray]:
    """The outer outline of a mask's largest piece, and then those of its holes, which run the other way round."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = mask.shape
    piece = _largest_piece(mask[top:bottom, left:right])
    field = np.pad((piece if holes else binary_fill_holes(piece)).astype(np.float32), _ROOM)
    _extend(field, top == 0, bottom == height, left == 0, right == width)
    best: list[np.ndarray] = []
    least = np.inf
    size = float(field[1:-1, 1:-1].sum())
    for blur in _BLURS:
        rings = _rings(field, blur, holes)
        changed = abs(sum(area(ring) for ring in rings) / size - 1.0)
        if changed < least:
            best, least = rings, changed
        # A blur takes pi blur^2 from any round shape.
        if changed <= _CHANGED + min(np.pi * blur**2 / size, _ROUNDED):
            break
    corner = np.array([left - _ROOM, top - _ROOM], np.float64)
    return [np.ascontiguousarray(ring + corner) for ring in best]


def _largest_piece(mask: np.ndarray) -> np.ndarray:
    """Of the 4-connected pieces of a mask the one with most pixels."""
    pieces = components(mask, connectivity=1)
    if pieces.max() < 2:
        return mask
    return pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])


def _extend(field: np.ndarray, top: bool, bottom: bool, left: bool, right: bool) -> None:
    """Repeat a mask's first and last rows and columns where these lie on the canvas's border."""
    if top:
        field[1:_ROOM] = field[_ROOM]
    if bottom:
        field[-_ROOM:-1] = field[-_ROOM - 1]
    if left:
        field[:, 1:_ROOM] = field[:, _ROOM, None]
    if right:
        field[:, -_ROOM:-1] = field[:, -_ROOM - 1, None]


def _rings(field: np.ndarray, blur: float, holes: bool) -> list[np.ndarray]:
    """The largest ring where a blurred mask is one half, and the holes inside it."""
    smooth = gaussian_filter(field, blur) if blur else field
    smooth[[0, -1]] = 0.0
    smooth[:, [0, -1]] = 0.0
    # Pixel centres lie at +0.5; the last point repeats the first one.
    rings = [ring[:-1, ::-1] + 0.5 for ring in find_contours(smooth, 0.5) if len(ring) > 3]
    if not rings:
        return []
    sizes = [area(ring) for ring in rings]
    outer = int(np.argmax(np.abs(sizes)))
    way = np.sign(sizes[outer])
    rings = [ring if way > 0 else ring[::-1] for ring in rings]
    inner = [
        ring
        for ring, size in zip(rings, sizes, strict=True)
        if size * way < -_SMALLEST_HOLE and points_in_poly(ring[:1], rings[outer])[0]
    ]
    return [rings[outer], *(inner if holes else [])]
