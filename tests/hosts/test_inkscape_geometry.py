"""Where images lie and what clips them, checked against Inkscape's own answers and against laws."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import drawings

pytestmark = pytest.mark.host("inkscape")

EXTENSION = Path(__file__).parents[2] / "inkscape_extension"
PX = 25.4 / 96.0
ONE_PLATE = {"name": "Ink", "color": "#000000", "dots": 1}


def scene(parts: SimpleNamespace, document: Path, *selected: str) -> SimpleNamespace:
    """The one image that is meant, its page and its clip."""
    svg = parts.inkex.load_svg(str(document)).getroot()
    svg.selection.set(*selected)
    (source,) = parts.gather.sources(svg, "Stipple", "stipple")
    picture = parts.gather.picture(source, [str(document.parent)])
    page = parts.gather.page(svg, source, picture)
    return SimpleNamespace(svg=svg, source=source, page=page, clip=parts.clips.clip_of(svg, source, page))


def box_of(page: object) -> np.ndarray:
    """Left, top, width, height of a page in the drawing, mm."""
    corners = [(0, 0), (page.width, 0), (page.width, page.height), (0, page.height)]
    a, b, c, d, e, f = page.to_drawing.to_hexad()
    points = np.array([(a * x + c * y + e, b * x + d * y + f) for x, y in corners])
    return np.concatenate([points.min(0), np.ptp(points, axis=0)])


IMAGE = f'<image id="i" x="10" y="20" width="40" height="30" xlink:href="{drawings.data_uri(drawings.picture(8, 6))}"/>'
NO_SIZE = f'<image id="i" x="10" y="20" xlink:href="{drawings.data_uri(drawings.picture(80, 60))}"/>'
SKEWED = '<g transform="skewX(30) rotate(20)">' + IMAGE + "</g>"
NESTED = '<svg x="30" y="10" width="200" height="100" viewBox="0 0 80 80">' + IMAGE + "</svg>"
SHARES = IMAGE.replace('width="40" height="30"', 'width="25%" height="10%"')
CLONE = (
    f'<defs><g transform="scale(2)">{IMAGE}</g></defs><use id="u" xlink:href="#i" x="5" y="7" transform="rotate(9)"/>'
)
SYMBOL = f'<symbol id="s" viewBox="0 0 60 60">{IMAGE}</symbol><use id="u" xlink:href="#s" width="90" height="120"/>'
ROOTS = (
    'width="300" height="200"',
    'width="300mm" height="200mm" viewBox="0 0 600 400"',
    'width="10in" height="5in" viewBox="-20 30 300 300"',
    'width="20cm" height="20cm" viewBox="0 0 100 300" preserveAspectRatio="none"',
    'viewBox="5 5 300 200"',
)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    ("content", "shown"),
    [(IMAGE, "i"), (SKEWED, "i"), (NESTED, "i"), (SHARES, "i"), (NO_SIZE, "i"), (CLONE, "u"), (SYMBOL, "u")],
    ids=["plain", "skewed", "nested", "per cent", "no size", "clone", "symbol"],
)
def test_inkscape_agrees_where_an_image_lies(
    parts: SimpleNamespace, tmp_path: Path, root: str, content: str, shown: str
) -> None:
    """The page's box in the drawing is the one that `inkscape --query` measures."""
    document = tmp_path / "drawing.svg"
    document.write_text(f"{drawings.HEAD} {root}>{content}</svg>", encoding="utf-8")
    command = ["inkscape", f"--query-id={shown}", "-X", "-Y", "-W", "-H", str(document)]

    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    measured = np.array([float(line) for line in asked.stdout.split()]) * PX
    # Inkscape prints six digits.
    np.testing.assert_allclose(box_of(scene(parts, document, shown).page), measured, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ("contain", 0.5, 0.5)),
        ("none", ("stretch", 0.5, 0.5)),
        ("xMinYMax", ("contain", 0.0, 1.0)),
        ("xMaxYMin slice", ("cover", 1.0, 0.0)),
        ("defer xMidYMid meet", ("contain", 0.5, 0.5)),
        ("sideways", ("contain", 0.5, 0.5)),
    ],
)
def test_preserve_aspect_ratio(parts: SimpleNamespace, text: str | None, expected: tuple[str, float, float]) -> None:
    """Its words become the job's fit and alignment; nonsense counts as the default."""
    assert parts.geometry.aspect(text) == expected


