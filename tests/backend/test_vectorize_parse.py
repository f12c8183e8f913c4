"""Reading SVG: our own files come back the same, tracers' files are understood, and the rest is refused clearly."""

import numpy as np
import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vectorize import Drawing, Path
from tessera_backend.vectorize.curves.area import cover, top
from tessera_backend.vectorize.curves.nesting import islands, split_islands
from tessera_backend.vectorize.svg import parse, to_svg
from tessera_backend.vectorize.svg.pathread import read_path
from tessera_protocol.errors import InvalidInput
from tests.backend.test_vectorize_svg import blobs, box

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">'


def document(body, head=HEAD):
    return f"{head}{body}</svg>".encode()


def rendered(svg):
    return bytes(resvg_py.svg_to_bytes(svg_string=svg.decode()))


def assert_same_numbers(one, other, unit):
    """Exactly, but for handles on their chord, to less than a unit of the last digit: that curve is a line now."""
    assert np.array_equal(one[::3], other[::3])
    for i in np.flatnonzero((one != other).any(1)):
        knot, end = one[i - i % 3], one[(i - i % 3 + 3) % len(one)]
        (x, y), (u, v) = end - knot, one[i] - knot
        assert abs(x * v - y * u) <= 0.75 * unit * np.hypot(x, y) + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_round_trip(seed, digits):
    """What was written and read is the same drawing, written again the same bytes."""
    drawing = blobs(seed)
    data = to_svg(drawing, digits)
    again = parse(data)
    assert to_svg(again, digits) == data
    assert (again.width, again.height, again.levels) == (64, 64, drawing.levels)
    for before, after in zip(drawing.paths, again.paths, strict=True):
        assert (before.label, before.group, before.level) == (after.label, after.group, after.level)
        for one, other in zip(before.contours, after.contours, strict=True):
            assert_same_numbers(np.round(one, digits), other, 10.0**-digits)


def test_round_trip_renders_the_same():
    """To the last bit, by somebody else's renderer."""
    data = to_svg(blobs(5))
    assert rendered(to_svg(parse(data))) == rendered(data)


def test_straight_lines_stay_where_they_are():
    """Written as h, v and l, they come back as cubics on the same lines."""
    drawing = Drawing(20, 10, (Path((box(1, 2, 7.5, 9),), np.zeros(3)),), ("all",))
    (contour,) = parse(to_svg(drawing)).paths[0].contours
    assert np.allclose(contour, box(1, 2, 7.5, 9), atol=1e-9)


@pytest.mark.parametrize(
    ("data", "knots"),
    [
        ("M1 1H5V4H1Z", [[1, 1], [5, 1], [5, 4], [1, 4]]),
        ("m1,1 4,0 0,3 -4,0z", [[1, 1], [5, 1], [5, 4], [1, 4]]),
        ("M1 1L5 1 5 4", [[1, 1], [5, 1], [5, 4]]),
        ("M.5.5l1e0.5-1-.25z", [[0.5, 0.5], [1.5, 1], [0.5, 0.75]]),
        ("M0 0C1 0 2 1 2 2S1 4 0 4z", [[0, 0], [2, 2], [0, 4]]),
        ("M0 0c1 0 2 1 2 2s-1 2-2 2z", [[0, 0], [2, 2], [0, 4]]),
        ("M0 0Q2 0 2 2T0 4z", [[0, 0], [2, 2], [0, 4]]),
    ],
)
def test_path_data(data, knots):
    """Absolute and relative commands, numbers run together, repeated commands."""
    (contour,) = read_path(data)
    assert np.allclose(contour[::3], knots)


def test_smooth_curves():
    """S mirrors the handle before it; a quadratic is the cubic with handles two thirds of the way."""
    (contour,) = read_path("M0 0C1 0 2 1 2 2S1 4 0 4z")
    assert np.allclose(contour[4], [2, 3])
    (contour,) = read_path("M0 0Q3 0 3 3z")
    assert np.allclose(contour[1:3], [[2, 0], [3, 1]])


