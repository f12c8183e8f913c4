"""The command line, as a user runs it: a real process, its files, its words, its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tessera_backend.cli.demo import STIPPLES, VECTORS, VOXELS
from tessera_backend.demo import STILL_LIFE
from tessera_backend.images import encode_png
from tests.conftest import BackendProcess, until

QUICK = ("--dots", "200", "--iterations", "5")


def tessera(
    *arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tessera_backend", *map(str, arguments)]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)


def circles(path: Path) -> list[dict[str, str]]:
    return [e.attrib for e in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}circle")]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "ramp.png"
    path.write_bytes(encode_png(np.tile(np.linspace(0, 255, 90).astype(np.uint8), (60, 1))))
    return path


def test_a_picture_becomes_a_drawing(picture: Path, tmp_path: Path) -> None:
    """Exit code 0, one line on stdout, an SVG in millimetres with as many circles as asked for."""
    target = tmp_path / "dots.svg"
    done = tessera("stipple", picture, "-o", target, *QUICK, "--page-width", "90", "--seed", "4")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{target}: 200 dots, engine tone, seed 4\n"
    root = ElementTree.parse(target).getroot()
    assert (root.get("width"), root.get("height")) == ("90mm", "60mm")
    assert len(circles(target)) == 200
    assert not list(tmp_path.glob("*.part"))


def test_here_and_through_the_backend_are_the_same(backend: BackendProcess, picture: Path, tmp_path: Path) -> None:
    """--backend gives the same dots, and leaves nothing behind in the backend."""
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    for target, more in ((here, []), (there, ["--backend"])):
        done = tessera("stipple", picture, "-o", target, *QUICK, *more, env=backend.environment)
        assert done.returncode == 0, done.stderr
    assert here.read_text() == there.read_text()
    assert here.read_text().startswith("x_mm,y_mm,radius_mm\n")
    with backend.client() as client:
        assert all(job["client"] != "cli" for job in client.jobs())


def test_inks_and_masks(backend: BackendProcess, picture: Path, tmp_path: Path) -> None:
    """Here and through the backend: dots of each ink, told in the line, the table and the layers; none off the mask."""
    mask = tmp_path / "mask.png"
    mask.write_bytes(encode_png(np.repeat(np.uint8([[0], [255]]), 90, axis=1)))
    here, there, drawing = tmp_path / "here.csv", tmp_path / "there.csv", tmp_path / "dots.svg"
    for target, more in ((here, []), (there, ["--backend"]), (drawing, [])):
        inks = ("--plates", "palette", "--palette", "#204080,#806040", "--mask", mask)
        done = tessera("stipple", picture, "-o", target, *QUICK, *inks, *more, env=backend.environment)
        assert done.returncode == 0, done.stderr
        assert re.search(r": 200 dots, Dark blue \d+, Brown \d+, engine tone", done.stdout)
    assert here.read_text() == there.read_text()
    head, *rows = here.read_text().splitlines()
    assert head == "x_mm,y_mm,radius_mm,ink"
    assert {row.split(",")[3] for row in rows} == {"Dark blue", "Brown"}
    assert min(float(row.split(",")[1]) for row in rows) > 66
    assert 'inkscape:label="Dark blue"' in drawing.read_text()
    assert len(circles(drawing)) == 200


def test_a_program_for_a_plotter(picture: Path, tmp_path: Path) -> None:
    """G-code touches every dot, on a short path without having to be asked."""
    target, table = tmp_path / "dots.gcode", tmp_path / "dots.csv"
    for output in (target, table):
        assert tessera("stipple", picture, "-o", output, *QUICK).returncode == 0
    program = re.findall(r"G0 X([\d.]+) Y([\d.]+)", target.read_text())
    assert program.pop() == ("0", "0")
    assert len(program) == 200
    points = np.loadtxt(table, delimiter=",", skiprows=1)[:, :2]
    travel, computed = (np.hypot(*np.diff(np.array(p, float), axis=0).T).sum() for p in (program, points))
    assert travel < 0.9 * computed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ramp.png", "--dots", "5"], "Dots is 5, but 10 to 100000 are possible"),
        (["ramp.png", "--radius-min", "2"], "over the radius"),
        (["ramp.png", "--plates", "palette", "--palette", "red"], "'red', which is not a colour"),
        (["ramp.png", "--plates", "cmyk", "--invert"], "on white paper only"),
        (["ramp.png", "--mask", "missing.png"], "missing.png"),
        (["ramp.png", "--mask", "words.png"], "words.png"),
        (["ramp.png", "-o", "dots.xyz"], ".svg, .csv and .gcode are possible"),
        (["ramp.png", "-o", "no/such/dots.svg"], "no folder"),
        (["missing.png"], "missing.png"),
        (["empty.png"], "empty.png"),
        (["words.png"], "words.png"),
        (["white.png"], "nowhere to put dots"),
    ],
)
def test_bad_input_is_exit_code_2_and_one_sentence(
    picture: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """What was wrong and what to do, no traceback, and no file."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "white.png").write_bytes(encode_png(np.full((9, 9), 255, np.uint8)))
    (tmp_path / "words.png").write_text("not a picture")
    before = sorted(tmp_path.iterdir())
    done = tessera("stipple", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_the_schema_is_in_the_help() -> None:
    """Each parameter is an option, with its range, unit and default."""
    from tessera_protocol import schema
    from tessera_protocol.jobs import StippleParams

    text = " ".join(tessera("stipple", "--help").stdout.split())
    for name, spec in schema.specs(StippleParams).items():
        assert "--" + name.replace("_", "-") in text
        if spec.kind in ("integer", "number"):
            assert f"[{spec.allowed}; default: {spec.default}" in text


@pytest.mark.parametrize("through_backend", [False, True])
def test_ctrl_c_cancels_cleanly(own_backend: BackendProcess, tmp_path: Path, through_backend: bool) -> None:
    """Exit code 130, a word, no file; the backend's job is cancelled, too."""
    target = tmp_path / "dots.svg"
    arguments = ["stipple", str(STILL_LIFE), "-o", str(target), "--dots", "100000", "--iterations", "1000"]
    if through_backend:
        own_backend.start()
        arguments.append("--backend")
    command = [sys.executable, "-u", "-m", "tessera_backend", *arguments]
    with subprocess.Popen(
        command, env=own_backend.environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        if through_backend:
            with own_backend.client() as client:
                until(lambda: [j for j in client.jobs() if j["state"] == "running"])
        else:
            # It says so before the long part when the kernels are cold, and is past the imports when it maps numba.
            maps = Path(f"/proc/{process.pid}/maps")
            until(lambda: "llvmlite" in maps.read_text())
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Cancelled; nothing was written." in said
    assert "Traceback" not in said
    assert not target.exists()
    if through_backend:
        with own_backend.client() as client:
            until(lambda: [job["state"] for job in client.jobs()] == ["cancelled"])


def test_without_a_backend_the_commands_say_so(tmp_path: Path) -> None:
    """status, jobs, stop: one sentence with the remedy, exit code 1."""
    for command in ("status", "jobs", "stop"):
        done = tessera(command, env={**os.environ, "TESSERA_HOME": str(tmp_path)})
        assert done.returncode == 1
        assert done.stderr == "Error: No Tessera backend is running. Start one: tessera serve.\n"


@pytest.mark.parametrize("blocked", ["state", "run"])
def test_a_backend_that_cannot_write_says_so(tmp_path: Path, blocked: str) -> None:
    """A file stands where its folder should be: one sentence with the remedy, exit code 1, no process left."""
    (tmp_path / blocked).write_text("in the way")
    done = tessera("serve", env={**os.environ, "TESSERA_HOME": str(tmp_path)})
    assert done.returncode == 1
    assert "Set TESSERA_HOME" in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def test_asking_a_backend(own_backend: BackendProcess, picture: Path, tmp_path: Path) -> None:
    """status and jobs in words and as JSON; fetch by id; a job that isn't there; stop."""
    from tessera_protocol.client import Buffer

    own_backend.start()
    env = own_backend.environment
    assert "Devices: cpu" in tessera("status", env=env).stdout
    status = json.loads(tessera("status", "--json", env=env).stdout)
    assert {"version", "endpoint", "devices", "workers", "queue"} <= set(status)
    assert {"pid", "state"} <= set(status["workers"][0])
    assert tessera("jobs", env=env).stdout == "No jobs.\n"
    with own_backend.client() as client:
        image = {"image": Buffer.file(picture.read_bytes())}
        job_id = client.submit("stipple", {"dots": 50, "color": "#ff0000"}, image)
        client.follow(job_id)
    assert job_id in tessera("jobs", env=env).stdout
    assert json.loads(tessera("jobs", "--json", env=env).stdout)[0]["state"] == "done"
    target = tmp_path / "fetched.svg"
    done = tessera("fetch", job_id, "-o", target, env=env)
    assert done.returncode == 0, done.stderr
    assert len(circles(target)) == 50
    assert "#ff0000" in target.read_text()
    again = tessera("fetch", job_id, "-o", target, env=env)
    assert again.returncode == 1
    assert "no job" in again.stderr
    assert tessera("cancel", "0" * 32, env=env).returncode == 1
    assert tessera("stop", env=env).returncode == 0
    assert own_backend.process is not None
    own_backend.process.wait(20)


def test_doctor_tells_what_to_do(tmp_path: Path) -> None:
    """Every finding has a subject, a verdict and words; what is not well has a remedy."""
    done = tessera("doctor", "--json", env={**os.environ, "TESSERA_HOME": str(tmp_path)})
    findings = json.loads(done.stdout)
    subjects = {finding["subject"] for finding in findings}
    assert {
        "Python",
        "Memory",
        "Devices",
        "Compiled kernels",
        "Inkscape",
        "Blender",
        "Krita",
        "Weights",
        "Backend",
    } <= subjects
    assert all(finding["what"] for finding in findings)
    assert all(finding["remedy"] for finding in findings if finding["ok"] is False)
    backend = next(finding for finding in findings if finding["subject"] == "Backend")
    assert backend["ok"] is None
    assert "tessera serve" in backend["remedy"]


@pytest.mark.timeout(480)  # It draws a dozen pictures: two minutes where the machine is busy.
def test_the_demo_ends_with_pictures(tmp_path: Path) -> None:
    """A page, and every picture that it names; no backend is left running."""
    done = tessera("demo", "-o", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    page = tmp_path / "demo" / "index.html"
    assert str(page) in done.stdout
    drawings = sorted((tmp_path / "demo").glob("*.svg"))
    assert [drawing.stem.partition("-")[2] for drawing in drawings] == [*sorted(STIPPLES), *sorted(VECTORS)]
    for drawing in drawings:
        assert drawing.name in page.read_text()
        kind, _, name = drawing.stem.partition("-")
        assert kind == "vectorize" or name == "line" or len(circles(drawing)) > 1000
    for name in VOXELS:
        for suffix in (".png", ".vox", ".glb"):
            assert f"voxelize-{name}{suffix}" in page.read_text()
            assert (page.parent / f"voxelize-{name}{suffix}").stat().st_size > 1000


def test_a_bug_is_a_sentence_and_a_log(tmp_path: Path) -> None:
    """Even our own mistakes don't throw a traceback at the user; it is in the log, for the report."""
    script = (
        "import sys, tessera_backend.cli.backend as backend; from tessera_backend.cli import main\n"
        "backend._ask = lambda question: 1 / 0\n"
        "main(['status'])"
    )
    env = {**os.environ, "TESSERA_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "this is a bug" in done.stderr
    assert "Traceback" not in done.stderr
    log = tmp_path / "state" / "log" / "cli.log"
    assert str(log) in done.stderr
    assert "ZeroDivisionError" in log.read_text()
