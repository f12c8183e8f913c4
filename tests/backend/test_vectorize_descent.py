"""Descent: shapes go where the picture has them, and stay shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.progress import Progress
from tessera_backend.vector_raster import Raster
from tessera_backend.vectorize.arrange import arranged
from tessera_backend.vectorize.canvas import Canvas
from tessera_backend.vectorize.curves.outlines import outlined
from tessera_backend.vectorize.descent import shortening, tidy
from tessera_backend.vectorize.drawing import Drawing, Path
from tessera_backend.vectorize.scene import to_paths, to_scene
from tessera_backend.vectorize.shapes import Shapes, neighbours
from tessera_backend.vectorize.working import Working

SIDE = 64


def disk(x: float, y: float, radius: float) -> np.ndarray:
    """bool (SIDE, SIDE)."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    return np.hypot(columns - x, rows - y) < radius


def shapes_of(*masks: np.ndarray, level: tuple[int, ...] = ()) -> Shapes:
    outlines = [outlined(mask, 0.5) for mask in masks]
    count = len(masks)
    levels = np.array(level or [0] * count)
    return Shapes.of(outlines, levels, np.zeros(count, bool))


def canvas_of(image: np.ndarray) -> Canvas:
    return Canvas.of(Working(image.astype(np.float32), None, (SIDE, SIDE)))


def picture(mask: np.ndarray, color: tuple[float, float, float]) -> np.ndarray:
    return np.where(mask[..., None], color, 1.0)


def test_a_disk_finds_its_place() -> None:
    """Shape and colour are recovered from four pixels off and the wrong grey: what is left is the jagged rim."""
    canvas = canvas_of(picture(disk(34, 30, 14), (0.8, 0.1, 0.1)))
    shapes = shapes_of(disk(30, 33, 11))
    losses = canvas.descend(shapes, 150)
    assert losses[0] > 0.02
    assert canvas.error(shapes) < 1.5e-3
    np.testing.assert_allclose(shapes.paint.colors[0, 0, :3], (0.8, 0.1, 0.1), atol=0.02)


def test_fixed_outlines_stay() -> None:
    """Only their colours move."""
    canvas = canvas_of(picture(disk(34, 30, 14), (0.0, 0.5, 0.0)))
    shapes = shapes_of(disk(30, 33, 11))
    shapes.fixed[:] = True
    before = shapes.points.copy()
    canvas.descend(shapes, 20)
    np.testing.assert_array_equal(shapes.points, before)
    assert shapes.paint.colors[0, 0, 1] > shapes.paint.colors[0, 0, 0]


def test_noise_makes_no_needles() -> None:
    """Outlines between noisy sides stay about as long as they are: points don't run after single pixels."""
    rng = np.random.default_rng(1)
    image = picture(disk(32, 32, 20), (0.3, 0.3, 0.3)) * 0.8 + rng.normal(0, 0.12, (SIDE, SIDE, 3))
    canvas = canvas_of(np.clip(image, 0, 1))
    shapes = shapes_of(disk(32, 32, 20))
    before = _length(shapes)
    canvas.descend(shapes, 150)
    assert _length(shapes) < 1.1 * before


def test_weak_borders_are_calm() -> None:
    """An outline that specks have notched is a circle's again where these hardly show, and keeps to strong ones."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    specks = disk(32, 32, 22) & ~disk(32, 32, 18) & ((rows // 3 + columns // 3) % 2 == 0)
    lengths = []
    for contrast in (0.05, 0.8):
        image = picture(disk(32, 32, 20) ^ specks, (1 - contrast,) * 3)
        shapes = shapes_of(disk(32, 32, 20) ^ specks)
        shapes.paint.colors[:, :, :3] = 1 - contrast
        canvas_of(image).descend(shapes, 150)
        lengths.append(_length(shapes) / (2 * np.pi * 20))
    assert lengths[0] < 0.9 * lengths[1]


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_shortening_is_a_derivative(seed: int) -> None:
    """Of the control polygons' lengths, by central differences."""
    points = np.random.default_rng(seed).uniform(0, 40, (18, 2))
    contours = np.array([0, 9, 18])

    def length(at: np.ndarray) -> float:
        rings = (at[:9], at[9:])
        return sum(float(np.linalg.norm(np.roll(ring, -1, 0) - ring, axis=1).sum()) for ring in rings)

    slopes = shortening(points, neighbours(contours)[1])
    step = np.zeros_like(points)
    for i in np.ndindex(*points.shape):
        step[i] = 1e-4
        assert slopes[i] == pytest.approx((length(points + step) - length(points - step)) / 2e-4, abs=1e-3)
        step[i] = 0.0


