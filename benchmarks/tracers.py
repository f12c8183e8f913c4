"""Other people's vectorizers, each at its best settings under a number of paths: no part of the product."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree
from skimage.color import rgb2lab

import report
from report import digest, versions
from tessera_backend.vectorize import metrics
from tessera_backend.vectorize.curves.nesting import area, polygon
from tessera_backend.vectorize.svg.pathread import read_path
from vector_pictures import Picture

# VTracer's settings that decide how many shapes it makes; the others are its defaults.
VTRACER = {
    "color_precision": (3, 4, 6, 8),
    "layer_difference": (8, 16, 24, 32, 48, 64, 96, 128),
    "filter_speckle": (64, 45, 32, 23, 16, 11, 8, 6, 4, 3, 2),
}
# Colours of a potrace stack.
COLORS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48)
# k-means sees so many pixels, drawn once.
SAMPLE, ROUNDS = 20_000, 15
# potrace writes tenths of a pixel.
POTRACE_UNITS = 10


@dataclasses.dataclass(frozen=True)
class Traced:
    """A drawing of a peer: the SVG, how it was asked for, and what one run of that took, in CPU seconds."""

    svg: str
    settings: str
    seconds: float


# The drawing of least error for each number of paths; a number that the tracer cannot keep to is left out.
Best = dict[int, Traced]


@dataclasses.dataclass(frozen=True)
class Tracer:
    """A peer.

    Attributes:
        name: as the tables call it.
        version: of the program, with what is tried.
        trace: (picture, numbers of paths) -> the best drawing for each.
    """

    name: str
    version: str
    trace: Callable[[Picture, Sequence[int]], Best]

    def cached(self, picture: Picture, budgets: Sequence[int], folder: Path) -> Best:
        """The same, kept in a folder: a peer does not change between our runs."""
        key = digest(f"{self.version} {list(budgets)}".encode())
        path = folder / f"{self.name.lower()}-{picture.name}-{picture.key}-{key}.json"
        if not path.exists():
            print(f"{self.name}: {picture.name}", file=sys.stderr, flush=True)
            best = self.trace(picture, budgets)
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({n: dataclasses.asdict(traced) for n, traced in best.items()}))
        return {int(n): Traced(**traced) for n, traced in json.loads(path.read_text()).items()}


def every() -> list[Tracer]:
    """The peers that are installed."""
    return [_vtracer(), _potrace()]


class _Race:
    """Keeps the drawing of least error for each number of paths."""

    def __init__(self, picture: Picture, budgets: Sequence[int]) -> None:
        self.picture, self.budgets = picture, budgets
        self.best: Best = {}
        self._errors: dict[int, float] = {}

    def enter(self, traced: Traced, single: bool = False) -> None:
        """`single`: each <path> is known to be one outline with its holes; otherwise they are counted if need be."""
        error = metrics.mse(metrics.rendered(traced.svg.encode()), self.picture.target)
        paths = elements(traced.svg)
        open_to = [n for n in self.budgets if paths <= n and error < self._errors.get(n, np.inf)]
        if open_to and not single:
            paths = metrics.size(traced.svg.encode()).paths
        for budget in open_to:
            if paths <= budget:
                self._errors[budget], self.best[budget] = error, traced


def elements(svg: str) -> int:
    """How many <path> there are."""
    return svg.count("<path")


def _vtracer() -> Tracer:
    import vtracer

    def trace(picture: Picture, budgets: Sequence[int]) -> Best:
        race, png = _Race(picture, budgets), picture.png()
        for precision, difference in itertools.product(VTRACER["color_precision"], VTRACER["layer_difference"]):
            for speckle in VTRACER["filter_speckle"]:
                settings = {
                    "color_precision": precision,
                    "layer_difference": difference,
                    "filter_speckle": speckle,
                }
                start = report.cpu_seconds()
                svg = vtracer.convert_raw_image_to_svg(
                    png, img_format="png", mode="spline", hierarchical="stacked", **settings
                )
                seconds = report.cpu_seconds() - start
                if elements(svg) > max(budgets):  # Finer speckles only add shapes.
                    break
                race.enter(Traced(svg, _told(settings), seconds))
        return race.best

    return Tracer("VTracer", f"{versions(['vtracer'])}, spline, stacked, best of {_told(VTRACER)}", trace)


def _potrace() -> Tracer:
    """One potrace run a colour, from the colour with most pixels to that with fewest, plain or stacked.

    Stacked: a mask is the union of its colour and all that are painted after it, so that no gaps show. `turdsize` is
    set for each number of paths: the largest outlines stay.
    """

    def trace(picture: Picture, budgets: Sequence[int]) -> Best:
        race = _Race(picture, budgets)
        for colors in COLORS:
            start = report.cpu_seconds()
            owner, fills = _quantize(picture, colors)
            quantizing = report.cpu_seconds() - start
            for stacked in (True, False):
                start = report.cpu_seconds()
                masks = [owner >= i if stacked else owner == i for i in range(len(fills))]
                layers = _layers(masks, max(budgets))
                seconds = quantizing + report.cpu_seconds() - start
                areas = np.sort([shape.area for layer in layers for shape in layer])[::-1]
                for least in dict.fromkeys(float(areas[n]) if n < len(areas) else 0.0 for n in budgets):
                    kept = [[shape for shape in layer if shape.area > least] for layer in layers]
                    svg = _stack(picture, kept, fills)
                    settings = {"colors": colors, "stacked": stacked, "turdsize": int(least)}
                    race.enter(Traced(svg, _told(settings), seconds), single=True)
        return race.best

    said = subprocess.run(["potrace", "--version"], capture_output=True, text=True, check=True).stdout
    version = said.partition(". ")[0]
    return Tracer("potrace", f"{version}, k-means in Lab, best of {COLORS} colours, plain or stacked", trace)


@dataclasses.dataclass(frozen=True)
class _Shape:
    """An outline with its holes: path data in potrace's units, and the area within the outline, px^2."""

    data: str
    area: float


