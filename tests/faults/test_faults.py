"""Faults, staged for real: killed workers, killed clients, killed backends, cancels, hostile peers."""

from __future__ import annotations

import dataclasses
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zmq

from tessera_backend import jobs
from tessera_protocol import codec, messages
from tessera_protocol.client import Buffer, Client
from tessera_protocol.connection import read
from tessera_protocol.errors import Cancelled, InternalFault, InvalidInput, Refused, TesseraError, Unreachable
from tessera_protocol.launch import connect_or_start
from tessera_protocol.link import ZmqLink
from tests.conftest import BackendProcess, until

NOISE = np.random.default_rng(0).integers(0, 255, (256, 256), dtype=np.uint8)
# Minutes of work, so that whatever happens to it happens in mid-job.
LONG = {"dots": 100_000, "iterations": 1000}
SHORT = {"dots": 50, "iterations": 3}


def image() -> dict[str, Buffer]:
    return {"image": jobs.as_buffer(NOISE)}


def submit_and_wait_until_it_runs(client: Client) -> str:
    job_id = client.submit("stipple", LONG, image())
    until(lambda: any(isinstance(e, messages.Progress) and e.stage != "compiling" for e in client.poll(0.1)))
    return job_id


def end_of(client: Client, job_id: str) -> TesseraError:
    with pytest.raises(TesseraError) as caught:
        client.follow(job_id)
    return caught.value


def test_a_killed_worker_takes_only_its_job(own_backend: BackendProcess) -> None:
    """The client hears of it soon (the bar is 2 s, measured in the benchmark), and the next job runs."""
    with own_backend.start().client() as client:
        job_id = submit_and_wait_until_it_runs(client)
        (worker,) = [w for w in client.status()["workers"] if w["job_id"] == job_id]
        os.kill(worker["pid"], signal.SIGKILL)
        failure = end_of(client, job_id)
        assert isinstance(failure, InternalFault)
        assert failure.failure.code == "worker-died"
        assert len(client.follow(client.submit("stipple", SHORT, image())).buffers["radii"].data) == 200


def test_cancel_ends_a_running_job_and_keeps_the_worker(own_backend: BackendProcess) -> None:
    """The job stops at its next step: the same warm process serves the next one."""
    with own_backend.start().client() as client:
        before = [w["pid"] for w in client.status()["workers"]]
        job_id = submit_and_wait_until_it_runs(client)
        client.cancel(job_id)
        assert isinstance(end_of(client, job_id), Cancelled)
        client.follow(client.submit("stipple", SHORT, image()))
        assert [w["pid"] for w in client.status()["workers"]] == before


def test_a_follower_that_stands_still_gets_no_pile_of_previews(own_backend: BackendProcess) -> None:
    """It follows and never reads: the other follower gets one preview after another, and Cancel works for both."""
    with own_backend.start().client() as client, own_backend.client() as still:
        job_id = submit_and_wait_until_it_runs(client)
        still.attach(job_id)
        dots = [until(lambda: _previews(client), 60) for _ in range(3)]
        assert all(preview.shape == (LONG["dots"], 2) for found in dots for preview in found)  # type: ignore[attr-defined]
        still.cancel(job_id)
        assert isinstance(end_of(client, job_id), Cancelled)
        assert isinstance(end_of(still, job_id), Cancelled)


def _previews(client: Client) -> list[Buffer]:
    progress = [event for event in client.poll(0.1) if isinstance(event, messages.Progress)]
    return [event.buffers["positions"] for event in progress if event.buffers]


def test_a_worker_that_does_not_hear_the_cancel_is_replaced(own_backend: BackendProcess) -> None:
    """Stopped in its tracks (SIGSTOP), it is killed; the job is cancelled all the same."""
    with own_backend.start().client() as client:
        job_id = submit_and_wait_until_it_runs(client)
        (worker,) = [w for w in client.status()["workers"] if w["job_id"] == job_id]
        os.kill(worker["pid"], signal.SIGSTOP)
        client.cancel(job_id)
        assert isinstance(end_of(client, job_id), Cancelled)
        client.follow(client.submit("stipple", SHORT, image()))


