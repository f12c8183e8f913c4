"""Selected shapes over a picture, as areas: checked against what Inkscape draws of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from lxml import etree

from . import drawings
from .inkscape import NS, Inkscape

pytestmark = pytest.mark.host("inkscape")

TURNED = ('<g transform="translate(8 -5) rotate(12)">', "</g>")
TURNED_TO_USER = np.array([[np.cos(a := np.radians(12)), -np.sin(a), 8], [np.sin(a), np.cos(a), -5], [0, 0, 1]])
WIDTH_PX = 1000  # of a drawing that is 100 units wide
RING = "M14,24 h20 v20 h-20 z"
HOLE = "M19,29 h10 v10 h-10 z"
HOLE_BACKWARDS = "M19,29 v10 h10 v-10 z"
SHAPES = {
    "rectangle": '<rect id="s" x="15" y="30" width="20" height="9"/>',
    "turned ellipse": '<ellipse id="s" cx="30" cy="35" rx="14" ry="6" transform="rotate(30 30 35)"/>',
    "hole": f'<path id="s" d="{RING} {HOLE_BACKWARDS}"/>',
    "no hole": f'<path id="s" d="{RING} {HOLE}"/>',
    "even-odd hole": f'<path id="s" fill-rule="evenodd" d="{RING} {HOLE}"/>',
    "inherited even-odd": f'<g id="s" style="fill-rule:evenodd"><path d="{RING} {HOLE}"/></g>',
    "against each other": f'<g id="s"><path d="{RING}"/><path d="M30,30 v12 h16 v-12 z"/></g>',
    "filled hole": f'<g id="s"><path d="{RING} {HOLE_BACKWARDS}"/><circle cx="24" cy="34" r="3"/></g>',
    "hidden part": '<g id="s"><circle cx="24" cy="34" r="6"/><rect style="display:none" width="60" height="60"/></g>',
    "clone": '<defs><circle id="c" r="6"/></defs><use id="s" xlink:href="#c" x="18" transform="translate(3 35)"/>',
    "text": '<g transform="scale(2)"><text id="s" x="6" y="18" style="font:10px sans-serif">B8&amp;o</text></g>',
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_area_is_what_inkscape_draws(
    parts: SimpleNamespace, inkscape: Inkscape, tmp_path: Path, shape: str
) -> None:
    """Where the rings wind around a point of the page, the shape is black there, and nowhere else."""
    found = scene(parts, drawings.one_picture(tmp_path, around=(TURNED[0], TURNED[1] + shape)), "photo", "s")

    area = parts.shapes.over(found.svg, found.source, found.page)

    drawn = etree.parse(tmp_path / "one.svg").getroot()
    for image in drawn.iterfind(".//svg:image", NS):
        image.getparent().remove(image)
    black = inkscape.render(drawn, WIDTH_PX, tmp_path)
    x, y = np.meshgrid((np.arange(80) + 0.5) / 80, (np.arange(60) + 0.5) / 60)
    shares = np.stack([x.ravel(), y.ravel()], -1)
    user = (shares * (40, 30) + (10, 20)) @ TURNED_TO_USER[:2, :2].T + TURNED_TO_USER[:2, 2]
    column, row = (user * WIDTH_PX / 100).astype(int).T
    # Pixels on an edge, and their neighbours, may fall to either side.
    lightest, darkest = (pick(np.stack([np.roll(black, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]), 0)
                         for pick in (np.min, np.max))  # fmt: skip
    turns = winding(shares * (found.page.width, found.page.height), area)
    assert (turns > 0).any()
    assert (turns[lightest[row, column] > 0.99] > 0).all()
    assert (turns[darkest[row, column] < 0.01] == 0).all()
    # Areas are laid over each other by adding windings: one that cancelled out another would be lost.
    assert turns.min() >= 0


def test_shapes_below_or_beside_the_picture_do_not_count(parts: SimpleNamespace, tmp_path: Path) -> None:
    """A background that is selected, too, keeps nothing clear; nor do pictures, dots, and what lies beside it."""
    below = '<rect id="below" width="100" height="80"/>'
    above = (
        '<rect id="beside" x="70" y="5" width="9" height="9"/><g id="pictures"><use xlink:href="#photo" x="20"/></g>'
        '<g id="dots"><metadata><run xmlns="urn:tessera:run">{}</run></metadata><circle id="dot" r="50"/></g>'
    )
    found = scene(
        parts,
        drawings.one_picture(tmp_path, around=(below, above)),
        *("photo", "below", "beside", "pictures", "dots", "dot"),
        count=2,
    )

    assert parts.shapes.over(found.svg, found.source, found.page) == []


def scene(parts: SimpleNamespace, document: Path, *selected: str, count: int = 1) -> SimpleNamespace:
    """The first of `count` images that are meant, and its page."""
    svg = parts.inkex.load_svg(str(document)).getroot()
    svg.selection.set(*selected)
    sources = parts.gather.sources(svg, "Stipple", "stipple")
    assert len(sources) == count
    picture = parts.gather.picture(sources[0], [str(document.parent)])
    return SimpleNamespace(svg=svg, source=sources[0], page=parts.gather.page(svg, sources[0], picture))


def winding(points: np.ndarray, region: list[list[tuple[float, float]]]) -> np.ndarray:
    """How often the rings wind around each point, int (N,)."""
    total = np.zeros(len(points), int)
    for ring in region:
        ends = np.array(ring)
        for (x0, y0), (x1, y1) in zip(np.roll(ends, 1, axis=0), ends, strict=True):
            if y0 != y1:
                crossed = (points[:, 1] >= min(y0, y1)) & (points[:, 1] < max(y0, y1))
                left = points[:, 0] > x0 + (points[:, 1] - y0) * (x1 - x0) / (y1 - y0)
                total += np.where(crossed & left, 1 if y1 < y0 else -1, 0)
    return total


def test_texts_that_inkscape_does_not_outline(
    parts: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The artist reads what to do instead; no text is passed over in silence."""
    document = drawings.one_picture(tmp_path, around=("", '<text id="s" x="15" y="30">Title</text>'))
    found = scene(parts, document, "photo", "s")
    for program in ("/no/such/inkscape", "/bin/false"):
        monkeypatch.setattr(parts.shapes, "which", lambda _, program=program: program)
        with pytest.raises(parts.inkex.AbortExtension, match="Object to Path"):
            parts.shapes.over(found.svg, found.source, found.page)