def _quantize(picture: Picture, colors: int) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Which colour each pixel has, (H, W), that of most pixels first; and the colours, uint8 (K, 3)."""
    rng = np.random.default_rng(0)
    flat = picture.pixels.reshape(-1, 3)
    lab = rgb2lab(picture.pixels).reshape(-1, 3)
    seen = lab[rng.choice(len(lab), min(SAMPLE, len(lab)), replace=False)]
    start = np.unique(seen, axis=0)
    centers, _ = kmeans2(seen, min(colors, len(start)), ROUNDS, minit="++", seed=rng, missing="warn")
    owner = cKDTree(centers).query(lab)[1]
    pixels = np.bincount(owner, minlength=len(centers))
    order = np.argsort(-pixels)[: np.count_nonzero(pixels)]
    rank = np.empty(len(centers), np.intp)
    rank[order] = np.arange(len(order))
    owner = rank[owner]
    means = [np.bincount(owner, flat[:, c], len(order)) / pixels[order] for c in range(3)]
    return owner.reshape(picture.pixels.shape[:2]), np.rint(np.column_stack(means)).astype(np.uint8)


def _layers(masks: Sequence[NDArray[np.bool_]], most: int) -> list[list[_Shape]]:
    """What potrace makes of each mask, the `most` largest shapes of all and perhaps some more."""
    pieces = [np.bincount(ndimage.label(mask, np.ones((3, 3)))[0].ravel())[1:] for mask in masks]
    areas = np.sort(np.concatenate(pieces))[::-1]
    # A shape's outline holds at least the area of its piece, so none of the largest is lost.
    turdsize = int(areas[most]) // 2 if most < len(areas) else 0
    return [_layer(mask, turdsize) for mask in masks]


def _layer(mask: NDArray[np.bool_], turdsize: int) -> list[_Shape]:
    """What potrace makes of a mask, each outline with its holes for itself."""
    height, width = mask.shape
    bitmap = f"P4\n{width} {height}\n".encode() + np.packbits(mask, axis=1).tobytes()
    options = ["--backend", "svg", "--unit", POTRACE_UNITS, "--turdsize", turdsize, "--output", "-"]
    command = ["potrace", *map(str, options), "-"]
    svg = subprocess.run(command, input=bitmap, capture_output=True, check=True).stdout.decode()
    return [
        _Shape(" ".join(data.split()), abs(area(polygon(read_path(data)[0]))) / POTRACE_UNITS**2)
        for data in re.findall(r'<path d="([^"]*)"', svg)
    ]


def _stack(picture: Picture, layers: Sequence[Sequence[_Shape]], fills: NDArray[np.uint8]) -> str:
    height, width = picture.pixels.shape[:2]
    scale = 1 / POTRACE_UNITS
    groups = [
        f'<g fill="#{bytes(fill).hex()}">{"".join(f"""<path d="{shape.data}"/>""" for shape in layer)}</g>'
        for layer, fill in zip(layers, fills, strict=True)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<g transform="translate(0,{height}) scale({scale:g},-{scale:g})">{"".join(groups)}</g></svg>'
    )


def _told(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
