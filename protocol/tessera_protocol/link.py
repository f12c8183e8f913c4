"""How frames travel between a client and the backend: a DEALER socket with CURVE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .connection import Connection
from .errors import error
from .messages import Bytes

try:
    import zmq
except ImportError as exc:
    # Windows' Inkscape runs an MSYS2 Python, which can't load the wheels made for python.org's.
    raise error(
        "start-failed",
        f"ZeroMQ can't be loaded in this program's Python: {exc}.",
        remedy="Run `tessera install` again for this program; if that doesn't help, `tessera doctor` says why.",
    ) from exc

# Below this many bytes a copy is cheaper than keeping track of the buffer.
COPY_BELOW = 1 << 16


class Link(Protocol):
    """A two-way channel of multipart messages."""

    def send(self, frames: Sequence[Bytes]) -> None: ...

    def receive(self, timeout: float) -> list[Bytes] | None: ...

    def close(self) -> None: ...


class ZmqLink:
    """A CURVE client connection; use it from one thread.

    Args:
        connection: endpoint and keys.
        frame_bytes: greatest frame that is let in.
    """

    def __init__(self, connection: Connection, frame_bytes: int) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.curve_serverkey = connection.server_key.encode()
        self._socket.curve_publickey = connection.client_public.encode()
        self._socket.curve_secretkey = connection.client_secret.encode()
        self._socket.maxmsgsize = frame_bytes
        self._socket.linger = 0
        self._socket.connect(connection.endpoint)

    def send(self, frames: Sequence[Bytes]) -> None:
        """Queue a message; large frames are not copied, so leave their memory alone until the answer."""
        self._socket.send_multipart(frames, copy=False)

    def receive(self, timeout: float) -> list[Bytes] | None:
        """The next message, or None when none came within `timeout` seconds."""
        if not self._socket.poll(int(timeout * 1000)):
            return None
        return [frame.buffer for frame in self._socket.recv_multipart(copy=False)]

    def drain(self, seconds: float) -> None:
        """Give what was sent last a chance to leave before close."""
        self._socket.linger = int(seconds * 1000)

    def close(self) -> None:
        """Close the socket and its context, dropping what was not sent."""
        self._socket.close()
        self._context.term()
