"""Nodes that hardly bend an outline go; what is left stays within the tolerance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from tessera_backend.vectorize.curves.nesting import polygon
from tessera_backend.vectorize.curves.thin import thinned
from tessera_backend.vectorize.shapes import Shapes
from tessera_backend.vectorize.thinning import thin

FINE = 64


def around(count, radius=20.0, wobble=None):
    """A closed contour of `count` cubics about a circle; `wobble` (count,) px moves its knots out and in."""
    turn = 2 * np.pi * np.arange(count) / count
    out = radius + (np.zeros(count) if wobble is None else wobble)
    knots = 32 + out[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    tangents = np.stack([-np.sin(turn), np.cos(turn)], 1) * (radius * 4 / 3 * np.tan(np.pi / (2 * count)))
    ends = np.roll(knots, -1, 0)
    return np.stack([knots, knots + tangents, ends - np.roll(tangents, -1, 0)], 1).reshape(-1, 2)


def lines(*corners, between=1):
    """A polygon, contour of straight cubics, each side cut into `between` of them."""
    corners = np.array(corners, float)
    share = np.arange(between)[:, None] / between
    knots = np.concatenate([a + share * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)])
    steps = np.roll(knots, -1, 0) - knots
    return np.stack([knots, knots + steps / 3, knots + steps * 2 / 3], 1).reshape(-1, 2)


def test_a_circle_needs_few_nodes():
    stay, contour = thinned(around(32), np.full(32, 0.1))
    assert len(stay) <= 6
    assert np.abs(np.hypot(*(polygon(contour, FINE) - 32).T) - 20).max() < 0.12


def test_corners_stay_and_nodes_on_straight_lines_go():
    square = lines((4, 4), (40, 4), (40, 40), (4, 40), between=5)
    stay, contour = thinned(square, np.full(20, 0.3))
    assert stay.tolist() == [0, 5, 10, 15]
    np.testing.assert_allclose(contour, lines((4, 4), (40, 4), (40, 40), (4, 40)), atol=1e-6)


def test_handles_without_length_have_a_direction():
    square = lines((4, 4), (40, 4), (40, 40), (4, 40), between=3)
    square[1::3], square[2::3] = square[::3], np.roll(square[::3], -1, 0)
    _, contour = thinned(square, np.full(12, 0.3))
    np.testing.assert_allclose(contour[::3], [(4, 4), (40, 4), (40, 40), (4, 40)])


def test_two_nodes_are_the_least():
    assert [len(thinned(around(n), np.full(n, 1e3))[0]) for n in (1, 2, 3, 9)] == [1, 2, 2, 2]


@given(
    wobble=st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=24),
    tolerance=st.floats(0.01, 3.0),
)
def test_the_line_stays_within_the_tolerance(wobble, tolerance):
    before = around(len(wobble), wobble=np.array(wobble))
    stay, after = thinned(before, np.full(len(wobble), tolerance))
    np.testing.assert_array_equal(after[::3], before[::3][stay])
    line = cKDTree(polygon(after, 400))
    # Samples are measured at their parameters after a few Newton steps, here to the nearest of many points.
    assert line.query(polygon(before, 8))[0].max() <= tolerance + 0.15


@pytest.fixture
def shapes():
    return Shapes.of([[around(24, wobble=np.tile([0.5, -0.5], 12))]], np.zeros(1, int), np.zeros(1, bool))


def disc(contrast):
    y, x = np.mgrid[:64, :64] + 0.5
    return np.where(np.hypot(x - 32, y - 32) < 20, 0.5 + contrast, 0.5)[..., None].repeat(3, 2).astype(np.float32)


def test_outlines_between_like_colours_get_rougher_than_sharp_ones(shapes):
    sharp, soft = thin(shapes, disc(0.5)), thin(shapes, disc(0.05))
    assert len(soft.points) < len(sharp.points) <= len(shapes.points)
    assert len(soft.smooth) == len(soft.points) // 3
    np.testing.assert_array_equal(soft.contours, [0, len(soft.points)])


def test_what_is_given_stays_as_it_was(shapes):
    before = shapes.points.copy()
    thin(shapes, disc(0.05))
    np.testing.assert_array_equal(shapes.points, before)
