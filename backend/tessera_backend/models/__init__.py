"""Weights of learned engines: safetensors files that say in their header what they are and how they were made.

float16 on disk, float32 in memory. Small ones travel with the package, in `weights/`, each beside a card (.md).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tessera_protocol.errors import error

if TYPE_CHECKING:
    from torch import Tensor

_WEIGHTS = Path(__file__).parent / "weights"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a file of weights holds.

    Attributes:
        tensors: by name; float32, or the dtype of the file for what is not floating point.
        meta: plain JSON values; `kind` says which engine can use it, `architecture` how to build its net. Files of
            ours also have `recipe`, `steps`, `data` and `version`.
        file: name of the file.
        sha256: hexadecimal, of the file.
    """

    tensors: dict[str, Tensor]
    meta: dict[str, Any]
    file: str = ""
    sha256: str = ""


def shipped(name: str) -> Path:
    """Where the weights called `name`, such as "stipple-student", lie in the installed package."""
    return _WEIGHTS / f"{name}.safetensors"


def save(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write a file of weights, whole or not at all; floating point becomes float16.

    Args:
        tensors: any device.
        meta: plain JSON values; must have `kind`.
    Raises:
        InvalidInput: "unusable-input" if the place can't be written.
    """
    from safetensors.torch import save as encoded

    halves = {
        name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous() for name, t in tensors.items()
    }
    data = encoded(halves, {key: json.dumps(value) for key, value in {"kind": meta["kind"], **meta}.items()})
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as exc:
        raise error(
            "unusable-input", f"{path} can't be written: {exc.strerror}.", field="output", remedy="Name another place."
        ) from exc


def load(path: Path, kind: str | None = None) -> Checkpoint:
    """Read a file of weights.

    Args:
        kind: what it has to be; None takes any.
    Raises:
        InvalidInput: "unreadable-input" for a file that is missing, damaged or not safetensors; "unusable-input"
            for weights of another kind.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as decoded

    try:
        data = path.read_bytes()
    except OSError as exc:
        raise error(
            "unreadable-input",
            f"The weights {path} can't be read: {exc.strerror}.",
            field="weights",
            remedy="Name a .safetensors file, or install Tessera again if it came with it.",
        ) from exc
    try:
        tensors = decoded(data)
        meta = _header(data)
    except (SafetensorError, ValueError, KeyError) as exc:
        raise error(
            "unreadable-input",
            f"{path.name} is damaged, or not a safetensors file of Tessera.",
            field="weights",
            remedy="Fetch or train it again.",
        ) from exc
    if kind is not None and meta.get("kind") != kind:
        raise error(
            "unusable-input",
            f"{path.name} has weights of kind {meta.get('kind', 'unknown')!r}.",
            field="weights",
            given=str(meta.get("kind")),
            allowed=kind,
        )
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    return Checkpoint(floats, meta, path.name, hashlib.sha256(data).hexdigest())


def _header(data: bytes) -> dict[str, Any]:
    """A file starts with the length of its header, eight bytes, little-endian; then the header, JSON."""
    length = int.from_bytes(data[:8], "little")
    texts = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return {key: json.loads(text) for key, text in texts.items()}
