"""What the artist reads when something is wrong: one message, the document unchanged, nothing else on stderr."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from tessera_protocol.messages import Progress
from tests.conftest import BackendProcess, until

from . import drawings
from .inkscape import Inkscape, circles, layer

pytestmark = pytest.mark.host("inkscape")


def message(done: subprocess.CompletedProcess[str]) -> str:
    """The one paragraph on stderr of a script that changed nothing."""
    assert done.returncode != 0
    assert done.stdout == "", "the document was changed"
    text = done.stderr.strip()
    assert text, "nothing was said"
    assert "Traceback" not in text
    assert "Warning" not in text
    assert "\n" not in text
    return text


@pytest.fixture
def altered(inkscape: Inkscape, tmp_path: Path) -> Inkscape:
    """An Inkscape whose extension is a copy, to be broken."""
    copy = tmp_path / "profile" / "extensions" / "tessera"
    shutil.copytree(inkscape.extension, copy)
    return dataclasses.replace(inkscape, extension=copy)


def test_no_backend_and_none_startable(altered: Inkscape, tmp_path: Path) -> None:
    """The artist reads which command failed, why, and what to do."""
    settings = {"backend_command": ["/nowhere/tessera", "serve"], "backend_python": "/nowhere/python"}
    (altered.extension / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    alone = dataclasses.replace(altered, home=tmp_path / "nobody")

    text = message(alone.script(drawings.one_picture(tmp_path), "photo"))

    assert "could not be started with `/nowhere/tessera serve`" in text
    assert "No such file" in text
    assert "tessera serve" in text


def test_a_backend_is_started_when_none_runs(lonely_inkscape: Inkscape, tmp_path: Path) -> None:
    """The command that the installer wrote starts one, and it outlives the effect."""
    backend = BackendProcess(lonely_inkscape.home)
    try:
        done = lonely_inkscape.script(drawings.one_picture(tmp_path), "photo", dots=30)

        assert done.stderr == ""
        assert len(circles(layer(etree.fromstring(done.stdout.encode()), "Stipple: photo"))) == 30
        assert json.loads(backend.connection_file.read_text())["pid"]
    finally:
        with backend.client() as client:
            client.stop()


def test_a_python_without_zeromq_goes_through_the_bridge(altered: Inkscape, tmp_path: Path) -> None:
    """Where pyzmq can't be loaded, as in Inkscape for Windows, the backend's Python holds the connection."""
    shutil.rmtree(altered.extension / "lib" / "zmq")
    (altered.extension / "lib" / "zmq.py").write_text("raise ImportError('not made for this Python')")

    done = altered.script(drawings.one_picture(tmp_path), "photo", dots=30)

    assert done.stderr == ""
    assert len(circles(layer(etree.fromstring(done.stdout.encode()), "Stipple: photo"))) == 30


def test_a_missing_linked_picture_is_named(inkscape: Inkscape, tmp_path: Path) -> None:
    """The message has the full path of the file."""
    document = drawings.two_pictures(tmp_path)
    (tmp_path / drawings.LINKED).unlink()

    text = message(inkscape.script(document, "turned"))

    assert str(tmp_path / drawings.LINKED) in text
    assert "Put it back" in text


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ([], "this document has 2 pictures. Select the ones to stipple"),
        (["box"], "only a rectangle is selected"),
        (["above"], "only a group without pictures is selected"),
        (["box", "above"], "only a group without pictures and a rectangle are selected"),
    ],
)
def test_what_to_select(inkscape: Inkscape, tmp_path: Path, selected: list[str], expected: str) -> None:
    """Without a picture in the selection the artist reads what is selected and what to do."""
    text = message(inkscape.script(drawings.two_pictures(tmp_path), *selected))

    assert expected in text
    assert not selected or "Edit > Make a Bitmap Copy" in text


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("", "links to no file"),
        ("https://example.org/photo.png", "lies on the web"),
        ("data:image/svg+xml,%3Csvg/%3E", "is a drawing (SVG)"),
        ("data:image/png;base64,", "is empty (0 bytes)"),
        ("data:image/png;base64,abc", "is damaged"),
        ("data:image/png;base64,bm8gcGljdHVyZQ==", "PNG, JPEG"),  # The backend's words.
    ],
)
def test_unusable_pictures(inkscape: Inkscape, tmp_path: Path, href: str, expected: str) -> None:
    """Whatever an image links to, the message says what is wrong with it."""
    document = drawings.one_picture(tmp_path)
    tree = etree.parse(document)
    tree.find(".//{*}image").set("{http://www.w3.org/1999/xlink}href", href)
    tree.write(document)

    assert expected in message(inkscape.script(document, "photo"))


def test_values_that_do_not_fit_together(inkscape: Inkscape, tmp_path: Path) -> None:
    """The schema's rules hold in Inkscape as they do everywhere, in the same words."""
    text = message(inkscape.script(drawings.one_picture(tmp_path), "photo", radius_min=2.0, radius_max=1.0))

    assert text.startswith("The smallest radius (2 mm) is over the radius (1 mm).")


