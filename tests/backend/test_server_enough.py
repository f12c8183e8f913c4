"""The message `enough`: a job that can stop early gives what it has by then; others go on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tessera_backend import jobs
from tessera_backend.cli.bar import EarlyEnd, ProgressBar
from tessera_backend.images import encode_png
from tessera_protocol import messages
from tessera_protocol.client import Buffer, Client, new_job_id
from tessera_protocol.errors import Cancelled
from tests.conftest import BackendProcess, until

NOISE = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
# Ten times as long as it takes to its first preview.
LONG = {"engine": "best", "paths": 200, "smallest": 1}
SHORT = {"engine": "fast", "paths": 4, "resolution": 64}
SVG = "{http://www.w3.org/2000/svg}"


def noise() -> dict[str, Buffer]:
    return {"image": jobs.as_buffer(NOISE)}


def at_work(client: Client, job_id: str) -> None:
    """Wait until the job's previews come: it has something to give."""
    until(
        lambda: any(
            isinstance(event, messages.Progress) and event.job_id == job_id and event.buffers
            for event in client.poll(0.1)
        )
    )


def state(client: Client, job_id: str) -> str:
    return next(job["state"] for job in client.jobs() if job["job_id"] == job_id)


@pytest.fixture(scope="module")
def full(backend: BackendProcess) -> float:
    """PSNR of the long job when it is done in full, dB."""
    with backend.client() as client:
        psnr: float = client.follow(client.submit("vectorize", LONG, noise())).meta["psnr"]
    return psnr


def test_a_long_job_ends_with_what_it_has(client: Client, full: float) -> None:
    """A result that is not the last word, no more paths than allowed; and the worker takes the next job."""
    job_id = client.submit("vectorize", LONG, noise())
    at_work(client, job_id)
    client.enough(job_id)
    result = client.follow(job_id)
    root = ElementTree.fromstring(bytes(result.buffers["svg"].data))
    assert 1 <= len(root.findall(f".//{SVG}path")) <= result.meta["paths"] <= LONG["paths"]
    assert result.meta["psnr"] < full
    # The wish was for that job alone.
    again = client.follow(client.submit("vectorize", SHORT, noise()))
    np.testing.assert_array_equal(
        np.frombuffer(again.buffers["svg"].data, np.uint8),
        np.frombuffer(client.follow(client.submit("vectorize", SHORT, noise())).buffers["svg"].data, np.uint8),
    )


def test_follow_asks_for_it(client: Client, full: float) -> None:
    """`should_stop` of `follow` is all that a program needs, even if it says so while the job waits."""
    before = client.submit("stipple", {"dots": 20_000, "iterations": 100}, noise())
    result = client.follow(client.submit("vectorize", LONG, noise()), should_stop=lambda: True)
    assert result.meta["psnr"] < full
    client.finish_cancel(before)


def test_a_job_that_waits_goes_on_waiting(client: Client) -> None:
    """It is neither ended nor forgotten, and is done in full when its turn comes."""
    params = {**SHORT, "engine": "best", "paths": 12}
    alone = client.follow(client.submit("vectorize", params, noise()))
    long = client.submit("vectorize", LONG, noise())
    at_work(client, long)
    waiting = client.submit("vectorize", params, noise())
    client.enough(waiting)
    assert state(client, waiting) == "queued"
    assert state(client, long) == "running"
    client.finish_cancel(long)
    result = client.follow(waiting)
    assert bytes(result.buffers["svg"].data) == bytes(alone.buffers["svg"].data)


def test_a_job_that_cannot_stop_early_goes_on(client: Client) -> None:
    """A stippling is the same with and without."""
    params = {"dots": 3000, "iterations": 100}
    alone = client.follow(client.submit("stipple", params, noise()))
    job_id = client.submit("stipple", params, noise())
    at_work(client, job_id)
    client.enough(job_id)
    result = client.follow(job_id)
    assert bytes(result.buffers["positions"].data) == bytes(alone.buffers["positions"].data)


def test_a_job_that_is_not_there(client: Client) -> None:
    """Nothing happens, and the backend answers the next question."""
    client.enough(new_job_id())
    client.ping()


@pytest.mark.parametrize("through_backend", [False, True], ids=["here", "through the backend"])
def test_ctrl_c_keeps_the_drawing(
    own_backend: BackendProcess, full: float, tmp_path: Path, through_backend: bool
) -> None:
    """Once: exit code 0 and a drawing, as it is by then."""
    picture, target = tmp_path / "noise.png", tmp_path / "drawing.svg"
    picture.write_bytes(encode_png(NOISE))
    options = [f"--{name}={value}" for name, value in LONG.items()]
    command = [sys.executable, "-u", "-m", "tessera_backend", "vectorize", str(picture), "-o", str(target), *options]
    if through_backend:
        own_backend.start()
        command.append("--backend")
    with subprocess.Popen(
        command,
        env=own_backend.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        if through_backend:
            with own_backend.client() as client:
                running = until(lambda: [job["job_id"] for job in client.jobs() if job["state"] == "running"])
                client.attach(running[0])  # type: ignore[index]
                at_work(client, running[0])  # type: ignore[index]
        else:
            # Ctrl-C is ours from the first line of the command on; numba is mapped when the job begins.
            maps = Path(f"/proc/{process.pid}/maps")
            until(lambda: "llvmlite" in maps.read_text())
        os.kill(process.pid, signal.SIGINT)
        out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "Finishing with what there is; press Ctrl-C again to cancel." in said
    assert "Traceback" not in said
    paths = ElementTree.parse(target).findall(f".//{SVG}path")
    assert 1 <= len(paths) <= 1000
    assert out.startswith(f"{target}: ")
    found = re.search(r", ([\d.]+) dB, engine best, seed 0", out)
    assert found
    assert float(found[1]) < full - 0.05


def test_ctrl_c_twice_keeps_nothing() -> None:
    """The second one ends the command as Ctrl-C ends others, and after it Ctrl-C is what it was before."""
    before = signal.getsignal(signal.SIGINT)

    def press_twice() -> None:
        with ProgressBar(), EarlyEnd() as early:
            assert not early.asked()
            signal.raise_signal(signal.SIGINT)
            assert early.asked()
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Cancelled, match="nothing was written"):
        press_twice()
    assert signal.getsignal(signal.SIGINT) is before
