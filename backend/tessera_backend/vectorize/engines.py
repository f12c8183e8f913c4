"""The one place where an engine is chosen: a picture becomes a drawing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from . import palette, paper, pursuit
from .arrange import arranged
from .canvas import Canvas, preview, psnr
from .cutout import cut_out
from .descent import fidelity
from .drawing import Drawing, Path
from .names import level_names, named
from .scene import to_paths, to_scene
from .shapes import Shapes
from .working import Working

_OURS = {"fast": pursuit.fast, "best": pursuit.best}


def draw(working: Working, params: VectorizeParams, progress: Progress, device: str) -> tuple[Drawing, dict[str, Any]]:
    """Draw a picture as `params.engine` does.

    Args:
        device: where networks run.
    Returns:
        The drawing, named, without metadata; and facts for it, of plain JSON types.
    """
    canvas = Canvas.of(working)
    if params.engine == "paper":
        watched = progress.part(0.0, 0.95).showing(lambda drawing: {"picture": preview(_drawn(canvas, drawing))})
        drawing = paper.draw(working.rgba, params, watched, device)
        facts = drawing.meta
    else:
        shapes, facts = _OURS[params.engine](canvas, params, progress.part(0.0, 0.95))
        drawing = _drawing(shapes, canvas, params)
    drawing = _finished(drawing, params)
    error = _error(canvas, drawing)
    return drawing, facts | {"mse": error, "psnr": round(psnr(error), 2)}


def _drawing(shapes: Shapes, canvas: Canvas, params: VectorizeParams) -> Drawing:
    width, height = canvas.raster.width, canvas.raster.height
    like = [Path((), np.zeros(3), level=int(level)) for level in shapes.level]
    paths = to_paths(shapes.scene(width, height), like)
    return Drawing(width, height, arranged(paths, width, height), level_names(params.levels))


def _finished(drawing: Drawing, params: VectorizeParams) -> Drawing:
    """With the colours, the overlaps and the names that were asked for."""
    if params.palette:
        drawing = palette.snapped(drawing, params.palette_colors)
    elif params.colors:
        drawing = palette.limited(drawing, params.colors, params.seed)
    if params.cut_out:
        drawing = cut_out(drawing, params.smallest)
    return named(drawing)


def _error(canvas: Canvas, drawing: Drawing) -> float:
    return fidelity(canvas.target)(_drawn(canvas, drawing))[0]


def _drawn(canvas: Canvas, drawing: Drawing) -> np.ndarray:
    """float32 (H, C, W), valid until the next one."""
    return canvas.raster.forward(to_scene(drawing), canvas.background)
