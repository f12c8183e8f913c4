"""Waiting for jobs: the progress window on a real display, and what Cancel does."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import BackendProcess, until

EXTENSION = Path(__file__).parents[2] / "inkscape_extension"
sys.path.insert(0, str(EXTENSION))

from tessera_inkscape.follow import Request, follow  # noqa: E402
from tessera_inkscape.preview import DotsPreview, Preview, Sheet, Snapshot  # noqa: E402
from tessera_inkscape.window import Window, open_window  # noqa: E402
from tessera_protocol.errors import Cancelled, InvalidInput, Unreachable  # noqa: E402
from tessera_protocol.messages import Buffer  # noqa: E402

from . import drawings  # noqa: E402
from .inkscape import WIDGETS  # noqa: E402

PRESS_CANCEL = (
    WIDGETS
    + """
import sys, time
sys.path.insert(0, sys.argv[1])
from tessera_inkscape import window
window.SHOW_AFTER = 0.0

def ours():
    return [w for w in Gtk.Window.list_toplevels() if w.get_title() == "Tessera: Stipple"]

with window.open_window("Tessera: Stipple") as shown:
    shown.tell("photo.jpg\\nRelaxing", 0.25)
    assert not shown.cancelled()
    (top,) = ours()
    found = list(children(top))
    (bar,) = [w for w in found if isinstance(w, Gtk.ProgressBar)]
    (button,) = [w for w in found if isinstance(w, Gtk.Button) and w.is_visible()]
    print(top.get_visible(), bar.get_fraction(), button.get_label())
    button.clicked()
    assert shown.cancelled()
print("left", len(ours()))
"""
)

PRESS_KEEP = (
    WIDGETS
    + """
import sys
sys.path.insert(0, sys.argv[1])
from tessera_inkscape import window
window.SHOW_AFTER = 0.0
from tessera_inkscape.preview import Snapshot

def now():
    shown.cancelled()
    (top,) = [w for w in Gtk.Window.list_toplevels() if w.get_title() == "Tessera"]
    found = [w for w in children(top) if w.is_visible()]
    (label,) = [w for w in found if isinstance(w, Gtk.Label) and w.get_text().startswith("photo")]
    buttons = [w for w in found if isinstance(w, Gtk.Button)]
    print(label.get_text().partition("\\n")[2], [(b.get_label(), b.get_sensitive()) for b in buttons])
    return buttons[0]

with window.open_window("Tessera") as shown:
    shown.begin(True)
    shown.tell("photo (1 of 2)\\nWaiting", 0.0)
    now()
    shown.show(Snapshot(bytes(12), 2, 2))
    now().clicked()
    shown.tell("photo (1 of 2)\\nStep 10 of 150", 0.1)
    now()
    print(shown.kept(), shown.cancelled())
    shown.begin(False)
    shown.tell("photo (2 of 2)\\nRelaxing", 0.5)
    now()
    print(shown.kept(), shown.cancelled())
"""
)


class Impatient(Window):
    """Presses Cancel as soon as a job reports progress."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, text: str, fraction: float | None) -> None:
        self.told.append(text)

    def cancelled(self) -> bool:
        return any("Waiting" in text for text in self.told)


class Content(Window):
    """Presses Keep at the first preview of the first job."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[bool] = []

    def begin(self, stoppable: bool) -> None:
        super().begin(stoppable)
        self.begun.append(stoppable)

    def show(self, preview: Preview) -> None:
        if len(self.begun) == 1:
            self.keep()


def request(name: str = "photo", data: bytes = drawings.png(drawings.picture(64, 48)), **params: object) -> Request:
    preview = partial(DotsPreview.of, Sheet(64, 48, (0, 0, 0)))
    return Request(name, "stipple", params, {"image": Buffer.file(data, "image/png")}, preview)


@pytest.fixture
def here(backend: BackendProcess, monkeypatch: pytest.MonkeyPatch) -> BackendProcess:
    """The shared backend, as the one that this process finds."""
    monkeypatch.setenv("TESSERA_HOME", str(backend.home))
    return backend


@pytest.mark.host("inkscape")
def test_the_window_on_a_real_display(display: str) -> None:
    """Gtk shows title, bar and Cancel; pressing it is noticed; closing leaves no window; stderr stays empty."""
    command = ["/usr/bin/python3", "-c", PRESS_CANCEL, str(EXTENSION)]
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.splitlines() == ["True 0.25 Cancel", "left 0"], done.stderr
    assert done.stderr == ""


@pytest.mark.host("inkscape")
def test_keep_on_a_real_display(display: str) -> None:
    """A job that can end early has a second button, alive from its first preview until it is pressed."""
    command = ["/usr/bin/python3", "-c", PRESS_KEEP, str(EXTENSION)]
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(EXTENSION.parent / "protocol")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.splitlines() == [
        "Waiting [('Keep this', False), ('Cancel', True)]",
        "Waiting [('Keep this', True), ('Cancel', True)]",
        "Finishing with what there is [('Keep this', False), ('Cancel', True)]",
        "True False",
        "Relaxing [('Cancel', True)]",
        "False False",
    ], done.stderr
    assert done.stderr == ""


def test_no_window_when_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """TESSERA_NO_WINDOW gives one that shows nothing and is never cancelled."""
    monkeypatch.setenv("TESSERA_NO_WINDOW", "1")
    window = open_window("Tessera")
    window.tell("Working", 0.5)
    assert type(window) is Window
    assert not window.cancelled()


def test_results_come_in_the_order_of_the_requests(here: BackendProcess) -> None:
    """Several pictures are followed one after another, and the backend keeps no copies."""
    results = follow([request(dots=20), request(dots=30)], None, Window())

    assert [result.buffers["radii"].shape for result in results] == [(20,), (30,)]
    with here.client() as client:
        kept = {job["job_id"] for job in client.jobs() if job["state"] == "done"}
    assert not kept & {result.job_id for result in results}


def test_cancel_reaches_the_backend(here: BackendProcess) -> None:
    """Cancel ends the running job, and its worker is free for others."""
    # A few million pixels, a thousand steps: minutes of work, if nothing stopped it.
    slow = request(dots=100_000, iterations=1000, pixels_per_dot=100)

    with pytest.raises(Cancelled):
        follow([slow, request()], None, Impatient())

    with here.client() as client:
        assert until(lambda: client.jobs()[0]["state"] == "cancelled", 10)


def test_keep_ends_the_job_that_runs(here: BackendProcess) -> None:
    """Of two pictures the first is kept as it is, the second is done in full; then a stippling, which can't stop."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8))
    params = {"engine": "best", "paths": 1000, "smallest": 1}
    slow = Request("noise", "vectorize", params, {"image": Buffer.file(drawings.png(noise), "image/png")}, Snapshot.of)
    window = Content()

    kept, full, _ = follow([slow, slow, request(dots=20)], None, window)

    assert window.begun == [True, True, False]
    assert 1 <= kept.meta["paths"] <= 1000
    assert kept.meta["psnr"] < full.meta["psnr"]


def test_a_failure_among_several_names_its_picture(here: BackendProcess) -> None:
    """With more than one picture, the message says which one it is about."""
    with pytest.raises(InvalidInput, match="^broken.png: "):
        follow([request(), request("broken.png", b"no picture")], None, Window())


def test_no_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a backend, and with a command that ends at once, its last words are told."""
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path))
    command = [sys.executable, "-c", "import sys; sys.exit('no licence to stipple')"]

    with pytest.raises(Unreachable, match="no licence to stipple"):
        follow([request()], command, Window())
