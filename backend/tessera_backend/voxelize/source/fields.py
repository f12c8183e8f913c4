"""Fields of JSON objects that strangers wrote: each is what it has to be, or a sentence says what it is instead."""

from __future__ import annotations

import json
import math
from typing import Any

from tessera_protocol.errors import TesseraError, error
from tessera_protocol.jobs.colors import is_color

# A part takes some 300 bytes.
_MOST_BYTES = 64 << 20
_MOST_ENTRIES = 100_000
_MOST = 2**31 - 1
# Of bounds: float32 holds no more.
_FARTHEST = 3e38
_ABSENT = object()


class Fields:
    """One object of the scene's header.

    Args:
        entry: what JSON gave.
        where: how messages call it.
    Raises:
        InvalidInput: "unreadable-input", here and in all methods.
    """

    def __init__(self, entry: Any, where: str) -> None:
        if not isinstance(entry, dict):
            raise damaged(f"{where} is {_shown(entry)}, but has to be an object")
        self._entry = entry
        self.where = where

    @classmethod
    def of_json(cls, data: bytes) -> Fields:
        """The whole header."""
        if len(data) > _MOST_BYTES:
            raise error(
                "too-large",
                f"The scene's header has {len(data) / 1e6:.0f} MB.",
                field="scene",
                given=len(data),
                allowed=f"at most {_MOST_BYTES} bytes",
                remedy="Join objects, or voxelize fewer of them at once.",
            )
        try:
            return cls(json.loads(data), "its header")
        except (ValueError, RecursionError) as problem:
            raise damaged(f"its header is no JSON ({str(problem)[:120]})") from problem

    def objects(self, key: str, name: str) -> list[Fields]:
        """A list of objects, each called by its name, or its number; [] where there is none."""
        values = self._list(key)
        if len(values) > _MOST_ENTRIES:
            raise error(
                "too-large",
                f"The scene has {len(values):,} {key}.",
                field="scene",
                given=len(values),
                allowed=f"at most {_MOST_ENTRIES}",
                remedy="Join objects, or voxelize fewer of them at once.",
            )
        named = (value.get("name") if isinstance(value, dict) else None for value in values)
        names = (f"the {name} {_shown(label) if label else number}" for number, label in enumerate(named))
        return [Fields(value, label) for value, label in zip(values, names, strict=True)]

    def count(self, key: str, default: int | None = None) -> int:
        """A whole number from 0 to what int32 holds."""
        value = self._entry.get(key, _ABSENT)
        if value is _ABSENT and default is not None:
            return default
        if type(value) is not int or not 0 <= value <= _MOST:
            raise self._wrong(key, value, "a whole number from 0")
        return value

    def index(self, key: str, below: int, what: str) -> int | None:
        """The number of one of `below` things; None where there is none."""
        value = self._entry.get(key)
        return None if value is None else self._index(key, value, below, what)

    def indices(self, key: str, below: int, what: str) -> list[int | None]:
        """A list of such."""
        return [None if value is None else self._index(key, value, below, what) for value in self._list(key)]

    def number(self, key: str) -> float | None:
        """Finite; None where there is none."""
        value = self._entry.get(key)
        return None if value is None else self._finite(key, value, "a finite number")

    def numbers(self, key: str, count: int, default: tuple[float, ...]) -> tuple[float, ...]:
        """So many finite numbers."""
        values = self._entry.get(key, default)
        allowed = f"{count} finite numbers"
        if not isinstance(values, (list, tuple)) or len(values) != count:
            raise self._wrong(key, values, allowed)
        return tuple(self._finite(key, value, allowed) for value in values)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of several words, the first if it is absent."""
        value = self._entry.get(key, choices[0])
        if value not in choices:
            raise self._wrong(key, value, f"one of {', '.join(choices)}")
        return str(value)

    def color(self, key: str) -> str | None:
        """#rrggbb in lower case; None where there is none."""
        value = self._entry.get(key)
        if value is not None and not (isinstance(value, str) and is_color(value)):
            raise self._wrong(key, value, "a colour of the form #rrggbb")
        return None if value is None else value.lower()

    def box(self, key: str) -> list[tuple[float, ...]] | None:
        """Two points (x, y, z), the second one greater somewhere and less nowhere; None where there is none."""
        if self._entry.get(key) is None:
            return None
        values = self._list(key)
        allowed = "two points of 3 finite numbers, the lower and the upper corner of a box"
        if len(values) != 2 or not all(isinstance(point, list) and len(point) == 3 for point in values):
            raise self._wrong(key, values, allowed)
        low, high = (tuple(self._finite(key, value, allowed) for value in point) for point in values)
        beyond = max(map(abs, (*low, *high))) > _FARTHEST
        if beyond or any(a > b for a, b in zip(low, high, strict=True)) or low == high:
            raise self._wrong(key, values, allowed)
        return [low, high]

    def _list(self, key: str) -> list[Any]:
        values = self._entry.get(key)
        if values is None:
            return []
        if not isinstance(values, list):
            raise self._wrong(key, values, "a list")
        return values

    def _index(self, key: str, value: Any, below: int, what: str) -> int:
        if type(value) is not int or not 0 <= value < below:
            raise self._wrong(key, value, f"the number of one of {below} {what}, from 0")
        return value

    def _finite(self, key: str, value: Any, allowed: str) -> float:
        if type(value) not in (int, float):
            raise self._wrong(key, value, allowed)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._wrong(key, value, allowed)
        return number

    def _wrong(self, key: str, value: Any, allowed: str) -> TesseraError:
        given = "nothing" if value is _ABSENT else _shown(value)
        return damaged(f"{key!r} of {self.where} is {given}, but has to be {allowed}")


def damaged(what: str) -> TesseraError:
    """The failure of a scene that is not as the protocol says."""
    return error(
        "unreadable-input",
        f"The scene can't be read: {what}.",
        field="scene",
        remedy="Update the add-on and the backend, so that both are of one version.",
    )


def _shown(value: Any) -> str:
    """JSON, in short."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "nested too deep"
    # Half a surrogate pair is JSON, but no text.
    text = text.encode(errors="replace").decode()
    return text if len(text) <= 60 else text[:57] + "..."
