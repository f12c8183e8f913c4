"""The bridge: a client whose Python has no ZeroMQ works all the same."""

from __future__ import annotations

import io
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from tessera_protocol.bridge import read_message, write_message
from tests.conftest import BackendProcess

SCRIPT = """
import sys
sys.modules["zmq"] = None  # As in a Python that can't load it.
from tessera_protocol.client import Buffer, Client
with Client("bridged") as client:
    image = Buffer.array(bytes(4096), "uint8", (64, 64))
    job = client.submit("stipple", {"dots": 40, "iterations": 2}, {"image": image})
    result = client.follow(job)
    print(len(result.buffers["positions"].data))
    client.acknowledge(job)
"""


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_messages_survive_the_pipe(frames: list[bytes]) -> None:
    """read(write(m)) is m; a pipe that ends early gives None, not half a message."""
    pipe = io.BytesIO()
    write_message(pipe, frames)
    data = pipe.getvalue()
    assert read_message(io.BytesIO(data)) == frames
    assert read_message(io.BytesIO(data[:-1])) is None


def bridged(backend: BackendProcess, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT]
    variables = {**backend.environment, **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_a_client_without_zeromq_runs_a_job(backend: BackendProcess) -> None:
    """Submit, follow, acknowledge, through another Python's socket."""
    done = bridged(backend, TESSERA_BRIDGE=sys.executable)
    assert done.stdout.strip() == "320", done.stderr


def test_without_a_bridge_the_message_says_what_to_do(backend: BackendProcess) -> None:
    """No ZeroMQ and nobody to hold the socket: a remedy, not an ImportError."""
    done = bridged(backend)
    assert "ZeroMQ can't be loaded" in done.stderr
    assert "tessera install" in done.stderr
