"""Fills: the colours that a picture was painted with come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vector_raster import LINEAR, RADIAL, SOLID, Paint, Raster
from tessera_backend.vectorize import fills
from tessera_backend.vectorize.curves.outlines import completed, outlined
from tessera_backend.vectorize.shapes import Shapes

SIDE = 48


def painted(paint: Paint) -> np.ndarray:
    """A square that fills the canvas with a paint: float32 (SIDE, SIDE, 3)."""
    shapes = square()
    shapes.paint = paint
    return Raster(SIDE, SIDE).forward(shapes.scene(SIDE, SIDE)).transpose(0, 2, 1)


def square() -> Shapes:
    corners = np.array([[-2.0, -2.0], [SIDE + 2, -2.0], [SIDE + 2, SIDE + 2], [-2.0, SIDE + 2]])
    sides = np.roll(corners, -1, axis=0) - corners
    outline = np.stack([corners, corners + sides / 3, corners + sides * 2 / 3], axis=1).reshape(-1, 2)
    one = np.zeros(1, int)
    return Shapes.of([[outline]], one, one)


def gradient(kind: int, geometry: list[float], first: list[float], last: list[float]) -> Paint:
    colors = np.ones((1, 2, 4))
    colors[0, :, :3] = first, last
    return Paint(np.array([kind], np.int8), np.array([geometry]), np.array([[0.0, 1.0]]), colors)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_flat_colours_come_back(color: list[float]) -> None:
    """One colour gives a solid paint of it, with or without gradients."""
    image = np.broadcast_to(np.array(color, np.float32), (SIDE, SIDE, 3))
    for gradients in (False, True):
        paint = fills.fit(image, np.zeros((SIDE, SIDE), np.int32), 1, gradients)
        assert paint.kind[0] == SOLID
        np.testing.assert_allclose(paint.colors[0, 0, :3], color, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "geometry"),
    [(LINEAR, [5.0, 8.0, 40.0, 30.0]), (LINEAR, [-9.0, 24.0, 60.0, 24.0]), (RADIAL, [24.0, 20.0, 40.0, 0.0])],
)
def test_gradients_come_back(kind: int, geometry: list[float]) -> None:
    """A picture that is one gradient is fitted by one of its kind, to about the steps of 8 bit."""
    image = painted(gradient(kind, geometry, [0.9, 0.4, 0.2], [0.1, 0.3, 0.7]))
    paint = fills.fit(image, np.zeros((SIDE, SIDE), np.int32), 1)
    assert paint.kind[0] == kind
    clamped = kind == LINEAR and geometry[0] > 0  # beyond its ends this one stays, which two stops can't say
    assert np.abs(painted(paint) - image).mean() < (0.03 if clamped else 0.004)


def test_noise_is_no_gradient() -> None:
    """Fills stay solid where a gradient explains next to nothing."""
    image = np.random.default_rng(0).uniform(0.3, 0.5, (SIDE, SIDE, 3)).astype(np.float32)
    assert fills.fit(image, np.zeros((SIDE, SIDE), np.int32), 1).kind[0] == SOLID


def test_rims_are_no_colours() -> None:
    """Where others are next to it, a path's mixed pixels don't count; those of a path that has no others do."""
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    image[:, 24:] = 1.0
    image[:, 24] = 0.5
    image[10, 10] = [0.0, 0.8, 0.0]
    top = np.zeros((SIDE, SIDE), np.int32)
    top[:, 24:] = 1
    top[10, 10] = 2
    paint = fills.fit(image, top, 4, gradients=False)
    np.testing.assert_allclose(paint.colors[:3, 0, :3], [[0, 0, 0], [1, 1, 1], [0, 0.8, 0]], atol=1e-6)
    np.testing.assert_allclose(paint.colors[3, 0, :3], 0.5)  # which nobody sees


def test_outlines_have_holes_where_nothing_covers_them() -> None:
    """A ring has two contours; unless something later fills the hole, beneath which it goes on."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
    ring = (np.hypot(x, y) < 18) & (np.hypot(x, y) > 9)
    assert len(outlined(ring, 0.5)) == 2
    hole = np.hypot(x, y) <= 9
    np.testing.assert_array_equal(completed(ring, hole), ring | hole)
    reached = completed(ring, x > 0)
    np.testing.assert_array_equal(reached[x < 0], ring[x < 0])
    assert ring.sum() < reached.sum()
    assert outlined(np.zeros((SIDE, SIDE), bool), 0.5) == []
