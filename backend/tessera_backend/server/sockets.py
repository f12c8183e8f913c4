"""The backend's listening sockets: ROUTER over TCP with CURVE."""

from __future__ import annotations

import zmq

from tessera_protocol import codec


def bind(
    context: zmq.Context[zmq.Socket[bytes]], domain: bytes, secret: bytes, host: str, port: int
) -> zmq.Socket[bytes]:
    """A ROUTER that admits whom the Gatekeeper admits to its domain.

    Args:
        context: guarded by a Gatekeeper.
        domain: ZAP domain, which says whose key fits.
        secret: CURVE secret key of the backend, Z85.
        host: address to listen on.
        port: 0 for a free one, which is taken at once: there is no moment in which another program could take it.
    Raises:
        zmq.ZMQError: the address can't be used.
    """
    socket = context.socket(zmq.ROUTER)
    socket.curve_server = True
    socket.curve_secretkey = secret
    socket.zap_domain = domain
    socket.linger = 500
    socket.maxmsgsize = codec.FRAME_BYTES
    # Dead TCP peers are noticed and their queues freed.
    socket.heartbeat_ivl = 5000
    socket.heartbeat_timeout = 30000
    socket.bind(f"tcp://{host}:{port or '*'}")
    return socket


def endpoint(socket: zmq.Socket[bytes]) -> str:
    """Where a bound socket listens, such as tcp://127.0.0.1:40123."""
    bound = socket.getsockopt(zmq.LAST_ENDPOINT)
    assert isinstance(bound, bytes)
    return bound.rstrip(b"\0").decode()
