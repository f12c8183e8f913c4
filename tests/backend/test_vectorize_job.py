"""The whole job `vectorize`: what comes out of it, whatever is asked for and whatever goes in."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resvg_py
from PIL import Image

from tessera_backend.progress import Progress
from tessera_backend.vectorize import Drawing, Gradient, vectorize
from tessera_backend.vectorize.svg import to_svg
from tessera_protocol.errors import Cancelled, InvalidInput
from tessera_protocol.jobs import VectorizeParams

ENGINES = ("fast", "best", "paper")
MAGENTA = np.array([255.0, 0.0, 255.0])
FACTS = {
    "engine", "weights", "device", "seed", "version", "preset", "paths_asked", "paths", "segments", "levels", "image",
    "raster", "parameters", "mse", "psnr",
}  # fmt: skip


def flag(height: int = 48, width: int = 64) -> np.ndarray:
    """A red bar, a blue disc and a black corner on yellow that fades, uint8 (H, W, 3)."""
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.full((height, width, 3), [240, 210, 80], np.uint8)
    image[..., 2] = 60 + 120 * x / width
    image[(y > 0.67 * height) & (x > 0.1 * width)] = [200, 30, 40]
    image[np.hypot(x - 0.66 * width, y - 0.38 * height) < 0.24 * height] = [40, 70, 180]
    image[x + y < 0.45 * height] = [20, 20, 20]
    return image


def cut(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """With alpha; what is hidden is magenta below, which must not show."""
    rgba = np.dstack([image, np.where(hidden, 0, 255).astype(np.uint8)])
    rgba[hidden, :3] = MAGENTA
    return rgba


def drawn(image: np.ndarray, progress: Progress | None = None, **params: Any) -> Drawing:
    return vectorize(image, VectorizeParams(**{"paths": 8, "engine": "fast", **params}), progress or Progress())


def rendered(drawing: Drawing) -> np.ndarray:
    """By resvg: float64 (H, W, 4), straight alpha, 0 to 255."""
    data = bytes(resvg_py.svg_to_bytes(svg_string=to_svg(drawing, digits=3).decode()))
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"), np.float64)


def over(rgba: np.ndarray, ground: np.ndarray = MAGENTA) -> np.ndarray:
    alpha = rgba[..., 3:] / 255.0
    return rgba[..., :3] * alpha + ground * (1 - alpha)


@pytest.mark.parametrize(("engine", "preset"), [*itertools.product(ENGINES, ("layered", "faithful"))])
def test_what_every_drawing_is(engine: str, preset: str) -> None:
    """No more paths than asked for, levels in order, a label for each, groups with names, metadata of the run."""
    image = flag()
    drawing = drawn(image, engine=engine, preset=preset, seed=3, levels=4)

    assert 3 <= len(drawing.paths) <= 8
    assert (drawing.width, drawing.height, len(drawing.levels)) == (64, 48, 4)
    levels = [path.level for path in drawing.paths]
    assert levels == sorted(levels)
    assert 0 <= levels[0] <= levels[-1] < 4
    labels = [path.label for path in drawing.paths]
    assert all(labels)
    assert len(set(labels)) == len(labels)
    assert all(name and not name.isdigit() for path in drawing.paths for name in path.group)
    meta = drawing.meta
    assert meta.keys() >= FACTS
    assert (meta["engine"], meta["preset"], meta["seed"], meta["paths_asked"]) == (engine, preset, 3, 8)
    assert meta["paths"] == len(drawing.paths)
    assert meta["segments"] == sum(path.segments for path in drawing.paths)
    assert meta["parameters"]["levels"] == 4
    assert json.loads(json.dumps(meta)) == meta


@pytest.mark.parametrize("engine", ENGINES)
def test_another_renderer_agrees(engine: str) -> None:
    """The file's error, as resvg draws it, is the one in the metadata; no magenta shines through an opaque picture."""
    image = flag()
    drawing = drawn(image, engine=engine)
    shown = rendered(drawing)
    mse = np.mean((over(shown, np.full(3, 255.0)) - image) ** 2) / 255**2
    assert mse == pytest.approx(drawing.meta["mse"], rel=0.25, abs=2e-5)
    assert drawing.meta["psnr"] == pytest.approx(-10 * np.log10(drawing.meta["mse"]), abs=0.01)
    assert drawing.meta["mse"] < 0.003
    assert shown[..., 3].min() > 250


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_again(engine: str) -> None:
    """The same arguments give the same file, byte for byte."""
    image = flag()
    assert to_svg(drawn(image, engine=engine)) == to_svg(drawn(image, engine=engine))


