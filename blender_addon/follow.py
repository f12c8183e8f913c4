"""Jobs on their way: starts a backend, submits, and hears of them whenever `tick` is called. Never waits. No bpy."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tessera_protocol import schema
from tessera_protocol.errors import Failure, TesseraError, Unreachable, error
from tessera_protocol.jobs import JOBS
from tessera_protocol.messages import Accepted, Buffer, Failed, Progress, Result

from . import kept

if TYPE_CHECKING:
    from tessera_protocol.client import Client
    from tessera_protocol.launch import Starting

SETTINGS = Path(__file__).resolve().parent / "settings.json"
# Seconds between two looks at the backend, and what one that is there has to answer a greeting, which takes it
# milliseconds.
INTERVAL = 0.05
PATIENCE = 1.0


@dataclasses.dataclass
class Request:
    """One job to be done.

    Attributes:
        name: of what is made, for the panel.
        params: a parameter object of the job.
        buffers: the inputs.
        done: gets the result, and may put it into the document.
        failed: gets what went wrong, a cancellation too.
        about: what is kept on disk with the job, see `kept`; None: nothing is.
        job_id: once it was submitted.
        attach: whether it was submitted long ago, by another Blender.
        stage, fraction: as the backend says.
        picture: the latest preview.
        running: whether the backend works on it.
    """

    name: str
    job: str
    params: Any
    buffers: Mapping[str, Buffer]
    done: Callable[[Result], None]
    failed: Callable[[Failure], None]
    about: Mapping[str, Any] | None = None
    job_id: str = ""
    attach: bool = False
    stage: str = "Waiting for the backend"
    fraction: float = 0.0
    picture: Buffer | None = None
    running: bool = False


class Follower:
    """Follows any number of jobs over one connection; the backend does them one after another.

    Args:
        name: of the host.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._client: Client | None = None
        self._starting: Starting | None = None
        self._waiting: deque[Request] = deque()
        self._sent: dict[str, Request] = {}
        # Results that came, and are not in the document yet.
        self._unsettled: set[str] = set()

    @property
    def requests(self) -> list[Request]:
        """All that are not done, the oldest first."""
        return [*self._sent.values(), *self._waiting]

    @property
    def starting(self) -> bool:
        """Whether a backend is being started."""
        return self._starting is not None

    def add(self, request: Request) -> None:
        """Have a request done; `tick` does the work.

        Raises:
            InvalidInput: parameters that don't go together.
        """
        if not request.attach:
            schema.check(type(request.params), schema.changed(request.params))
        self._waiting.append(request)

    def tick(self) -> bool:
        """Do what can be done without waiting; false when there is nothing to do any more."""
        try:
            if self._client is None and self._waiting:
                self._connect()
            if self._client is not None:
                while self._waiting:
                    self._submit(self._waiting.popleft())
                for event in self._client.poll():
                    self._hear(event)
        except TesseraError as exc:
            self._give_up(exc)
        if not self.requests and not self._unsettled:
            self.close()
        return bool(self.requests)

    @property
    def job_ids(self) -> set[str]:
        """Of jobs that are followed, or whose results wait to be placed."""
        return {*self._sent, *self._unsettled, *(request.job_id for request in self._waiting)}

    def settle(self, job_id: str) -> None:
        """A result is where it belongs, or nobody wants it: the backend may drop its copy."""
        self._unsettled.discard(job_id)
        kept.forget(job_id)
        if self._client is not None:
            # Should this not arrive, the backend drops its copy when it gets old.
            with contextlib.suppress(TesseraError):
                self._client.acknowledge(job_id, PATIENCE)

    def cancel(self) -> None:
        """End all jobs; those that the backend knows end when it says so."""
        if self._client is not None:
            with contextlib.suppress(TesseraError):
                for job_id in self._sent:
                    self._client.cancel(job_id)
        waiting = list(self._waiting)
        self._waiting.clear()
        for request in waiting:
            request.failed(error("cancelled", "Cancelled.").failure)

    def keep(self) -> None:
        """Ask for the result of the running job as it is by now."""
        if self._client is not None:
            for request in self._sent.values():
                if request.running and JOBS[request.job].stoppable:
                    self._client.enough(request.job_id)

    def forget(self) -> None:
        """End all jobs, and don't wait until the backend says so: the document that they are for is gone."""
        if self._client is not None:
            for job_id in self._sent:
                with contextlib.suppress(TesseraError):
                    self._client.cancel(job_id)
        for job_id in self._sent:
            kept.forget(job_id)
        for job_id in list(self._unsettled):
            self.settle(job_id)
        self.leave()

    def leave(self) -> None:
        """Hear of nothing any more; jobs go on, and their results can be fetched later."""
        self._waiting.clear()
        self._sent.clear()
        self._unsettled.clear()
        self.close()

    def close(self) -> None:
        """Close the connection, and leave a backend that is starting to itself."""
        if self._starting is not None:
            self._starting.release()
            self._starting = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self) -> None:
        # Imported late: where ZeroMQ can't be loaded this raises a TesseraError, and the artist gets to read it.
        from tessera_protocol import launch
        from tessera_protocol.client import Client

        if self._starting is not None:
            self._client = self._starting.poll(PATIENCE)
            if self._client is not None:
                self._starting.release()
                self._starting = None
            return
        command = backend_command()
        try:
            self._client = Client(self._name, timeout=PATIENCE)
        except Unreachable as exc:
            if exc.failure.code == "start-failed":
                raise
            self._starting = launch.begin(command, self._name)

    def _submit(self, request: Request) -> None:
        from tessera_protocol.client import new_job_id

        assert self._client is not None
        try:
            if request.attach:
                self._client.attach(request.job_id)
            else:
                request.job_id = new_job_id()
                if request.about is not None:
                    kept.keep(request.job_id, request.about)
                self._client.submit(request.job, request.params, request.buffers, request.job_id)
        except Unreachable:
            self._waiting.appendleft(request)
            raise
        except TesseraError as exc:
            kept.forget(request.job_id)
            request.failed(exc.failure)
            return
        self._sent[request.job_id] = request

    def _hear(self, event: Any) -> None:
        request = self._sent.get(event.job_id)
        if request is None:
            return
        if isinstance(event, Accepted):
            request.stage = "Waiting" if event.position else "Beginning"
            request.buffers = {}
        elif isinstance(event, Progress):
            request.stage, request.fraction, request.running = event.text or event.stage, event.fraction, True
            request.picture = event.buffers.get("picture", request.picture)
        elif isinstance(event, Result):
            del self._sent[event.job_id]
            self._unsettled.add(event.job_id)
            request.done(event)
        elif isinstance(event, Failed):
            del self._sent[event.job_id]
            kept.forget(event.job_id)
            request.failed(event.failure)

    def _give_up(self, exc: TesseraError) -> None:
        """All requests fail for one reason: there is no backend."""
        requests = self.requests
        self._waiting.clear()
        self._sent.clear()
        self.close()
        for request in requests:
            request.failed(exc.failure)


