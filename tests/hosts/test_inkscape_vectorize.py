"""Extensions > Tessera > Layered vectorization in the real Inkscape, through a real backend."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from tessera_protocol.messages import Progress
from tests.conftest import BackendProcess, until

from . import drawings
from .inkscape import LABEL, NS, Inkscape, layer, layers

pytestmark = pytest.mark.host("inkscape")

FAST = {"engine": "fast", "paths": 24}
# Where it does not matter how the drawing looks.
ROUGH = {"paths": 6, "resolution": 64}
WIDTH_PX = 800


def vectorized(inkscape: Inkscape, document: Path, *selected: str, **params: object) -> etree._Element:
    """The document after the effect's script alone."""
    done = inkscape.script(document, *selected, effect="vectorize", **{**FAST, **params})
    assert done.stderr == ""
    return etree.fromstring(done.stdout.encode())


def only(drawing: etree._Element, names: list[str], images: bool) -> etree._Element:
    """A copy that shows nothing but the images, or nothing but the new layers of these names."""
    drawing = copy.deepcopy(drawing)
    for element in list(drawing.iterfind(".//svg:image", NS)) if not images else []:
        if not any(ancestor.tag.endswith("mask") for ancestor in element.iterancestors()):
            element.getparent().remove(element)
    gone = [layer(drawing, name) for name in names] if images else []
    for element in [*gone, *drawing.iterfind(".//svg:rect[@id='box']", NS)]:
        element.getparent().remove(element)
    return drawing


def assert_alike(inkscape: Inkscape, result: etree._Element, names: list[str], base: Path, most: float = 12.0) -> None:
    """The new layers look like the pictures: place, size, turn, clips and masks."""
    shown, drawn = (
        inkscape.colors(only(result, names, images), WIDTH_PX, base).astype(float) for images in (True, False)
    )
    where = (shown < 250).any(2) | (drawn < 250).any(2)
    assert where.mean() > 0.01
    assert np.abs(shown - drawn)[where].mean() < most
    # What lies a few pixels off or turned differs far more.
    assert np.abs(shown - np.roll(drawn, 8, (0, 1)))[where].mean() > 1.5 * np.abs(shown - drawn)[where].mean()


def one_flag(folder: Path, *around: object) -> Path:
    """`drawings.one_picture` with a picture of flat colours: a red bar, a blue disc and a black corner on yellow."""
    y, x = np.mgrid[0:90, 0:120] + 0.5
    flag = np.full((90, 120, 3), [240, 210, 80], np.uint8)
    flag[(y > 60) & (x > 12)] = [200, 30, 40]
    flag[np.hypot(x - 80, y - 35) < 22] = [40, 70, 180]
    flag[x + y < 40] = [20, 20, 20]
    document = drawings.one_picture(folder, *around)  # type: ignore[arg-type]
    picture = drawings.data_uri(Image.fromarray(flag))
    document.write_text(re.sub('data:[^"]*', picture, document.read_text(), count=1))
    return document


def test_paths_lie_over_both_pictures(inkscape: Inkscape, tmp_path: Path) -> None:
    """In Inkscape itself: pictures of a turned group, one with a round clip, each get a layer that looks like them."""
    document = drawings.two_pictures(tmp_path)

    result = inkscape.run("vectorize", document, "turned", **FAST)

    names = ["Vectorized: embedded", f"Vectorized: {drawings.LINKED}"]
    assert [name for name in layers(result) if not name[0].isdigit()] == ["Photos", *names, "Above"]
    for name in names:
        levels = [g.get(LABEL) for g in layer(result, name).iterfind(".//svg:g[@inkscape:groupmode='layer']", NS)]
        assert [label[:2] for label in levels] == ["1 ", "2 ", "3 ", "4 ", "5 "]
        assert levels[0] == "1 backdrop"
        assert len(layer(result, name).findall(".//svg:path", NS)) <= FAST["paths"]
    assert_alike(inkscape, result, names, tmp_path)


def test_what_the_layer_says(inkscape: Inkscape, tmp_path: Path) -> None:
    """Labels on all paths, the run in the metadata, a description for people."""
    result = vectorized(inkscape, one_flag(tmp_path), seed=7, levels=3)

    found = layer(result, "Vectorized: photo")
    paths = found.findall(".//svg:path", NS)
    labels = [path.get(LABEL) for path in paths]
    assert len(set(labels)) == len(labels) > 0
    assert all(re.match(r"backdrop$|[a-z ]+, [a-z]+", label) for label in labels)
    run = json.loads(found.findtext("svg:metadata/run:run", namespaces=NS))
    assert (run["job"], run["engine"], run["seed"], run["parameters"]["levels"]) == ("vectorize", "fast", 7, 3)
    assert found.findtext("svg:desc", namespaces=NS).startswith(f"{len(paths)} paths by Tessera: engine fast, seed 7")


def test_the_rest_of_the_document_is_untouched(inkscape: Inkscape, tmp_path: Path) -> None:
    """Nothing changes but that layers come, and gradients and clips among the definitions."""
    document = drawings.two_pictures(tmp_path)
    before = {element.get("id") for element in etree.parse(document).iter()}

    result = vectorized(inkscape, document, "turned", **ROUGH)

    for name in ("Vectorized: embedded", f"Vectorized: {drawings.LINKED}"):
        added = layer(result, name)
        added.getparent().remove(added)
    defs = result.find("svg:defs", NS)
    for element in list(defs):
        if element.get("id") not in before:
            defs.remove(element)
    assert etree.tostring(result, method="c14n") == etree.tostring(etree.parse(document), method="c14n")