@pytest.mark.parametrize("engine", ENGINES)
def test_quality_is_reached_with_fewer_paths(engine: str) -> None:
    """As many shapes as it takes and not all that are allowed."""
    # Paper draws no gradients: the fading ground takes it many paths.
    drawing = drawn(flag(), engine=engine, paths=60, smallest=2, quality=24.0)
    assert drawing.meta["psnr"] >= 24
    assert len(drawing.paths) < 30


@pytest.mark.parametrize("engine", ENGINES)
def test_transparency_stays(engine: str) -> None:
    """Over magenta the drawing looks like the picture over magenta; clear stays clear, opaque opaque."""
    image = flag()
    y, x = np.mgrid[:48, :64] + 0.5
    away = np.hypot((x - 32) / 30, (y - 24) / 22)
    rgba = cut(image, (away > 1) | (away < 0.2))
    shown = rendered(drawn(rgba, engine=engine))
    assert np.abs(over(shown) - over(rgba.astype(float))).mean() < 12
    assert shown[(away > 1.12) | (away < 0.1), 3].max() < 10
    assert np.quantile(shown[(away < 0.88) & (away > 0.35), 3], 0.02) > 245


@pytest.mark.parametrize("engine", ENGINES)
def test_solid_colours_when_asked(engine: str) -> None:
    """No gradients unless they are wanted; here they pay."""
    assert not any(isinstance(path.fill, Gradient) for path in drawn(flag(), engine=engine, gradients=False).paths)
    if engine != "paper":
        assert any(isinstance(path.fill, Gradient) for path in drawn(flag(), engine=engine).paths)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("params", "most"), [({"palette": "#f0d250,#c81e28 #141414"}, 3), ({"colors": 2}, 2)], ids=["palette", "colors"]
)
def test_few_colours(engine: str, params: dict[str, Any], most: int) -> None:
    """Those that are given and no others; or as many as the drawing may choose."""
    fills = {tuple(np.rint(255 * np.asarray(p.fill)).astype(int)) for p in drawn(flag(), engine=engine, **params).paths}
    assert 2 <= len(fills) <= most
    if "palette" in params:
        assert fills <= {(240, 210, 80), (200, 30, 40), (20, 20, 20)}


@pytest.mark.parametrize("engine", ENGINES)
def test_cut_out(engine: str) -> None:
    """Each pixel is covered once, but at borders, where anti-aliased shapes meet; the picture is still the picture."""
    image = flag()
    drawing = drawn(image, engine=engine, cut_out=True, gradients=False)
    total = np.zeros((48, 64))
    for path in drawing.paths:
        alone = Drawing(64, 48, (path,), drawing.levels)
        total += rendered(alone)[..., 3] / 255
    assert np.mean(np.abs(total - 1) > 0.1) < 0.01
    assert np.abs(rendered(drawing)[..., :3] - image).mean() < 16


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wider_tolerance_takes_fewer_segments(engine: str) -> None:
    """The same shapes, simpler outlines."""
    image = flag(72, 96)
    fine, coarse = (drawn(image, engine=engine, tolerance=tolerance) for tolerance in (0.3, 4.0))
    per_path = [drawing.meta["segments"] / drawing.meta["paths"] for drawing in (fine, coarse)]
    assert per_path[1] < per_path[0]


@pytest.mark.parametrize("params", [*({"engine": engine} for engine in ENGINES), {"quality": 60.0}], ids=str)
def test_progress(params: dict[str, Any]) -> None:
    """Often told, never backwards, from 0 to 1; previews are pictures of the drawing."""
    told: list[float] = []
    previews: list[np.ndarray] = []
    progress = Progress(
        lambda stage, fraction, text: told.append(fraction), listener=lambda make: previews.append(make()["picture"])
    )
    drawn(flag(), progress, **params)
    assert len(told) > 10
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert {(preview.shape, preview.dtype.name) for preview in previews} == {((48, 64, 3), "uint8")}


