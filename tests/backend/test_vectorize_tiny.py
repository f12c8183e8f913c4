"""Pictures of a few pixels are reproduced pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vectorize import metrics, vectorize
from tessera_backend.vectorize.curves.nesting import islands
from tessera_backend.vectorize.svg import to_svg
from tessera_protocol.jobs import VectorizeParams

from .test_vectorize_job import ENGINES, MAGENTA, over, rendered

SHAPES = [(1, 1), (1, 2), (5, 1), (1, 40), (2, 3), (8, 8), (2, 25)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_exactly(engine: str, shape: tuple[int, int]) -> None:
    """Every pixel of noise has its own colour, and nothing shines through; at four times the size, too."""
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    drawing = vectorize(image, VectorizeParams(engine=engine))
    assert np.abs(over(rendered(drawing)) - image).max() <= 1
    assert drawing.meta["pixel_by_pixel"]
    large = image.repeat(4, 0).repeat(4, 1) / 255
    assert np.abs(metrics.rendered(to_svg(drawing), 4, (1, 0, 1)) - large).max() < 0.01


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 8), st.integers(1, 64), st.booleans())
def test_any(seed: int, height: int, width: int, paths: int, apart: bool) -> None:
    """Of few colours, some of them clear or translucent: no more paths than allowed, in one piece each; 64 suffice."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (4, 4), np.uint8)
    colors[:, 3] = rng.choice([0, 128, 255, 255], 4)
    image = colors[rng.integers(0, 4, (height, width))]
    image[0, 0] = [200, 10, 90, 255]
    drawing = vectorize(image, VectorizeParams(paths=paths, cut_out=apart))
    assert 1 <= len(drawing.paths) <= paths
    assert all(len(islands(path)) == 1 for path in drawing.paths)
    if paths == 64:
        assert np.abs(over(rendered(drawing)) - over(image.astype(float), MAGENTA)).max() <= 2


def test_a_palette_and_cut_outs() -> None:
    """Only its colours, each pixel in the nearest; and nothing overlaps."""
    image = np.random.default_rng(2).integers(0, 256, (6, 6, 3), np.uint8)
    drawing = vectorize(image, VectorizeParams(palette="#000000 #ffffff #ff0000", cut_out=True))
    assert {tuple(path.fill) for path in drawing.paths} <= {(0, 0, 0), (1, 1, 1), (1, 0, 0)}
    covered = 0.0
    for path in drawing.paths:
        ring = path.contours
        covered += sum(0.5 * float(_twice(contour[::3])) for contour in ring)
    assert abs(covered) == pytest.approx(36)


def _twice(ring: np.ndarray) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y))


def test_larger_pictures_are_not_pixel_art() -> None:
    """From nine by nine pixels on, and three pixels of width, there are curves."""
    y, x = np.mgrid[:9, :9]
    image = np.where((np.hypot(x - 4, y - 4) < 3)[..., None], 0, 255).astype(np.uint8) * np.ones(3, np.uint8)
    assert "pixel_by_pixel" not in vectorize(image, VectorizeParams(engine="fast")).meta