def unpacked(result: Result, name: str, kind: str, width: int) -> array[Any]:
    """An output of a result, as flat numbers.

    Args:
        kind: of `array`: "f", "i" or "B".
        width: of the array's last axis; 1 for one axis.
    Raises:
        Refused: "bad-message" where it is not so.
    """
    buffer = result.buffers.get(name)
    dtype = {"f": "float32", "i": "int32", "B": "uint8"}[kind]
    if buffer is None or buffer.dtype != dtype or (width > 1 and buffer.shape[-1:] != (width,)):
        raise error(
            "bad-message",
            f"The backend's result has no {name} that this version knows.",
            remedy="Update the add-on and the backend, so that both are of one version.",
        )
    values = array(kind)
    values.frombytes(buffer.data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def backend_command(path: Path = SETTINGS) -> Sequence[str] | None:
    """How to start a backend: what the installer wrote beside the add-on, or None.

    The backend's Python is made known, too: where Blender's can't load ZeroMQ, it holds the connection.

    Raises:
        Unreachable: "start-failed" where that is damaged.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        command = [str(word) for word in settings["backend_command"]]
        os.environ.setdefault("TESSERA_BRIDGE", str(settings["backend_python"]))
    except FileNotFoundError:
        return None  # Not installed by `tessera install`: then `tessera serve` has to do.
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise error(
            "start-failed", f"Tessera's settings in {path} are damaged ({exc}).", remedy="Run: tessera install blender"
        ) from exc
    return command
