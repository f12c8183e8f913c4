"""The SVG of a drawing: valid, native to Inkscape, small, true to the numbers, and drawn alike by others."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tessera_backend.vectorize import Drawing, Gradient, Path
from tessera_backend.vectorize.scene import to_paths, to_scene
from tessera_backend.vectorize.svg.write import NAMESPACE, color, to_svg

SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"


def polygon(*corners):
    """A contour of straight cubics."""
    knots = np.array(corners, np.float64)
    steps = (np.roll(knots, -1, 0) - knots) / 3
    return np.stack([knots, knots + steps, knots + 2 * steps], 1).reshape(-1, 2)


def box(x0, y0, x1, y1):
    return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def blobs(seed, count=6, cubics=5):
    """Paths of random closed curves, some with gradients, holes, groups and transparency."""
    rng = np.random.default_rng(seed)
    paths = []
    for i in range(count):
        middle, size = rng.uniform(10, 54, 2), rng.uniform(4, 20)
        turn = np.arange(3 * cubics) / (3 * cubics) * 2 * np.pi
        ring = np.column_stack([np.cos(turn), np.sin(turn)]) * size + rng.normal(0, 1, (3 * cubics, 2))
        stops = Gradient(
            "linear" if i % 2 else "radial",
            tuple(rng.uniform(0, 64, 4 if i % 2 else 3)),
            np.array([0.0, 0.25, 1.0]),
            rng.random((3, 4)),
        )
        contours = (middle + ring, middle + ring[::-1] / 2) if i % 3 == 0 else (middle + ring,)
        fill = stops if i % 2 else rng.random(3)
        group = () if i < 2 else ("left", "top") if i < 4 else ("left",)
        paths.append(Path(contours, fill, float(rng.uniform(0.3, 1)), i * 2 // count, group, f"blob {i}"))
    return Drawing(64, 64, tuple(paths), ("backdrop", "parts"), {"engine": "test", "seed": seed})


def tree_of(drawing, **options):
    return etree.fromstring(to_svg(drawing, **options))


def test_layers_groups_and_labels():
    """A layer a level, the coarsest first; groups nest; what people read is Inkscape's label."""
    tree = tree_of(blobs(0))
    layers = [g for g in tree if g.get(f"{INKSCAPE}groupmode") == "layer"]
    assert [layer.get(f"{INKSCAPE}label") for layer in layers] == ["1 backdrop", "2 parts"]
    assert [path.get(f"{INKSCAPE}label") for path in tree.iter(f"{SVG}path")] == [f"blob {i}" for i in range(6)]
    nested = [[g.get(f"{INKSCAPE}label") for g in path.iterancestors(f"{SVG}g")] for path in tree.iter(f"{SVG}path")]
    assert nested == [
        ["1 backdrop"],
        ["1 backdrop"],
        ["top", "left", "1 backdrop"],
        ["top", "left", "2 parts"],
        ["left", "2 parts"],
        ["left", "2 parts"],
    ]
    assert (tree.get("width"), tree.get("height"), tree.get("viewBox")) == ("64", "64", "0 0 64 64")


def test_ids_are_unique_and_readable():
    """Equal labels share no id; labels of other alphabets, marks and digits still give a valid one."""
    labels = ["red, left", "red, left", 'a "<&>" b', "\u00e9toile", "\u0416", "3 cats", "\x00", ""]
    paths = tuple(Path((box(0, 0, i + 1, 1),), np.zeros(3), label=label) for i, label in enumerate(labels))
    tree = tree_of(Drawing(9, 9, paths, ("all",)))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[a-z][a-z0-9-]*", name) for name in ids)
    assert ids[1:4] == ["red-left", "red-left-2", "a-b"]


def test_numbers_are_compact():
    """Boxes are h and v, smooth joints s, decimals have no needless zeros or spaces; z draws the last line."""
    paths = (
        Path((box(-4, -4, 68, 52),), np.ones(3)),
        Path(
            (np.array([[0.5, 0], [0.5, 1], [1.5, 2], [2.5, 2], [3.5, 2], [4.5, 1], [4.5, 0], [3, 0], [2, 0]]),),
            [0, 0, 0],
        ),
    )
    first, second = (p.get("d") for p in tree_of(Drawing(64, 48, paths, ("all",))).iter(f"{SVG}path"))
    assert first == "M-4-4h72v56h-72z"
    assert second == "M.5 0c0 1 1 2 2 2s2-1 2-2z"


