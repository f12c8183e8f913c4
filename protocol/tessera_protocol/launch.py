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
    starting = Starting(process, command, errors, name, timeout)
    try:
        while (client := starting.poll()) is None:
            if should_stop is not None and should_stop():
                raise Cancelled(Failure("cancelled", "Stopped while the backend was starting."))
            time.sleep(0.05)
        return client
    except BaseException:
        starting.end()
        raise


class Starting:
    """A backend on its way, for hosts that must not wait; see `begin`.

    Args:
        process: what `start` gave for this command and file.
        timeout: seconds from now that it has until it answers.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], command: Sequence[str], errors: Any, name: str, timeout: float
    ) -> None:
        self._process = process
        self._command = command
        self._errors = errors
        self._name = name
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def poll(self, patience: float = 5.0) -> Client | None:
        """A client of it, or of another that answers first; None: not yet.

        Args:
            patience: seconds that a backend which is there has for its welcome.
        Raises:
            Unreachable: "start-failed".
        """
        # Asked before connecting: another host's backend may be the one that answers.
        ended = self._process.poll()
        try:
            client = Client(self._name, timeout=patience)
        except Unreachable:
            if ended is not None:
                raise _failed(self._command, _tail(self._errors) or f"it ended with exit code {ended}") from None
            if time.monotonic() >= self._deadline:
                raise _failed(self._command, f"it did not answer within {self._timeout:g} s") from None
            return None
        return client

    def end(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    def release(self) -> None:
        """Forget the process, which is to outlive this program."""
        if self._process.returncode is None:
            # No ResourceWarning when it is forgotten.
            self._process.returncode = 0
        self._errors.close()


def begin(command: Sequence[str] | None = None, name: str = "client", timeout: float = 30.0) -> Starting:
    """Start a backend and don't wait for it: `poll` what this returns, then `release` it, or `end` it.

    Raises:
        Unreachable: "start-failed", there is no such program.
    """
    command = tuple(command or DEFAULT_COMMAND)
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - `release` closes it
    try:
        return Starting(start(command, errors), command, errors, name, timeout)
    except BaseException:
        errors.close()
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
