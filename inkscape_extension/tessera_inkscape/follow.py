"""Sends jobs to the backend, one after another, and waits for them behind a window. Knows nothing of documents."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tessera_protocol.errors import Cancelled, TesseraError, error, raised
from tessera_protocol.jobs import JOBS
from tessera_protocol.messages import Buffer, Progress, Result

from .window import Window

if TYPE_CHECKING:
    from tessera_protocol.client import Client

    from .preview import Preview


@dataclasses.dataclass(frozen=True)
class Request:
    """One job to be done.

    Attributes:
        name: of the picture, for the window.
        job: a job's name, such as "stipple".
        params: values that differ from the defaults.
        buffers: the inputs.
        preview: makes a preview of the buffers of a `progress` message; None where it knows none of them.
    """

    name: str
    job: str
    params: Mapping[str, Any]
    buffers: Mapping[str, Buffer]
    preview: Callable[[Mapping[str, Buffer]], Preview | None]


def follow(requests: Sequence[Request], command: Sequence[str] | None, window: Window) -> list[Result]:
    """The results of all requests, in their order; starts a backend by `command` when none runs.

    Where the artist wants to keep what a job has, the backend is told so, and its result comes soon.

    Raises:
        Cancelled: the artist pressed Cancel; the running job was told so.
        TesseraError: what went wrong with one of them; Unreachable when there is no backend.
    """
    with _connected(command, window) as client:
        done: list[Result] = []
        try:
            for request in requests:
                done.append(_one(client, request, len(done), len(requests), window))
        finally:
            for result in done:
                # Should this not arrive, the backend drops its copy when it gets old.
                with contextlib.suppress(TesseraError):
                    client.acknowledge(result.job_id)
    return done


def _connected(command: Sequence[str] | None, window: Window) -> Client:
    # Imported late: where ZeroMQ can't be loaded this raises a TesseraError, and the artist gets to read it.
    from tessera_protocol.launch import connect_or_start

    window.tell("Starting the Tessera backend", None)
    return connect_or_start(command, name="inkscape", should_stop=window.cancelled)


def _one(client: Client, request: Request, before: int, count: int, window: Window) -> Result:
    """The result of one request, of which `before` of `count` are done."""
    heading = request.name if count == 1 else f"{request.name} ({before + 1} of {count})"

    def on_progress(progress: Progress) -> None:
        window.tell(f"{heading}\n{progress.text or progress.stage}", (before + progress.fraction) / count)
        preview = request.preview(progress.buffers)
        if preview is not None:
            window.show(preview)

    window.begin(JOBS[request.job].stoppable)
    window.tell(f"{heading}\nWaiting for the backend", before / count)
    job_id = client.submit(request.job, request.params, request.buffers)
    try:
        result = client.follow(job_id, on_progress, window.cancelled, window.kept)
    except TesseraError as exc:
        if isinstance(exc, Cancelled) or count == 1:
            raise
        # Which of the pictures it was.
        problem = f"{request.name}: {exc.failure.problem}"
        raise raised(dataclasses.replace(exc.failure, problem=problem)) from exc
    if window.cancelled():
        client.acknowledge(job_id)
        raise error("cancelled", "The artist pressed Cancel when the result was already there.")
    return result
