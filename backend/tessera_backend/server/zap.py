"""Who may connect: a ZAP handler (ZeroMQ RFC 27) that admits exactly one CURVE key per domain."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import zmq
from zmq.utils import z85

log = logging.getLogger(__name__)


class Gatekeeper:
    """Answers libzmq's authentication requests; poll `socket` and call `answer` when it is readable.

    Args:
        context: the one whose sockets are guarded.
        admitted: ZAP domain -> the one public key (Z85) that may enter.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], admitted: Mapping[bytes, bytes]) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind("inproc://zeromq.zap.01")
        self._admitted = admitted

    def answer(self) -> None:
        """Admit or turn away one peer."""
        frames = self.socket.recv_multipart()
        version, request, domain, address, _identity, mechanism, *credentials = frames
        good = (
            version == b"1.0"
            and mechanism == b"CURVE"
            and len(credentials) == 1
            and z85.encode(credentials[0]) == self._admitted.get(domain)
        )
        if not good:
            log.warning("turned away a peer", extra={"address": address.decode("ascii", "replace")})
        status = [b"200", b"OK"] if good else [b"400", b"unknown key"]
        self.socket.send_multipart([b"1.0", request, *status, b"", b""])
