"""Voxels as lists of places: .npz for programs, .json for everybody."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any

import numpy as np

from tessera_protocol.errors import error

from ..voxels import Voxels
from .meshes import GENERATOR, about

FORMAT = "tessera-voxels"
_LARGEST = 512  # voxels a side that a file may ask for


def to_npz(voxels: Voxels) -> bytes:
    """`positions` int16 (N, 3), `labels` uint8 (N,) from 1, `palette` uint8 (K, 3), and `about`, JSON text."""
    positions, labels = _cells(voxels)
    file = io.BytesIO()
    np.savez_compressed(
        file, positions=positions, labels=labels, palette=voxels.palette, about=json.dumps(_head(voxels))
    )
    return file.getvalue()


def to_json(voxels: Voxels) -> bytes:
    """The same as one object: `voxels` are [x, y, z, label], label 1 is the first of `palette`, of "#rrggbb"."""
    positions, labels = _cells(voxels)
    rows = np.column_stack([positions, labels]).tolist()
    colors = ["#" + bytes(color).hex() for color in voxels.palette]
    return json.dumps(_head(voxels) | {"palette": colors, "voxels": rows}, separators=(",", ":")).encode()


def from_npz(data: bytes) -> Voxels:
    """
    Raises:
        InvalidInput: "unreadable-input".
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            head = json.loads(str(file["about"]))
            return _voxels(head, file["positions"], file["labels"], file["palette"])
    except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as problem:
        raise _unreadable() from problem


def from_json(data: bytes) -> Voxels:
    """
    Raises:
        InvalidInput: "unreadable-input".
    """
    try:
        head = json.loads(data)
        rows = np.array(head["voxels"], np.int64).reshape(-1, 4)
        palette = np.array([list(bytes.fromhex(color[1:])) for color in head["palette"]], np.uint8).reshape(-1, 3)
        return _voxels(head, rows[:, :3], rows[:, 3], palette)
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        raise _unreadable() from problem


def _cells(voxels: Voxels) -> tuple[np.ndarray, np.ndarray]:
    positions = np.argwhere(voxels.labels).astype(np.int16)
    return positions, voxels.labels[tuple(positions.T)]


def _head(voxels: Voxels) -> dict[str, Any]:
    return {"format": FORMAT, "version": 1, "generator": GENERATOR, **about(voxels)}


def _voxels(head: dict[str, Any], positions: np.ndarray, values: np.ndarray, palette: np.ndarray) -> Voxels:
    if head["format"] != FORMAT or head["version"] != 1 or positions.min(initial=0) < 0:
        raise ValueError("another format")
    if values.min(initial=1) < 1 or values.max(initial=1) > len(palette):
        raise ValueError("labels beyond the palette")
    if len(head["shape"]) != 3 or max(head["shape"]) > _LARGEST:
        raise ValueError("a grid of another kind")
    labels = np.zeros(head["shape"], np.uint8)
    labels[tuple(positions.astype(np.int64).T)] = values
    return Voxels(labels, palette, np.array(head["origin"], float), np.array(head["size"], float), head["meta"])


def _unreadable() -> Exception:
    return error(
        "unreadable-input",
        "The file does not hold voxels as Tessera writes them, or is damaged.",
        field="voxels",
        remedy="Export it again.",
    )
