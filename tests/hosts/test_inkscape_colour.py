"""Colour plates, lines, protected areas, masks and every engine in the real Inkscape, through a real backend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from tessera_protocol.jobs import ENGINES

from . import drawings
from .inkscape import LABEL, NS, Inkscape, circles, layer

pytestmark = pytest.mark.host("inkscape")

# The picture of `one_picture` in user units: x, y, width, height.
LEFT, TOP, ACROSS, DOWN = 10, 20, 40, 30


def stippled(inkscape: Inkscape, document: Path, *selected: str, **params: object) -> etree._Element:
    """The document after the effect's script."""
    done = inkscape.script(document, *selected, **params)
    assert done.stderr == ""
    return etree.fromstring(done.stdout.encode())


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine(inkscape: Inkscape, tmp_path: Path, engine: str) -> None:
    """Each gives the dots that were asked for, over the picture, and says who it was."""
    result = stippled(inkscape, drawings.one_picture(tmp_path), "photo", dots=60, engine=engine)

    found = layer(result, "Stipple: photo")
    x, y, _ = circles(found).T
    assert len(x) == 60
    assert ((x >= LEFT) & (x <= LEFT + ACROSS) & (y >= TOP) & (y <= TOP + DOWN)).all()
    assert json.loads(found.findtext("svg:metadata/run:run", namespaces=NS))["engine"] == engine


def in_colour(folder: Path) -> Path:
    """A drawing of a picture that goes from orange to violet and from light to dark."""
    document = drawings.one_picture(folder)
    y, x = np.mgrid[0:60, 0:80] / [[[60]], [[80]]]
    rgb = np.stack([230 - 90 * x - 60 * y, 150 - 60 * x - 30 * y, 60 + 120 * x - 20 * y], -1)
    tree = etree.parse(document)
    href = drawings.data_uri(Image.fromarray(rgb.astype(np.uint8)))
    tree.find(".//{*}image").set("{http://www.w3.org/1999/xlink}href", href)
    tree.write(document)
    return document


def test_cmyk_plates(inkscape: Inkscape, tmp_path: Path) -> None:
    """Four layers, named after their inks; on white they average to the picture's colours; one undo, one layer."""
    document = in_colour(tmp_path)

    result = inkscape.stipple(document, "photo", dots=6000, plates="cmyk")

    outer = layer(result, "Stipple: photo")
    plates = outer.findall("svg:g", NS)
    run = json.loads(outer.findtext("svg:metadata/run:run", namespaces=NS))
    told = [(f"{plate['name']} {plate['color']}", plate["dots"]) for plate in run["plates"] if plate["dots"]]
    assert [(plate.get(LABEL), len(circles(plate))) for plate in plates] == told
    assert [label.split()[0] for label, _ in told][:3] == ["Cyan", "Magenta", "Yellow"]
    x, y, _ = circles(outer).T
    assert len(x) == 6000
    assert ((x >= LEFT) & (x <= LEFT + ACROSS) & (y >= TOP) & (y <= TOP + DOWN)).all()

    wanted = means(inkscape.colors(etree.parse(document).getroot(), 1000, tmp_path))
    image = result.find(".//svg:image", NS)
    image.getparent().remove(image)
    printed = means(inkscape.colors(result, 1000, tmp_path))
    assert np.abs(printed - wanted).mean() < 0.02
    assert np.abs(printed - wanted).max() < 0.06


def means(rendered: np.ndarray) -> np.ndarray:
    """Mean colours of 4 x 3 parts of the picture, leaving out its rim, where half of the dots hang over; [0, 1]."""
    unit = rendered.shape[1] / 100
    rows, columns = (
        [slice(round((start + side * i) * unit), round((start + side * (i + 1)) * unit)) for i in range(count)]
        for start, side, count in ((TOP + 1.5, 9, 3), (LEFT + 2, 9, 4))
    )
    return np.array([[rendered[row, column].mean((0, 1)) for column in columns] for row in rows]) / 255.0


def test_a_line_through_all_dots(inkscape: Inkscape, tmp_path: Path) -> None:
    """Marks "line" make one path with a point for each dot, which goes from neighbour to neighbour."""
    result = stippled(inkscape, drawings.one_picture(tmp_path), "photo", dots=500, marks="line")

    (path,) = layer(result, "Stipple: photo").iterfind(".//svg:path", NS)
    points = np.array([[float(n) for n in pair.split(",")] for pair in path.get("d")[1:].split(" ")])
    assert len(points) == 500
    steps = np.hypot(*np.diff(points, axis=0).T)
    # Dots on a triangular lattice are 1.07 sqrt(A / N) apart; those of a picture crowd in its darks.
    assert steps.sum() < 1.07 * np.sqrt(500 * ACROSS * DOWN)


OVER = (
    '<rect id="below" width="100" height="80" fill="none"/>',
    '<g id="over"><rect x="15" y="25" width="10" height="10"/><circle cx="25" cy="35" r="6"/></g>',
)


@pytest.mark.parametrize("shapes", ["clear", "inside"])
def test_selected_shapes(inkscape: Inkscape, tmp_path: Path, shapes: str) -> None:
    """They keep their area clear of all dots, or have all of them; what lies under the picture does neither."""
    document = drawings.one_picture(tmp_path, around=OVER)

    result = stippled(inkscape, document, "photo", "below", "over", dots=800, shapes=shapes)

    x, y, _ = circles(layer(result, "Stipple: photo")).T
    assert len(x) == 800
    depth = np.maximum(6 - np.hypot(x - 25, y - 35), np.minimum(5 - np.abs(x - 20), 5 - np.abs(y - 30)))
    # Flattened curves are exact to 0.02 mm, 0.08 units.
    assert depth.min() > -0.1 if shapes == "inside" else depth.max() < 0.1


def test_shapes_leave_no_room(inkscape: Inkscape, tmp_path: Path) -> None:
    """A shape over the whole picture: a message, and no dots."""
    document = drawings.one_picture(tmp_path, around=("", '<rect id="all" width="100" height="80"/>'))

    done = inkscape.script(document, "photo", "all", dots=50)

    assert done.stdout == ""
    assert "nowhere to put dots" in done.stderr


def test_a_picture_as_mask_thins_dots_out(inkscape: Inkscape, tmp_path: Path) -> None:
    """Black parts get no dots, grey ones fewer; none is cut, and no mask is put around them."""
    grey = np.full((30, 40), 255, np.uint8)
    grey[:, :20], grey[:, 20:30] = 0, 128
    place = f'x="{LEFT}" y="{TOP}" width="{ACROSS}" height="{DOWN}"'
    mask = f'<mask id="m"><image {place} xlink:href="{drawings.data_uri(Image.fromarray(grey))}"/></mask>'

    result = stippled(inkscape, drawings.one_picture(tmp_path, 'mask="url(#m)"', mask), "photo", dots=600)

    found = layer(result, "Stipple: photo")
    assert found.find(".//svg:g[@mask]", NS) is None
    x, _, _ = circles(found).T
    assert len(x) == 600
    assert x.min() >= LEFT + 20 - 0.5
    dark = 1.0 - np.asarray(drawings.picture(40, 30), float)[:, 20:] / 255.0
    expected = 0.5 * dark[:, :10].sum() / (0.5 * dark[:, :10].sum() + dark[:, 10:].sum())
    assert np.mean(x < LEFT + 30) == pytest.approx(expected, abs=0.06)
