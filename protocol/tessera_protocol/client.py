"""The client's end: submit, poll or follow, cancel, attach, acknowledge. One thread, no hidden threads."""

from __future__ import annotations

import os
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from . import PROTOCOL_VERSION, bridge, codec, connection, messages, paths
from .errors import Cancelled, error, raised
from .link import WHY_NO_ZMQ, Link, ZmqLink
from .messages import Buffer, Message
from .schema import changed

__all__ = ["Buffer", "Client", "new_job_id"]

PING_AFTER = 2.0
SILENT_AFTER = 20.0

M = TypeVar("M", bound=Message)


def new_job_id() -> str:
    """A fresh job id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Client:
    """One connection to the backend.

    `poll` suits hosts with a timer (it never waits unless told to), `follow` suits programs that can wait.

    Args:
        name: of the host, for the backend's lists and log.
        path: connection file; default: where the backend writes it.
        timeout: seconds to wait for the backend's welcome.
        session: keep one over reconnections; default: a new one.
    Raises:
        Unreachable: no backend runs or answers.
        Refused: "version-mismatch".
    """

    def __init__(
        self,
        name: str = "client",
        path: Path | None = None,
        timeout: float = 5.0,
        session: str | None = None,
    ) -> None:
        self.connection = connection.read(path or paths.connection_file())
        self.session = session or uuid.uuid4().hex
        self._link = _open_link(self.connection)
        self._events: deque[Message] = deque()
        self._number = 0
        self._heard = self._pinged = time.monotonic()
        try:
            hello = messages.Hello([PROTOCOL_VERSION], name, self.session)
            self.welcome = self._ask(hello, messages.Welcome, timeout)
        except BaseException:
            self._link.close()
            raise

    def submit(
        self,
        job: str,
        params: Mapping[str, Any] | Any,
        buffers: Mapping[str, Buffer],
        job_id: str | None = None,
    ) -> str:
        """Send a job; does not wait for the answer, which comes as an event of `poll` (Accepted or Failed).

        Args:
            job: its name, such as "stipple".
            params: a mapping of values, or a parameter object of `jobs`.
            buffers: name -> Buffer. They are not copied: leave their memory alone until `Accepted`.
            job_id: from `new_job_id`; sending the same one twice is harmless.
        Returns:
            The job id.
        Raises:
            InvalidInput: "too-large", a buffer over the limit.
        """
        job_id = job_id or new_job_id()
        values = dict(params) if isinstance(params, Mapping) else changed(params)
        self._send(messages.Submit(job_id, job, values, buffers))
        return job_id

    def attach(self, job_id: str) -> None:
        """Follow a job that was submitted earlier, by anyone who has the key."""
        self._send(messages.Attach(job_id))

    def cancel(self, job_id: str) -> None:
        """Ask for a job's end; `Failed` with code "cancelled" is the answer."""
        self._send(messages.Cancel(job_id))

    def enough(self, job_id: str) -> None:
        """Ask a job that can stop early for the result as it is by now; others go on."""
        self._send(messages.Enough(job_id))

    def acknowledge(self, job_id: str, timeout: float = 5.0) -> None:
        """Say that the result is safe here; the backend deletes its copy.

        Raises:
            Refused: "no-such-job".
        """
        self._ask(messages.Acknowledge(job_id), messages.Acknowledged, timeout)

    def jobs(self, timeout: float = 5.0) -> list[dict[str, Any]]:
        """The jobs that the backend knows, newest first."""
        return self._ask(messages.Jobs(), messages.JobList, timeout).jobs

    def status(self, timeout: float = 5.0) -> dict[str, Any]:
        """Version, endpoint, devices, workers, queue, spool."""
        return self._ask(messages.Status(), messages.BackendStatus, timeout).status

    def ping(self, timeout: float = 5.0) -> None:
        """One empty round trip."""
        self._ask(messages.Ping(), messages.Pong, timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """End the backend."""
        self._ask(messages.Stop(), messages.Stopping, timeout)

    def poll(self, timeout: float = 0.0) -> list[Message]:
        """What arrived: Accepted, Progress, Result and Failed messages, oldest first; empty when nothing did.

        Waits up to `timeout` seconds for the first one.

        Raises:
            Unreachable: "backend-silent".
        """
        deadline = time.monotonic() + timeout
        while True:
            while (envelope := self._receive(0.0)) is not None:
                self._keep(envelope.message)
            if self._events:
                events = list(self._events)
                self._events.clear()
                return events
            self._check_alive()
            if time.monotonic() >= deadline:
                return []
            # In steps, so that a dead backend is noticed during a long wait.
            envelope = self._receive(min(0.25, max(0.0, deadline - time.monotonic())))
            if envelope is not None:
                self._keep(envelope.message)

    def follow(
        self,
        job_id: str,
        on_progress: Callable[[messages.Progress], None] | None = None,
        should_cancel: Callable[[], bool] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> messages.Result:
        """Wait for a job's result; acknowledge it when it is safe with you.

        Args:
            should_stop: says when the result as it is by then is enough, see `enough`; the backend is told with each
                progress from then on, as a job that waits does not hear it.

        Raises:
            TesseraError: the job's failure; Cancelled when `should_cancel` said so; Unreachable.
        """
        asked = False
        while True:
            running = False
            for event in self.poll(0.1):
                if getattr(event, "job_id", None) not in (job_id, ""):
                    continue
                if isinstance(event, messages.Result):
                    return event
                if isinstance(event, messages.Failed):
                    raise raised(event.failure)
                if isinstance(event, messages.Progress):
                    running = True
                    if on_progress is not None:
                        on_progress(event)
            if not asked and should_cancel is not None and should_cancel():
                self.cancel(job_id)
                asked = True
            if running and should_stop is not None and should_stop():
                self.enough(job_id)

    def finish_cancel(self, job_id: str) -> None:
        """Cancel and wait until the backend says that the job has ended, one way or the other."""
        self.cancel(job_id)
        try:
            self.follow(job_id)
        except Cancelled:
            return

    def close(self) -> None:
        """Close the connection; running jobs go on."""
        self._link.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, message: Message) -> int:
        self._number += 1
        self._link.send(codec.encode(message, self._number))
        return self._number

    def _receive(self, timeout: float) -> codec.Envelope | None:
        frames = self._link.receive(timeout)
        if frames is None:
            return None
        self._heard = time.monotonic()
        return codec.decode(frames)

    def _keep(self, message: Message) -> None:
        if isinstance(message, (messages.Accepted, messages.Progress, messages.Result, messages.Failed)):
            self._events.append(message)

    def _ask(self, message: Message, answer: type[M], timeout: float) -> M:
        """Send and wait for the answer to this very message; other events are kept for `poll`."""
        number = self._send(message)
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            envelope = self._receive(min(left, 0.25))
            if envelope is None:
                self._check_alive()
            elif envelope.re != number:
                self._keep(envelope.message)
            elif isinstance(envelope.message, messages.Failed):
                raise raised(envelope.message.failure)
            elif isinstance(envelope.message, answer):
                return envelope.message
        raise error(
            "no-backend" if answer is messages.Welcome else "backend-silent",
            f"The backend at {self.connection.endpoint} did not answer within {timeout:g} s.",
            remedy="If it hangs, stop it (tessera stop, or end its process) and start it again: tessera serve.",
        )

    def _check_alive(self) -> None:
        now = time.monotonic()
        gone = self.connection.alive() is False
        if gone or now - self._heard > SILENT_AFTER:
            reason = "has ended" if gone else f"said nothing for {SILENT_AFTER:g} s"
            raise error(
                "backend-silent",
                f"The backend (process {self.connection.pid}) {reason}.",
                remedy="Start it again (tessera serve); finished results are kept: tessera jobs, tessera fetch.",
            )
        if now - max(self._heard, self._pinged) > PING_AFTER:
            self._pinged = now
            self._send(messages.Ping())


def _open_link(where: connection.Connection) -> Link:
    """Direct where this Python has ZeroMQ, else through the Python that TESSERA_BRIDGE names."""
    if not WHY_NO_ZMQ:
        return ZmqLink(where, codec.FRAME_BYTES)
    python = os.environ.get("TESSERA_BRIDGE")
    if python:
        return bridge.BridgeLink(python, where)
    raise error(
        "start-failed",
        f"ZeroMQ can't be loaded in this program's Python: {WHY_NO_ZMQ}.",
        remedy="Run `tessera install` again for this program; if that doesn't help, `tessera doctor` says why.",
    )
