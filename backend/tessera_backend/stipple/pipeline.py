"""The stages of stippling, in reading order."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.jobs import StippleParams

from .. import __version__
from ..progress import Progress
from . import engines, gap, lloyd, order, radii, working
from .page import lay_out


@dataclasses.dataclass(frozen=True)
class Stipples:
    """Dots on a page.

    Attributes:
        positions: float32 (N, 2), centres, mm from the page's top left corner, x right, y down.
        radii: float32 (N,), mm.
        plates: uint8 (N,), index into `meta["plates"]`; ascending.
        page: width and height, mm.
        meta: how they were made, of plain JSON types.
    """

    positions: np.ndarray
    radii: np.ndarray
    plates: np.ndarray
    page: tuple[float, float]
    meta: dict[str, Any]


def run(
    image: np.ndarray,
    params: StippleParams,
    progress: Progress,
    clip: np.ndarray | None,
    mask: np.ndarray | None,
    protect: np.ndarray | None,
) -> Stipples:
    """All stages; arguments are checked already."""
    clock = _Clock()
    rng = np.random.default_rng(params.seed)

    layout = lay_out(image.shape[1], image.shape[0], params)
    ground = working.prepare(image, params, layout, clip, progress.part(0.0, 0.1))
    clock.lap("density")

    density = radii.placing(ground.density, params)
    placing = progress.part(0.1, 0.75).showing(lambda sites: ground.preview(sites, layout.page))
    placed = engines.place(density, params, rng, placing)
    clock.lap("placement")

    tones = lloyd.finish(placed.sites, placed.labels, ground.density, rng, progress.part(0.75, 0.8))
    positions = ground.to_page(placed.sites)
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
    meta = _meta(params, image, layout.page, ground.raster, len(positions)) | placed.facts | {"seconds": clock.laps}
    meta["plates"] = [{"name": "Ink", "color": params.color, "dots": len(positions)}]
    plates = np.zeros(len(positions), np.uint8)
    return Stipples(positions.astype(np.float32), sizes, plates, layout.page, meta)


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
