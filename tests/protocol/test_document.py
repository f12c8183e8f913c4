"""docs/protocol.md is true: its examples work, its tables are the code's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgpack
import pytest

from tessera_protocol import codec
from tessera_protocol.errors import CODES
from tessera_protocol.link import ZmqLink
from tessera_protocol.messages import NAMES, TYPES
from tests.conftest import BackendProcess

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"Expect `(\w+)`[^\n]*:\n```json\n(.*?)\n```", PAGE, re.DOTALL)


def test_the_page_has_examples() -> None:
    """The pattern that reads them out of the page still finds them."""
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize(("answer", "text"), EXAMPLES)
def test_examples_get_the_answer_they_name(backend: BackendProcess, answer: str, text: str) -> None:
    """Each example, sent as it stands to a real backend."""
    header: dict[str, Any] = json.loads(text)
    with backend.client() as known:
        connection = known.connection
    link = ZmqLink(connection, codec.FRAME_BYTES)
    try:
        link.send([msgpack.packb(header), *(bytes(16) for _ in header["buffers"])])
        frames = link.receive(10.0)
        assert frames is not None
        envelope = codec.decode(frames)
    finally:
        link.close()
    assert NAMES[type(envelope.message)] == answer
    assert envelope.re == header["id"]


def test_every_code_is_in_the_table() -> None:
    """Codes and meanings, word for word."""
    for code, (_, meaning) in CODES.items():
        assert f"| `{code}` | {meaning} |" in PAGE


def test_every_message_is_in_the_tables() -> None:
    """A message without a row, or a row without a message, is a mistake."""
    section = PAGE.split("## 3. Messages")[1].split("## 4.")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(TYPES)