def test_cancel_while_waiting(own_backend: BackendProcess) -> None:
    """A queued job goes at once, the running one is untouched."""
    with own_backend.start().client() as client:
        running = submit_and_wait_until_it_runs(client)
        waiting = client.submit("stipple", SHORT, image())
        client.cancel(waiting)
        assert isinstance(end_of(client, waiting), Cancelled)
        states = {job["job_id"]: job["state"] for job in client.jobs()}
        assert states == {running: "running", waiting: "cancelled"}


def test_a_killed_clients_result_is_fetched_afterwards(own_backend: BackendProcess, tmp_path: Path) -> None:
    """The client dies with SIGKILL after `accepted`; `tessera fetch` writes what it would have got."""
    own_backend.start()
    script = (
        "import sys, numpy as np\n"
        "from tessera_backend import jobs\n"
        "from tessera_protocol.client import Client\n"
        "client = Client('doomed')\n"
        "image = {'image': jobs.as_buffer(np.zeros((64, 64), np.uint8))}\n"
        "print(client.submit('stipple', {'dots': 20000, 'iterations': 100}, image), flush=True)\n"
        "client.poll(60)\n"
        "print('accepted', flush=True)\n"
        "client.poll(60); client.poll(600)\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, env=own_backend.environment, stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None
        job_id = doomed.stdout.readline().strip()
        assert doomed.stdout.readline().strip() == "accepted"
        doomed.kill()
    target = tmp_path / "dots.svg"
    command = [sys.executable, "-m", "tessera_backend", "fetch", job_id, "-o", str(target)]
    done = subprocess.run(command, env=own_backend.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert target.read_text().count("<circle") == 20000
    with own_backend.client() as client:
        assert client.jobs() == []


def test_a_killed_backend_still_has_its_results(own_backend: BackendProcess) -> None:
    """kill -9, start again: done is done, running is reported as failed, the old connection file is replaced."""
    with own_backend.start().client() as client:
        done = client.submit("stipple", SHORT, image())
        dots = bytes(client.follow(done).buffers["positions"].data)
        lost = submit_and_wait_until_it_runs(client)
        own_backend.kill()
        with pytest.raises(Unreachable, match="ended"):
            client.poll(30)
    with pytest.raises(Unreachable, match="stale"):
        own_backend.client()
    with own_backend.start().client() as client:
        client.attach(done)
        assert bytes(client.follow(done).buffers["positions"].data) == dots
        client.attach(lost)
        failure = end_of(client, lost)
        assert failure.failure.code == "backend-restarted"


def test_a_host_that_never_waits_hears_of_a_dead_backend(own_backend: BackendProcess) -> None:
    """Its timer only ever polls for what is there; the process that it started itself is not waited for, either."""
    with own_backend.start().client() as client:
        submit_and_wait_until_it_runs(client)
        assert own_backend.process is not None
        own_backend.process.send_signal(signal.SIGKILL)
        with pytest.raises(Unreachable, match="has ended"):
            until(lambda: client.poll() is None, 10)
    own_backend.process.wait()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_workers_do_not_outlive_a_killed_backend(own_backend: BackendProcess, busy: bool) -> None:
    """No orphan keeps a core, or the memory of a graphics card."""
    with own_backend.start().client() as client:
        if busy:
            submit_and_wait_until_it_runs(client)
        workers = [w["pid"] for w in client.status()["workers"]]
    own_backend.kill()
    for pid in workers:
        until(lambda pid=pid: not _exists(pid), 20)


def _exists(pid: int) -> bool:
    try:
        # A zombie waiting for init to reap it has ended.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_second_backend_is_turned_away(own_backend: BackendProcess) -> None:
    """Two hosts start one at the same moment: one serves both."""
    own_backend.start(ready=False)
    command = [sys.executable, "-m", "tessera_backend", "serve"]
    second = subprocess.run(command, env=own_backend.environment, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "running already" in second.stderr
    assert "Traceback" not in second.stderr
    own_backend.client().close()


def test_stop_leaves_nothing_behind(own_backend: BackendProcess) -> None:
    """No process, no connection file; the job that ran is reported."""
    with own_backend.start().client() as client:
        job_id = submit_and_wait_until_it_runs(client)
        client.stop()
        assert end_of(client, job_id).failure.code in ("stopping", "backend-silent")
    assert own_backend.process is not None
    assert own_backend.process.wait(20) == 0
    assert not own_backend.connection_file.exists()


def test_a_full_disk_fails_the_job_and_nothing_else(own_backend: BackendProcess) -> None:
    """A file that may not grow stands for a disk that is full: the job fails with the reason, the next ones run."""
    own_backend.start()
    assert own_backend.process is not None
    large = {"image": Buffer.array(bytes(8 << 20), "uint8", (2048, 4096))}
    resource.prlimit(own_backend.process.pid, resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
    with own_backend.client() as client:
        assert end_of(client, client.submit("stipple", SHORT, large)).failure.code == "no-space"
        client.follow(client.submit("stipple", SHORT, image()))


# --- peers that mean harm, or are broken


def raw_socket(backend: BackendProcess, arm: Callable[[zmq.Socket[bytes]], None]) -> zmq.Socket[bytes]:
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    arm(socket)
    socket.connect(read(backend.connection_file).endpoint)
    return socket


def with_wrong_key(socket: zmq.Socket[bytes], server_key: str) -> None:
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.curve_serverkey = server_key.encode()


@pytest.mark.parametrize("wrong", ["none", "client key", "server key"])
def test_without_the_key_nobody_gets_in(backend: BackendProcess, wrong: str) -> None:
    """No CURVE, another client key, another server key: not one byte comes back, and the backend serves on."""
    good = read(backend.connection_file)

    def arm(socket: zmq.Socket[bytes]) -> None:
        if wrong == "client key":
            with_wrong_key(socket, good.server_key)
        elif wrong == "server key":
            socket.curve_publickey = good.client_public.encode()
            socket.curve_secretkey = good.client_secret.encode()
            socket.curve_serverkey = zmq.curve_keypair()[0]

    socket = raw_socket(backend, arm)
    try:
        socket.send_multipart(codec.encode(messages.Hello([1], "x", "y"), 1))
        with backend.client() as client:
            client.ping()
        assert socket.poll(700) == 0
    finally:
        socket.close()


@pytest.fixture
def link(backend: BackendProcess) -> ZmqLink:
    return ZmqLink(read(backend.connection_file), codec.FRAME_BYTES)


def refusal(link: ZmqLink, frames: list[bytes]) -> str:
    link.send(frames)
    answer = link.receive(30)
    assert answer is not None
    message = codec.decode(answer).message
    assert isinstance(message, messages.Failed)
    return message.failure.code


@pytest.mark.parametrize(
    "frames",
    [[b"garbage"], [b""], [b"", b"", b""], [os.urandom(1000)] * 30, [b"\x91" * 100_000], [bytes((1 << 20) + 1)]],
    ids=["text", "empty", "empties", "random", "deep", "long header"],
)
def test_garbage_is_answered_and_survived(backend: BackendProcess, link: ZmqLink, frames: list[bytes]) -> None:
    """A peer with the key that speaks nonsense hears so; everybody else is served on."""
    try:
        assert refusal(link, frames) == "bad-message"
    finally:
        link.close()
    with backend.client() as client:
        client.ping()


def test_a_huge_header_drops_the_connection(own_backend: BackendProcess) -> None:
    """A frame of 1 GB is cut off while it arrives: the backend does not grow by it."""
    own_backend.start(ready=False)
    assert own_backend.process is not None
    link = ZmqLink(read(own_backend.connection_file), codec.FRAME_BYTES)
    try:
        link.send([bytes(1 << 30)])
        with own_backend.client() as client:
            client.ping()
        assert link.receive(1.0) is None
    finally:
        link.close()
    with own_backend.client() as client:
        client.ping()
    status = Path(f"/proc/{own_backend.process.pid}/status").read_text()
    (peak,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    assert peak < 700_000  # kB; half a frame may be in flight, never the whole gigabyte.


def test_truncated_and_enormous_images_are_refused(client: Client) -> None:
    """An array that is too short, one of 60,000 x 60,000 pixels, and a PNG that claims as many."""
    short = {"name": "image", "dtype": "uint8", "shape": [100, 100]}
    body = {"job_id": "a" * 32, "job": "stipple", "params": {}}
    frames = [
        msgpack.packb({"v": 1, "type": "submit", "id": 1, "re": None, "body": body, "buffers": [short]}),
        bytes(99),
    ]
    client._link.send(frames)
    failed = until(lambda: [e for e in client.poll(0.1) if isinstance(e, messages.Failed)], 10)
    assert failed[0].failure.code == "bad-message"  # type: ignore[index]
    # 0 x N arrays have no bytes, whatever they claim: the cheapest way to a large claim is a file's header.
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    ihdr = (60_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(InvalidInput, match="60000|60,000") as caught:
        client.follow(client.submit("stipple", SHORT, {"image": Buffer.file(png, "image/png")}))
    assert caught.value.failure.code == "too-large"


def test_the_pixel_limit_holds_for_arrays(tmp_path: Path) -> None:
    """Set low, the limit refuses an array at the door."""
    backend = BackendProcess(tmp_path / "home", "--image-pixels", "1000").start(ready=False)
    try:
        with backend.client() as client, pytest.raises(InvalidInput) as caught:
            client.follow(client.submit("stipple", SHORT, image()))
        assert caught.value.failure.code == "too-large"
    finally:
        backend.stop()


# --- starting a backend from a host


def test_a_host_starts_a_backend_and_the_next_host_finds_it(
    own_backend: BackendProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """connect_or_start: the first starts it, the second does not."""
    monkeypatch.setenv("TESSERA_HOME", str(own_backend.home))
    command = [sys.executable, "-m", "tessera_backend", "serve", "--idle-exit", "5"]
    with connect_or_start(command, "host") as client:
        first = client.connection.pid
        with connect_or_start(["/no/such/program"], "host") as second:
            assert second.connection.pid == first
        client.stop()
    until(lambda: not _exists(first), 20)


def test_a_backend_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No such program, and one that ends with a message: both reach the artist as a sentence."""
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path))
    with pytest.raises(Unreachable, match="could not be started"):
        connect_or_start(["/no/such/program"], "host")
    command = [sys.executable, "-c", "import sys; sys.exit('the disk is full')"]
    with pytest.raises(Unreachable, match="the disk is full"):
        connect_or_start(command, "host")


def test_a_silent_endpoint_is_noticed(tmp_path: Path) -> None:
    """A connection file whose port nobody serves: no welcome, a clear message, no hanging."""
    from tessera_protocol import connection

    public, secret = (key.decode() for key in zmq.curve_keypair())
    path = tmp_path / "connection.json"
    silent = connection.Connection("tcp://127.0.0.1:9", public, public, secret, os.getpid(), "0")
    connection.write(path, silent)
    started = time.monotonic()
    with pytest.raises(Unreachable, match="did not answer"):
        Client("test", path, timeout=0.5)
    assert time.monotonic() - started < 10
    assert dataclasses.replace(silent) == connection.read(path)
    with pytest.raises((Refused, InvalidInput, Unreachable)):
        Client("test", tmp_path / "missing.json")
