"""A backend of one's own, in a folder that goes away with it: for the demo and for benchmarks."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tessera_protocol import launch, paths
from tessera_protocol.client import Client

START_SECONDS = 60.0


@contextmanager
def private_home() -> Iterator[Path]:
    """A temporary TESSERA_HOME for this process and its children: nothing of the user's is touched."""
    before = dict(os.environ)
    # It would move the cache of compiled kernels, too; that one is worth sharing.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(paths.cache_dir() / "numba"))
    os.environ.pop("TESSERA_CONNECTION_FILE", None)
    try:
        with tempfile.TemporaryDirectory(prefix="tessera-") as home:
            os.environ["TESSERA_HOME"] = home
            yield Path(home)
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def running_backend(name: str) -> Iterator[Client]:
    """Start a backend, give a client of it, end it.

    Args:
        name: of the client.
    Raises:
        Unreachable: "start-failed".
    """
    command = [sys.executable, "-m", "tessera_backend", "serve"]
    with tempfile.TemporaryFile() as errors:
        process = launch.start(command, errors)
        with launch.wait_for(process, command, errors, name, START_SECONDS) as client:
            try:
                yield client
            finally:
                process.terminate()
                process.wait()
