"""Drawings of few colours: these first, then shapes for the picture in them, then both for the picture itself."""

from __future__ import annotations

import dataclasses

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from . import fills, palette
from .canvas import Canvas
from .drawing import Drawing
from .scene import to_paths, to_shapes
from .shapes import Shapes
from .working import Working

# Steps of descent to the picture itself, px of the first ones, and squared error over all under which nobody sees that
# a shape is missing.
_STEPS, _RATE, _UNSEEN = 60, 0.5, 0.3


def asked_for(working: Working, params: VectorizeParams) -> np.ndarray | None:
    """The colours that are asked for, (K, 3); None: any."""
    if params.palette:
        return palette.parsed(params.palette_colors)
    if params.colors:
        return palette.of_picture(working.image, working.inside, params.colors, params.seed)
    return None


def shown(working: Working, colors: np.ndarray) -> Working:
    """The picture in these colours, (K, 3)."""
    nearest = palette.in_colors(working.image, working.inside, colors, smooth=not working.tiny)
    return dataclasses.replace(working, image=colors[nearest].astype(np.float32))


def nearer(drawing: Drawing, canvas: Canvas, again: int, seed: int, progress: Progress) -> Drawing:
    """A drawing of the picture in a palette, brought nearer to the picture itself, without what changes nothing.

    Args:
        again: so many colours may be chosen again, for the shapes that there are now, if that is nearer; 0: none.
    """
    shapes = to_shapes(palette.snapped(drawing, canvas.palette))
    if again:
        canvas = _chosen_again(shapes, canvas, again, seed)
    canvas.descend(shapes, _STEPS, rate=_RATE, progress=progress)
    kept = _seen(shapes, canvas)
    paths = to_paths(shapes.taken(kept).scene(drawing.width, drawing.height), [drawing.paths[p] for p in kept])
    return dataclasses.replace(drawing, paths=tuple(paths))


def _seen(shapes: Shapes, canvas: Canvas) -> np.ndarray:
    """Which shapes (K,) draw the same picture as all of them."""
    own = canvas.drawn(shapes).copy()
    kept = np.arange(len(shapes))
    while len(kept) > 1:
        canvas.drawn(shapes.taken(kept))
        change = canvas.raster.removal(own)
        if canvas.working.alpha is None:
            change[0] = np.inf  # the backdrop: nothing shines through between others
        least = int(np.argmin(change))
        if change[least] > _UNSEEN:
            break
        kept = np.delete(kept, least)
    return kept


def _chosen_again(shapes: Shapes, canvas: Canvas, count: int, seed: int) -> Canvas:
    """The canvas with the palette that is best for shapes: some of the colours may have got none, or others."""
    before = canvas.error(shapes)
    tops = canvas.raster.top()
    means = fills.fit(canvas.image, tops, len(shapes), False).colors[:, 0, :3]
    areas = np.bincount(tops[tops >= 0], minlength=len(shapes))
    other = dataclasses.replace(canvas, palette=palette.chosen(means, areas, count, seed, power=1.0, tries=12))
    snapped = shapes.copy()
    snapped.paint.colors[..., :3] = palette.snapped_colors(means, other.palette)[:, None]
    if canvas.error(snapped) >= before:
        return canvas
    shapes.paint = snapped.paint
    return other
