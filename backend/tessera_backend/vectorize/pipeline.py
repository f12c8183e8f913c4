"""The stages of vectorization, in reading order."""

from __future__ import annotations

from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import VectorizeParams

from .. import __version__
from ..progress import Progress
from . import engines, working
from .drawing import Drawing


def run(image: np.ndarray, params: VectorizeParams, progress: Progress, device: str) -> Drawing:
    """All stages; arguments are checked already."""
    prepared = working.prepare(image, params.resolution, progress.part(0.0, 0.05))
    if not prepared.inside.any():
        raise error(
            "unusable-input",
            "The picture is transparent everywhere: there is nothing to draw.",
            field="image",
            remedy="Take a picture with something on it.",
        )
    drawing, facts = engines.draw(prepared, params, progress.part(0.05, 1.0), device)
    progress("done", 1.0, f"{len(drawing.paths)} paths")
    return Drawing(
        drawing.width,
        drawing.height,
        drawing.paths,
        drawing.levels,
        _meta(image, params, drawing, facts),
    )


def _meta(image: np.ndarray, params: VectorizeParams, drawing: Drawing, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "engine": params.engine,
        "weights": None,
        "device": "cpu",
        "seed": params.seed,
        "version": __version__,
        "preset": params.preset,
        "paths_asked": params.paths,
        "paths": len(drawing.paths),
        "segments": sum(path.segments for path in drawing.paths),
        "levels": list(drawing.levels),
        "image": [image.shape[1], image.shape[0]],
        "raster": [drawing.width, drawing.height],
        "parameters": schema.changed(params),
    } | facts
