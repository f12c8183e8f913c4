"""The worker processes as the broker sees them: started, given jobs, cancelled, replaced when they die."""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

import msgpack
import zmq

from tessera_protocol.errors import Failure

from . import worker
from .settings import Settings

log = logging.getLogger(__name__)

# A worker that dies this often without ever getting ready would die for ever.
MOST_FALSE_STARTS = 3


@dataclasses.dataclass
class Member:
    """One worker process. `state` is "starting", "warming", "ready" or "busy"."""

    name: str
    device: str
    process: Any
    state: str = "starting"
    job_id: str | None = None
    kill_at: float | None = None


class Pool:
    """All workers, reached through one ROUTER socket.

    Args:
        socket: bound ROUTER with CURVE; poll it, then call `receive`.
        link: what a worker needs to connect: endpoint and keys.
        settings: of the backend.
    """

    def __init__(self, socket: zmq.Socket[bytes], link: dict[str, Any], settings: Settings) -> None:
        self._socket = socket
        self._link = link
        self._settings = settings
        self._spawn = multiprocessing.get_context("spawn")
        self._members: dict[str, Member] = {}
        self._started = 0
        self._false_starts: dict[str, int] = {}

    def start(self, device: str) -> None:
        """Start a worker for a device."""
        self._started += 1
        # glibc gives large freed arrays back to the system at once, and the next ones fault in page by page.
        os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(32 << 20))
        os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(512 << 20))
        name = f"{device}-{self._started}"
        process = self._spawn.Process(
            target=worker.main,
            args=(self._link, name, device, self._settings.image_pixels, self._settings.log),
            name=name,
            daemon=True,
        )
        process.start()
        self._members[name] = Member(name, device, process)
        log.info("worker started", extra={"worker": name, "worker_pid": process.pid})

    @property
    def members(self) -> list[Member]:
        """The workers that live."""
        return list(self._members.values())

    def ready(self) -> list[Member]:
        """The workers that can take a job now."""
        return [m for m in self._members.values() if m.state == "ready"]

    def suits(self, member: Member, learned: bool) -> bool:
        """Whether a job is for this worker: a network's goes to an accelerator where one works, others to the CPU."""
        accelerated = {m.device != "cpu" for m in self._members.values()}
        return len(accelerated) == 1 or learned == (member.device != "cpu")

    def receive(self) -> dict[str, Any] | None:
        """The next report of a worker, with its state updated; None when it concerns the pool alone."""
        name, packed = self._socket.recv_multipart()
        member = self._members.get(name.decode())
        if member is None:
            return None  # Of a worker that was given up in the meantime.
        report: dict[str, Any] = msgpack.unpackb(packed)
        if report["kind"] in ("warming", "ready"):
            member.state = report["kind"]
            if member.state == "ready":
                self._false_starts[member.device] = 0
            return None
        if report["job_id"] != member.job_id:
            return None
        if report["kind"] in ("done", "failed"):
            member.job_id = member.kill_at = None
        return report

    def run(self, member: Member, order: dict[str, Any]) -> None:
        """Give a job to a worker that is ready."""
        member.state, member.job_id = "busy", order["job_id"]
        self._send(member, {"kind": "run", **order})

    def cancel(self, job_id: str) -> bool:
        """Ask the worker of a running job to stop, and kill it when it doesn't in time; whether it was running."""
        member = self.tell(job_id, "cancel")
        if member is not None:
            member.kill_at = time.monotonic() + self._settings.cancel_grace
        return member is not None

    def tell(self, job_id: str, word: str) -> Member | None:
        """Send "cancel" or "enough" to the worker of a running job, and return it; None where the job doesn't run."""
        for member in self._members.values():
            if member.job_id == job_id:
                self._send(member, {"kind": word})
                return member
        return None

    def tick(self, failed: Callable[[str, Failure], None]) -> None:
        """Bury the dead, kill the deaf, start replacements; `failed` hears of the jobs that were lost."""
        for member in list(self._members.values()):
            deaf = member.kill_at is not None and time.monotonic() >= member.kill_at
            if deaf:
                member.process.kill()
                member.process.join()
            if not member.process.is_alive():
                self._bury(member, deaf, failed)

    def close(self) -> None:
        """End all workers: a word first, then force."""
        for member in self._members.values():
            self._send(member, {"kind": "exit"})
        deadline = time.monotonic() + 1.0
        for member in self._members.values():
            member.process.join(max(0.0, deadline - time.monotonic()))
            if member.process.is_alive():
                member.process.kill()
                member.process.join()
            member.process.close()
        self._members.clear()

    def _bury(self, member: Member, deaf: bool, failed: Callable[[str, Failure], None]) -> None:
        code = member.process.exitcode
        del self._members[member.name]
        member.process.close()
        log.log(
            logging.INFO if deaf else logging.ERROR,
            "worker ended",
            extra={"worker": member.name, "exit_code": code, "job_id": member.job_id},
        )
        if member.job_id is not None:
            failed(member.job_id, _cancelled() if deaf else _died(code))
        if member.state in ("starting", "warming"):
            self._false_starts[member.device] = self._false_starts.get(member.device, 0) + 1
        if self._false_starts.get(member.device, 0) < MOST_FALSE_STARTS:
            self.start(member.device)
        else:
            log.error("workers for %s do not start; see the log in %s", member.device, self._settings.log)

    def _send(self, member: Member, order: dict[str, Any]) -> None:
        self._socket.send_multipart([member.name.encode(), msgpack.packb(order)])


def _cancelled() -> Failure:
    return Failure("cancelled", "The job was cancelled.")


def _died(code: int | None) -> Failure:
    reason = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return Failure(
        "worker-died",
        f"The worker process died in mid-job ({reason}), perhaps for lack of memory. A fresh one serves the next job.",
        remedy="Try again with a smaller picture or fewer dots; `tessera doctor` shows the memory at hand.",
    )
