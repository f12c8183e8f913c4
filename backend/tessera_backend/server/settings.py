"""What can be set about a running backend."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tessera_protocol import codec, paths


@dataclasses.dataclass(frozen=True)
class Settings:
    """Limits and places of one backend.

    Attributes:
        host: address to bind; anything but loopback lets other machines with the connection file in.
        port: 0 for a free one.
        connection_file: where clients find it.
        spool: folder of the kept results and their index.
        log: folder of the log.
        image_pixels: most pixels of an input picture.
        queue_per_session, queue_total: most waiting jobs.
        keep_days, keep_bytes: kept results older or larger together are forgotten, oldest first.
        idle_exit: minutes without clients and jobs after which the backend ends; 0: never.
        cancel_grace: seconds a job has to notice a cancel before its worker is killed.
    """

    host: str = "127.0.0.1"
    port: int = 0
    connection_file: Path = dataclasses.field(default_factory=paths.connection_file)
    spool: Path = dataclasses.field(default_factory=lambda: paths.state_dir() / "spool")
    log: Path = dataclasses.field(default_factory=lambda: paths.state_dir() / "log")
    image_pixels: int = 250_000_000
    queue_per_session: int = 100
    queue_total: int = 1000
    keep_days: float = 7.0
    keep_bytes: int = 4 << 30
    idle_exit: float = 0.0
    cancel_grace: float = 0.5

    def limits(self) -> dict[str, int]:
        """What `welcome` tells clients."""
        return {
            "header_bytes": codec.HEADER_BYTES,
            "frame_bytes": codec.FRAME_BYTES,
            "buffers": codec.MAX_BUFFERS,
            "image_pixels": self.image_pixels,
            "queue_per_session": self.queue_per_session,
            "queue_total": self.queue_total,
        }
