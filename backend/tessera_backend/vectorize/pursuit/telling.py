"""Colours of shapes where finer levels cover them: seen as soon as somebody hides those."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...progress import Progress
from ...vector_raster import Paint
from .. import fills
from ..canvas import Canvas
from ..shapes import Shapes

# By what share the squared error of the whole drawing may rise.
_DEARER = 0.05
# Rounds of descent, in which other shapes close the gaps, and steps of each; px of the first ones.
_ROUNDS, _STEPS, _GENTLE = 2, 20, 0.05


def tell(canvas: Canvas, shapes: Shapes, gradients: bool, progress: Progress) -> None:
    """Give shapes, in place, that finer levels all but cover a fill that tells what they are.

    Slivers that show between other shapes would give them any colour. They are fitted to all that they show when finer
    levels are hidden, if that is nearer to the picture there, and the others descend.
    """
    told, paint = _told(canvas, shapes, gradients)
    if told.any():
        _paint(shapes.paint, told, paint)
        for number in range(_ROUNDS):
            within = progress.part(number / _ROUNDS, (number + 1) / _ROUNDS)
            canvas.descend(shapes, _STEPS, rate=_GENTLE, progress=within)
            _paint(shapes.paint, told, paint)


def _told(canvas: Canvas, shapes: Shapes, gradients: bool) -> tuple[np.ndarray, Paint]:
    """Which shapes get another fill, bool (P,), and fills for all."""
    left = _DEARER * canvas.error(shapes) * canvas.target.size
    seen = canvas.raster.top()
    paint, rise = shapes.copy().paint, np.full(len(shapes), np.inf)
    for level in np.unique(shapes.level)[:-1]:
        coarse = np.flatnonzero(shapes.level <= level)
        before = shapes.taken(coarse)
        away = _away(canvas, before)
        own = canvas.raster.top()
        after = dataclasses.replace(before, paint=fills.fit(canvas.image, own, len(coarse), gradients))
        more = _away(canvas, after) - away
        owned, shows = own >= 0, np.append(coarse, -1)[own] == seen
        bare, covered = (np.bincount(own[at], more[at], len(coarse)) for at in (owned & shows, owned & ~shows))
        better = (covered < 0) & (before.level == level)
        rise[coarse[better]] = bare[better]
        _paint(paint, coarse[better], after.taken(np.flatnonzero(better)).paint)
    cheapest = np.argsort(rise, kind="stable")
    told = np.zeros(len(shapes), bool)
    told[cheapest[np.cumsum(np.maximum(rise[cheapest], 0.0)) < left]] = True
    return told, paint


def _away(canvas: Canvas, shapes: Shapes) -> np.ndarray:
    """Squared errors, float (H, W)."""
    away = canvas.drawn(shapes) - canvas.target
    return (away * away).sum(1)


def _paint(paint: Paint, chosen: np.ndarray, other: Paint) -> None:
    """Some fills, in place, taken from others: as many, or of all shapes."""
    for field in dataclasses.fields(Paint):
        values = getattr(other, field.name)
        getattr(paint, field.name)[chosen] = values[chosen] if chosen.dtype == bool else values
