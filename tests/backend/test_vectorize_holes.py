"""Holes stay in their outline and apart, so that one path is one closed outline, whatever moves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from tessera_backend.demo import STILL_LIFE
from tessera_backend.vectorize import metrics, vectorize
from tessera_backend.vectorize.curves.holes import Holes, tangled
from tessera_backend.vectorize.curves.nesting import islands
from tessera_backend.vectorize.curves.outlines import outlined
from tessera_backend.vectorize.drawing import Path
from tessera_backend.vectorize.svg import to_svg
from tessera_protocol.jobs import VectorizeParams


def ring(x: float, y: float, radius: float, *, hole: bool = True) -> np.ndarray:
    """Twelve control points of a circle."""
    angles = np.linspace(0, 2 * np.pi, 4, endpoint=False) * (-1 if hole else 1)
    knots = np.stack([np.cos(angles), np.sin(angles)], 1)
    along = np.stack([-np.sin(angles), np.cos(angles)], 1) * 0.5523 * (-1 if hole else 1)
    handles = np.roll(knots - along, -1, 0)
    return np.stack([knots, knots + along, handles], 1).reshape(-1, 2) * radius + [x, y]


def joined(*contours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and bounds."""
    return np.concatenate(contours), np.cumsum([0, *(len(contour) for contour in contours)])


OUTLINE = ring(50, 50, 40, hole=False)


@pytest.mark.parametrize(
    ("holes", "knots"),
    [
        ([ring(40, 50, 8), ring(62, 50, 8)], []),
        ([ring(40, 50, 8), ring(95, 50, 2)], [8, 9, 10, 11]),
        ([ring(40, 50, 20), ring(40, 50, 8)], [8, 9, 10, 11]),
        ([ring(85, 50, 10)], [0, 1, 3, 4, 5, 7]),
        ([ring(40, 50, 8), ring(54, 50, 8)], [4, 5, 7, 8 + 1, 8 + 2, 8 + 3]),
    ],
    ids=["in place", "outside", "in a hole", "across the outline", "across a hole"],
)
def test_what_is_tangled(holes: list[np.ndarray], knots: list[int]) -> None:
    """The knots of what crosses, and of whole holes that are where they don't belong."""
    assert np.flatnonzero(tangled(*joined(OUTLINE, *holes))).tolist() == knots


@given(st.integers(0, 2**31), st.floats(0.1, 20))
@settings(max_examples=60, deadline=None)
def test_holes_are_kept(seed: int, far: float) -> None:
    """However points move, contours don't cross afterwards; each point is where it went to or where it came from."""
    rng = np.random.default_rng(seed)
    points, bounds = joined(OUTLINE, ring(40, 40, 12), ring(65, 45, 10), ring(50, 70, 9))
    holes = Holes(points, bounds, np.array([0, 4]))
    for _ in range(3):
        before = points.copy()
        points += rng.normal(0, far, points.shape)
        moved = points.copy()
        taken = holes.keep(points)
        assert not tangled(points, bounds).any()
        np.testing.assert_array_equal(points[~taken], moved[~taken])
        np.testing.assert_array_equal(points[taken], before[taken])
        rounded = tuple(points[begin:end].round(1) for begin, end in pairwise(bounds))
        assert len(islands(Path(rounded, np.zeros(3)))) == 1


def test_little_is_taken_back() -> None:
    """Where one hole leaves, the others and the far side of the outline still move."""
    points, bounds = joined(OUTLINE, ring(30, 50, 10), ring(70, 50, 10))
    holes = Holes(points, bounds, np.array([0, 3]))
    points[12:24] += [-20, 0]
    points[24:] += [3, 2]
    taken = holes.keep(points)
    assert taken[12:24].any()
    assert not taken[24:].any()
    assert not taken[[11, 0, 1]].any()


@given(st.integers(0, 2**31), st.sampled_from([0.5, 1.0, 2.0]))
@settings(max_examples=25, deadline=None)
def test_thin_walls_hold(seed: int, tolerance: float) -> None:
    """Fitted contours of masks that are all thin bridges don't cross, and few holes are lost."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(80, 80)), 2.5)
    curves = outlined(np.abs(noise) < 0.6 * noise.std(), tolerance)
    assert not tangled(*joined(*curves)).any()


@pytest.mark.parametrize(("engine", "paths"), [("fast", 32), ("fast", 64), ("paper", 16)])
def test_one_path_is_one_outline(engine: str, paths: int) -> None:
    """Of a real picture: no more outlines in the file than paths were asked for, and no hole across its outline."""
    with Image.open(STILL_LIFE) as picture:
        image = np.asarray(picture.convert("RGB").resize((128, 96), Image.Resampling.LANCZOS))
    drawing = vectorize(image, VectorizeParams(paths=paths, engine=engine, preset="faithful"))
    assert metrics.size(to_svg(drawing)).paths == len(drawing.paths) <= paths
    holed = [path for path in drawing.paths if len(path.contours) > 1]
    assert len(holed) > (3 if engine == "fast" else 0)
    assert not any(tangled(*joined(*path.contours)).any() for path in holed)
