"""Message <-> ZeroMQ frames: a msgpack header, then raw buffers (docs/protocol.md section 2). Does no I/O."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgpack

from . import PROTOCOL_VERSION
from .errors import Failure, Refused, error
from .messages import NAMES, TYPES, Buffer, Bytes, Message

HEADER_BYTES = 1 << 20
FRAME_BYTES = 512 << 20
MAX_BUFFERS = 16
MAX_DEPTH = 16

ITEM_SIZES: Mapping[str, int] = {
    "bool": 1, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4,
    "int64": 8, "float16": 2, "float32": 4, "float64": 8,
}  # fmt: skip

# Annotations of message fields, as the class bodies spell them -> what msgpack may give for them.
_KINDS: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "list[int]": list,
    "list[str]": list,
    "list[dict[str, Any]]": list,
    "dict[str, Any]": dict,
    "Failure": dict,
}


class Envelope(NamedTuple):
    """A message with its number, and the number of the message it answers."""

    message: Message
    id: int
    re: int | None


def encode(message: Message, id: int, re: int | None = None) -> list[Bytes]:
    """The frames of a message: header first, then the buffers, uncopied.

    Raises:
        InvalidInput: "too-large", when a buffer is over the frame limit.
        Refused: "bad-message", when a buffer's bytes disagree with its dtype and shape.
    """
    body: dict[str, Any] = {}
    for field in dataclasses.fields(message):  # type: ignore[arg-type]
        value = getattr(message, field.name)
        if field.name != "buffers":
            body[field.name] = _slim(value) if isinstance(value, Failure) else value
    buffers: Mapping[str, Buffer] = getattr(message, "buffers", {})
    described = [_describe(name, buffer) for name, buffer in buffers.items()]
    header = {"v": PROTOCOL_VERSION, "type": NAMES[type(message)], "id": id, "re": re}
    packed: bytes = msgpack.packb({**header, "body": body, "buffers": described})
    return [packed, *(buffer.data for buffer in buffers.values())]


def decode(frames: Sequence[Bytes]) -> Envelope:
    """The message in these frames; buffers are views of them.

    Raises:
        Refused: "bad-message" or "version-mismatch"; nothing else, whatever the bytes are.
    """
    header = _header(frames)
    if header.get("v") != PROTOCOL_VERSION:
        raise error(
            "version-mismatch",
            f"The message has protocol version {header.get('v')!r}; this side speaks {PROTOCOL_VERSION}.",
            given=str(header.get("v"))[:20],
            allowed=str(PROTOCOL_VERSION),
            remedy="Update whichever is older: the add-on (tessera install ...) or the backend (pip install -U).",
        )
    cls = TYPES.get(header["type"]) if isinstance(header.get("type"), str) else None
    if cls is None:
        raise _bad(f"Unknown message type {str(header.get('type'))[:40]!r}.")
    number, answers, body = header.get("id"), header.get("re"), header.get("body")
    if not isinstance(number, int) or not (answers is None or isinstance(answers, int)) or not isinstance(body, dict):
        raise _bad("The header needs id (an integer), re (an integer or nil) and body (a map).")
    return Envelope(_build(cls, body, _buffers(header.get("buffers"), frames[1:])), number, answers)


def message_id(frames: Sequence[Bytes]) -> int | None:
    """The number of a message that may otherwise be wrong, so that a refusal can say what it answers."""
    try:
        number = _header(frames).get("id")
    except Refused:
        return None
    return number if isinstance(number, int) else None


def _header(frames: Sequence[Bytes]) -> dict[str, Any]:
    if not frames or len(frames[0]) > HEADER_BYTES:
        raise _bad(f"The header frame is missing, or over {HEADER_BYTES} bytes.")
    try:
        header = msgpack.unpackb(frames[0], strict_map_key=True)
    # msgpack raises ValueError (and subclasses) on bad bytes; its pure Python twin runs out of stack on deep ones.
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as exc:
        raise _bad("The header is not msgpack.") from exc
    if not isinstance(header, dict) or _deeper(header, MAX_DEPTH):
        raise _bad(f"The header is not a map of at most {MAX_DEPTH} levels.")
    return header


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in items)


def _build(cls: type[Message], body: dict[str, Any], buffers: dict[str, Buffer]) -> Message:
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    takes_buffers = fields.pop("buffers", None) is not None
    if set(body) != set(fields):
        raise _bad(f"The body of {NAMES[cls]} has to have exactly the fields: {', '.join(fields) or 'none'}.")
    for name, field in fields.items():
        if not isinstance(body[name], _KINDS[str(field.type)]):
            raise _bad(f"The field {name} of {NAMES[cls]} has to be {field.type}.", field=name)
    if buffers and not takes_buffers:
        raise _bad(f"{NAMES[cls]} carries no buffers.")
    values = dict(body)
    if "failure" in values:
        values["failure"] = _failure(values["failure"])
    if takes_buffers:
        values["buffers"] = buffers
    return cls(**values)


def _failure(data: dict[str, Any]) -> Failure:
    known = {f.name for f in dataclasses.fields(Failure)}
    if not {"code", "problem"} <= set(data) <= known:
        raise _bad("A failure needs code and problem, and may have field, given, allowed, remedy.")
    return Failure(**data)


def _slim(failure: Failure) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(failure).items() if v is not None}


def _describe(name: str, buffer: Buffer) -> dict[str, Any]:
    if memoryview(buffer.data).nbytes > FRAME_BYTES:
        raise error(
            "too-large",
            f"The {name} has {memoryview(buffer.data).nbytes:,} bytes, but {FRAME_BYTES:,} are possible.",
            field=name,
            allowed=f"{FRAME_BYTES:,} bytes",
            remedy="Send a smaller picture, or an encoded one (PNG, JPEG).",
        )
    if buffer.dtype is None:
        return {"name": name, "media_type": buffer.media_type}
    described = {"name": name, "dtype": buffer.dtype, "shape": list(buffer.shape)}
    _check_length(described, memoryview(buffer.data).nbytes)
    return described


def _buffers(described: Any, frames: Sequence[Bytes]) -> dict[str, Buffer]:
    if not isinstance(described, list) or len(described) != len(frames) or len(frames) > MAX_BUFFERS:
        raise _bad(f"The header describes its buffers in a list, one a frame, at most {MAX_BUFFERS}.")
    buffers = {}
    for entry, data in zip(described, frames):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name in buffers:
            raise _bad("Each buffer needs a name of its own.")
        if "dtype" in entry:
            _check_length(entry, len(data))
            buffers[name] = Buffer.array(data, entry["dtype"], tuple(entry["shape"]))
        elif isinstance(entry.get("media_type"), str):
            buffers[name] = Buffer.file(data, entry["media_type"])
        else:
            raise _bad(f"The buffer {name[:40]!r} needs dtype and shape, or a media type.", field=name[:40])
    return buffers


def _check_length(entry: dict[str, Any], size: int) -> None:
    name, dtype, shape = entry["name"], entry.get("dtype"), entry.get("shape")
    whole = isinstance(shape, list) and len(shape) <= 8 and all(type(n) is int and n >= 0 for n in shape)
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES or not whole:
        raise _bad(f"The array {name[:40]!r} needs a known dtype and a shape of whole numbers.", field=name[:40])
    wanted = math.prod(shape) * ITEM_SIZES[dtype]  # type: ignore[arg-type]
    if wanted != size:
        raise _bad(
            f"The array {name[:40]!r} has {size} bytes, but {dtype} of shape {shape} needs {wanted}.",
            field=name[:40],
        )


def _bad(problem: str, **details: Any) -> Refused:
    failure = Failure("bad-message", problem, remedy="See docs/protocol.md, section 2.", **details)
    return Refused(failure)
