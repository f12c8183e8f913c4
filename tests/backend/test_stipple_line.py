"""One line through all dots, plates in drawings, and programs for plotters."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tessera_backend.progress import SILENT
from tessera_backend.stipple import Stipples, crossings, order, stipple
from tessera_backend.stipple.gcode import UP, to_gcode
from tessera_backend.stipple.svg import to_svg
from tessera_protocol.jobs import StippleParams

SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
INKS = (
    {"name": "Cyan", "color": "#009ee0"},
    {"name": "Old & rose", "color": "#c08081"},
    {"name": "None", "color": "#000000"},
)


def two_plates(count=60, share=0.4):
    """Random dots of two inks of three."""
    rng = np.random.default_rng(0)
    first = int(share * count)
    plates = np.repeat(np.uint8([0, 1]), [first, count - first])
    counts = (first, count - first, 0)
    meta = {"plates": [dict(ink) | {"dots": n} for ink, n in zip(INKS, counts, strict=True)]}
    positions = (rng.random((count, 2)) * [200, 150]).astype(np.float32)
    return Stipples(positions, np.full(count, 0.5, np.float32), plates, (200.0, 150.0), meta)


def crossing_pairs(line):
    """How many pairs of segments cross, by looking at all."""
    a, b = line[:-1], line[1:]

    def side(p, q, r):
        return (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])

    i, j = np.triu_indices(len(a), 2)
    apart = side(a[i], b[i], a[j]) * side(a[i], b[i], b[j]) < 0
    return int((apart & (side(a[j], b[j], a[i]) * side(a[j], b[j], b[i]) < 0)).sum())


# -- the line


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 120), seed=st.integers(0, 10**6), flat=st.booleans(), grid=st.booleans())
def test_lines_never_cross(count, seed, flat, grid):
    """From any order, for dots in general, on a lattice, on one line or on one another: a permutation, no crossing."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 8, (count, 2)).astype(float) if grid else rng.random((count, 2)) * 100
    if flat:
        points[:, 1] = 3.0
    path = rng.permutation(count)
    assert len(crossings.find(points, path)) == crossing_pairs(points[path])
    crossings.undo(points, path, SILENT)
    assert np.array_equal(np.sort(path), np.arange(count))
    assert crossing_pairs(points[path]) == 0


@pytest.mark.parametrize("kind", ["one", "cmyk"])
def test_the_whole_job_draws_lines(kind):
    """One line a plate, without crossings, whose width makes up the tone; far shorter than the dots' own order."""
    y, x = (np.mgrid[0:80, 0:80] + 0.5) / 80
    picture = np.dstack([1 - 0.6 * x, 0.5 + 0.4 * y, 0.4 + 0.5 * x])
    made = stipple(picture, StippleParams(dots=1500, plates=kind, marks="line", page_width=100.0))
    for p in range(len(made.meta["plates"])):
        assert crossing_pairs(made.positions[made.plates == p].astype(np.float64)) == 0
    plain = stipple(picture, StippleParams(dots=1500, plates=kind, page_width=100.0))
    assert order.length(made.positions, made.plates) < 0.9 * order.length(plain.positions, plain.plates)
    if kind == "one":
        grey = picture @ [0.299, 0.587, 0.114]
        ink = order.length(made.positions, made.plates) * 2 * made.radii[0] / 100**2
        assert ink == pytest.approx(1 - grey.mean(), rel=0.01)


def test_plates_are_drawn_one_after_the_other():
    """The short path never leaves a plate to come back."""
    dots = two_plates(400)
    path = order.short_paths(dots.positions, dots.plates, False, SILENT)
    assert np.array_equal(np.sort(path), np.arange(400))
    assert np.array_equal(dots.plates[path], dots.plates)
    assert order.length(dots.positions[path], dots.plates) < 0.3 * order.length(dots.positions, dots.plates)


# -- drawings


