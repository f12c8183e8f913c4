"""Fewer nodes where nobody would see them: outlines between like colours may be rougher than sharp ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .curves.holes import tangled
from .curves.nesting import polygon
from .curves.thin import thinned
from .shapes import Shapes, starts

# How far from an outline the colours on its sides are looked at, px, and at how many places of each cubic.
_ASIDE, _PLACES = 1.5, 8
# A curve may move by that many px, over the colours' difference (1 from black to white in one channel), ...
_SHIFT = 0.3
# ... but at least and at most by so many.
_LEAST, _MOST = 0.3, 1.5


def thin(shapes: Shapes, image: np.ndarray, tolerance: float = 1.0) -> Shapes:
    """The same shapes with fewer cubics; those whose holes that would tangle stay as they are.

    Args:
        image: float (H, W, 3), sRGB in [0, 1]: the picture that is drawn.
        tolerance: of curves, px: what they may move by goes with it.
    """
    stay, every = [], []
    for first, last in pairwise(shapes.paths):
        bounds = shapes.contours[first : last + 1]
        before = [shapes.points[begin:end] for begin, end in pairwise(bounds)]
        after = [thinned(contour, tolerance * _moves(contour, image)) for contour in before]
        points = [contour for _, contour in after]
        if len(points) > 1 and tangled(np.concatenate(points), starts([len(c) for c in points])).any():
            stay += [np.arange(begin // 3, end // 3) for begin, end in pairwise(bounds)]
            every += before
        else:
            stay += [begin // 3 + kept for begin, (kept, _) in zip(bounds[:-1], after, strict=True)]
            every += points
    whole = shapes.copy()
    whole.points, whole.smooth = np.concatenate(every), shapes.smooth[np.concatenate(stay)]
    whole.contours = starts([len(contour) for contour in every])
    return whole


def _moves(contour: np.ndarray, image: np.ndarray) -> np.ndarray:
    """How far each cubic may move, px, float64 (n,): the less, the more the colours on its sides differ."""
    line = polygon(contour, _PLACES, shift=0.5)
    along = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    aside = _ASIDE * along[:, ::-1] * [-1.0, 1.0] / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    height, width = image.shape[:2]
    left, right = (np.clip(line + way * aside, 0, [width - 1, height - 1]).astype(np.intp) for way in (1, -1))
    away = image[left[:, 1], left[:, 0]] - image[right[:, 1], right[:, 0]]
    contrast = np.sqrt((away.astype(np.float64) ** 2).sum(1).reshape(-1, _PLACES).mean(1))
    return np.clip(_SHIFT / np.maximum(contrast, 1e-6), _LEAST, _MOST)
