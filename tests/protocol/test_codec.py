"""The codec: round trips of every message, and hostile bytes."""

from __future__ import annotations

import dataclasses
import typing

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera_protocol import codec, messages
from tessera_protocol.errors import CODES, Failure, InvalidInput, Refused
from tessera_protocol.messages import TYPES, Buffer

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
maps = st.dictionaries(st.text(max_size=8), plain, max_size=4)
failures = st.builds(
    Failure,
    st.sampled_from(sorted(CODES)),
    st.text(),
    st.none() | st.text(max_size=9),
    st.none() | st.integers(0, 9),
    st.none() | st.text(max_size=9),
    st.none() | st.text(max_size=9),
)
files = st.builds(Buffer.file, st.binary(max_size=64), st.sampled_from(["", "image/png"]))


@st.composite
def arrays(draw: st.DrawFn) -> Buffer:
    dtype = draw(st.sampled_from(sorted(codec.ITEM_SIZES)))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    size = codec.ITEM_SIZES[dtype]
    for n in shape:
        size *= n
    return Buffer.array(draw(st.binary(min_size=size, max_size=size)), dtype, shape)


FIELD_VALUES = {
    "str": st.text(max_size=40),
    "int": st.integers(0, 2**31),
    "float": st.floats(0, 1),
    "list[int]": st.lists(st.integers(0, 9), max_size=3),
    "list[str]": st.lists(st.text(max_size=9), max_size=3),
    "list[dict[str, Any]]": st.lists(maps, max_size=2),
    "dict[str, Any]": maps,
    "Failure": failures,
    "Mapping[str, Buffer]": st.dictionaries(st.text(max_size=8), files | arrays(), max_size=3),
}


def example(cls: type[messages.Message]) -> st.SearchStrategy[messages.Message]:
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    return st.builds(cls, **{f.name: FIELD_VALUES[str(f.type)] for f in fields})


def comparable(message: messages.Message) -> dict[str, object]:
    values = dict(vars(message))
    if "buffers" in values:
        values["buffers"] = {n: (bytes(b.data), b.dtype, b.shape, b.media_type) for n, b in values["buffers"].items()}
    return values


@pytest.mark.parametrize("cls", TYPES.values(), ids=TYPES)
@given(data=st.data())
def test_every_message_survives_the_round_trip(cls: type[messages.Message], data: st.DataObject) -> None:
    """decode(encode(m)) is m, with its number and what it answers."""
    message = data.draw(example(cls))
    number, re = data.draw(st.integers(0, 2**40)), data.draw(st.none() | st.integers(0, 2**40))
    envelope = codec.decode([bytes(frame) for frame in codec.encode(message, number, re)])
    assert (envelope.id, envelope.re, type(envelope.message)) == (number, re, cls)
    assert comparable(envelope.message) == comparable(message)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_garbage_is_refused_and_nothing_else(frames: list[bytes]) -> None:
    """Whatever bytes arrive, decode raises Refused."""
    with pytest.raises(Refused):
        codec.decode(frames)


@given(data=st.data())
def test_damaged_messages_are_refused_or_decoded(data: st.DataObject) -> None:
    """A truncated or flipped message never raises anything but Refused."""
    message = data.draw(st.sampled_from(sorted(TYPES)).flatmap(lambda name: example(TYPES[name])))
    frames = [bytearray(frame) for frame in codec.encode(message, 1)]
    victim = data.draw(st.sampled_from(frames))
    if victim and data.draw(st.booleans()):
        victim[data.draw(st.integers(0, len(victim) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del victim[len(victim) // 2 :]
    try:
        codec.decode(frames)
    except Refused as exc:
        assert exc.failure.code in ("bad-message", "version-mismatch")


def header(**changes: object) -> bytes:
    base = {"v": 1, "type": "ping", "id": 1, "re": None, "body": {}, "buffers": []}
    return typing.cast(bytes, msgpack.packb({**base, **changes}))


def nested(levels: int) -> object:
    value: object = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([], "bad-message"),
        ([b""], "bad-message"),
        ([b"\xc1"], "bad-message"),
        ([msgpack.packb([1, 2])], "bad-message"),
        ([header(v=2)], "version-mismatch"),
        ([header(type="sing")], "bad-message"),
        ([header(type=None)], "bad-message"),
        ([header(id="1")], "bad-message"),
        ([header(body=[])], "bad-message"),
        ([header(body={"more": 1})], "bad-message"),
        ([header(type="attach", body={"job_id": 5})], "bad-message"),
        ([header(type="attach", body={"job_id": nested(100)})], "bad-message"),
        ([b"\x91" * 100_000], "bad-message"),
        ([b"\x81\xa1v" * 100_000], "bad-message"),
        ([header(), b"a frame too many"], "bad-message"),
        ([header(buffers=[{"name": "image", "media_type": ""}])], "bad-message"),
        ([b"\xc4" * (codec.HEADER_BYTES + 1)], "bad-message"),
        ([b"\xdf\xff\xff\xff\xff"], "bad-message"),  # A map that claims 4 billion entries.
        ([b"\xc6\xff\xff\xff\xff"], "bad-message"),  # Bytes that claim 4 GB.
    ],
)
def test_hostile_headers_are_refused(frames: list[bytes], code: str) -> None:
    """Truncated, nested, oversized, of another version, with unknown fields: each has its refusal."""
    with pytest.raises(Refused) as caught:
        codec.decode(frames)
    assert caught.value.failure.code == code


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "image", "dtype": "uint8", "shape": [5, 5]},
        {"name": "image", "dtype": "uint8", "shape": [-4, -4]},
        {"name": "image", "dtype": "uint8", "shape": [4.0, 4]},
        {"name": "image", "dtype": "object", "shape": [16]},
        {"name": "image", "dtype": "uint8"},
        {"name": "image", "dtype": ["uint8"], "shape": [16]},
        {"name": "image", "dtype": "uint8", "shape": [16] + [1] * 8},
        {"name": 7, "dtype": "uint8", "shape": [16]},
        {"name": "image"},
        "image",
    ],
)
def test_a_buffer_that_disagrees_with_its_description_is_refused(entry: object) -> None:
    """Sixteen bytes have to be described as sixteen bytes: a truncated image never reaches a job."""
    body = {"job_id": "0" * 32, "job": "stipple", "params": {}}
    with pytest.raises(Refused):
        codec.decode([header(type="submit", body=body, buffers=[entry]), bytes(16)])


def test_too_large_buffers_are_refused_before_they_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender hears that the limit is passed; ZeroMQ would only drop the connection."""
    monkeypatch.setattr(codec, "FRAME_BYTES", 100)
    message = messages.Submit("0" * 32, "stipple", {}, {"image": Buffer.file(bytes(101))})
    with pytest.raises(InvalidInput, match="101"):
        codec.encode(message, 1)
