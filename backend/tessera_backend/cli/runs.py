"""How commands have jobs done: in this process, or through the running backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .. import files
from .bar import ProgressBar

if TYPE_CHECKING:
    from tessera_protocol.messages import Buffer, Result

Taken = TypeVar("Taken")


def say_if_cold(bar: ProgressBar) -> None:
    """Say that kernels have to be compiled, where they have; call it after the input is read.

    A wrong file name is then said at once, and not when numba has loaded.
    """
    from tessera_backend import compiled

    if not compiled.is_warm():
        bar("compiling", 0.0, "Compiling kernels; only the first run waits, up to a minute")


def through_backend(
    job: str,
    params: Any,
    inputs: Mapping[str, Path | Buffer | None],
    bar: ProgressBar,
    take: Callable[[Result], Taken],
    should_stop: Callable[[], bool] | None = None,
) -> Taken:
    """Let the running backend do a job, and return what `take` makes of the result; then the backend forgets it.

    Args:
        inputs: name -> file, or a buffer; those that are None are left out.
        should_stop: see `Client.follow`.
    """
    from tessera_protocol.client import Buffer, Client

    given = {name: value for name, value in inputs.items() if value is not None}
    buffers = {
        name: value if isinstance(value, Buffer) else Buffer.file(files.read(name, value))
        for name, value in given.items()
    }
    with Client("cli") as client:
        job_id = client.submit(job, params, buffers)
        try:
            click.echo(f"Job {job_id}", err=True)
            result = client.follow(job_id, lambda p: bar(p.stage, p.fraction, p.text), should_stop=should_stop)
        except KeyboardInterrupt:
            client.finish_cancel(job_id)
            raise
        taken = take(result)
        client.acknowledge(job_id)
    return taken
