"""The one place where an engine is chosen: a picture becomes a drawing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from . import trees
from .arrange import arranged
from .canvas import Canvas, psnr
from .drawing import Drawing, Path
from .names import level_names, named
from .scene import to_paths
from .shapes import Shapes
from .working import Working

_OURS = {"fast": trees.fast, "best": trees.best}


def draw(working: Working, params: VectorizeParams, progress: Progress, device: str) -> tuple[Drawing, dict[str, Any]]:
    """Draw a picture as `params.engine` does.

    Args:
        device: where networks run.
    Returns:
        The drawing, named, without metadata; and facts for it, of plain JSON types.
    """
    canvas = Canvas.of(working)
    shapes, facts = _OURS[params.engine](canvas, params, progress.part(0.0, 0.95))
    width, height = canvas.raster.width, canvas.raster.height
    shapes = arranged(shapes, width, height)
    error = canvas.error(shapes)
    drawing = Drawing(width, height, _paths(shapes, width, height), level_names(params.levels))
    progress("names", 0.97, "Naming shapes")
    return named(drawing), facts | {"mse": error, "psnr": round(psnr(error), 2)}


def _paths(shapes: Shapes, width: int, height: int) -> tuple[Path, ...]:
    like = [Path((), np.zeros(3), level=int(level)) for level in shapes.level]
    return to_paths(shapes.scene(width, height), like)
