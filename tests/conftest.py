"""Real backends for tests: each in a home of its own, all with one cache of compiled kernels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tessera_protocol import paths
from tessera_protocol.client import Client
from tessera_protocol.errors import Unreachable

# Before any test isolates TESSERA_HOME: compiling kernels anew for each backend would take minutes.
os.environ.setdefault("NUMBA_CACHE_DIR", str(paths.cache_dir() / "numba"))


def until(condition: Callable[[], object], seconds: float = 60.0) -> object:
    """Wait for a condition, and fail when it does not come true in time; returns what it returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"did not happen within {seconds} s")


class BackendProcess:
    """A real `tessera serve` with its own home, started on demand."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this backend."""
        return {**os.environ, "TESSERA_HOME": str(self.home)}

    @property
    def connection_file(self) -> Path:
        return self.home / "run" / "connection.json"

    def start(self, ready: bool = True) -> BackendProcess:
        command = [sys.executable, "-m", "tessera_backend", "serve", *self.options]
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "stdout").open("wb") as out, (self.home / "stderr").open("wb") as err:
            self.process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=err)
        until(self._answers, 30)
        if ready:
            with self.client() as client:
                until(lambda: any(w["state"] == "ready" for w in client.status()["workers"]), 120)
        return self

    def client(self, **options: object) -> Client:
        return Client("test", self.connection_file, **options)  # type: ignore[arg-type]

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError((self.home / "stderr").read_text())
        try:
            self.client().close()
        except Unreachable:
            return False
        return True


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendProcess]:
    """One backend that all tests share which don't hurt it."""
    process = BackendProcess(tmp_path_factory.mktemp("backend")).start()
    yield process
    process.stop()


@pytest.fixture
def own_backend(tmp_path: Path) -> Iterator[BackendProcess]:
    """A backend to be hurt: not started yet, ended after the test."""
    process = BackendProcess(tmp_path / "home")
    yield process
    process.stop()


@pytest.fixture
def client(backend: BackendProcess) -> Iterator[Client]:
    """A connected client of the shared backend."""
    with backend.client() as client:
        yield client