def test_ids_stay_unique(inkscape: Inkscape, tmp_path: Path) -> None:
    """Two pictures, twice: all ids differ, and all references lead to one."""
    document = drawings.two_pictures(tmp_path)
    again = tmp_path / "again.svg"
    again.write_bytes(etree.tostring(vectorized(inkscape, document, "turned", **ROUGH)))

    result = vectorized(inkscape, again, "linked", "embedded", **ROUGH)

    assert len(result.findall(f".//svg:g[@{LABEL}='Vectorized: embedded']".replace(LABEL, "inkscape:label"), NS)) == 2
    ids = [element.get("id") for element in result.iter() if element.get("id")]
    assert len(set(ids)) == len(ids)
    used = [
        name
        for element in result.iter()
        for value in element.attrib.values()
        for name in re.findall(r"url\(#(.+?)\)", value)
    ]
    assert set(used) <= set(ids)
    gradients = [name for name in used if name.startswith("fill-")]
    # Each has its own, no path borrows another drawing's.
    assert len(set(gradients)) == len(gradients) > 0


@pytest.mark.parametrize(
    ("attributes", "defs"),
    [
        (
            'mask="url(#m)"',
            '<mask id="m" maskUnits="userSpaceOnUse"><circle cx="30" cy="35" r="13" fill="#fff"/></mask>',
        ),
        ('clip-path="url(#c)"', '<clipPath id="c"><path d="M12 22h30l-15 25z"/></clipPath>'),
        ('transform="skewX(20)"', ""),
    ],
    ids=["mask", "clip", "skew"],
)
def test_what_hides_the_picture_hides_the_paths(inkscape: Inkscape, tmp_path: Path, attributes: str, defs: str) -> None:
    """Clips, masks and skews, in a turned group."""
    turned = ('<g transform="translate(30 5) rotate(25)">', "</g>")
    document = one_flag(tmp_path, attributes, defs, turned)

    result = vectorized(inkscape, document, "photo")

    assert_alike(inkscape, result, ["Vectorized: photo"], tmp_path)


def test_a_picture_that_fills_more_than_its_frame(inkscape: Inkscape, tmp_path: Path) -> None:
    """Sliced pictures are cut off at their frame, and so are the paths."""
    document = one_flag(tmp_path)
    text = document.read_text().replace('preserveAspectRatio="none"', 'preserveAspectRatio="xMidYMin slice"')
    document.write_text(text.replace('height="30"', 'height="12"'))

    assert_alike(inkscape, vectorized(inkscape, document, "photo"), ["Vectorized: photo"], tmp_path)


@pytest.mark.parametrize(
    ("selected", "params", "expected"),
    [
        (["box"], {}, "Layered vectorization works on pictures, but only a rectangle is selected."),
        ([], {}, "Select the ones to vectorize, then run Layered vectorization again."),
        (["linked"], {"simplify": "sds"}, "The diffusion model's folder or hub id is missing"),
    ],
)
def test_messages(
    inkscape: Inkscape, tmp_path: Path, selected: list[str], params: dict[str, object], expected: str
) -> None:
    """One sentence for the artist, the document unchanged."""
    done = inkscape.script(drawings.two_pictures(tmp_path), *selected, effect="vectorize", **params)

    assert (done.returncode != 0, done.stdout) == (True, "")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("environment", [{}, {"TESSERA_NO_WINDOW": ""}], ids=["alone", "in a window"])
def test_cancel_leaves_the_document_alone(
    inkscape: Inkscape, backend: BackendProcess, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Once a preview of the drawing came, the job is cancelled: nothing is said, nothing is changed."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (256, 256, 3), np.uint8))
    document = drawings.one_picture(tmp_path)
    document.write_text(re.sub('data:[^"]*', drawings.data_uri(noise), document.read_text()))
    options = {"paths": 1000, "smallest": 1}
    with inkscape.started(document, "photo", effect="vectorize", environment=environment, **options) as process:
        pictures = _previews(backend)
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert pictures[0].dtype == "uint8"
    assert pictures[0].shape[2] == 3
    assert max(pictures[0].shape) <= 720


KEEPS = """
import sys
import tessera_vectorize
from tessera_inkscape import effect, window

class Content(window.Window):
    def show(self, preview):
        self.keep()

tessera_vectorize.open_window = lambda title: Content()
effect.main(tessera_vectorize.Vectorize)
"""


def test_keep_places_what_there_is(inkscape: Inkscape, tmp_path: Path) -> None:
    """A drawing that is kept at its first preview becomes a layer like any other."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8))
    document = drawings.one_picture(tmp_path)
    document.write_text(re.sub('data:[^"]*', drawings.data_uri(noise), document.read_text()))
    script = inkscape.extension / "tessera_keeps.py"
    script.write_text(KEEPS)
    try:
        params = {"engine": "best", "paths": 500, "smallest": 1}
        done = inkscape.script(document, "photo", effect="keeps", **params)
    finally:
        script.unlink()

    assert (done.returncode, done.stderr) == (0, "")
    placed = layer(etree.fromstring(done.stdout.encode()), "Vectorized: photo")
    assert 1 <= len(placed.findall(".//svg:path", NS)) <= 500


def _previews(backend: BackendProcess) -> list:
    """The pictures of the running job's first preview."""
    with backend.client() as client:
        running = until(lambda: [j["job_id"] for j in client.jobs() if j["state"] == "running"])
        client.attach(running[0])  # type: ignore[index]
        return until(  # type: ignore[return-value]
            lambda: [
                event.buffers["picture"]
                for event in client.poll(0.1)
                if isinstance(event, Progress) and "picture" in event.buffers
            ]
        )
