"""The stages of stippling, in reading order."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.jobs import StippleParams

from .. import __version__
from ..progress import Progress
from . import best, bnot, gap, gbn, lloyd, order, radii, working
from .page import lay_out

# Each moves sites in place and returns the steps it did, or facts for the metadata, "iterations_run" among them.
_RELAXATIONS: Mapping[str, Callable[..., int | dict[str, float]]] = {
    "tone": lloyd.relax,
    "wvs": lloyd.relax,
    "gbn": gbn.relax,
    "bnot": bnot.relax,
    "best": best.relax,
}


@dataclasses.dataclass(frozen=True)
class Stipples:
    """Dots on a page.

    Attributes:
        positions: float32 (N, 2), centres, mm from the page's top left corner, x right, y down.
        radii: float32 (N,), mm.
        page: width and height, mm.
        meta: how they were made, of plain JSON types.
    """

    positions: np.ndarray
    radii: np.ndarray
    page: tuple[float, float]
    meta: dict[str, Any]


def run(image: np.ndarray, params: StippleParams, progress: Progress, clip: np.ndarray | None) -> Stipples:
    """All stages; arguments are checked already."""
    clock = _Clock()
    rng = np.random.default_rng(params.seed)

    layout = lay_out(image.shape[1], image.shape[0], params)
    ground = working.prepare(image, params, layout, clip, progress.part(0.0, 0.1))
    clock.lap("density")

    progress("placing", 0.1, f"Placing {params.dots} dots")
    density = radii.placing(ground.density, params)
    sites, labels = lloyd.begin(density, params, rng)
    clock.lap("start")

    relax = _RELAXATIONS[params.engine]
    done = relax(sites, labels, density, params, rng, progress.part(0.15, 0.75))
    facts = done if isinstance(done, dict) else {"iterations_run": done}
    clock.lap("relaxation")

    tones = lloyd.finish(sites, labels, ground.density, rng, progress.part(0.75, 0.8))
    positions = ground.to_page(sites)
    sizes = radii.of_dots(tones, ground.density, ground.frame.width * ground.frame.height, params)
    clock.lap("cells")

    if params.minimum_gap > 0:
        spaced = progress.part(0.8, 0.9)
        positions, sizes = gap.keep(positions, sizes, params.minimum_gap, ground.on_ink, spaced)
        clock.lap("gap")

    if params.order == "plotter":
        path = order.short_path(positions, progress.part(0.9, 1.0))
        positions, sizes = positions[path], sizes[path]
        clock.lap("order")

    progress("done", 1.0, f"{len(positions)} dots")
    meta = _meta(params, image, layout.page, ground.raster, len(positions)) | facts | {"seconds": clock.laps}
    return Stipples(positions.astype(np.float32), sizes, layout.page, meta)


def _meta(
    params: StippleParams,
    image: np.ndarray,
    page: tuple[float, float],
    raster: tuple[int, int],
    placed: int,
) -> dict[str, Any]:
    left_out = {"no room for the minimum gap": params.dots - placed} if placed < params.dots else {}
    return {
        "engine": params.engine,
        "weights": None,
        "device": "cpu",
        "seed": params.seed,
        "version": __version__,
        "dots_asked": params.dots,
        "dots_placed": placed,
        "dots_left_out": left_out,
        "image": [image.shape[1], image.shape[0]],
        "raster": [raster[1], raster[0]],
        "page": list(page),
        "parameters": schema.changed(params),
    }


class _Clock:
    """CPU seconds of each stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.process_time()

    def lap(self, stage: str) -> None:
        now = time.process_time()
        self.laps[stage] = round(now - self._since, 4)
        self._since = now
