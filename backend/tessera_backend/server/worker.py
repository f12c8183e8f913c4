"""A worker process: takes one job after another from the broker, keeps its models and kernels warm between them."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from pathlib import Path
from typing import Any

import msgpack
import zmq

from tessera_backend import jobs
from tessera_backend.progress import Preview, Progress
from tessera_protocol.errors import Failure, TesseraError, error

from .log import set_up
from .previews import PREVIEW_BYTES, packed
from .spool import buffer_of, describe, read_mapped

log = logging.getLogger(__name__)

REPORT_EVERY = 0.05
PREVIEW_EVERY = 1.0


def main(link: dict[str, Any], name: str, device: str, image_pixels: int, log_folder: Path) -> None:
    """The entry point of the process (spawned, not forked: CUDA and threads don't survive a fork)."""
    # Ctrl-C in the terminal goes to the whole process group; the broker decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_path = set_up(log_folder, f"worker-{device.replace(':', '')}")
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 1000
    socket.routing_id = name.encode()
    socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = link["keys"]
    socket.connect(link["endpoint"])
    try:
        Worker(socket, device, image_pixels, log_path).run()
    except Exception:
        log.exception("the worker can't go on")
        raise SystemExit(1) from None
    finally:
        socket.close()
        context.term()


class Worker:
    """The loop of one worker.

    Args:
        socket: DEALER to the broker.
        device: "cpu", "cuda:0", "mps".
        image_pixels: most pixels of an input picture.
        log_path: named in the message about an internal error.
    """

    def __init__(self, socket: zmq.Socket[bytes], device: str, image_pixels: int, log_path: Path) -> None:
        self._socket = socket
        self._device = device
        self._image_pixels = image_pixels
        self._log_path = log_path
        self._cancelled = self._enough = False
        self._reported = ("", 0.0)
        # What a preview goes with, and when the last one went.
        self._latest: dict[str, Any] | None = None
        self._previewed = 0.0
        self._looked_up = 0.0
        self._leave = False

    def run(self) -> None:
        """Serve until the broker says exit, or is gone."""
        self._send(kind="warming")
        jobs.warm(self._device)
        self._send(kind="ready")
        while not self._leave:
            order = self._receive(1.0)
            if order is None:
                self._leave |= self._orphaned()
            elif order["kind"] == "run":
                self._serve(order)
                self._send(kind="ready")
            elif order["kind"] == "exit":
                self._leave = True

    def _serve(self, order: dict[str, Any]) -> None:
        job_id = order["job_id"]
        self._cancelled = self._enough = False
        started = time.monotonic()
        log.info("job started", extra={"job_id": job_id, "job": order["job"]})
        try:
            meta, outputs = self._run(order)
            self._send(kind="done", job_id=job_id, meta=meta, outputs=outputs)
            failure = None
        except TesseraError as exc:
            failure = exc.failure
        except MemoryError:
            failure = Failure(
                "worker-died",
                "There was not enough memory for the job.",
                remedy="Close other programs, or use a smaller picture or fewer dots.",
            )
        except Exception:
            log.exception("internal error", extra={"job_id": job_id})
            failure = Failure(
                "internal-error",
                "Something went wrong inside Tessera; this is a bug, not your file.",
                remedy=f"Please report it, with the end of the log: {self._log_path}",
            )
        if failure is not None:
            self._send(
                kind="failed",
                job_id=job_id,
                failure={k: v for k, v in vars(failure).items() if v is not None},
            )
        seconds = round(time.monotonic() - started, 3)
        code = failure.code if failure else "done"
        log.info("job ended", extra={"job_id": job_id, "end": code, "seconds": seconds})

    def _run(self, order: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        inputs = {i["name"]: buffer_of(i, read_mapped(Path(i["path"]))) for i in order["inputs"]}
        progress = Progress(
            lambda *report: self._report(order["job_id"], *report), self._is_cancelled, self._show, self._is_enough
        )
        self._latest, self._previewed = None, 0.0
        meta, outputs = jobs.run(
            order["job"],
            order["params"],
            inputs,
            progress,
            device=self._device,
            image_pixels=self._image_pixels,
        )
        for name, buffer in outputs.items():
            try:
                (Path(order["folder"]) / f"out-{name}").write_bytes(buffer.data)
            except OSError as exc:
                raise error(
                    "no-space", f"The result can't be kept: {exc}.", remedy="Make room on the backend's disk."
                ) from exc
        return meta, [describe(name, buffer) for name, buffer in outputs.items()]

    def _report(self, job_id: str, stage: str, fraction: float, text: str) -> None:
        last_stage, last_time = self._reported
        now = time.monotonic()
        self._latest = {"job_id": job_id, "stage": stage, "fraction": float(fraction), "text": text}
        if stage != last_stage or now - last_time >= REPORT_EVERY:
            self._reported = (stage, now)
            self._send(kind="progress", **self._latest)

    def _show(self, preview: Preview) -> None:
        """Send a job's first preview, and then one a second."""
        now = time.monotonic()
        if self._latest is None or now - self._previewed < PREVIEW_EVERY:
            return
        self._previewed = now
        buffers = {name: jobs.as_buffer(values) for name, values in preview().items()}
        if sum(memoryview(buffer.data).nbytes for buffer in buffers.values()) <= PREVIEW_BYTES:
            self._send(kind="preview", **self._latest, buffers=packed(buffers))

    def _is_cancelled(self) -> bool:
        while (order := self._receive(0.0)) is not None:
            self._cancelled |= order["kind"] in ("cancel", "exit")
            self._enough |= order["kind"] == "enough"
            self._leave |= order["kind"] == "exit"
        self._leave |= self._orphaned()
        return self._cancelled or self._leave

    def _is_enough(self) -> bool:
        return self._enough

    def _orphaned(self) -> bool:
        """Whether the broker is gone; looks once a second, for this is asked at every step of a job."""
        now = time.monotonic()
        if now - self._looked_up < 1.0:
            return False
        self._looked_up = now
        parent = multiprocessing.parent_process()
        return parent is not None and not parent.is_alive()

    def _receive(self, timeout: float) -> dict[str, Any] | None:
        if not self._socket.poll(int(timeout * 1000)):
            return None
        order: dict[str, Any] = msgpack.unpackb(self._socket.recv())
        return order

    def _send(self, **report: Any) -> None:
        self._socket.send(msgpack.packb(report))
