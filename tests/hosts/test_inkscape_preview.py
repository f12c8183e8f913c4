"""Previews of running jobs: the picture that is made of dots, and how it gets from a real backend into a window."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from array import array
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import BackendProcess

EXTENSION = Path(__file__).parents[2] / "inkscape_extension"
sys.path.insert(0, str(EXTENSION))

from tessera_inkscape.follow import Request, follow  # noqa: E402
from tessera_inkscape.preview import DotsPreview, Preview, Sheet, Snapshot  # noqa: E402
from tessera_inkscape.window import Window  # noqa: E402
from tessera_protocol.errors import Cancelled  # noqa: E402
from tessera_protocol.jobs import StippleParams  # noqa: E402
from tessera_protocol.messages import Buffer  # noqa: E402

from . import drawings  # noqa: E402
from .inkscape import WIDGETS  # noqa: E402

SHEET = Sheet(200.0, 100.0, (16, 32, 48))
WHITE = (255, 255, 255)


def buffers(*dots: tuple[float, float], **more: Buffer) -> dict[str, Buffer]:
    flat = array("f", [value for dot in dots for value in dot])
    return {"positions": Buffer.array(memoryview(flat.tobytes()), "float32", (len(dots), 2)), **more}


def picture(preview: Preview | None, longest: int = 100) -> np.ndarray:
    assert preview is not None
    rgb, width, height = preview.rgb(longest)
    return np.frombuffer(rgb, np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("count", [1, 2, 10, 300, 1000, 3000, 6000])
def test_dots_lie_where_they_are(count: int) -> None:
    """Shares of the sheet, y down; discs of the sheet's ink on white."""
    places = [((0.5 + i % 20) / 20, (0.5 + i // 20) / 300) for i in range(count)]
    drawn = picture(DotsPreview.of(SHEET, buffers(*places)))

    height, width, _ = drawn.shape
    assert 50 <= width <= 100
    assert height == round(width / 2)
    inked = (drawn == (16, 32, 48)).all(-1)
    assert (inked | (drawn == WHITE).all(-1)).all()
    assert all(inked[int(y * height), int(x * width)] for x, y in places)


def test_a_dot_is_a_disc_around_its_place() -> None:
    """Half a pixel off at most."""
    inked = (picture(DotsPreview.of(Sheet(10, 10, (0, 0, 0)), buffers((0.4, 0.55))))[..., 0] == 0).nonzero()
    y, x = (np.mean(index) + 0.5 for index in inked)
    assert (x, y) == (pytest.approx(40, abs=1), pytest.approx(55, abs=1))


def test_dots_cover_a_third() -> None:
    """Dots that lie evenly cover as much as those of a middling picture, few or many."""
    for side in (5, 8, 13, 20, 40):
        places = [((0.5 + i) / side, (0.5 + j) / side) for i in range(side) for j in range(side)]
        drawn = picture(DotsPreview.of(Sheet(10, 10, (0, 0, 0)), buffers(*places)), 100)
        assert (drawn[..., 0] == 0).mean() == pytest.approx(0.35, abs=0.03)


@pytest.mark.parametrize("place", [(-0.1, 0.5), (0.5, 1.0), (1e30, 0.5), (math.nan, 0.5), (0.5, math.inf)])
def test_what_is_off_the_sheet_is_left_out(place: tuple[float, float]) -> None:
    """Whatever numbers a backend may send, the window goes on."""
    assert (picture(DotsPreview.of(SHEET, buffers(place))) == 255).all()


@pytest.mark.parametrize("corner", [(0.0, 0.0), (0.9999, 0.0), (0.0, 0.9999), (0.9999, 0.9999)])
def test_dots_at_the_edges_do_not_come_back_on_the_other_side(corner: tuple[float, float]) -> None:
    """A quarter of a disc in its corner, and nothing in the other three."""
    inked = (picture(DotsPreview.of(SHEET, buffers(corner))) < 255).any(-1)
    right, below = corner[0] > 0.5, corner[1] > 0.5
    assert inked[-1 if below else 0, -1 if right else 0]
    assert not inked[0 if below else -1, :].any()
    assert not inked[:, 0 if right else -1].any()


@pytest.mark.parametrize(
    ("params", "dark"),
    [
        ({"color": "#ffffff", "invert": True}, True),
        ({"color": "#102030", "invert": True}, False),
        ({"plates": "cmyk", "color": "#ffffff"}, False),
        ({"plates": "palette", "invert": True}, True),
    ],
)
def test_paper_that_shows_the_dots(params: dict[str, Any], dark: bool) -> None:
    """One white ink lies on dark paper, as do inverted dots of several inks."""
    sheet = Sheet.of(10, 10, StippleParams(**params))
    drawn = picture(DotsPreview.of(sheet, buffers((0.5, 0.5))))
    assert (drawn[0, 0] < 60).all() == dark
    assert tuple(drawn[len(drawn) // 2, len(drawn) // 2]) == sheet.ink


def test_plates_bring_their_inks() -> None:
    """Each dot has the colour of its plate; one without a colour has the sheet's."""
    plates = Buffer.array(bytes([0, 1, 2]), "uint8", (3,))
    inks = Buffer.array(bytes([0, 174, 239, 236, 0, 140]), "uint8", (2, 3))
    found = buffers((0.2, 0.5), (0.5, 0.5), (0.8, 0.5), plates=plates, inks=inks)
    drawn = picture(DotsPreview.of(SHEET, found))
    height, width, _ = drawn.shape
    assert [tuple(drawn[height // 2, width * x // 10]) for x in (2, 5, 8)] == [
        (0, 174, 239),
        (236, 0, 140),
        (16, 32, 48),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"image": Buffer.file(b"", "image/png")},
        {"positions": Buffer.file(b"", "image/png")},
        {"positions": Buffer.array(bytes(24), "float64", (3,))},
        {"positions": Buffer.array(bytes(12), "float32", (1, 3))},
    ],
    ids=["none", "another", "file", "type", "shape"],
)
def test_other_buffers_are_no_preview(other: dict[str, Buffer]) -> None:
    """What later versions may send is passed over."""
    assert DotsPreview.of(SHEET, other) is None


def test_pictures_are_shown_as_they_come() -> None:
    """Rows of 3 bytes, shown as large as the window wants; what is no such picture is passed over."""
    data = bytes(range(24))
    shown = Snapshot.of({"picture": Buffer.array(data, "uint8", (2, 4, 3))})
    assert shown is not None
    assert shown.rgb(720) == (data, 4, 2)
    assert shown.pixels(360) == (360, 180)
    for other in (
        {},
        {"positions": Buffer.array(data, "uint8", (2, 4, 3))},
        {"picture": Buffer.file(data, "image/png")},
        {"picture": Buffer.array(data, "uint8", (2, 3, 4))},
        {"picture": Buffer.array(b"", "uint8", (0, 4, 3))},
    ):
        assert Snapshot.of(other) is None


class Watcher(Window):
    """Keeps what it is shown, and may press Cancel at the first preview."""

    def __init__(self, cancels: bool = False) -> None:
        super().__init__()
        self.shown: list[Preview | None] = []
        self._cancels = cancels

    def begin(self, stoppable: bool) -> None:
        super().begin(stoppable)
        self.shown.append(None)

    def show(self, preview: Preview) -> None:
        self.shown.append(preview)

    def cancelled(self) -> bool:
        return self._cancels and any(self.shown)


def request(**params: object) -> Request:
    data = drawings.png(drawings.picture(64, 48))
    image = Buffer.file(data, "image/png")
    return Request("photo", "stipple", params, {"image": image}, partial(DotsPreview.of, SHEET))


@pytest.mark.parametrize("engine", ["tone", "gbn"])
def test_a_running_job_shows_its_dots(backend: BackendProcess, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """The first preview has all dots, most of them in the darks; each picture starts with none."""
    monkeypatch.setenv("TESSERA_HOME", str(backend.home))
    window = Watcher()

    follow([request(dots=400, engine=engine), request(dots=300, engine=engine)], None, window)

    counts = [len(preview.positions) // 2 if preview else None for preview in window.shown]
    assert [count for i, count in enumerate(counts) if i == 0 or count != counts[i - 1]] == [None, 400, None, 300]
    x, y = np.array(window.shown[1].positions).reshape(-1, 2).T  # type: ignore[union-attr]
    assert ((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)).all()
    dark = np.asarray(drawings.picture(64, 48), float)[
        (y * 48).astype(int).clip(0, 47), (x * 64).astype(int).clip(0, 63)
    ]
    assert dark.mean() < np.asarray(drawings.picture(64, 48), float).mean() - 10


def test_cancel_in_the_middle_of_previews(backend: BackendProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed while previews of 100,000 dots come in, Cancel ends the job all the same."""
    monkeypatch.setenv("TESSERA_HOME", str(backend.home))
    window = Watcher(cancels=True)

    with pytest.raises(Cancelled):
        follow([request(dots=100_000, iterations=1000)], None, window)

    with backend.client() as client:
        assert client.jobs()[0]["state"] == "cancelled"


IN_A_WINDOW = (
    WIDGETS
    + """
import sys, time
sys.path.insert(0, sys.argv[1])
from tessera_inkscape import window
window.SHOW_AFTER = 0.0
from tessera_inkscape.preview import DotsPreview, Sheet
from array import array
from tessera_protocol.messages import Buffer

def find(kind):
    (top,) = [w for w in Gtk.Window.list_toplevels() if w.get_title() == "Tessera"]
    return [w for w in children(top) if isinstance(w, kind) and w.is_visible()]

def preview(x):
    data = Buffer.array(array("f", [x, 0.5]).tobytes(), "float32", (1, 2))
    return DotsPreview.of(Sheet(2, 1, (255, 0, 0)), {"positions": data})

with window.open_window("Tessera") as shown:
    shown.tell("photo", 0.25)
    print(len(find(Gtk.Image)))
    shown.show(preview(0.25))
    shown.show(preview(0.75))
    assert not shown.cancelled()
    (image,) = find(Gtk.Image)
    picture = image.get_pixbuf()
    width, height, stride = picture.get_width(), picture.get_height(), picture.get_rowstride()
    middle = picture.get_pixels()[90 * stride:]
    print(width, height, *(tuple(middle[3 * x : 3 * x + 3]) for x in (90, 270)))
    shown.begin(False)
    assert not shown.cancelled()
    print(len(find(Gtk.Image)))
    shown.show(preview(0.5))
    (button,) = find(Gtk.Button)
    button.clicked()
    assert shown.cancelled()
"""
)


@pytest.mark.host("inkscape")
def test_the_window_shows_the_latest_preview(display: str) -> None:
    """Gtk gets a picture of the sheet's shape with the last preview's dots, and takes it away again; Cancel works."""
    command = ["/usr/bin/python3", "-c", IN_A_WINDOW, str(EXTENSION)]
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(EXTENSION.parent / "protocol")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.splitlines() == ["0", "360 180 (255, 255, 255) (255, 0, 0)", "0"], done.stderr
    assert done.stderr == ""
