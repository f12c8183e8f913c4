"""What the wire costs: round trips and 64 MiB buffers against plain pyzmq, a job against the in-process call.

    python benchmarks/transport.py

Starts a backend of its own in a temporary folder, and a plain ROUTER with the same CURVE security in a process of
its own. The two sides take turns within one run, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import multiprocessing
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import numpy as np
import zmq

import pictures
import report
from tessera_backend import jobs
from tessera_backend.private import private_home, running_backend
from tessera_backend.progress import SILENT
from tessera_backend.server.settings import Settings
from tessera_backend.server.spool import Spool, describe
from tessera_protocol.client import Buffer, Client, new_job_id
from tessera_protocol.errors import raised
from tessera_protocol.messages import Accepted, Failed, Message, Result, Submit

ROOT = Path(__file__).parent.parent
# 4096 x 4096 RGBA: 64 MiB.
SIDE = 4096
PAYLOAD_BYTES = SIDE * SIDE * 4
MEGAPIXEL = 1_000_000
JOB_TIMEOUT = 60.0


def plain_router(pipe: Pipe, server_secret: bytes) -> None:
    """The floor: a ROUTER that answers "ping", takes "up" with its bytes, and sends bytes for "down"."""
    payload = b"\xff" * PAYLOAD_BYTES
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.curve_server = True
        socket.curve_secretkey = server_secret
        socket.linger = 0
        pipe.send(f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}")
        while True:
            sender, request, *_ = socket.recv_multipart(copy=False)
            if request.bytes == b"stop":
                return
            answer = [b"data", payload] if request.bytes == b"down" else [b"done"]
            socket.send_multipart([sender, *answer], copy=False)


@dataclasses.dataclass
class Pair:
    """Wall times in seconds of the floor and of the backend, in turns."""

    floor: list[float] = dataclasses.field(default_factory=list)
    ours: list[float] = dataclasses.field(default_factory=list)

    def after(self, warm_up: int) -> Pair:
        """Without the first few."""
        return Pair(self.floor[warm_up:], self.ours[warm_up:])


class Plain:
    """The floor's client, a bare DEALER."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket

    def ask(self, *frames: bytes) -> list[zmq.Frame]:
        """One request and its answer."""
        self._socket.send_multipart(frames, copy=False)
        return self._socket.recv_multipart(copy=False)


@contextlib.contextmanager
def plain() -> Iterator[Plain]:
    """The floor, running."""
    server_public, server_secret = zmq.curve_keypair()
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    # A daemon: it ends with this program, also when something fails.
    router = processes.Process(target=plain_router, args=(theirs, server_secret), daemon=True)
    router.start()
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.curve_serverkey = server_public
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
        socket.connect(ours.recv())
        yield Plain(socket)
        socket.send(b"stop")
    router.join()


