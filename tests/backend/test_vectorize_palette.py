"""Drawings of few colours."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vectorize import Drawing, Gradient, Path, metrics, vectorize
from tessera_backend.vectorize.curves.area import top
from tessera_backend.vectorize.palette import (
    chosen,
    gradient_colors,
    in_colors,
    of_picture,
    oklab_to_srgb,
    parsed,
    seen_colors,
    snapped,
    srgb_to_oklab,
)
from tessera_backend.vectorize.svg import to_svg
from tessera_backend.vectorize.svg.write import color
from tessera_protocol.jobs import VectorizeParams
from tests.backend.test_vectorize_svg import blobs, box


def fills(drawing):
    return {color(path.fill) for path in drawing.paths}


INSIDE = np.ones((48, 64), bool)


def stripes(colors, noise=0.0):
    """Vertical ones, float32 (48, 64, 3)."""
    image = np.array(colors)[np.arange(64) * len(colors) // 64] + np.zeros((48, 1, 1))
    return np.clip(image + np.random.default_rng(0).normal(0, noise, image.shape), 0, 1).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_at_most_so_many(seed, count):
    """Of any picture, and the same ones each time."""
    image = np.random.default_rng(seed).random((12, 16, 3)).astype(np.float32).repeat(4, 0).repeat(4, 1)
    found = of_picture(image, INSIDE, count, seed)
    assert found.shape == (count, 3)
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert np.array_equal(found, of_picture(image, INSIDE, count, seed))


def test_few_colors_stay_as_they_are():
    """A picture that has no more keeps its own; what is not inside does not count."""
    colors = np.array([[0, 0.5, 0.2], [0.25, 0.5, 0.2], [0.9, 0.5, 0.2]])
    found = of_picture(stripes(colors), INSIDE, 5)
    assert found[np.argsort(found[:, 0])] == pytest.approx(colors, abs=1e-3)
    left = INSIDE & (np.arange(64) < 42)
    assert len(of_picture(stripes(colors), left, 5)) == 2


def test_noise_makes_no_specks():
    """Of two colours and noise as wide as what is between them, pixels beside the border and specks are few."""
    colors = np.array([[0.4, 0.4, 0.4], [0.6, 0.6, 0.6]])
    image = stripes(colors, 0.08)
    found = in_colors(image, INSIDE, colors)
    nearest = np.abs(image[..., None, :] - colors).sum(3).argmin(2)
    right = np.broadcast_to(np.arange(64) >= 32, (48, 64))
    assert (found != right).sum() < 0.25 * (nearest != right).sum()


def test_lines_and_rims():
    """A line of one pixel's width stays; a rim between two colours is none of the third that it looks like."""
    colors = np.array([[0.0] * 3, [0.5] * 3, [1.0] * 3])
    image = stripes(colors[[0, 2]])
    image[:, 32] = 0.5
    image[:, 10] = 1.0
    image[20, 40:60] = 0.0
    found = in_colors(image, INSIDE, colors)
    assert (found != 1).all()
    assert (found[:, 10] == 2).all()
    assert (found[20, 41:59] == 0).all()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_any_number_of_colors(count):
    """One, and so many that nothing is smoothed: the nearest."""
    rng = np.random.default_rng(0)
    colors = rng.random((count, 3))
    owner = rng.integers(0, count, (12, 16)).repeat(4, 0).repeat(4, 1)
    assert (in_colors(colors[owner].astype(np.float32), INSIDE, colors) == owner).mean() > 0.95


def test_given_colors():
    """Each path takes the nearest of the list."""
    drawing = snapped(blobs(1), parsed(("#ff0000", "#00ff00", "#0000ff", "#000000")))
    assert fills(drawing) <= {"#f00", "#0f0", "#00f", "#000"}
    reds = Drawing(9, 9, (Path((box(0, 0, 9, 9),), np.array([0.7, 0.2, 0.2])),), ("all",))
    assert fills(snapped(reds, parsed(("#00ff00", "#cc0000")))) == {"#c00"}


def test_translucent_paths_stay_so():
    """A gradient from clear to opaque becomes half as opaque, in one colour."""
    stops = Gradient("linear", (0, 0, 40, 0), np.array([0.0, 1.0]), np.array([[1, 0, 0, 0.0], [1, 0, 0, 1]]))
    drawing = Drawing(40, 10, (Path((box(0, 0, 40, 10),), stops), Path((box(0, 0, 9, 9),), np.eye(3)[0], 0.3)), ("",))
    assert [path.opacity for path in snapped(drawing, np.eye(3)).paths] == [0.5, 0.3]


@pytest.mark.parametrize("engine", ["fast", "best", "paper"])
def test_shapes_are_chosen_for_the_colors(engine):
    """A ramp in two colours is two shapes, not one for each of its tones; no border is drawn where none is seen."""
    ramp = np.broadcast_to(np.linspace(0, 255, 64)[None, :, None], (48, 64, 3)).astype(np.uint8)
    drawing = vectorize(ramp, VectorizeParams(paths=20, engine=engine, palette="#202020 #e0e0e0"))
    assert fills(drawing) == {"#202020", "#e0e0e0"}
    assert len(drawing.paths) == 2
    assert np.count_nonzero(top(drawing) == 1) == pytest.approx(48 * 32, rel=0.12)


def test_no_shape_is_idle():
    """Each one that is left out changes the picture."""
    image = (255 * np.random.default_rng(1).random((8, 10, 3))).astype(np.uint8).repeat(6, 0).repeat(6, 1)
    drawing = vectorize(image, VectorizeParams(paths=40, colors=3, engine="fast"))
    whole = metrics.rendered(to_svg(drawing))
    for k in range(len(drawing.paths)):
        fewer = dataclasses.replace(drawing, paths=drawing.paths[:k] + drawing.paths[k + 1 :])
        assert ((metrics.rendered(to_svg(fewer)) - whole) ** 2).sum() > 0.1


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
