"""The one place where an engine is chosen: a picture becomes a drawing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from . import few_colors, paper, pursuit, tiny
from .arrange import arranged
from .canvas import Canvas, preview, psnr
from .cutout import cut_out
from .descent import fidelity
from .drawing import Drawing, Path
from .names import level_names, named
from .scene import to_paths, to_scene
from .translucent import StandIn
from .working import Working

_OURS = {"fast": pursuit.fast, "best": pursuit.best}


def draw(working: Working, params: VectorizeParams, progress: Progress, device: str) -> tuple[Drawing, dict[str, Any]]:
    """Draw a picture as `params.engine` does.

    Args:
        device: where networks run.
    Returns:
        The drawing, named, without metadata; and facts for it, of plain JSON types.
    """
    colors = few_colors.asked_for(working, params)
    picture = working
    if colors is not None:
        params = dataclasses.replace(params, gradients=False)
        picture = few_colors.shown(working, colors)
    if picture.tiny:
        drawing = tiny.drawn(picture, params.paths, params.levels, params.cut_out)
        return _measured(drawing, working, {"pixel_by_pixel": True})
    if picture.solid is None:
        drawing, facts = _drawn_by(Canvas.of(picture, colors), params, progress.part(0.0, 0.9), device)
    else:
        instead = StandIn(picture)
        part = progress.part(0.0, 0.8).showing(lambda told: {"picture": instead.on_white(told["picture"])})
        drawing, facts = _drawn_by(Canvas.of(instead.working), params, part, device)
        drawing = instead.redrawn(drawing, params, progress.part(0.8, 0.9))
    if colors is not None:
        again = 0 if params.palette else params.colors
        drawing = few_colors.nearer(drawing, Canvas.of(working, colors), again, params.seed, progress.part(0.9, 0.95))
    if params.cut_out:
        drawing = cut_out(drawing, params.smallest, params.paths)
    return _measured(drawing, working, facts)


def _measured(drawing: Drawing, working: Working, facts: dict[str, Any]) -> tuple[Drawing, dict[str, Any]]:
    """Named; and facts with how near it is to the picture."""
    canvas = Canvas.of(working)
    error = fidelity(canvas.target)(_rasterized(canvas, drawing))[0]
    return named(drawing), facts | {"mse": error, "psnr": round(psnr(error), 2)}


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
    paths = to_paths(shapes.scene(width, height), like)
    return Drawing(width, height, arranged(paths, width, height), level_names(params.levels)), facts


def _rasterized(canvas: Canvas, drawing: Drawing) -> np.ndarray:
    """float32 (H, C, W), valid until the next one."""
    return canvas.raster.forward(to_scene(drawing), canvas.background)
