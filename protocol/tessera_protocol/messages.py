"""Every message of the protocol, one dataclass each; docs/protocol.md section 3 is their specification."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Union

from .errors import Failure

Bytes = Union[bytes, bytearray, memoryview]


@dataclasses.dataclass(frozen=True)
class Buffer:
    """An array (dtype and shape) or an encoded file (media type), as raw bytes.

    Attributes:
        data: C order, little endian for arrays.
        dtype: "uint8", "uint16", "int32", "float32", ...; None for a file.
        shape: of the array.
        media_type: of the file, such as "image/png"; may be empty when unknown.
    """

    data: Bytes
    dtype: str | None = None
    shape: tuple[int, ...] = ()
    media_type: str = ""

    @staticmethod
    def file(data: Bytes, media_type: str = "") -> Buffer:
        """An encoded picture or other file."""
        return Buffer(data, media_type=media_type)

    @staticmethod
    def array(data: Bytes, dtype: str, shape: tuple[int, ...]) -> Buffer:
        """A numeric array."""
        return Buffer(data, dtype, tuple(shape))


class Message:
    """Base of all messages; `TYPES` maps each type name to its class."""


@dataclasses.dataclass(frozen=True)
class Hello(Message):
    versions: list[int]
    client: str
    session: str


@dataclasses.dataclass(frozen=True)
class Welcome(Message):
    version: int
    backend: str
    devices: list[str]
    jobs: list[dict[str, Any]]
    limits: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Ping(Message):
    pass


@dataclasses.dataclass(frozen=True)
class Pong(Message):
    pass


@dataclasses.dataclass(frozen=True)
class Submit(Message):
    job_id: str
    job: str
    params: dict[str, Any]
    buffers: Mapping[str, Buffer] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Attach(Message):
    job_id: str


@dataclasses.dataclass(frozen=True)
class Cancel(Message):
    job_id: str


@dataclasses.dataclass(frozen=True)
class Enough(Message):
    job_id: str


@dataclasses.dataclass(frozen=True)
class Acknowledge(Message):
    job_id: str


@dataclasses.dataclass(frozen=True)
class Jobs(Message):
    pass


@dataclasses.dataclass(frozen=True)
class Status(Message):
    pass


@dataclasses.dataclass(frozen=True)
class Stop(Message):
    pass


@dataclasses.dataclass(frozen=True)
class Accepted(Message):
    job_id: str
    state: str
    position: int


@dataclasses.dataclass(frozen=True)
class Progress(Message):
    job_id: str
    stage: str
    fraction: float
    text: str
    buffers: Mapping[str, Buffer] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Result(Message):
    job_id: str
    job: str
    meta: dict[str, Any]
    buffers: Mapping[str, Buffer] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Failed(Message):
    job_id: str
    failure: Failure


@dataclasses.dataclass(frozen=True)
class Acknowledged(Message):
    job_id: str


@dataclasses.dataclass(frozen=True)
class JobList(Message):
    jobs: list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class BackendStatus(Message):
    status: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Stopping(Message):
    pass


TYPES: Mapping[str, type[Message]] = {
    "hello": Hello,
    "welcome": Welcome,
    "ping": Ping,
    "pong": Pong,
    "submit": Submit,
    "attach": Attach,
    "cancel": Cancel,
    "enough": Enough,
    "acknowledge": Acknowledge,
    "jobs": Jobs,
    "status": Status,
    "stop": Stop,
    "accepted": Accepted,
    "progress": Progress,
    "result": Result,
    "failed": Failed,
    "acknowledged": Acknowledged,
    "job_list": JobList,
    "backend_status": BackendStatus,
    "stopping": Stopping,
}
NAMES: Mapping[type[Message], str] = {cls: name for name, cls in TYPES.items()}
