"""Measured records, kept in a folder as they come, so that a run that was interrupted goes on where it was."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class Records(Generic[R]):
    """A folder with a line of JSON for each record, by key; what belongs to them lies beside."""

    def __init__(self, folder: Path, kind: type[R]) -> None:
        """`kind` is a dataclass of plain JSON types."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = folder / "records.jsonl"
        lines = self._lines.read_text().splitlines() if self._lines.exists() else []
        self._known = {entry["key"]: kind(**entry["record"]) for entry in map(json.loads, lines)}

    def get(self, key: str) -> R | None:
        """What was measured."""
        return self._known.get(key)

    def add(self, key: str, record: R) -> R:
        """Keeps a record, on disk at once."""
        entry: dict[str, Any] = {"key": key, "record": dataclasses.asdict(record)}  # type: ignore[call-overload]
        with self._lines.open("a") as lines:
            print(json.dumps(entry), file=lines)
        self._known[key] = record
        return record
