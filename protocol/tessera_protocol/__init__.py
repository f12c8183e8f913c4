"""What a host and the backend say to each other: docs/protocol.md, in pure Python over pyzmq and msgpack."""

__version__ = "0.1.0"
PROTOCOL_VERSION = 1
