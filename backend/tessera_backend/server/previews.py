"""Previews of running jobs on their way from a worker to the clients: small, few, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import zmq

from tessera_protocol.messages import Buffer, Bytes

from .spool import buffer_of, describe

# Larger ones are not sent: three times what 100,000 dots with their plates need.
PREVIEW_BYTES = 4 << 20


def packed(buffers: Mapping[str, Buffer]) -> list[dict[str, Any]]:
    """Buffers with their bytes, as a worker's report carries them."""
    return [{**describe(name, buffer), "data": buffer.data} for name, buffer in buffers.items()]


def unpacked(described: Sequence[Mapping[str, Any]]) -> dict[str, Buffer]:
    """The inverse of `packed`."""
    return {entry["name"]: buffer_of(entry, entry["data"]) for entry in described}


class Previews:
    """Lets one preview at a time go to each client.

    A client that reads slowly gets fewer of them, always the latest; for one that stands still none pile up here.
    """

    def __init__(self) -> None:
        self._on_their_way: dict[bytes, zmq.MessageTracker] = {}

    def may_go(self, peer: bytes) -> bool:
        """Whether the one before has left this process."""
        self._on_their_way = {peer: sent for peer, sent in self._on_their_way.items() if not sent.done}
        return peer not in self._on_their_way

    def watched(self, peer: bytes, frames: Sequence[Bytes]) -> list[Bytes | zmq.Frame]:
        """The frames of a preview, to be sent: the last of them says when all have left."""
        last = zmq.Frame(frames[-1], track=True, copy=False, copy_threshold=0)
        assert last.tracker is not None
        self._on_their_way[peer] = last.tracker
        return [*frames[:-1], last]
