"""The SVG of a stippling: valid, native, true to the numbers, and drawn alike by the programs artists use."""

import dataclasses
import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from lxml import etree

from tessera_backend import images
from tessera_backend.stipple.svg import NAMESPACE, to_svg
from tessera_protocol.jobs import StippleParams

SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"


@dataclasses.dataclass
class Dots:
    """What `to_svg` needs of a Stipples."""

    positions: np.ndarray
    radii: np.ndarray
    page: tuple[float, float] = (200.0, 150.0)
    meta: dict = dataclasses.field(default_factory=dict)
    plates: np.ndarray = None

    def __post_init__(self):
        if self.plates is None:
            self.plates = np.zeros(len(self.radii), np.uint8)


def some(n, seed=0, radius=None):
    rng = np.random.default_rng(seed)
    radii = np.full(n, radius) if radius else rng.uniform(0.1, 1.5, n)
    return Dots((rng.random((n, 2)) * [200, 150]).astype(np.float32), radii.astype(np.float32))


def parsed(data):
    """(positions, radii) as somebody else reads them."""
    rows = []
    for dot in etree.fromstring(data).iter(f"{SVG}circle", f"{SVG}path"):
        if dot.tag == f"{SVG}circle":
            rows.append([float(dot.get(name)) for name in ("cx", "cy", "r")])
        else:
            (x, y), length = dot.get("d")[1:].split("h")[0].split(), float(dot.get("d").split("h")[1])
            assert length > 0
            rows.append([float(x) + length / 2, float(y), float(dot.getparent().get("stroke-width")) / 2])
    table = np.array(rows).reshape(-1, 3)
    return table[:, :2], table[:, 2]


lengths = st.floats(0, 5000, width=32)


@settings(max_examples=60, deadline=None)
@given(
    positions=hnp.arrays(np.float32, st.tuples(st.integers(0, 20), st.just(2)), elements=lengths),
    radius=st.floats(0.01, 50),
    marks=st.sampled_from(["circles", "points"]),
)
def test_numbers_survive(positions, radius, marks):
    """Positions and radii read back from the file are those that went in, within the rounding it promises."""
    dots = Dots(positions, np.full(len(positions), radius, np.float32))
    back, radii = parsed(to_svg(dots, StippleParams(marks=marks)))
    np.testing.assert_allclose(back, positions, rtol=0, atol=0.00051)
    np.testing.assert_allclose(radii, dots.radii, rtol=0, atol=0.000051)


def test_numbers_are_short():
    """No exponents, no trailing zeros, no minus zero: 1.5 and not 1.500."""
    dots = Dots(np.array([[1.5, -0.0], [0.00004, 4999.9995], [10, 0.001]], np.float32), np.full(3, 0.01, np.float32))
    text = to_svg(dots, StippleParams()).decode()
    assert '<circle cx="1.5" cy="0" r="0.01"/>' in text
    assert '<circle cx="0" cy="5000" r="0.01"/>' in text  # float32 of 4999.9995 rounds up
    assert '<circle cx="10" cy="0.001" r="0.01"/>' in text


@pytest.mark.parametrize("marks", ["circles", "points"])
def test_document(marks):
    """The page is in mm, and all dots lie in one named layer that alone carries the style."""
    data = to_svg(some(50), StippleParams(marks=marks, color="#123456"), title="Cat & <Mouse>\x00")
    root = etree.fromstring(data)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("200mm", "150mm", "0 0 200 150")
    (layer,) = root.xpath("//*[@i:groupmode='layer']", namespaces={"i": INKSCAPE[1:-1]})
    assert layer.get(f"{INKSCAPE}label") == "Cat & <Mouse>\N{REPLACEMENT CHARACTER}"
    assert "#123456" in layer.get("style")
    dots = list(layer.iter(f"{SVG}circle", f"{SVG}path"))
    assert len(dots) == 50
    assert not any(dot.get("style") or dot.get("fill") for dot in dots)


def test_metadata_tells_the_run():
    """Engine, weights, device, seed, version and all parameters are there; what the engine says goes first."""
    dots = some(7)
    dots.meta = {"engine": "wvs", "iterations": np.int64(30), "note": "a < b & c"}
    root = etree.fromstring(to_svg(dots, StippleParams(seed=5, gamma=1.5)))
    run = json.loads(root.findtext(f".//{{{NAMESPACE}}}run"))
    assert run["engine"] == "wvs"
    assert run["iterations"] == 30
    assert run["note"] == "a < b & c"
    assert (run["seed"], run["dots"], run["device"], run["weights"]) == (5, 7, "cpu", "none")
    assert run["parameters"]["gamma"] == 1.5
    assert run["version"]


def test_points_of_equal_width_share_a_group():
    """Dots of three sizes make three groups of strokes, and no dot is lost."""
    dots = some(90)
    dots.radii = np.repeat(np.float32([0.2, 0.3, 0.4]), 30)[np.random.default_rng(1).permutation(90)]
    data = to_svg(dots, StippleParams(marks="points"))
    assert len(etree.fromstring(data).findall(f".//{SVG}g[@stroke-width]")) == 3
    back, _ = parsed(data)
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(dots.positions, axis=0), atol=0.00051)


@pytest.mark.parametrize("marks", ["circles", "points"])
def test_plotter_order_is_kept(marks):
    """With a short pen path asked for, the elements follow the order of the arrays whatever their size."""
    dots = some(40)
    back, _ = parsed(to_svg(dots, StippleParams(marks=marks, order="plotter")))
    np.testing.assert_allclose(back, dots.positions, atol=0.00051)


def coverage(positions, radii, width, height):
    """Ink of each pixel of a width x height raster of a 20 x 15 mm page, by 4 x 4 samples."""
    step = 20 / width / 4
    y, x = np.mgrid[: height * 4, : width * 4] * step + step / 2
    ink = np.zeros(x.shape, bool)
    for (cx, cy), r in zip(positions, radii, strict=True):
        ink |= (x - cx) ** 2 + (y - cy) ** 2 <= r * r
    return ink.reshape(height, 4, width, 4).mean(axis=(1, 3))


def rsvg(source, target):
    return ["rsvg-convert", "--width=400", "--background-color=white", f"--output={target}", str(source)]


def inkscape(source, target):
    options = ["--export-type=png", "--export-width=400", "--export-background=white"]
    return ["inkscape", str(source), *options, f"--export-filename={target}"]


@pytest.mark.parametrize("marks", ["circles", "points"])
@pytest.mark.parametrize("program", [pytest.param(rsvg), pytest.param(inkscape, marks=pytest.mark.host("inkscape"))])
def test_renderers_draw_the_dots(program, marks, tmp_path):
    """librsvg and Inkscape draw round dots where and as large as the numbers say."""
    dots = some(60, seed=3)
    dots.positions, dots.page = dots.positions / 10, (20.0, 15.0)
    source, target = tmp_path / "dots.svg", tmp_path / "dots.png"
    source.write_bytes(to_svg(dots, StippleParams(marks=marks)))
    command = program(source, target)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    drawn = images.load(target)
    ink = 1 - drawn[..., :3].mean(axis=2) / 255
    expected = coverage(dots.positions, dots.radii, 400, 300)
    assert ink.shape == expected.shape
    # Antialiasing differs from 16 samples by up to an eighth on edge pixels, which are a tenth of all.
    assert np.abs(ink - expected).mean() < 0.01
    assert np.abs(ink - expected).max() < 0.3
