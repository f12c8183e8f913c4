"""What a mesh file brings along: files that it names, pictures that it holds, and notes of those that can't be had.

A mesh file comes from a stranger: only ordinary files in its own folder, or in folders of that, are read for it.
"""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from PIL import Image

# Four million triangles as text are half of that.
MOST_BYTES = 1 << 30
# What Pillow reads by decoding pixels; its reader of EPS, for one, would start Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "TGA", "DDS")
# Files that are no pictures: what glTF calls its buffers has no fixed ending.
_DATA = (".mtl", ".bin", ".buffer", ".dat", ".glbin", ".glbuf")
# A .glb is a header of 12 bytes, then chunks: length, kind, content (glTF 2.0, section 4.4). The first is JSON, the
# second, binary.
_GLB_HEAD, _CHUNK_HEAD = 12, 8


class Folder:
    """The files beside a mesh, as trimesh asks for them (it calls such a thing a resolver).

    Attributes:
        file_name: that of the mesh.
        notes: a sentence for each file that was asked for and can't be had.
    """

    def __init__(self, path: Path) -> None:
        self.file_name = path.name
        self.notes: list[str] = []
        self._root = path.parent.resolve()

    def get(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: there is none in the folder, or it is not an ordinary file of less than a gigabyte.
        """
        names = [name.strip(), unquote(name.strip())]
        # Where the mesh was made, its textures lay elsewhere: here they may lie beside it.
        names += [PurePosixPath(each.replace("\\", "/")).name for each in names]
        for each in dict.fromkeys(names):
            data = self._read(each.replace("\\", "/"))
            if data is not None:
                if not name.lower().endswith(_DATA) and not _is_picture(data):
                    self.notes.append(unreadable(names[1]))
                return data
        note = told("material library" if name.lower().endswith(".mtl") else "texture", names[1])
        note += f" Put it beside {self.file_name}."
        if note not in self.notes:
            self.notes.append(note)
        raise FileNotFoundError(f"the file {names[1][:100]} is not beside it")

    __getitem__ = get

    def _read(self, name: str) -> bytes | None:
        try:
            path = (self._root / name).resolve()
            if path.is_relative_to(self._root) and path.is_file() and path.stat().st_size <= MOST_BYTES:
                return path.read_bytes()
        except (OSError, ValueError, RuntimeError):  # too long, no text, or a link to itself
            pass
        return None


def told(what: str, name: str) -> str:
    """What an artist reads of a file that is not there."""
    return f"The {what} {_shown(name)} is missing: the parts that use it have their plain colours."


def unreadable(name: str) -> str:
    """What an artist reads of a picture that is there."""
    return f"The texture {_shown(name)} can't be read: the parts that use it have their plain colours."


def damaged_inside(path: Path) -> list[str]:
    """A sentence for each picture inside a .glb or .gltf file that can't be read."""
    if path.suffix.lower() not in (".glb", ".gltf"):
        return []
    try:
        return [unreadable(name) for name, data in _inside(path) if not _is_picture(data)]
    # trimesh read the file, so only what it does not need can be amiss.
    except (OSError, ValueError, TypeError, LookupError, AttributeError, struct.error):
        return []


def _inside(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of pictures that are in the file itself."""
    data, binary = path.read_bytes(), b""
    if path.suffix.lower() == ".glb":
        (length,) = struct.unpack_from("<I", data, _GLB_HEAD)
        begin = _GLB_HEAD + _CHUNK_HEAD
        data, binary = data[begin : begin + length], data[begin + length + _CHUNK_HEAD :]
    header: Any = json.loads(data)
    for number, image in enumerate(header.get("images", [])):
        name, uri = str(image.get("name") or number), image.get("uri")
        if isinstance(uri, str) and uri.startswith("data:"):
            yield name, base64.b64decode(uri.partition(",")[2])
        elif "bufferView" in image and binary:
            view = header["bufferViews"][image["bufferView"]]
            if view["buffer"] == 0:
                begin = view.get("byteOffset", 0)
                yield name, binary[begin : begin + view["byteLength"]]


def _is_picture(data: bytes) -> bool:
    """Whether there is a header of a kind that is read; the pixels are another matter."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS):
            return True
    except Exception:  # a header can be damaged in as many ways as Pillow has readers
        return False


def _shown(name: str) -> str:
    """A name as far as it can be printed, in short."""
    text = "".join(sign if sign.isprintable() else "?" for sign in name)
    return text if len(text) <= 80 else text[:77] + "..."
