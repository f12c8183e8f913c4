"""The stages of stippling, in reading order."""

from __future__ import annotations

import dataclasses
import functools
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


def run(image: np.ndarray, params: StippleParams, progress: Progress, bounds: working.Bounds, device: str) -> Stipples:
    """All stages; arguments are checked already."""
    clock = _Clock()
    rng = np.random.default_rng(params.seed)

    layout = lay_out(image.shape[1], image.shape[0], params)
    ground = working.prepare(image, params, layout, bounds, rng, progress.part(0.0, 0.1))
    clock.lap("density")

    densities = radii.placing(ground.densities, params)
    placing = progress.part(0.1, 0.75).showing(lambda sites: ground.preview(sites, layout.page))
    placed, facts = engines.place_plates(densities, params, rng, placing, device)
    clock.lap("placement")

    positions, sizes, plates = _dots(placed, ground, params, rng, progress.part(0.75, 0.8))
    clock.lap("cells")

    if params.minimum_gap > 0:
        spaced = progress.part(0.8, 0.9)
        on_ink = functools.partial(ground.on_ink, plates=plates)
        positions, stays = gap.keep(positions, sizes, params.minimum_gap, on_ink, spaced)
        sizes, plates = sizes[stays], plates[stays]
        clock.lap("gap")

    if params.order == "plotter" or params.marks == "line":
        path = order.short_paths(positions, plates, params.marks == "line", progress.part(0.9, 1.0))
        positions, sizes = positions[path], sizes[path]
        if params.marks == "line" and not params.radius_max:
            sizes[:] = radii.of_line(ground.densities, ground.area, order.length(positions, plates))
        clock.lap("order")

    progress("done", 1.0, f"{len(positions)} dots")
    counts = np.bincount(plates, minlength=len(ground.inks)).tolist()
    meta = _meta(params, image, layout.page, ground.raster, len(positions)) | facts | {"seconds": clock.laps}
    meta["plates"] = [dataclasses.asdict(ink) | {"dots": n} for ink, n in zip(ground.inks, counts, strict=True)]
    return Stipples(positions.astype(np.float32), sizes, plates, layout.page, meta)


def _dots(
    placed: list[engines.Placed],
    ground: working.Working,
    params: StippleParams,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions float64 (N, 2) and radii float32 (N,) on the page, mm, and plates uint8 (N,), ascending."""
    tones = [
        lloyd.finish(plate.sites, plate.labels, density, rng, progress.part(p / len(placed), (p + 1) / len(placed)))
        for p, (plate, density) in enumerate(zip(placed, ground.densities, strict=True))
    ]
    positions = ground.to_page(np.concatenate([plate.sites for plate in placed]))
    sizes = radii.of_dots(np.concatenate(tones), ground.densities, ground.area, params)
    plates = np.repeat(np.arange(len(placed), dtype=np.uint8), [len(plate.sites) for plate in placed])
    return positions, sizes, plates


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
