"""What is measured of drawings."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from report import digest
from store import Records
from tessera_backend.progress import SILENT
from tessera_backend.vectorize import metrics
from tessera_backend.vectorize.masks import merging
from tessera_backend.vectorize.simplify import simplified
from tessera_backend.vectorize.svg import parse, to_svg
from tessera_protocol.jobs import VectorizeParams
from tracers import Traced
from vector_methods import Method
from vector_pictures import Picture

# Of the finest level; the same for every method and number of paths.
MASKS = 64


@dataclasses.dataclass(frozen=True)
class Record:
    """One drawing's numbers.

    Attributes:
        picture, kind, method: names.
        budget: how many paths it was allowed.
        paths: closed outlines that are not holes.
        segments: cubics and lines of all outlines.
        bytes: of the SVG.
        bare: bytes of the same shapes as our writer writes them, without names and metadata.
        mse, ssim: of resvg's rendering at 1x against the picture.
        vec: share of paths of which more than 85 % lies in one mask.
        seams: pixels at 4x that show the ground.
        seconds: CPU seconds from pixels to SVG, all threads.
        settings: how the method was asked.
    """

    picture: str
    kind: str
    method: str
    budget: int
    paths: int
    segments: int
    bytes: int
    bare: int
    mse: float
    ssim: float
    vec: float
    seams: int
    seconds: float
    settings: str


class Store:
    """The drawings' records, and the drawings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records = Records(folder, Record)

    def measure(self, method: Method, picture: Picture, budget: int) -> Record | None:
        """The numbers of this drawing, made now unless the very same is there; None where the method has none."""
        key = _key(method, picture, budget)
        known = self._records.get(key)
        if known:
            return known
        drawn = method.draw(picture, budget)
        if drawn is None:
            return None
        record = _record(method, picture, budget, drawn)
        self._svg(key).write_text(drawn.svg)
        print(f"{method.name}, {picture.name}, {budget}: {_told(record)}", file=sys.stderr, flush=True)
        return self._records.add(key, record)

    def find(self, method: Method, picture: Picture, budget: int) -> tuple[Record, str] | None:
        """What was measured, and the SVG."""
        key = _key(method, picture, budget)
        record = self._records.get(key)
        return (record, self._svg(key).read_text()) if record else None

    def _svg(self, key: str) -> Path:
        return self.folder / f"{key}.svg"


def measure_all(
    store: Store, methods: Sequence[Method], inputs: Sequence[Picture], budgets: Sequence[int]
) -> list[Record]:
    """Every method on every picture at every number of paths."""
    runs = itertools.product(inputs, budgets, methods)
    measured = (store.measure(method, picture, budget) for picture, budget, method in runs)
    return [record for record in measured if record]


def _key(method: Method, picture: Picture, budget: int) -> str:
    return digest(f"{method.name} {method.version} {picture.name} {picture.key} {budget}".encode())


def _record(method: Method, picture: Picture, budget: int, drawn: Traced) -> Record:
    svg = drawn.svg.encode()
    image, size = metrics.rendered(svg), metrics.size(svg)
    return Record(
        picture=picture.name,
        kind=picture.kind,
        method=method.name,
        budget=budget,
        paths=size.paths,
        segments=size.segments,
        bytes=size.bytes,
        bare=_bare(svg),
        mse=metrics.mse(image, picture.target),
        ssim=metrics.ssim(image, picture.target),
        vec=metrics.vec(parse(svg), _masks(picture)),
        seams=metrics.seams(svg),
        seconds=drawn.seconds,
        settings=drawn.settings,
    )


def _bare(svg: bytes) -> int:
    """Bytes without what only one of the programs writes: names, groups, metadata, digits nobody sees."""
    drawing = parse(svg)
    paths = tuple(dataclasses.replace(path, level=0, group=(), label="") for path in drawing.paths)
    return len(to_svg(dataclasses.replace(drawing, paths=paths, levels=("",), meta={})))


@functools.lru_cache(maxsize=1)
def _masks(picture: Picture) -> np.ndarray:
    """The parts that region merging finds, coarse and fine ones, bool (M, H, W)."""
    params, opaque = VectorizeParams(), np.ones(picture.pixels.shape[:2], bool)
    # Not filled where they enclose others: a background that is would hold every path.
    levels = merging.masks(simplified(picture.target, params)[0], opaque, MASKS, params.smallest, SILENT)
    return np.stack([mask for level in levels for mask in level])


def _told(record: Record) -> str:
    return f"{record.paths} paths, MSE {record.mse:.5f}, SSIM {record.ssim:.3f}, {record.seconds:.2g} s"