def _length(shapes: Shapes) -> float:
    from tessera_backend.vectorize.curves.nesting import polygon

    ring = polygon(shapes.outline(0))
    return float(np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1).sum())


def test_enough_ends_it() -> None:
    """Whoever waits can have the shapes as they are by then."""
    canvas = canvas_of(picture(disk(34, 30, 14), (0.8, 0.1, 0.1)))
    assert len(canvas.descend(shapes_of(disk(30, 33, 11)), 100, progress=Progress(enough=lambda: True))) == 10


@given(st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_smooth_joints_are_smooth(seed: int) -> None:
    """After `tidy` the two handles of a smooth joint lie on one line through it, on either side; knots don't move."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 40, (18, 2))
    contours = np.array([0, 9, 18])
    smooth = rng.random(6) < 0.6
    before, after = neighbours(contours)
    moved = points.copy()
    tidy(moved, smooth, before, after)
    np.testing.assert_array_equal(moved[::3], points[::3])
    for k in np.flatnonzero(smooth):
        knot = moved[3 * k]
        arriving, leaving = knot - moved[before[k]], moved[3 * k + 1] - knot
        lengths = np.linalg.norm(arriving) * np.linalg.norm(leaving)
        assert arriving @ leaving >= (1 - 1e-9) * lengths
    for k in range(6):
        chord = np.linalg.norm(moved[after[k]] - moved[3 * k])
        for handle, end in ((3 * k + 1, 3 * k), (3 * k + 2, after[k])):
            assert np.linalg.norm(moved[handle] - moved[end]) <= 0.75 * chord + 0.06


def test_levels_don_t_change_the_picture() -> None:
    """Paths sorted by level show the same, and what lies on another one is in no coarser level."""
    masks = [disk(32, 32, 30), disk(20, 20, 8), disk(44, 44, 9), disk(44, 44, 4), disk(20, 44, 5)]
    shapes = shapes_of(*masks)
    shapes.paint.colors[:, :, :3] = np.random.default_rng(0).random((5, 1, 3))
    like = [Path((), np.zeros(3), level=level) for level in (1, 3, 0, 2, 0)]
    paths = to_paths(shapes.scene(SIDE, SIDE), like)
    before, after = (
        Raster(SIDE, SIDE).forward(to_scene(Drawing(SIDE, SIDE, each, ()))).copy()
        for each in (paths, arranged(paths, SIDE, SIDE))
    )
    np.testing.assert_array_equal(after, before)
    assert [path.level for path in arranged(paths, SIDE, SIDE)] == [1, 1, 1, 2, 3]


def test_some_shapes_of_all() -> None:
    """Taking and joining keep contours, holes, paint and names together."""
    masks = [disk(32, 32, 30), disk(20, 20, 8), disk(44, 44, 9)]
    shapes = shapes_of(*masks, level=(0, 1, 2))
    ring = disk(32, 32, 16) & ~disk(32, 32, 8)
    two = Shapes.of([outlined(ring, 0.5)], np.array([4]), np.array([False]))
    joined = shapes.taken(np.array([2, 0])).joined(two)
    assert list(joined.level) == [2, 0, 4]
    assert list(np.diff(joined.paths)) == [1, 1, 2]
    np.testing.assert_array_equal(joined.outline(0), shapes.outline(2))
    np.testing.assert_array_equal(joined.taken(np.array([2])).points, two.points)