def test_several_contours():
    """A move begins a new one, from the last one's start; those without length are none."""
    contours = read_path("M1 1h2v2z m4 0h2v2z M9 9z")
    assert [contour[0].tolist() for contour in contours] == [[1, 1], [5, 1]]


@pytest.mark.parametrize("data", ["L1 1", "M1 1 A1 1 0 0 0 2 2", "M1", "M1 1 L 1 x", "1 2", "M1 1Z2", "M0 0C1 1L2 2"])
def test_damaged_path_data(data):
    """It says so."""
    with pytest.raises(InvalidInput, match="outline of a path"):
        read_path(data)


def test_potrace_like():
    """Groups with transforms and inherited fills, y up, a document type."""
    body = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 20010904//EN" "http://www.w3.org/TR/svg10.dtd">'
        + HEAD
        + '<g transform="translate(0,10) scale(0.1,-0.1)" fill="#336699" stroke="none">'
        + '<path d="M0 0 l100 0 0 100z"/></g></svg>'
    )
    drawing = parse(body.encode())
    (path,) = drawing.paths
    assert np.allclose(path.contours[0][::3], [[0, 10], [10, 10], [10, 0]])
    assert np.allclose(path.fill * 255, [0x33, 0x66, 0x99])
    assert (drawing.width, drawing.height, drawing.levels) == (20, 10, ("drawing",))


def test_vtracer_like():
    """No viewBox, a translation and a style a path."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">'
    body = '<path d="M0 0 C2 0 4 0 6 0 C6 2 6 4 6 6 Z" style="fill:#F00;fill-opacity:.5" transform="translate(3,1)"/>'
    (path,) = parse(document(body, head)).paths
    assert path.opacity == 0.5
    assert np.allclose(path.contours[0][::3], [[3, 1], [9, 1], [9, 7]])


def test_even_odd_and_nonzero_cover_the_same():
    """Three nested squares, all wound alike: by the even-odd rule the middle ring is a hole."""
    data = "M0 0h10v10h-10zM2 2h6v6h-6zM4 4h2v2h-2z"
    (path,) = parse(document(f'<path fill-rule="evenodd" d="{data}"/>')).paths
    assert cover(path, 20, 10).sum() == 100 - 36 + 4
    (plain,) = parse(document(f'<path d="{data}"/>')).paths
    assert cover(plain, 20, 10).sum() == 100


def test_islands_of_a_compound_path():
    """Each outline is a path with its own holes; an island in a hole is one, too."""
    drawing = parse(document('<path d="M0 0h10v10h-10zM2 2v6h6v-6zM4 4h2v2h-2zM12 0h5v5h-5z"/>'))
    parts = islands(drawing.paths[0])
    assert [len(part.contours) for part in parts] == [2, 1, 1]
    split = split_islands(drawing)
    assert np.array_equal(top(split) >= 0, top(drawing) >= 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<circle r="3"/>', "<circle>"),
        ('<path stroke="#000" d="M0 0h1v1z"/>', "stroke"),
        ('<path fill="url(#p)" d="M0 0h1v1z"/>', "paint"),
        ('<g opacity="0.5"><path d="M0 0h1v1z"/></g>', "translucent"),
        ('<path fill="hsl(1,2,3)" d="M0 0h1v1z"/>', "colour"),
        ('<path transform="rotate(30)" d="M0 0h1v1z"/>', "rotate"),
    ],
)
def test_what_a_drawing_cannot_say(body, words):
    """It is named."""
    with pytest.raises(InvalidInput, match=words):
        parse(document(body))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'",
        b"<html/>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
    ],
)
def test_no_svg(data):
    """Other files, cut ones, and entities, which can be bombs."""
    with pytest.raises(InvalidInput, match="SVG"):
        parse(data)