factors = st.floats(0.2, 5.0)
angles = st.floats(-math.pi, math.pi)
shares = st.floats(0.0, 1.0)


@settings(deadline=None)
@given(turns=st.tuples(angles, angles), sizes=st.tuples(factors, factors), at=st.lists(shares, min_size=4, max_size=4))
def test_a_skew_never_breaks_the_minimum_gap(
    parts: SimpleNamespace, turns: tuple[float, float], sizes: tuple[float, float], at: list[float]
) -> None:
    """Dots that keep `gap()` on the page keep the wanted one in the drawing, where they are round again."""
    rotate = [np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]]) for t in turns]
    linear = rotate[0] @ np.diag(sizes) @ rotate[1]
    to_mm = parts.inkex.Transform((*linear.T.ravel(), 3.0, 4.0))
    page = parts.geometry.Page.of((1.0, 2.0, 10.0, 8.0), to_mm, ("stretch", 0.5, 0.5))
    wanted, radii = 0.5, (0.3, 0.2)
    one, other = (np.array(pair) * (page.width, page.height) for pair in (at[:2], at[2:]))

    apart = np.linalg.norm(one - other)
    drawn = np.linalg.norm(np.array(list(page.to_drawing.to_hexad())[:4]).reshape(2, 2).T @ (one - other))

    if apart >= page.gap(wanted, max(radii)) + sum(radii):
        assert drawn >= wanted + sum(radii) - 1e-9


points = st.tuples(st.floats(-50, 50), st.floats(-50, 50))


@settings(deadline=None)
@given(ring=st.lists(points, min_size=3, max_size=7), turn=angles, probes=st.lists(points, min_size=20, max_size=20))
def test_intersection_with_a_convex_clip(
    parts: SimpleNamespace, ring: list[tuple[float, float]], turn: float, probes: list[tuple[float, float]]
) -> None:
    """A point is wound around by the intersection as by the ring itself if it is inside the convex one, else not."""
    square = [(30 * math.cos(turn + k * math.pi / 2), 30 * math.sin(turn + k * math.pi / 2)) for k in range(4)]

    cut = parts.clips.intersection([ring], [square])

    for probe in probes:
        margin = min(_distance(probe, r) for r in (ring, square))
        if margin > 1e-6:
            expected = _winding(probe, ring) if _winding(probe, square) else 0
            assert sum(_winding(probe, part) for part in cut) == expected


def _winding(point: tuple[float, float], ring: list[tuple[float, float]]) -> int:
    angles = [math.atan2(y - point[1], x - point[0]) for x, y in ring]
    total = sum(math.remainder(angle - angles[i - 1], 2 * math.pi) for i, angle in enumerate(angles))
    return round(total / (2 * math.pi))


def _distance(point: tuple[float, float], ring: list[tuple[float, float]]) -> float:
    """To the nearest edge."""
    p, ends = np.array(point), np.array(ring)
    starts = np.roll(ends, 1, axis=0)
    along = ends - starts
    squared = np.maximum((along**2).sum(1), 1e-300)
    t = np.clip(((p - starts) * along).sum(1) / squared, 0.0, 1.0)
    return float(np.linalg.norm(starts + along * t[:, None] - p, axis=1).min())


RECT = '<rect x="20" y="30" width="20" height="10"/>'
HALF = '<path d="M0,0 H30 V80 H0 Z"/>'
STAR = '<path d="M30,21 L36,49 L12,30 L48,30 L24,49 Z"/>'
TEXT = "<text>Clip</text>"