def test_a_picture_that_is_clipped_away(inkscape: Inkscape, tmp_path: Path) -> None:
    """A clip beside the picture leaves nothing to stipple, and the message says so."""
    clip = '<clipPath id="c"><rect x="80" y="0" width="9" height="9"/></clipPath>'
    document = drawings.one_picture(tmp_path, 'clip-path="url(#c)"', clip)

    assert "clipped away altogether" in message(inkscape.script(document, "photo"))


def test_a_picture_larger_than_a_page_can_be(inkscape: Inkscape, tmp_path: Path) -> None:
    """The limit is told in the drawing's terms."""
    document = drawings.one_picture(tmp_path, 'transform="scale(1000)"')

    assert "up to 5000 mm are possible" in message(inkscape.script(document, "photo"))


@pytest.mark.parametrize("environment", [{}, {"TESSERA_NO_WINDOW": ""}], ids=["alone", "in a window"])
def test_inkscape_ending_the_effect_ends_the_job(
    inkscape: Inkscape, backend: BackendProcess, tmp_path: Path, environment: dict[str, str]
) -> None:
    """SIGTERM, as from Inkscape's own Cancel: the job is cancelled, nothing is said, the document is left alone.

    That holds while the window shows previews.
    """
    document = drawings.one_picture(tmp_path)
    script = inkscape.started(document, "photo", environment=environment, dots=100_000, iterations=1000)
    with script as process, backend.client() as client:
        running = until(lambda: [j["job_id"] for j in client.jobs() if j["state"] == "running"])
        client.attach(running[0])  # type: ignore[index]
        until(lambda: any(isinstance(event, Progress) and event.buffers for event in client.poll(0.1)))
        process.terminate()
        out, err = process.communicate(timeout=60)
        states = {job["job_id"]: job["state"] for job in client.jobs()}
    assert (process.returncode, out, err) == (0, "", "")
    assert [states[job_id] for job_id in running] == ["cancelled"]  # type: ignore[attr-defined]


def test_a_bug_of_ours_goes_to_the_log(altered: Inkscape, tmp_path: Path) -> None:
    """The artist reads that it is a bug and where the log is; the log has the traceback."""
    with (altered.extension / "tessera_inkscape" / "place.py").open("a", encoding="utf-8") as file:
        file.write("\ndef place(*_, **__):\n    raise KeyError('staged')\n")
    alone = dataclasses.replace(altered, home=tmp_path / "home")
    connected = {"TESSERA_CONNECTION_FILE": str(altered.home / "run" / "connection.json")}

    text = message(alone.script(drawings.one_picture(tmp_path), "photo", environment=connected, dots=30))

    log = tmp_path / "home" / "state" / "inkscape.log"
    assert "this is a bug" in text
    assert str(log) in text
    assert "KeyError: 'staged'" in log.read_text()
