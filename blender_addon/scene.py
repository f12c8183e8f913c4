"""The scene of a `voxelize` job: parts, materials and textures, packed as docs/protocol.md, section 8 says. No bpy."""

from __future__ import annotations

import dataclasses
import json
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from tessera_protocol.messages import Buffer

Box = tuple[tuple[float, ...], tuple[float, ...]]

UNIT = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Part:
    """One mesh, and where it stands.

    Attributes:
        vertices: float32, x, y, z of V vertices, in the part's own space.
        triangles: int32, three vertices of each of T triangles.
        loops: int32, three rows of `uv` and `colors` for each triangle; None without those.
        slots: int32, one of `materials` a triangle; None: all have the first.
        uv: float32, u, v of L rows.
        colors: float32, linear RGBA of L rows.
        matrix: 16 numbers by rows, to world space.
        materials: of each slot, a number in the scene's list; None: light grey.
    """

    name: str
    vertices: array[float]
    triangles: array[int]
    loops: array[int] | None = None
    slots: array[int] | None = None
    uv: array[float] | None = None
    colors: array[float] | None = None
    matrix: Sequence[float] = UNIT
    materials: Sequence[int | None] = ()

    @property
    def rows(self) -> int:
        """L."""
        if self.uv is not None:
            return len(self.uv) // 2
        return len(self.colors) // 4 if self.colors is not None else 0


@dataclasses.dataclass(frozen=True)
class Texture:
    """A picture: an encoded file, or raw pixels.

    Attributes:
        data: its bytes; raw pixels are float32 RGBA, straight alpha, lowest row first.
        kind: "file", "srgb" or "linear".
        width, height: of raw pixels.
    """

    name: str
    data: bytes
    kind: str = "file"
    width: int = 0
    height: int = 0


@dataclasses.dataclass
class Scene:
    """What is to become voxels.

    Attributes:
        materials: as the protocol describes them.
        notes: sentences on what could not be read as it looks in Blender.
    """

    parts: list[Part] = dataclasses.field(default_factory=list)
    materials: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    textures: list[Texture] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    @property
    def triangles(self) -> int:
        """How many there are."""
        return sum(len(part.triangles) for part in self.parts) // 3

    def bounds(self) -> Box:
        """The box around all vertices, in world space; of infinite size where a vertex is not finite."""
        boxes = [_box(part) for part in self.parts if len(part.vertices)]
        return around(boxes)

    def buffers(self, bounds: Box | None = None) -> dict[str, Buffer]:
        """The inputs of the job.

        Args:
            bounds: the box that the voxels fill, in world space; None: that of the mesh.
        """
        mapped = any(part.uv is not None for part in self.parts)
        colored = any(part.colors is not None for part in self.parts)
        made = {
            "scene": Buffer.file(json.dumps(self._header(bounds)).encode(), "application/json"),
            "vertices": _joined((part.vertices for part in self.parts), "float32", 3),
            "triangles": _joined((part.triangles for part in self.parts), "int32", 3),
        }
        if mapped or colored:
            made["loops"] = _joined((part.loops or _zeros(len(part.triangles)) for part in self.parts), "int32", 3)
        if any(part.slots is not None for part in self.parts):
            made["slots"] = _joined((part.slots or _zeros(len(part.triangles) // 3) for part in self.parts), "int32", 1)
        if mapped:
            made["uv"] = _joined((part.uv or array("f", bytes(8 * part.rows)) for part in self.parts), "float32", 2)
        if colored:
            white = (part.colors or array("f", [1.0]) * (4 * part.rows) for part in self.parts)
            made["colors"] = _joined(white, "float32", 4)
        if self.textures:
            data = b"".join(texture.data for texture in self.textures)
            made["textures"] = Buffer.array(data, "uint8", (len(data),))
        return made

    def _header(self, bounds: Box | None) -> dict[str, Any]:
        textures, offset = [], 0
        for texture in self.textures:
            entry = {"name": texture.name, "offset": offset, "bytes": len(texture.data), "kind": texture.kind}
            if texture.kind != "file":
                entry |= {"width": texture.width, "height": texture.height}
            textures.append(entry)
            offset += len(texture.data)
        header = {
            "parts": [_described(part) for part in self.parts],
            "materials": self.materials,
            "textures": textures,
        }
        return header | ({"bounds": [list(corner) for corner in bounds]} if bounds is not None else {})


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of these."""
    lows, highs = zip(*boxes)
    return tuple(map(min, zip(*lows))), tuple(map(max, zip(*highs)))


def _described(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "vertices": len(part.vertices) // 3,
        "triangles": len(part.triangles) // 3,
        "loops": part.rows,
        "matrix": list(part.matrix),
        "materials": list(part.materials),
    }


def _box(part: Part) -> Box:
    xs, ys, zs = (part.vertices[axis::3] for axis in range(3))
    low, high = [], []
    for a, b, c, d in zip(*[iter(part.matrix[:12])] * 4):
        if len([factor for factor in (a, b, c) if factor]) == 1:
            # Straight along an axis, as most are: the ends suffice.
            factor, values = next((f, v) for f, v in ((a, xs), (b, ys), (c, zs)) if f)
            ends = [factor * min(values) + d, factor * max(values) + d]
        else:
            ends = [a * x + b * y + c * z + d for x, y, z in zip(xs, ys, zs)]
        low.append(min(ends))
        high.append(max(ends))
    return tuple(low), tuple(high)


def _zeros(count: int) -> array[int]:
    return array("i", bytes(4 * count))


def _joined(arrays: Iterable[array[Any]], dtype: str, width: int) -> Buffer:
    """Arrays of 4-byte numbers behind each other, as one buffer of rows."""
    pieces = list(arrays)
    if sys.byteorder == "big":
        pieces = [piece[:] for piece in pieces]
        for piece in pieces:
            piece.byteswap()
    rows = sum(map(len, pieces)) // width
    return Buffer.array(b"".join(pieces), dtype, (rows, width) if width > 1 else (rows,))