def clipped(parts: SimpleNamespace, folder: Path, defs: str, attributes: str, *around: str) -> SimpleNamespace:
    groups = ("".join(f"<g {a}>" for a in around), "</g>" * len(around))
    return scene(parts, drawings.one_picture(folder, attributes, defs, groups), "photo")


def covered(clip: object, page: object) -> float:
    """The share of the page that a clip without overlaps leaves."""
    return abs(sum(_area(ring) for ring in clip.region)) / (page.width * page.height)


def _area(ring: list[tuple[float, float]]) -> float:
    x, y = np.array(ring).T
    return float(np.dot(np.roll(x, 1), y) - np.dot(x, np.roll(y, 1))) / 2


@pytest.mark.parametrize(
    ("defs", "attributes", "around", "share"),
    [
        (f'<clipPath id="a">{RECT}</clipPath>', "clip-path='url(#a)'", (), 20 * 10 / 1200),
        (f'<clipPath id="a">{RECT}</clipPath>', "style='clip-path:url(#a)'", (), 20 * 10 / 1200),
        (f'<clipPath id="a">{RECT}</clipPath>', "", ("clip-path='url(#a)'", "transform='scale(1)'"), 20 * 10 / 1200),
        ('<clipPath id="a"><circle cx="30" cy="35" r="10"/></clipPath>', "clip-path='url(#a)'", (), math.pi / 12),
        (f'<clipPath id="a">{RECT}{HALF}</clipPath>', "clip-path='url(#a)'", (), None),
        (
            f'<clipPath id="a">{RECT}</clipPath><clipPath id="b">{HALF}</clipPath>',
            "clip-path='url(#a)'",
            ("clip-path='url(#b)'",),
            10 * 10 / 1200,
        ),
        (
            f'<clipPath id="a" clip-path="url(#b)">{RECT}</clipPath><clipPath id="b">{HALF}</clipPath>',
            "clip-path='url(#a)'",
            (),
            10 * 10 / 1200,
        ),
        (
            f'<g id="r">{RECT}</g><clipPath id="a"><use href="#r" x="-5" transform="translate(5 5)"/></clipPath>',
            "clip-path='url(#a)'",
            (),
            20 * 10 / 1200,
        ),
        (
            '<clipPath id="a" clipPathUnits="objectBoundingBox"><rect width=".5" height=".5"/></clipPath>',
            "clip-path='url(#a)'",
            (),
            0.25,
        ),
        ('<clipPath id="a"><rect width="99" height="99"/></clipPath>', "clip-path='url(#a)'", (), 1.0),
    ],
    ids=["attribute", "style", "group", "circle", "union", "nested", "clip on clip", "clone", "box units", "all"],
)
def test_clips_become_outlines(
    parts: SimpleNamespace, tmp_path: Path, defs: str, attributes: str, around: tuple[str, ...], share: float | None
) -> None:
    """What is left of the picture has the area it should, and nothing is left to be wrapped."""
    found = clipped(parts, tmp_path, defs, attributes, *around)

    assert found.clip.wraps == ()
    if share == 1.0:
        assert found.clip.region is None
    elif share is not None:
        # A circle of 10 px radius as a polygon exact to 0.02 mm lacks at most 1 % of its area.
        assert covered(found.clip, found.page) == pytest.approx(share, rel=0.01)
    else:
        assert len(found.clip.region) == 2


