"""Fewer nodes where nobody would see them: outlines between like colours may be rougher than sharp ones."""

from __future__ import annotations

import numpy as np

from .curves.thin import sampled, thinned
from .shapes import Shapes, starts

# How far from an outline the colours on its sides are looked at, px, and at how many places of each cubic.
_ASIDE, _PLACES = 1.5, 8
# A curve may move by that many px, over the colours' difference (1 from black to white in one channel), ...
_SHIFT = 0.3
# ... but at least and at most by so many.
_LEAST, _MOST = 0.3, 1.5


def thin(shapes: Shapes, image: np.ndarray, tolerance: float = 1.0) -> Shapes:
    """The same shapes with fewer cubics.

    Args:
        image: float (H, W, 3), sRGB in [0, 1]: the picture that is drawn.
        tolerance: of curves, px: what they may move by goes with it.
    """
    points, smooth, sizes = [], [], []
    for begin, end in zip(shapes.contours[:-1], shapes.contours[1:], strict=True):
        contour = shapes.points[begin:end]
        move = np.clip(_SHIFT / np.maximum(_contrast(contour, image), 1e-6), _LEAST, _MOST)
        stay, fewer = thinned(contour, tolerance * move)
        points.append(fewer)
        smooth.append(shapes.smooth[begin // 3 : end // 3][stay])
        sizes.append(len(fewer))
    whole = shapes.copy()
    whole.points, whole.smooth = np.concatenate(points), np.concatenate(smooth)
    whole.contours = starts(sizes)
    return whole


def _contrast(contour: np.ndarray, image: np.ndarray) -> np.ndarray:
    """How different the picture's colours are on both sides of each cubic: float64 (n,), root mean square."""
    line = sampled(contour, (np.arange(_PLACES) + 0.5) / _PLACES)
    along = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    aside = _ASIDE * along[:, ::-1] * [-1.0, 1.0] / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    height, width = image.shape[:2]
    left, right = (np.clip(line + way * aside, 0, [width - 1, height - 1]).astype(np.intp) for way in (1, -1))
    away = image[left[:, 1], left[:, 0]] - image[right[:, 1], right[:, 0]]
    return np.sqrt((away.astype(np.float64) ** 2).sum(1).reshape(-1, _PLACES).mean(1))
