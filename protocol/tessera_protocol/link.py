"""How frames travel between a client and the backend: a DEALER socket with CURVE, or a bridge to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .connection import Connection
from .messages import Bytes

try:
    import zmq
except ImportError as exc:
    # Windows' Inkscape runs an MSYS2 Python, which can't load the wheels made for python.org's.
    WHY_NO_ZMQ = str(exc)
else:
    WHY_NO_ZMQ = ""


class Link(Protocol):
    """A two-way channel of multipart messages, for one thread."""

    def send(self, frames: Sequence[Bytes]) -> None:
        """Queue a message; large frames are not copied, so leave their memory alone until the answer."""

    def receive(self, timeout: float) -> list[Bytes] | None:
        """The next message, or None when none came within `timeout` seconds."""

    def close(self) -> None:
        """Drop what was not sent, and free everything."""


class ZmqLink:
    """A CURVE client connection.

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

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """For a poller that waits for more than this link."""
        return self._socket

    def send(self, frames: Sequence[Bytes]) -> None:
        self._socket.send_multipart(frames, copy=False)

    def receive(self, timeout: float) -> list[Bytes] | None:
        if not self._socket.poll(int(timeout * 1000)):
            return None
        return [frame.buffer for frame in self._socket.recv_multipart(copy=False)]

    def close(self) -> None:
        self._socket.close()
        self._context.term()
