"""What the protocol knows of any job."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from ..schema import describe


@dataclasses.dataclass(frozen=True)
class BufferSpec:
    """One input or output buffer.

    Attributes:
        name: how messages call it.
        help: what it holds, with units.
        dtype: of an array ("float32", ...); None for an encoded file (PNG, JPEG, ...).
        shape: of an array, e.g. ("N", 2); letters are free.
        optional: an input that may be left out.
    """

    name: str
    help: str
    dtype: str | None = None
    shape: tuple[Any, ...] = ()
    optional: bool = False


@dataclasses.dataclass(frozen=True)
class Job:
    """One job as the protocol knows it: its name, parameter class and buffers.

    Attributes:
        learned: whether a request, by its parameters that differ from the defaults, is work for a network, which
            runs on an accelerator where there is one.
        stoppable: whether it can end early, with a result as good as it is by then.
    """

    name: str
    title: str
    params: type[Any]
    inputs: tuple[BufferSpec, ...]
    outputs: tuple[BufferSpec, ...]
    learned: Callable[[Mapping[str, Any]], bool] = lambda params: False
    stoppable: bool = False

    def describe(self) -> dict[str, Any]:
        """The whole schema as plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "parameters": describe(self.params),
            "inputs": [dataclasses.asdict(b) for b in self.inputs],
            "outputs": [dataclasses.asdict(b) for b in self.outputs],
            "stoppable": self.stoppable,
        }