@pytest.mark.parametrize(
    ("defs", "attributes", "around", "wraps"),
    [
        (f'<mask id="m">{RECT}</mask>', "mask='url(#m)'", (), ["mask"]),
        (f'<clipPath id="a">{TEXT}</clipPath>', "clip-path='url(#a)'", (), ["clip-path"]),
        (
            f'<clipPath id="a">{STAR.replace("/>", " clip-rule=&quot;evenodd&quot;/>").replace("&quot;", chr(34))}'
            "</clipPath>",
            "clip-path='url(#a)'",
            (),
            ["clip-path"],
        ),
        (f'<clipPath id="a">{STAR}</clipPath>', "clip-path='url(#a)'", ("clip-path='url(#a)'",), ["clip-path"]),
    ],
    ids=["mask", "text", "even-odd", "two stars"],
)
def test_what_is_no_outline_is_wrapped_around_the_dots(
    parts: SimpleNamespace, tmp_path: Path, defs: str, attributes: str, around: tuple[str, ...], wraps: list[str]
) -> None:
    """The dots' group carries the reference in the space where the image's own element has it."""
    found = clipped(parts, tmp_path, defs, attributes, "transform='translate(7 8) rotate(30)'", *around)

    assert [wrap.attribute for wrap in found.clip.wraps] == wraps
    dots = parts.place.Dots([1.0, 2.0], [0.5], {"engine": "tone", "plates": [ONE_PLATE]})
    layer = parts.place.place(found.svg, found.source, found.page, dots, "circles", found.clip.wraps)
    group = layer.find(f"{{*}}g[@{wraps[0]}]")
    (circle,) = group.iter("{*}circle")
    # The two transforms around the dot cancel out: it lies where it would without the wrap.
    inner = parts.geometry.own_transform(group) @ parts.geometry.own_transform(circle.getparent())
    assert np.allclose(list(inner.to_hexad()), (1, 0, 0, 1, 0, 0), atol=1e-9)
    step = found.clip.wraps[0].step
    assert np.allclose(list(parts.geometry.own_transform(group).to_hexad()), list(step.to_root.to_hexad()))


@pytest.mark.parametrize("transform", ["", "transform='matrix(2,.5,0,1,9,9)'"])
def test_dots_stay_round_inside_a_transformed_layer(parts: SimpleNamespace, tmp_path: Path, transform: str) -> None:
    """A layer that has to lie in a transformed group undoes the transform, so that radii are true."""
    layers = f"<g inkscape:groupmode='layer' {transform}><g inkscape:groupmode='layer' id='inner'>"
    document = drawings.one_picture(tmp_path, around=(layers, "</g></g>"))
    found = scene(parts, document, "photo")
    dots = parts.place.Dots([0.0, 0.0], [0.5], {"plates": [ONE_PLATE]})

    layer = parts.place.place(found.svg, found.source, found.page, dots, "circles")

    assert layer.getprevious().get("id") == "inner"
    outer = parts.geometry.own_transform(layer.getparent()) @ parts.geometry.own_transform(layer)
    assert np.allclose(list(outer.to_hexad()), (1, 0, 0, 1, 0, 0), atol=1e-9)
    (circle,) = layer.iter("{*}circle")
    assert float(circle.get("r")) == pytest.approx(0.5 / PX, abs=1e-3)


def test_cancel_leaves_the_document_alone(
    parts: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Cancel the effect hands nothing back, and says nothing."""
    import io

    from tessera_protocol.errors import error

    def cancelled(*_: object) -> None:
        raise error("cancelled", "The job was cancelled.")

    monkeypatch.setattr(parts.stipple, "follow", cancelled)
    monkeypatch.setenv("DOCUMENT_PATH", "")
    output = io.BytesIO()

    parts.stipple.Stipple().run(["--id=photo", str(drawings.one_picture(tmp_path))], output=output)

    assert output.getvalue() == b""


def test_a_selection_means_each_picture_once(parts: SimpleNamespace, tmp_path: Path) -> None:
    """A picture that is selected together with its group is stippled once; hidden ones in a group are not."""
    document = drawings.two_pictures(tmp_path)
    svg = parts.inkex.load_svg(str(document)).getroot()
    svg.selection.set("turned", "linked")
    assert [source.name for source in parts.gather.sources(svg, "Stipple", "stipple")] == ["embedded", drawings.LINKED]

    svg.getElementById("embedded").set("display", "none")
    assert [source.name for source in parts.gather.sources(svg, "Stipple", "stipple")] == [drawings.LINKED]