@pytest.mark.parametrize(("side", "text"), [(256, "M.33.33h9v9h-9z"), (257, "M.3.3h9v9h-9z")])
def test_digits_by_size(side, text):
    """Small pictures have a digit more."""
    drawing = Drawing(side, 9, (Path((box(0.33, 0.33, 9.33, 9.33),), np.zeros(3)),), ("all",))
    assert next(tree_of(drawing).iter(f"{SVG}path")).get("d") == text


def test_rounding_does_not_add_up():
    """After a thousand curves a third of a pixel wide the last one still begins where it belongs."""
    ring = np.column_stack([np.arange(3000) / 9, np.tile([0, 5, 0], 1000)])
    data = next(tree_of(Drawing(400, 50, (Path((ring,), np.zeros(3)),), ("all",))).iter(f"{SVG}path")).get("d")
    numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", data.replace("z", ""))]
    steps = np.array(numbers[2:]).reshape(-1, 6)
    assert len(steps) == 1000
    assert abs(steps[:-1, 4].sum() - ring[2997, 0]) < 0.006


@pytest.mark.parametrize(
    ("rgb", "text"), [([1, 1, 1], "#fff"), ([0.2, 0.4, 1.0], "#36f"), ([0.5, 0, 0], "#800000"), ([2, -1, 0], "#f00")]
)
def test_colors(rgb, text):
    """Three digits where they say the same; what is outside of the range is its end."""
    assert color(np.array(rgb, float)) == text


def test_what_rounds_to_nothing_is_left_out():
    """A speck smaller than the last digit, and its group's path, are not written."""
    speck = Path((box(3, 3, 3.001, 3.001),), np.zeros(3), label="speck")
    whole = Path((box(0, 0, 5, 5),), np.zeros(3), label="whole")
    tree = tree_of(Drawing(9, 9, (whole, speck), ("all",)))
    assert [path.get("id") for path in tree.iter(f"{SVG}path")] == ["whole"]


def test_metadata_of_the_run():
    """JSON: tool, version, what the drawing says, and how much there is of it."""
    run = json.loads(tree_of(blobs(3)).find(f".//{{{NAMESPACE}}}run").text)
    assert run["tool"] == "Tessera"
    assert (run["engine"], run["seed"], run["paths"]) == ("test", 3, 6)
    assert run["segments"] == 6 * 5 + 2 * 5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_scene_and_back(seed):
    """A drawing made a scene and a drawing again is the same file."""
    drawing = blobs(seed)
    scene = to_scene(drawing)
    again = dataclasses.replace(drawing, paths=to_paths(scene, drawing.paths))
    assert to_svg(again) == to_svg(drawing)
    assert [p.group for p in to_paths(scene)] == [()] * len(drawing.paths)


def test_a_scene_a_drawing_cannot_say():
    """Strokes and the even-odd rule raise instead of being lost."""
    scene = to_scene(blobs(0))
    scene.stroke[2] = 1.0
    with pytest.raises(ValueError, match="strokes"):
        to_paths(scene)


def test_empty_drawing():
    """No paths: empty layers, an empty scene."""
    drawing = Drawing(5, 4, (), ("a", "b"))
    assert len([g for g in tree_of(drawing) if g.tag == f"{SVG}g"]) == 2
    assert to_scene(drawing).points.shape == (0, 2)


@pytest.mark.parametrize("shape", [(100, 3, 80), (720, 3, 9), (9, 4, 721), (2048, 3, 1500)])
def test_previews_stay_small(shape):
    """At most 720 px, on white, in the picture's shape."""
    from tessera_backend.vectorize.canvas import preview

    shown = preview(np.zeros(shape, np.float32))
    assert max(shown.shape[:2]) <= 720
    assert shown.shape[0] / shown.shape[1] == pytest.approx(shape[0] / shape[2], rel=0.2)
    assert (shown == (255 if shape[1] == 4 else 0)).all()
