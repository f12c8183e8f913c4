"""Several plates, lines and masks: what is put into the document, and what Inkscape makes of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from . import drawings
from .inkscape import LABEL, NS, Inkscape

pytestmark = pytest.mark.host("inkscape")

PLATES = [
    {"name": "Cyan", "color": "#00aaee", "dots": 1},
    {"name": "Unused", "color": "#123456", "dots": 0},
    {"name": "Yellow", "color": "#ffee00", "dots": 2},
]


def scene(parts: SimpleNamespace, document: Path) -> SimpleNamespace:
    """The one image, its page and its mask."""
    svg = parts.inkex.load_svg(str(document)).getroot()
    (source,) = parts.gather.sources(svg, "Stipple", "stipple")
    picture = parts.gather.picture(source, [str(document.parent)])
    page = parts.gather.page(svg, source, picture)
    clip, mask = parts.masks.taken(svg, source, picture, parts.clips.clip_of(svg, source, page), [str(document.parent)])
    return SimpleNamespace(svg=svg, source=source, page=page, clip=clip, mask=mask)


@pytest.mark.parametrize(
    ("invert", "both"), [(False, (0, 159, 0)), (True, (255, 238, 0))], ids=["multiplied", "covering"]
)
def test_plates_are_layers_that_mix_as_inks_do(
    parts: SimpleNamespace, inkscape: Inkscape, tmp_path: Path, invert: bool, both: tuple[int, int, int]
) -> None:
    """A sublayer for each ink that has dots; they mix where they overlap, and not with the dark picture under them."""
    found = scene(parts, drawings.one_picture(tmp_path))
    mm = found.page.width / 40
    flat = [value * mm for place in ((10, 15), (16, 15), (30, 15)) for value in place]
    meta = {"plates": PLATES, "parameters": {"invert": True} if invert else {}}
    dots = parts.place.Dots(flat, [5 * mm] * 3, meta)

    layer = parts.place.place(found.svg, found.source, found.page, dots, "circles")

    inner = layer.findall("svg:g", NS)
    assert [(group.get(LABEL), group.get("id"), len(group)) for group in inner] == [
        ("Cyan #00aaee", f"{layer.get('id')}-cyan", 1),
        ("Yellow #ffee00", f"{layer.get('id')}-yellow", 2),
    ]
    assert {group.get("{http://www.inkscape.org/namespaces/inkscape}groupmode") for group in inner} == {"layer"}
    shown = inkscape.colors(found.svg, 100, tmp_path)
    # The picture begins at (10, 20), a unit is a pixel.
    assert [tuple(shown[35, x]) for x in (17, 23, 29, 40)] == [(0, 170, 238), both, (255, 238, 0), (255, 238, 0)]


def test_a_line_goes_through_the_dots_of_each_plate(parts: SimpleNamespace, tmp_path: Path) -> None:
    """One path a plate, in the order of its dots, as wide as they are on average."""
    found = scene(parts, drawings.one_picture(tmp_path))
    dots = parts.place.Dots([0.0, 0.0, 1.0, 2.0, 3.0, 1.0], [0.1, 0.2, 0.4], {"plates": PLATES})

    layer = parts.place.place(found.svg, found.source, found.page, dots, "line")

    one, other = layer.iterfind(".//svg:path", NS)
    unit = 96 / 25.4
    points = [[float(n) for n in pair.split(",")] for pair in other.get("d")[1:].split(" ")]
    # A thousandth of a millimetre.
    np.testing.assert_allclose(points, [[10 + unit, 20 + 2 * unit], [10 + 3 * unit, 20 + unit]], atol=0.5e-3 * unit)
    assert [float(path.get("stroke-width")) for path in (one, other)] == pytest.approx(
        [0.2 * unit, 0.6 * unit], abs=1e-3
    )
    assert "fill:none;stroke:#ffee00;stroke-linecap:round;stroke-linejoin:round" in other.getparent().get("style")


MASK = drawings.data_uri(drawings.picture(20, 15))
SAME = 'x="10" y="20" width="40" height="30"'
STRETCHED = f'{SAME} preserveAspectRatio="none"'


@pytest.mark.parametrize(
    ("mask", "taken"),
    [
        (f'<mask id="m"><image {SAME} xlink:href="{MASK}"/></mask>', True),
        (f'<mask id="m" maskUnits="userSpaceOnUse"><image {STRETCHED} xlink:href="{MASK}"/></mask>', True),
        (f'<mask id="m"><image x="10" y="20" width="40" height="40" xlink:href="{MASK}"/></mask>', False),
        (f'<mask id="m"><image x="5" y="20" width="40" height="30" xlink:href="{MASK}"/></mask>', False),
        (f'<mask id="m" x="20" width="9"><image {SAME} xlink:href="{MASK}"/></mask>', False),
        (f'<mask id="m"><image {SAME} style="opacity:.5" xlink:href="{MASK}"/></mask>', False),
        (f'<mask id="m"><image {SAME} transform="scale(2)" xlink:href="{MASK}"/></mask>', False),
        (f'<mask id="m"><rect {SAME} fill="#fff"/></mask>', False),
        (f'<mask id="m"><image {SAME} xlink:href="missing.png"/></mask>', False),
    ],
    ids=["picture", "stretched", "taller", "beside", "region", "opacity", "transform", "shape", "missing"],
)  # fmt: skip
def test_which_masks_go_to_the_backend(parts: SimpleNamespace, tmp_path: Path, mask: str, taken: bool) -> None:
    """A picture that covers the picture does, all others are put around the dots."""
    found = scene(parts, drawings.one_picture(tmp_path, 'mask="url(#m)"', mask))

    assert (found.mask is not None, len(found.clip.wraps)) == (taken, not taken)