@pytest.mark.parametrize("marks", ["circles", "points", "line"])
@pytest.mark.parametrize("invert", [False, True])
def test_each_ink_has_a_layer(marks, invert):
    """Named and coloured, inside of the drawing's own; inks multiply, but on black paper they cover."""
    dots = two_plates()
    root = etree.fromstring(to_svg(dots, StippleParams(plates="palette", marks=marks, invert=invert), "Cat"))
    outer, *layers = root.xpath("//*[@i:groupmode='layer']", namespaces={"i": INKSCAPE[1:-1]})
    assert outer.get(f"{INKSCAPE}label") == "Cat"
    assert [layer.get(f"{INKSCAPE}label") for layer in layers] == ["Cyan", "Old & rose"]
    for layer, ink, count in zip(layers, INKS, (24, 36), strict=False):
        assert layer.getparent() is outer
        assert ink["color"] in layer.get("style")
        assert ("mix-blend-mode:multiply" in layer.get("style")) != invert
        marked = [e for e in layer.iter(f"{SVG}circle", f"{SVG}path") if e.get("d") or e.get("r")]
        assert len(marked) == (1 if marks == "line" else count)


def test_lines_in_drawings_go_through_the_dots():
    """The steps of a path add up to the dots, rounded to 0.001 mm and no more, however many there are."""
    dots = two_plates(3000)
    root = etree.fromstring(to_svg(dots, StippleParams(plates="palette", marks="line")))
    for p, path in enumerate(root.iter(f"{SVG}path")):
        begin, steps = path.get("d")[1:].split("l")
        table = np.array([begin.split(), *np.array(steps.split()).reshape(-1, 2)], float)
        np.testing.assert_allclose(np.cumsum(table, axis=0), dots.positions[dots.plates == p], atol=0.00051)
        assert float(path.get("stroke-width")) == 1.0
        assert "e" not in path.get("d")


def test_a_line_of_one_dot_is_a_point():
    """Valid, and visible with round caps."""
    one = two_plates(2, 0.5)
    paths = list(etree.fromstring(to_svg(one, StippleParams(plates="palette", marks="line"))).iter(f"{SVG}path"))
    assert len(paths) == 2
    assert all(re.fullmatch(r"M[\d. ]+h0\.01", path.get("d")) for path in paths)


# -- programs


def played(program):
    """Positions at which the pen touches or moves while down, lists of (x, y) for each time down; and pauses."""
    strokes, pauses, at, height = [], 0, (0.0, 0.0), None
    for line in program.decode("ascii").splitlines():
        words = {word[0]: word[1:] for word in line.split(";")[0].split()}
        pauses += words.get("M") == "0"
        assert not (words.get("M") == "0" and height != UP), "the pen is down while it is changed"
        if "X" in words:
            at = (float(words["X"]), float(words["Y"]))
            if height == 0:
                assert words["G"] == "1"
                strokes[-1].append(at)
        if "Z" in words:
            if float(words["Z"]) == 0:
                strokes.append([at])
            height = float(words["Z"])
    return strokes, pauses


@pytest.mark.parametrize("marks", ["circles", "line"])
def test_programs_draw_every_dot(marks):
    """In order, seen with y up, the pen lifted between dots, or only between plates; one pause to change it."""
    dots = two_plates()
    strokes, pauses = played(to_gcode(dots, StippleParams(plates="palette", marks=marks)))
    assert pauses == 1
    expected = dots.positions * [1, -1] + [0, 150]
    np.testing.assert_allclose(np.concatenate(strokes), expected, atol=0.00051)
    assert [len(stroke) for stroke in strokes] == ([24, 36] if marks == "line" else [1] * 60)


def test_programs_end_with_the_pen_up():
    """And name the inks before they begin."""
    lines = to_gcode(two_plates(), StippleParams(plates="palette")).decode().splitlines()
    assert lines[-3:] == [f"G0 Z{UP}", "G0 X0 Y0", "M2"]
    assert [line for line in lines if line.startswith("; pen")] == [
        "; pen 1 of 2: Cyan #009ee0, 24 dots",
        "; pen 2 of 2: Old & rose #c08081, 36 dots",
    ]