@pytest.mark.parametrize("engine", ENGINES)
def test_cancel_at_any_time(engine: str) -> None:
    """From within every stage."""
    stages: list[str] = []
    drawn(flag(), Progress(lambda stage, *_: stages.append(stage)), engine=engine)
    calls = [stages.index(stage) for stage in dict.fromkeys(stages)]
    for last in calls[1:]:
        count = itertools.count()
        with pytest.raises(Cancelled):
            drawn(flag(), Progress(cancelled=lambda count=count, last=last: next(count) == last), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("preset", ["layered", "faithful"])
def test_enough_ends_early(engine: str, preset: str) -> None:
    """Fewer steps than without; a whole drawing all the same, with no more paths than allowed."""
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    steps: list[list[float]] = [[], []]
    for heard, enough in zip(steps, (False, True), strict=True):
        progress = Progress(lambda *report, heard=heard: heard.append(report[1]), enough=lambda enough=enough: enough)
        drawing = drawn(image, progress, engine=engine, preset=preset, paths=12, smallest=1)
        assert 1 <= len(drawing.paths) <= 12
        assert drawing.meta["psnr"] > 8
        assert len({path.label for path in drawing.paths}) == len(drawing.paths)
    assert len(steps[1]) < len(steps[0])


def test_enough_ends_the_search_for_quality() -> None:
    """No further tries with more paths."""
    asked = itertools.count()
    drawing = drawn(flag(), Progress(enough=lambda: next(asked) >= 0), paths=200, smallest=1, quality=60.0)
    assert 1 <= len(drawing.paths) < 200


RAMP = np.tile(np.arange(0, 60, dtype=np.uint8) * 4, (30, 1))
ODD = {
    "1 x 1": np.full((1, 1, 3), 90, np.uint8),
    "9 x 1": np.arange(9, dtype=np.uint8)[None] * 28,
    "1 x 9": np.arange(9, dtype=np.uint8)[:, None] * 28,
    "2 x 2": np.array([[0, 255], [255, 0]], np.uint8),
    "one colour": np.full((20, 30, 3), [10, 200, 30], np.uint8),
    "white": np.full((20, 30), 255, np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8),
    "grey": RAMP,
    "16 bit": RAMP.astype(np.uint16) * 257,
    "float": RAMP / 255,
    "float16": (RAMP / 255).astype(np.float16),
    "bool": RAMP > 100,
    "grey and alpha": np.dstack([RAMP, np.where(np.arange(60) < 30, 255, 0) + 0 * RAMP]).astype(np.uint8),
    "one opaque pixel": np.pad(np.full((1, 1, 4), 255, np.uint8), ((5, 5), (5, 5), (0, 0))),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ODD)
def test_odd_pictures(engine: str, name: str) -> None:
    """They become drawings, within the limit, and files that other programs read."""
    image = ODD[name]
    drawing = drawn(image, engine=engine, paths=6)
    shown = rendered(drawing)
    assert shown.shape[:2] == image.shape[:2]
    assert len(drawing.paths) <= 6
    if name in ("1 x 1", "one colour", "white"):
        # Exactly, and opaque.
        ground = image[0, 0].astype(float) * np.ones(3)
        assert np.abs(over(shown) - ground).max() < 2


@pytest.mark.parametrize("engine", ENGINES)
def test_kinds_of_one_picture_give_one_drawing(engine: str) -> None:
    """8 bit, 16 bit and floats."""
    eight, sixteen, floats = (drawn(ODD[name], engine=engine, paths=4) for name in ("grey", "16 bit", "float"))
    assert eight.meta["mse"] == pytest.approx(sixteen.meta["mse"], abs=1e-5)
    assert eight.meta["mse"] == pytest.approx(floats.meta["mse"], abs=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "image",
    [np.zeros((20, 30, 4), np.uint8), np.zeros((9, 9), int), np.full((4, 4), np.nan)],
    ids=["clear", "int", "NaN"],
)
def test_pictures_that_cannot_be_drawn(engine: str, image: np.ndarray) -> None:
    """Said in a sentence, before any work."""
    with pytest.raises(InvalidInput) as caught:
        drawn(image, engine=engine)
    assert caught.value.failure.code == "unusable-input"
    assert caught.value.failure.field == "image"


def test_twelve_megapixels(tmp_path: Path) -> None:
    """Shapes are fitted to a small copy, and the drawing knows how large the picture was."""
    large = np.repeat(np.repeat(flag(60, 80), 50, 0), 50, 1)
    assert large.shape[:2] == (3000, 4000)
    drawing = drawn(large, resolution=128)
    assert (drawing.meta["image"], drawing.meta["raster"]) == ([4000, 3000], [128, 96])
    assert drawing.meta["mse"] < 0.003
