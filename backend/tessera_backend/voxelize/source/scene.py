"""The scene on the wire (docs/protocol.md, section 8) as a mesh, and back. Scenes come from strangers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tessera_protocol.errors import error

from ... import colour
from ..mesh import Material, Mesh, check_count
from .fields import Fields, damaged
from .materials import PLAIN
from .textures import Textures, packed_textures

_IDENTITY = tuple(np.eye(4).ravel().tolist())
# Light beyond it is white, whatever texture it is times.
_BRIGHTEST = 1e4


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a host sent.

    Attributes:
        mesh: all parts, in world space; not `checked` yet.
        notes: what an artist should be told: textures that can't be read, for one.
        bounds: float64 (2, 3), the box that the voxels fill, or None.
        locked: #rrggbb, colours of materials that are drawn in one colour.
    """

    mesh: Mesh
    notes: list[str]
    bounds: np.ndarray | None
    locked: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Part:
    """An entry of `parts`; materials are numbers, or None for light grey."""

    where: str
    vertices: int
    triangles: int
    loops: int
    matrix: np.ndarray
    materials: list[int | None]


@dataclasses.dataclass(frozen=True)
class _Look:
    """An entry of `materials`; textures are numbers."""

    color: tuple[float, ...]
    texture: int | None
    cutoff: float | None
    emission: tuple[float, ...]
    emission_texture: int | None
    locked: str | None


# -- reading ---------------------------------------------------------------------------------------------


