"""Which files that a mesh file names are not there: trimesh goes on without them, and says nothing."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote

# A .glb is a header of 12 bytes, then chunks: length, kind, content (glTF 2.0, section 4.4). The first is JSON.
_GLB_HEAD = 12


def textures(path: Path) -> list[str]:
    """A sentence for each texture or material library that a .gltf, .glb or .obj file names and that is not there."""
    kind = path.suffix.lower()
    if kind in (".gltf", ".glb"):
        return [told("texture", name) for name in _images(path) if not (path.parent / name).is_file()]
    if kind == ".obj":
        return _of_obj(path)
    return []


def told(what: str, name: str) -> str:
    """What an artist reads of a file that is not there."""
    return f"The {what} {name} is missing: the parts that use it have their plain colours."


def _images(path: Path) -> list[str]:
    """Files of textures, as the header names them; not those that are inside."""
    header: Any = {}
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".glb":
            (length,) = struct.unpack_from("<I", data, _GLB_HEAD)
            data = data[_GLB_HEAD + 8 : _GLB_HEAD + 8 + length]
        header = json.loads(data)
    except (OSError, ValueError, struct.error):
        return []
    named = [image.get("uri", "data:") for image in header.get("images", [])]
    return sorted({unquote(name) for name in named if not name.startswith("data:")})


def _of_obj(path: Path) -> list[str]:
    notes = []
    for library in _values(path, "mtllib"):
        if not (path.parent / library).is_file():
            notes.append(told("material library", library))
            continue
        files = _values(path.parent / library, "map_kd")
        notes += [told("texture", name) for name in files if not (path.parent / name).is_file()]
    return notes


def _values(path: Path, key: str) -> list[str]:
    """What lines that begin with a key say, each once."""
    found: dict[str, None] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                word, _, rest = line.strip().partition(" ")
                if word.lower() == key and rest.strip():
                    found[rest.strip()] = None
    except OSError:
        return []
    return list(found)