def keep_result(job_id: str) -> None:
    """Put a finished job of 64 MiB into the spool, as if a worker had just done it."""
    spool = Spool(Settings().spool)
    buffer = Buffer.array(b"\xff" * PAYLOAD_BYTES, "float32", (PAYLOAD_BYTES // 8, 2))
    request = Submit(job_id, "stipple", {})
    spool.add(request, "benchmark", "benchmark")
    spool.keep_inputs(request)
    (spool.folder(job_id) / "out-positions").write_bytes(buffer.data)
    spool.finish(job_id, {}, [describe("positions", buffer)])
    spool.close()


class Backend:
    """The backend's client, with the same calls as the floor's."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._inbox: deque[Message] = deque()

    def wait_for(self, job_id: str, *kinds: type[Message]) -> Message:
        """The job's next event of one of these kinds; what comes before it is dropped.

        Raises:
            TimeoutError: it did not come.
        """
        deadline = time.monotonic() + JOB_TIMEOUT
        while time.monotonic() < deadline:
            while self._inbox:
                event = self._inbox.popleft()
                if isinstance(event, kinds) and getattr(event, "job_id", "") == job_id:
                    return event
            self._inbox.extend(self.client.poll(1.0))
        raise TimeoutError(f"job {job_id}: no answer within {JOB_TIMEOUT:g} s")

    def up(self, image: Buffer) -> tuple[float, str]:
        """Seconds until a job with this picture is accepted, and the job's id."""
        start = time.perf_counter()
        job_id = self.client.submit("stipple", {}, {"image": image})
        self.wait_for(job_id, Accepted)
        return time.perf_counter() - start, job_id

    def down(self, job_id: str) -> None:
        """Fetch a kept result."""
        self.client.attach(job_id)
        self.wait_for(job_id, Result)

    def stipple(self, image: Buffer) -> None:
        """A whole job, from its submission to its acknowledged result."""
        job_id = self.client.submit("stipple", {}, {"image": image})
        ended = self.wait_for(job_id, Result, Failed)
        if isinstance(ended, Failed):
            raise raised(ended.failure)
        self.client.acknowledge(job_id)


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def round_trips(floor: Plain, ours: Backend, count: int) -> Pair:
    """Empty requests, in turns of fifty; the first turn warms up."""
    pair = Pair()
    for _ in range(count // 50 + 1):
        pair.floor += [seconds(lambda: floor.ask(b"ping")) for _ in range(50)]
        pair.ours += [seconds(ours.client.ping) for _ in range(50)]
    return pair.after(50)


def uploads(floor: Plain, ours: Backend, count: int) -> Pair:
    """64 MiB up: until the floor has it in memory, and until the backend has it on disk and says `accepted`."""
    # White paper: the job ends at once, because there is nothing to stipple, and leaves the machine alone.
    payload = b"\xff" * PAYLOAD_BYTES
    image = Buffer.array(payload, "uint8", (SIDE, SIDE, 4))
    pair = Pair()
    for _ in range(count + 1):
        pair.floor.append(seconds(lambda: floor.ask(b"up", payload)))
        taken, job_id = ours.up(image)
        pair.ours.append(taken)
        ours.wait_for(job_id, Failed, Result)
    return pair.after(1)


def downloads(floor: Plain, ours: Backend, kept: str, count: int) -> Pair:
    """64 MiB down: out of the floor's memory, and a result that the backend keeps on disk."""
    pair = Pair()
    for _ in range(count + 1):
        pair.floor.append(seconds(lambda: floor.ask(b"down")))
        pair.ours.append(seconds(lambda: ours.down(kept)))
    return pair.after(1)


def stipples(ours: Backend, count: int) -> Pair:
    """A picture of one megapixel stippled in this process, and through the backend."""
    rgba = np.repeat(pictures.gaussian().raster(MEGAPIXEL)[..., None], 4, axis=2)
    rgba[..., 3] = 255
    image = Buffer.array(rgba.tobytes(), "uint8", rgba.shape)
    pair = Pair()
    for _ in range(count + 1):
        pair.floor.append(seconds(lambda: jobs.run("stipple", {}, {"image": image}, SILENT)))
        pair.ours.append(seconds(lambda: ours.stipple(image)))
    return pair.after(1)


def latency_row(name: str, pair: Pair) -> list[object]:
    """Milliseconds, p50 and p99."""
    tails = [statistics.quantiles(times, n=100)[98] for times in (pair.floor, pair.ours)]
    middles = [statistics.median(times) for times in (pair.floor, pair.ours)]
    return [name, *(1e3 * value for value in (*middles, *tails))]


def throughput_row(name: str, pair: Pair) -> list[object]:
    """MiB per second, and the backend's share of the floor's."""
    floor, ours = (PAYLOAD_BYTES / 2**20 / statistics.median(times) for times in (pair.floor, pair.ours))
    return [name, floor, ours, f"{ours / floor:.0%}"]


def added_row(name: str, pair: Pair) -> list[object]:
    """Milliseconds in-process, through the backend, and the median of the differences of neighbouring runs."""
    added = statistics.median(b - a for a, b in zip(pair.floor, pair.ours, strict=True))
    return [name, *(1e3 * value for value in (statistics.median(pair.floor), statistics.median(pair.ours), added))]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pings", type=int, default=2000, help="empty requests (default 2000)")
    parser.add_argument("--buffers", type=int, default=15, help="64 MiB buffers each way (default 15)")
    parser.add_argument("--jobs", type=int, default=15, help="stippled pictures (default 15)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "transport.md", metavar="MD")
    return parser.parse_args()


def main() -> None:
    """Measure, then write the page."""
    options = arguments()
    kept = new_job_id()
    with plain() as floor, private_home():
        keep_result(kept)
        with running_backend("benchmark") as client:
            ours = Backend(client)
            added = stipples(ours, options.jobs)
            trips = round_trips(floor, ours, options.pings)
            up = uploads(floor, ours, options.buffers)
            down = downloads(floor, ours, kept, options.buffers)
    report.write(
        options.out,
        "# Transport: what the wire costs",
        "Written by `benchmarks/transport.py`; what is measured is in `benchmarks/README.md`. Plain pyzmq is a bare "
        "DEALER and ROUTER with the same CURVE security, which answer at once and keep nothing.",
        report.bullets(
            [
                f"Machine: {report.machine()}",
                f"Packages: {report.versions(['tessera', 'pyzmq', 'msgpack'])}, libzmq {zmq.zmq_version()}",
                f"Samples: {len(trips.ours)} round trips, {len(up.ours)} buffers each way, {len(added.ours)} jobs",
            ]
        ),
        report.table(
            ["ms", "plain p50", "Tessera p50", "plain p99", "Tessera p99"], [latency_row("empty request", trips)]
        ),
        report.table(
            ["MiB/s, median", "plain", "Tessera", "share"],
            [throughput_row("64 MiB up, until accepted", up), throughput_row("64 MiB down, kept result", down)],
        ),
        report.table(
            ["ms, median", "in-process", "through the backend", "added"],
            [added_row("stipple, 1 megapixel RGBA, defaults", added)],
        ),
    )


if __name__ == "__main__":
    main()
