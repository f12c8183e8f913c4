"""Drawings of few colours."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vectorize import Drawing, Gradient, Path
from tessera_backend.vectorize.palette import (
    chosen,
    gradient_colors,
    limited,
    oklab_to_srgb,
    seen_colors,
    snapped,
    srgb_to_oklab,
)
from tessera_backend.vectorize.svg.write import color
from tests.backend.test_vectorize_svg import blobs, box


def fills(drawing):
    return {color(path.fill) for path in drawing.paths}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_at_most_so_many(seed, count):
    """Of any drawing, and the same ones each time; nothing but fills changes."""
    drawing = blobs(seed)
    few = limited(drawing, count)
    assert len(fills(few)) <= count
    assert fills(few) == fills(limited(drawing, count))
    assert [path.label for path in few.paths] == [path.label for path in drawing.paths]
    assert not any(isinstance(path.fill, Gradient) for path in few.paths)


def test_few_colors_stay_as_they_are():
    """A drawing that has no more keeps its own."""
    paths = tuple(Path((box(9 * i, 0, 9 * i + 9, 9),), np.array([i / 4, 0.5, 0.2])) for i in range(3))
    drawing = Drawing(27, 9, paths, ("all",))
    assert fills(limited(drawing, 3)) == fills(drawing)


def test_what_is_seen_weighs():
    """A hidden path's colour is not chosen, however large it is; a large one's is kept."""
    red, near, blue, hidden = np.eye(3)[0], np.array([0.9, 0.1, 0]), np.eye(3)[2], np.eye(3)[1]
    paths = (
        Path((box(0, 0, 40, 40),), hidden),
        Path((box(0, 0, 40, 20),), red),
        Path((box(0, 20, 40, 40),), blue),
        Path((box(1, 1, 3, 3),), near),
    )
    few = limited(Drawing(40, 40, paths, ("all",)), 2)
    assert np.abs(few.paths[1].fill - red).max() < 0.02
    assert np.abs(few.paths[2].fill - blue).max() < 0.02
    assert np.array_equal(few.paths[3].fill, few.paths[1].fill)


def test_given_colors():
    """Each path takes the nearest of the list."""
    drawing = snapped(blobs(1), ("#ff0000", "#00ff00", "#0000ff", "#000000"))
    assert fills(drawing) <= {"#f00", "#0f0", "#00f", "#000"}
    reds = Drawing(9, 9, (Path((box(0, 0, 9, 9),), np.array([0.7, 0.2, 0.2])),), ("all",))
    assert fills(snapped(reds, ("#00ff00", "#cc0000"))) == {"#c00"}


def test_gradients_become_what_is_seen_of_them():
    """The mean of the visible half, not of the stops."""
    stops = Gradient("linear", (0, 0, 40, 0), np.array([0.0, 1.0]), np.array([[0, 0, 0, 1.0], [1, 1, 1, 1]]))
    paths = (Path((box(0, 0, 40, 10),), stops), Path((box(20, 0, 40, 10),), np.eye(3)[0]))
    colors, sizes = seen_colors(Drawing(40, 10, paths, ("all",)))
    assert colors[0] == pytest.approx(0.25, abs=0.01)
    assert sizes.tolist() == [200, 200]
    radial = dataclasses.replace(stops, kind="radial", geometry=(0.0, 0.0, 10.0))
    assert gradient_colors(radial, np.array([[3.0, 4.0], [30, 40]]))[:, 0].tolist() == [0.5, 1.0]


def test_oklab():
    """White is lightness 1 without colour; there and back is the same."""
    rgb = np.random.default_rng(0).random((50, 3))
    assert np.allclose(oklab_to_srgb(srgb_to_oklab(rgb)), rgb, atol=1e-6)
    assert np.allclose(srgb_to_oklab(np.ones((1, 3))), [1, 0, 0], atol=1e-6)


def test_colors_without_weight():
    """Nothing of the drawing is seen: colours are chosen all the same."""
    assert chosen(np.random.default_rng(0).random((9, 3)), np.zeros(9), 4).shape == (4, 3)
