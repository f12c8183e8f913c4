"""Reaching a backend, and starting one where none runs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import paths
from .client import Client
from .errors import Cancelled, Failure, Unreachable, error

DEFAULT_COMMAND = ("tessera", "serve", "--idle-exit", "30")


def connect_or_start(
    command: Sequence[str] | None = None,
    name: str = "client",
    timeout: float = 30.0,
    should_stop: Callable[[], bool] | None = None,
) -> Client:
    """A client of the running backend, or of one that this starts.

    The started backend outlives the host; started by the default command, it ends after half an idle hour.

    Args:
        command: how to start a backend; default `tessera serve --idle-exit 30`.
        name: of the host.
        timeout: seconds a new backend has until it answers.
        should_stop: asked a few times a second; true ends the wait.
    Raises:
        Unreachable: "start-failed", with the reason that the backend gave, or "no-backend".
        Cancelled: `should_stop` said so.
    """
    try:
        return Client(name)
    except Unreachable:
        pass  # None runs: that is what the rest of this function is for.
    command = tuple(command or DEFAULT_COMMAND)
    with tempfile.TemporaryFile() as errors:
        process = start(command, errors)
        client = wait_for(process, command, errors, name, timeout, should_stop)
    if process.returncode is None:
        # It is to outlive this program: no ResourceWarning when we forget about it.
        process.returncode = 0
    return client


def start(command: Sequence[str], errors: Any) -> subprocess.Popen[bytes]:
    """Start a backend, free of this program's terminal and Python settings; `errors` is a file for its last words.

    Raises:
        Unreachable: "start-failed", there is no such program.
    """
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": errors}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    else:
        # A session of its own: the backend survives the host, and Ctrl-C in the host's terminal.
        options["start_new_session"] = True
    try:
        return subprocess.Popen(command, env=paths.clean_environment(), **options)
    except OSError as exc:
        raise _failed(command, str(exc)) from exc


def wait_for(
    process: subprocess.Popen[bytes],
    command: Sequence[str],
    errors: Any,
    name: str,
    timeout: float,
    should_stop: Callable[[], bool] | None = None,
) -> Client:
    """A client of the backend that is starting, or of another that answers first; ends `process` when it fails.

    Raises:
        Unreachable: "start-failed".
        Cancelled: `should_stop` said so.
    """
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if should_stop is not None and should_stop():
                raise Cancelled(Failure("cancelled", "Stopped while the backend was starting."))
            # Asked before connecting: another host's backend may be the one that answers.
            ended = process.poll()
            try:
                return Client(name)
            except Unreachable:
                if ended is not None:
                    raise _failed(command, _tail(errors) or f"it ended with exit code {ended}") from None
                time.sleep(0.05)
        raise _failed(command, f"it did not answer within {timeout:g} s")
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _tail(errors: Any) -> str:
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _failed(command: Sequence[str], reason: str) -> Unreachable:
    failure = error(
        "start-failed",
        f"The Tessera backend could not be started with `{' '.join(command)}`: {reason.rstrip('.')}.",
        remedy="Install Tessera (pip install tessera) or start the backend yourself: tessera serve; "
        "then `tessera doctor` tells what is missing.",
    )
    assert isinstance(failure, Unreachable)
    return failure
