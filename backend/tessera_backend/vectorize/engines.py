"""The one place where an engine is chosen: a picture becomes a drawing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from . import palette, paper, pursuit
from .arrange import arranged
from .canvas import Canvas, preview, psnr
from .curves.nesting import mainland
from .cutout import cut_out
from .descent import fidelity
from .drawing import Drawing, Path
from .names import level_names, named
from .scene import to_paths, to_scene, to_shapes
from .translucent import StandIn
from .working import Working

_OURS = {"fast": pursuit.fast, "best": pursuit.best}
# Of shapes in few colours: steps of descent to the picture itself, px of the first ones, and squared error over all
# under which nobody sees that one is missing.
_STEPS, _RATE, _UNSEEN = 60, 0.5, 0.3


def draw(working: Working, params: VectorizeParams, progress: Progress, device: str) -> tuple[Drawing, dict[str, Any]]:
    """Draw a picture as `params.engine` does.

    Args:
        device: where networks run.
    Returns:
        The drawing, named, without metadata; and facts for it, of plain JSON types.
    """
    colors = _palette(working, params)
    picture = working
    if colors is not None:
        params = dataclasses.replace(params, gradients=False)
        shown = colors[palette.in_colors(working.image, working.inside, colors)]
        picture = dataclasses.replace(working, image=shown.astype(np.float32))
    if picture.solid is None:
        drawing, facts = _drawn_by(Canvas.of(picture, colors), params, progress.part(0.0, 0.9), device)
    else:
        instead = StandIn(picture)
        part = progress.part(0.0, 0.8).showing(lambda told: {"picture": instead.on_white(told["picture"])})
        drawing, facts = _drawn_by(Canvas.of(instead.working), params, part, device)
        drawing = instead.redrawn(drawing, params, progress.part(0.8, 0.9))
    if colors is not None:
        drawing = _in_colors(drawing, Canvas.of(working, colors), progress.part(0.9, 0.95))
    if params.cut_out:
        drawing = cut_out(drawing, params.smallest, params.paths)
    error = _error(Canvas.of(working), drawing)
    return named(drawing), facts | {"mse": error, "psnr": round(psnr(error), 2)}


def _palette(working: Working, params: VectorizeParams) -> np.ndarray | None:
    """The colours that are asked for, (K, 3); None: any."""
    if params.palette:
        return palette.parsed(params.palette_colors)
    if params.colors:
        return palette.of_picture(working.image, working.inside, params.colors, params.seed)
    return None


def _drawn_by(
    canvas: Canvas, params: VectorizeParams, progress: Progress, device: str
) -> tuple[Drawing, dict[str, Any]]:
    """What an engine makes of an opaque picture, and facts."""
    if params.engine == "paper":
        watched = progress.showing(lambda drawing: {"picture": preview(_rasterized(canvas, drawing))})
        drawing = paper.draw(canvas.working.rgba, params, watched, device)
        return drawing, drawing.meta
    shapes, facts = _OURS[params.engine](canvas, params, progress)
    width, height = canvas.raster.width, canvas.raster.height
    like = [Path((), np.zeros(3), level=int(level)) for level in shapes.level]
    paths = [mainland(path) for path in to_paths(shapes.scene(width, height), like)]
    return Drawing(width, height, arranged(paths, width, height), level_names(params.levels)), facts


def _in_colors(drawing: Drawing, canvas: Canvas, progress: Progress) -> Drawing:
    """A drawing of the picture in a palette, brought nearer to the picture itself, without what changes nothing."""
    drawing = palette.snapped(drawing, canvas.palette)
    shapes = to_shapes(drawing)
    canvas.descend(shapes, _STEPS, rate=_RATE, progress=progress)
    own = canvas.drawn(shapes).copy()
    kept = np.arange(len(shapes))
    while len(kept) > 1:
        canvas.drawn(shapes.taken(kept))
        change = canvas.raster.removal(own)
        least = int(np.argmin(change))
        if change[least] > _UNSEEN:
            break
        kept = np.delete(kept, least)
    paths = to_paths(shapes.taken(kept).scene(drawing.width, drawing.height), [drawing.paths[p] for p in kept])
    return dataclasses.replace(drawing, paths=tuple(mainland(path) for path in paths))


def _error(canvas: Canvas, drawing: Drawing) -> float:
    return fidelity(canvas.target)(_rasterized(canvas, drawing))[0]


def _rasterized(canvas: Canvas, drawing: Drawing) -> np.ndarray:
    """float32 (H, C, W), valid until the next one."""
    return canvas.raster.forward(to_scene(drawing), canvas.background)
