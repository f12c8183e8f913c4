"""Levels of traded shapes: sorted, without changing the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from tessera_backend.vectorize.arrange import arranged, fill
from tessera_backend.vectorize.shapes import Shapes


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 12))
def test_polygons_are_filled(seed: int, corners: int) -> None:
    """As scikit-image does it, whose pixel centres are at whole numbers; also where they leave the canvas."""
    ring = np.random.default_rng(seed).uniform(-5, 30, (corners, 2))
    inside = np.zeros((20, 25), np.bool_)
    fill(ring, inside)
    np.testing.assert_array_equal(inside, polygon2mask((20, 25), ring[:, ::-1] - 0.5))


def square(x: float, y: float, side: float) -> list[np.ndarray]:
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]])
    along = np.roll(corners, -1, 0) - corners
    return [np.stack([corners, corners + along / 3, corners + along * 2 / 3], 1).reshape(-1, 2)]


def test_what_lies_on_another_is_in_no_coarser_level() -> None:
    """A coarse shape on a fine one becomes fine; one that touches nothing stays coarse and goes below."""
    curves = [square(0, 0, 20), square(2, 2, 10), square(5, 5, 3), square(30, 30, 5)]
    shapes = Shapes.of(curves, np.array([0, 2, 1, 1]), np.zeros(4, bool))
    sorted_shapes = arranged(shapes, 40, 40)
    assert sorted_shapes.level.tolist() == [0, 1, 2, 2]
    corners = [sorted_shapes.outline(i).min(0).tolist() for i in range(4)]
    assert corners == [[0, 0], [30, 30], [2, 2], [5, 5]]
