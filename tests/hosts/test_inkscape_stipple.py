"""Extensions > Tessera > Stipple in the real Inkscape, through a real backend: what an artist would check."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from . import drawings
from .inkscape import NS, Inkscape, circles, layer, layers

pytestmark = pytest.mark.host("inkscape")

DOTS, RADIUS_MM = 5000, 0.15
WIDTH_PX, PAGE_MM = 1600, 200.0
CELLS = 10


def test_dots_lie_over_both_pictures(inkscape: Inkscape, tmp_path: Path) -> None:
    """Each picture of a turned group gets a layer of its own dots, and they repeat its tones where it has them."""
    document = drawings.two_pictures(tmp_path)

    result = inkscape.stipple(document, "turned", dots=DOTS, radius_max=RADIUS_MM)

    names = ["Stipple: embedded", f"Stipple: {drawings.LINKED}"]
    images, dots = _only(result, "image", names), _only(result, "circle", names)
    shown = inkscape.render(images, WIDTH_PX, tmp_path)
    stippled = inkscape.render(dots, WIDTH_PX, tmp_path)
    for to_user in (drawings.EMBEDDED, drawings.LINKED_AT):
        wanted, got = (_cell_means(darkness, to_user) for darkness in (shown, stippled))
        # The clip leaves cells of the embedded picture white: those are compared by the next test.
        whole = _inside_clip() if to_user is drawings.EMBEDDED else np.ones((CELLS, CELLS), dtype=bool)
        wanted, got = wanted[whole], got[whole]
        got = got * (wanted.sum() / got.sum())
        # A cell has about 50 dots, and its border cuts off or adds 2 or 3 of them: 0.02 of darkness.
        assert np.abs(got - wanted).mean() < 0.025
        assert np.corrcoef(got, wanted)[0, 1] > 0.99
        # This would not hold of dots that lie turned or shifted by a cell.
        assert np.corrcoef(got, wanted[::-1])[0, 1] < 0.9


def test_dots_stay_inside_the_clip(inkscape: Inkscape, tmp_path: Path) -> None:
    """All the dots that were asked for lie inside the clip of their picture, none is cut off by it."""
    document = drawings.two_pictures(tmp_path)

    result = inkscape.stipple(document, "embedded", dots=DOTS)

    found = circles(layer(result, "Stipple: embedded"))
    assert len(found) == DOTS
    group = np.linalg.inv(drawings.EMBEDDED @ np.linalg.inv([[100, 0, 60], [0, 100, 60], [0, 0, 1]]))
    local = found[:, :2] @ group[:2, :2].T + group[:2, 2]
    # The circle is sent as a polygon that is exact to 0.02 mm, 0.04 units; Inkscape rounds to six digits.
    assert np.linalg.norm(local - drawings.CLIP_CENTRE, axis=1).max() < drawings.CLIP_RADIUS + 0.05


def test_layers_and_what_they_say(inkscape: Inkscape, tmp_path: Path) -> None:
    """The new layers lie right over the pictures' own, named after them, with true radii and the run's metadata."""
    document = drawings.two_pictures(tmp_path)

    result = inkscape.stipple(document, "turned", dots=300, seed=7, radius_min=0.2, radius_max=0.4, color="0x112233ff")

    stipples = ["Stipple: embedded", f"Stipple: {drawings.LINKED}"]
    assert layers(result) == ["Photos", *stipples, "Above"]
    for name in stipples:
        found = layer(result, name)
        radii = circles(found)[:, 2] * drawings.UNIT_MM
        assert len(radii) == 300
        assert radii.min() >= 0.2 - 1e-4
        assert radii.max() <= 0.4 + 1e-4
        assert "fill:#112233" in found.get("style")
        run = json.loads(found.findtext("svg:metadata/run:run", namespaces=NS))
        assert (run["engine"], run["seed"], run["parameters"]["dots"]) == ("tone", 7, 300)
        assert "engine tone, seed 7" in found.findtext("svg:desc", namespaces=NS)


def test_points_for_pens(inkscape: Inkscape, tmp_path: Path) -> None:
    """With points as marks, each dot is a short stroke with round caps, as wide as the dot."""
    document = drawings.two_pictures(tmp_path)

    result = inkscape.stipple(document, "linked", dots=50, marks="points", radius_max=0.25)

    found = layer(result, f"Stipple: {drawings.LINKED}")
    strokes = found.findall("svg:path", NS)
    assert len(strokes) == 50
    assert "stroke-linecap:round" in found.get("style")
    assert {float(stroke.get("stroke-width")) for stroke in strokes} == {2 * 0.25 / drawings.UNIT_MM}


def test_the_only_picture_is_meant_when_nothing_is_selected(inkscape: Inkscape, tmp_path: Path) -> None:
    """A document with one picture needs no selection."""
    result = inkscape.stipple(drawings.one_picture(tmp_path), dots=40)

    assert len(circles(layer(result, "Stipple: photo"))) == 40


def test_a_mask_hides_dots_where_it_hides_the_picture(inkscape: Inkscape, tmp_path: Path) -> None:
    """A mask is put around the dots, in the place where the picture has it."""
    mask = '<mask id="m" maskUnits="userSpaceOnUse"><rect x="15" y="25" width="20" height="15" fill="#fff"/></mask>'
    turned = ('<g transform="translate(30 5) rotate(25)">', "</g>")
    document = drawings.one_picture(tmp_path, 'mask="url(#m)"', mask, turned)

    done = inkscape.script(document, "photo", dots=400, radius_max=0.2)

    result = etree.fromstring(done.stdout.encode())
    images, dots = (_only(result, tag, ["Stipple: photo"]) for tag in ("image", "circle"))
    shown = inkscape.render(images, 800, tmp_path) > 0.05
    stippled = inkscape.render(dots, 800, tmp_path)
    # Both edges are smoothed over a pixel.
    near = shown | np.roll(shown, 2, 0) | np.roll(shown, -2, 0) | np.roll(shown, 2, 1) | np.roll(shown, -2, 1)
    assert stippled[~near].max() == 0.0
    assert stippled[shown].mean() > 0.05


def test_the_rest_of_the_document_is_untouched(inkscape: Inkscape, tmp_path: Path) -> None:
    """The script adds its layers and changes not a byte of anything else."""
    document = drawings.two_pictures(tmp_path)

    done = inkscape.script(document, "turned", dots=40)

    result = etree.fromstring(done.stdout.encode())
    for name in ("Stipple: embedded", f"Stipple: {drawings.LINKED}"):
        added = layer(result, name)
        added.getparent().remove(added)
    assert done.stderr == ""
    assert etree.tostring(result, method="c14n") == etree.tostring(etree.parse(document), method="c14n")


def _only(drawing: etree._Element, tag: str, stipples: list[str]) -> etree._Element:
    """A copy that shows nothing but the images, or nothing but the dots."""
    drawing = copy.deepcopy(drawing)
    keep = {id(element) for name in stipples for element in layer(drawing, name).iter()} if tag == "circle" else set()
    for shape in ("image", "rect", "circle"):
        for element in list(drawing.iterfind(f".//svg:{shape}", NS)):
            in_defs = any(ancestor.tag.endswith("defs") for ancestor in element.iterancestors())
            if not in_defs and shape != tag and id(element) not in keep:
                element.getparent().remove(element)
    return drawing


def _cell_means(darkness: np.ndarray, to_user: np.ndarray) -> np.ndarray:
    """Mean darkness in CELLS x CELLS parts of an image, wherever it lies on the rendered page."""
    height, width = darkness.shape
    y, x = np.mgrid[0:height, 0:width] + 0.5
    user = np.stack([x, y], -1) * (PAGE_MM / width / drawings.UNIT_MM) + drawings.ORIGIN
    to_unit = np.linalg.inv(to_user)
    cell = np.floor((user @ to_unit[:2, :2].T + to_unit[:2, 2]) * CELLS).astype(int)
    inside = ((cell >= 0) & (cell < CELLS)).all(-1)
    index = cell[inside] @ [1, CELLS]
    sums = np.bincount(index, darkness[inside], CELLS * CELLS)
    return (sums / np.bincount(index, minlength=CELLS * CELLS)).reshape(CELLS, CELLS)


def _inside_clip() -> np.ndarray:
    """Which cells of the embedded picture the clip leaves whole."""
    corners = np.arange(CELLS + 1) / CELLS * 100.0 + 60.0
    x, y = np.meshgrid(corners, corners)
    inside = np.hypot(x - drawings.CLIP_CENTRE[0], y - drawings.CLIP_CENTRE[1]) < drawings.CLIP_RADIUS
    return inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
