"""Every vectorizer behind one call: a picture and a number of paths in, an SVG out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

import report
import tessera_backend
import tracers
from tessera_backend.vectorize import vectorize
from tessera_backend.vectorize.svg import to_svg
from tessera_protocol.jobs import VectorizeParams
from tracers import Traced
from vector_pictures import Picture

# The engines, and the presets that each is run with: the published method has one way.
ENGINES: Mapping[str, Sequence[str]] = {
    "fast": ("layered", "faithful"),
    "best": ("layered", "faithful"),
    "paper": ("layered",),
}


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to vectorize, ours or not.

    Attributes:
        name: as the tables call it.
        version: what was run; another one is measured anew.
        draw: (picture, most paths) -> the drawing; None where it cannot keep to so few.
    """

    name: str
    version: str
    draw: Callable[[Picture, int], Traced | None]


def peers(budgets: Sequence[int], cache: Path) -> list[Method]:
    """VTracer and potrace, each at its best settings; `cache` keeps their drawings."""
    return [_peer(tracer, budgets, cache) for tracer in tracers.every()]


def _peer(tracer: tracers.Tracer, budgets: Sequence[int], cache: Path) -> Method:
    def draw(picture: Picture, budget: int) -> Traced | None:
        return tracer.cached(picture, budgets, cache).get(budget)

    return Method(tracer.name, tracer.version, draw)


def ours(device: str) -> list[Method]:
    """The engines with their presets, everything else as it comes."""
    return [_method(engine, preset, device) for engine, presets in ENGINES.items() for preset in presets]


def _method(engine: str, preset: str, device: str) -> Method:
    def draw(picture: Picture, budget: int) -> Traced:
        params = VectorizeParams(paths=budget, engine=engine, preset=preset)
        start = report.cpu_seconds()
        svg = to_svg(vectorize(picture.pixels, params, device=device))
        return Traced(svg.decode(), f"engine {engine}, preset {preset}", report.cpu_seconds() - start)

    version = f"{report.versions(['tessera'])}, sources {_sources()}, {device}"
    return Method(f"Tessera {engine} {preset}", version, draw)


def warm_up(methods: Sequence[Method]) -> None:
    """Compiled code is loaded, or compiled, before a clock runs."""
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    blocks = np.stack(np.broadcast_arrays(ramp, ramp[:, None], (ramp // 128 * 255)[:, None]), 2)
    for method in methods:
        method.draw(Picture("blocks", "icons", blocks), 8)


def _sources() -> str:
    """A hash of the code that draws."""
    found = hashlib.sha256()
    for package in ("vector_raster", "vectorize"):
        for path in sorted(Path(tessera_backend.__path__[0], package).rglob("*.py")):
            found.update(path.read_bytes())
    return report.digest(found.digest())
