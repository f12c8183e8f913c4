"""The stages of stippling, in reading order."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import StippleParams

from .. import __version__
from ..progress import Progress
from . import clip as clipping
from . import density, gap, lloyd, order, radii, start, voronoi
from .page import Box, Layout, lay_out, to_page

# Few dots see detail too, many stay affordable: seconds and 200 MB at the upper end.
LEAST_PIXELS = 512 * 512
MOST_PIXELS = 8_000_000
# A picture whose own resolution is this near to the one wanted is worked on as it is.
AS_IS = 1.5


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


class Clock:
    """CPU seconds that each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.process_time()

    def lap(self, stage: str) -> None:
        """Book the time since the last call on `stage`."""
        now = time.process_time()
        self.seconds[stage] = round(now - self._since, 4)
        self._since = now


def run(image: np.ndarray, params: StippleParams, progress: Progress, clip: np.ndarray | None) -> Stipples:
    """All of it; arguments and errors as `tessera_backend.stipple.stipple` says."""
    clock = Clock()
    rng = np.random.default_rng(params.seed)

    progress("preparing", 0.0, "Reading tones")
    layout = lay_out(image.shape[1], image.shape[0], params)
    area = _working_area(image, params, layout, clip)
    tones, frame = _tones(image, params, layout, area, clip)
    clock.lap("density")

    progress("placing", 0.1, f"Placing {params.dots} dots")
    sites, labels = start.along_curve(tones, params.dots, rng)
    clock.lap("start")

    steps = lloyd.relax(
        sites,
        labels,
        lloyd.weight(tones, params.engine),
        params.iterations,
        params.tolerance,
        rng,
        progress.part(0.15, 0.75),
    )
    clock.lap("relaxation")

    cell_tone = _finish(sites, labels, tones, rng, progress.part(0.75, 0.8))
    positions = to_page(sites, tones.shape, frame)
    sizes = radii.by_tone(cell_tone, params.radius_min, params.radius_max)
    clock.lap("cells")

    left_out: dict[str, int] = {}
    if params.minimum_gap > 0:
        positions, sizes, dropped = gap.keep(
            positions, sizes, params.minimum_gap, lambda p: _on_ink(p, tones, frame), progress.part(0.8, 0.9)
        )
        if dropped:
            left_out["no room for the minimum gap"] = dropped
        clock.lap("gap")

    if params.order == "plotter":
        path = order.short_path(positions, progress.part(0.9, 1.0))
        positions, sizes = positions[path], sizes[path]
        clock.lap("order")

    progress("done", 1.0, f"{len(positions)} dots")
    meta = {
        "engine": params.engine,
        "weights": None,
        "device": "cpu",
        "seed": params.seed,
        "version": __version__,
        "dots_asked": params.dots,
        "dots_placed": len(positions),
        "dots_left_out": left_out,
        "iterations_run": steps,
        "image": [image.shape[1], image.shape[0]],
        "raster": [tones.shape[1], tones.shape[0]],
        "page": [float(side) for side in layout.page],
        "parameters": schema.changed(params),
        "seconds": clock.seconds,
    }
    return Stipples(positions.astype(np.float32), sizes, layout.page, meta)