def unpacked(header: bytes, arrays: Mapping[str, np.ndarray]) -> Scene:
    """The scene of a JSON header and its arrays.

    Args:
        header: of `parts`, `materials`, `textures` and `bounds`.
        arrays: `vertices` float32 (V, 3), `triangles` int32 (T, 3), and, if they are there, `loops` int32 (T, 3),
            `slots` int32 (T,), `uv` float32 (L, 2), `colors` float32 (L, 4), `textures` uint8 (B,).
    Raises:
        InvalidInput: "unreadable-input" for what is not as the protocol says; "unusable-input" for no parts;
            "too-large".
    """
    check_count(len(arrays["triangles"]))
    fields = Fields.of_json(header)
    textures = Textures(fields.objects("textures", "texture"), arrays.get("textures"))
    looks = [_look(entry, len(textures)) for entry in fields.objects("materials", "material")]
    parts = [_part(entry, len(looks)) for entry in fields.objects("parts", "part")]
    box = fields.box("bounds")
    if not parts:
        raise error("unusable-input", "The scene has no parts.", field="scene", remedy="Take an object with faces.")
    _check_rows(parts, arrays)
    owner = np.repeat(np.arange(len(parts)), [part.triangles for part in parts])
    uv, colors = _loops(parts, owner, arrays)
    used, material = np.unique(_numbers(parts, owner, arrays, "uv" in arrays), return_inverse=True)
    codes = used.tolist()
    made = tuple(PLAIN if code < 0 else _material(looks[code // 2], textures if code % 2 else None) for code in codes)
    locked = (looks[code // 2].locked for code in codes if code >= 0)
    corners = _indices(arrays["triangles"], "vertices", [part.vertices for part in parts], owner, parts)
    return Scene(
        Mesh.of(_placed(parts, arrays["vertices"])[corners], uv=uv, colors=colors, material=material, materials=made),
        textures.notes,
        None if box is None else np.array(box),
        tuple(dict.fromkeys(color for color in locked if color is not None)),
    )


def _part(entry: Fields, materials: int) -> _Part:
    matrix = np.array(entry.numbers("matrix", 16, _IDENTITY)).reshape(4, 4)
    slots = entry.indices("materials", materials, "materials")
    vertices, triangles, loops = entry.count("vertices"), entry.count("triangles"), entry.count("loops", 0)
    return _Part(entry.where, vertices, triangles, loops, matrix, slots or [None])


def _look(entry: Fields, textures: int) -> _Look:
    cutoff = entry.number("cutoff")
    return _Look(
        tuple(min(max(value, 0.0), 1.0) for value in entry.numbers("color", 4, PLAIN.color)),
        entry.index("texture", textures, "textures"),
        None if cutoff is None else min(max(cutoff, 0.0), 1.0),
        tuple(min(max(value, 0.0), _BRIGHTEST) for value in entry.numbers("emission", 3, (0.0, 0.0, 0.0))),
        entry.index("emission_texture", textures, "textures"),
        entry.color("locked"),
    )


def _check_rows(parts: list[_Part], arrays: Mapping[str, np.ndarray]) -> None:
    """Arrays have as many rows as the parts say."""
    triangles, loops = sum(part.triangles for part in parts), sum(part.loops for part in parts)
    wanted = {"vertices": sum(part.vertices for part in parts), "triangles": triangles, "slots": triangles}
    wanted |= {"loops": triangles, "uv": loops, "colors": loops}
    for name, rows in wanted.items():
        if name in arrays and len(arrays[name]) != rows:
            raise damaged(f"the array {name!r} has {len(arrays[name])} rows, but its parts have {rows}")
    if loops and "loops" not in arrays and ("uv" in arrays or "colors" in arrays):
        raise damaged("the array 'loops' is missing, without which 'uv' and 'colors' belong to no corners")


def _indices(
    values: np.ndarray, what: str, counts: list[int], owner: np.ndarray, parts: list[_Part], used: Any = True
) -> np.ndarray:
    """Indices into a whole array, int64 (T, 3), of those that count from each part's first row.

    Args:
        counts: rows of each part.
        owner: int (T,), each triangle's part.
        used: bool (T,), whose indices have to be right; the others become 0.
    """
    limits = np.array(counts)
    wrong = ((values < 0) | (values >= limits[owner][:, None])).any(1) & used
    if wrong.any():
        first = int(wrong.argmax())
        number = first - int(np.searchsorted(owner, owner[first]))
        raise damaged(
            f"triangle {number} of {parts[owner[first]].where} has the {what} {values[first].tolist()}, "
            f"but there are {limits[owner[first]]}, counted from 0"
        )
    found: np.ndarray = values + (np.cumsum(limits) - limits)[owner][:, None]
    return found if used is True else np.where(used[:, None], found, 0)


def _placed(parts: list[_Part], vertices: np.ndarray) -> np.ndarray:
    """Vertices in world space, float32 (V, 3); what is beyond float32 is not finite, and left out later."""
    world, start = np.empty(vertices.shape, np.float32), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for part in parts:
            rows = slice(start, start + part.vertices)
            world[rows] = vertices[rows] @ part.matrix[:3, :3].T + part.matrix[:3, 3]
            start += part.vertices
    return world


def _loops(
    parts: list[_Part], owner: np.ndarray, arrays: Mapping[str, np.ndarray]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Texture coordinates float32 (T, 3, 2) and colours float32 (T, 3, 4) of corners, where they are."""
    if "loops" not in arrays or not ("uv" in arrays or "colors" in arrays):
        return None, None
    counts = [part.loops for part in parts]
    has = np.array(counts)[owner] > 0
    rows = _indices(arrays["loops"], "loops", counts, owner, parts, used=has)

    def taken(name: str, default: float) -> np.ndarray | None:
        if name not in arrays or not has.any():
            return None
        return np.where(has[:, None, None], arrays[name][rows], np.float32(default))

    return taken("uv", 0.0), taken("colors", 1.0)


def _numbers(parts: list[_Part], owner: np.ndarray, arrays: Mapping[str, np.ndarray], textured: bool) -> np.ndarray:
    """Each triangle's material, int64 (T,): twice its number, and 1 more with its textures; -1 for light grey.

    As in Blender, a slot beyond a part's materials has the last of them. A part without texture coordinates has
    no textures.
    """
    slots = arrays["slots"] if "slots" in arrays else np.zeros(len(owner), np.int32)
    if slots.min(initial=0) < 0:
        first = int((slots < 0).argmax())
        raise damaged(f"a triangle of {parts[owner[first]].where} has the slot {slots[first]}, but slots begin at 0")
    many = np.array([len(part.materials) for part in parts])
    codes = [
        -1 if number is None else 2 * number + (textured and part.loops > 0)
        for part in parts
        for number in part.materials
    ]
    found: np.ndarray = np.array(codes)[(np.cumsum(many) - many)[owner] + np.minimum(slots, many[owner] - 1)]
    return found


def _material(look: _Look, textures: Textures | None) -> Material:
    """With its textures, or without."""
    texture, glow = (
        None if number is None or textures is None else textures.pixels(number)
        for number in (look.texture, look.emission_texture)
    )
    red, green, blue, alpha = look.color
    if look.locked is not None:
        # Black, which vertex colours and textures leave black, and all light its own; alpha still cuts.
        light = colour.srgb_to_linear(colour.parsed(look.locked)).tolist()
        cutting = texture if look.cutoff is not None else None
        return Material((0.0, 0.0, 0.0, alpha), cutting, look.cutoff, (light[0], light[1], light[2]))
    emission = look.emission[0], look.emission[1], look.emission[2]
    glow = None if glow is None else np.ascontiguousarray(glow[..., :3])
    return Material((red, green, blue, alpha), texture, look.cutoff, emission, glow)


# -- writing ---------------------------------------------------------------------------------------------


def packed(mesh: Mesh) -> tuple[bytes, dict[str, np.ndarray]]:
    """The header and the arrays that `unpacked` makes the mesh of again, as one part."""
    triangles = np.arange(3 * len(mesh), dtype=np.int32).reshape(-1, 3)
    arrays = {"vertices": mesh.positions.reshape(-1, 3), "triangles": triangles, "slots": mesh.material}
    pictures = [picture for m in mesh.materials for picture in (m.texture, m.emission_texture) if picture is not None]
    numbers, entries, data = packed_textures(pictures)
    if pictures:
        arrays |= {"uv": mesh.uv.reshape(-1, 2), "textures": data}
    if not (mesh.colors == 1).all():
        arrays["colors"] = mesh.colors.reshape(-1, 4)
    if "uv" in arrays or "colors" in arrays:
        arrays["loops"] = triangles
    part = {"name": "mesh", "vertices": 3 * len(mesh), "triangles": len(mesh), "matrix": _IDENTITY}
    part |= {"loops": 3 * len(mesh) if "loops" in arrays else 0, "materials": list(range(len(mesh.materials)))}
    materials = [
        {
            "name": str(number),
            "color": material.color,
            "texture": numbers.get(id(material.texture)),
            "cutoff": material.cutoff,
            "emission": material.emission,
            "emission_texture": numbers.get(id(material.emission_texture)),
        }
        for number, material in enumerate(mesh.materials)
    ]
    return json.dumps({"parts": [part], "materials": materials, "textures": entries}).encode(), arrays
