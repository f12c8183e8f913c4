"""MagicaVoxel's .vox: written as its version 0.99 does, read as far as voxels and palette go.

The format (ephtracy/voxel-model, MagicaVoxel-file-format-vox.txt and -vox-extension.txt): version 150; chunks of an id,
the sizes of content and of children, all int32 little-endian. Models have at most 256 voxels a side; a scene graph
puts them in place. Its axes are ours: right-handed, z up; only its camera looks from another side at first. A
model's anchor is the voxel size // 2, and nTRN says where that is. Palette index i is entry i - 1 of the RGBA chunk.
"""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from collections.abc import Iterator

import numpy as np

from tessera_protocol.errors import TesseraError, error

from ..voxels import Voxels

LONGEST = 256
_VERSION = 150
_LARGEST_SCENE = 512
# What MagicaVoxel itself has in entries that nobody set.
_UNUSED = (75, 75, 75, 255)


# -- writing ---------------------------------------------------------------------------------------------


def to_vox(voxels: Voxels, name: str = "Tessera") -> bytes:
    """A .vox file; grids over 256 a side become several models, side by side in one group.

    They stand centred on the ground. The file has no unit: origin, size and how it was made are in an attribute
    `_tessera` of the root node, as JSON, which other programs skip.
    """
    models, nodes, children = [], [], []
    for start, block in _blocks(voxels.labels):
        anchor = start + np.array(block.shape) // 2 - _middle(voxels.labels.shape)
        transform = 2 + 2 * len(children)
        models.append(_model(block))
        nodes.append(_transform(transform, {"_name": name}, transform + 1, 0, " ".join(map(str, anchor))))
        nodes.append(_chunk(b"nSHP", _ints(transform + 1) + _dict({}) + _ints(1, len(children)) + _dict({})))
        children.append(transform)
    group = _ints(1) + _dict({}) + _ints(len(children), *children)
    root = _transform(0, {"_tessera": _about(voxels)}, 1, -1, None)
    layer = _ints(0) + _dict({}) + _ints(-1)
    content = [*models, root, _chunk(b"nGRP", group), *nodes, _chunk(b"LAYR", layer), _palette(voxels.palette)]
    return b"VOX " + _ints(_VERSION) + _chunk(b"MAIN", b"", b"".join(content))


def _blocks(labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Corner and labels of what fits into a model each, empty ones left out unless all are."""
    counts = [-(-side // LONGEST) for side in labels.shape]
    found = False
    for place in np.ndindex(*counts):
        start = np.array(place) * LONGEST
        block = labels[tuple(slice(low, low + LONGEST) for low in start)]
        if block.any():
            found = True
            yield start, block
    if not found:
        yield np.zeros(3, np.int64), labels[:LONGEST, :LONGEST, :LONGEST]


def _middle(shape: tuple[int, ...]) -> np.ndarray:
    """The voxel of a grid that lies at the scene's origin: in the middle of the lowest layer."""
    return np.array([shape[0] // 2, shape[1] // 2, 0])


def _model(block: np.ndarray) -> bytes:
    """SIZE and XYZI."""
    places = np.argwhere(block)
    rows = np.column_stack([places, block[tuple(places.T)]]).astype(np.uint8)
    return _chunk(b"SIZE", _ints(*block.shape)) + _chunk(b"XYZI", _ints(len(rows)) + rows.tobytes())


def _palette(palette: np.ndarray) -> bytes:
    entries = np.empty((256, 4), np.uint8)
    entries[:] = _UNUSED
    entries[255] = 0
    entries[: len(palette), :3] = palette
    return _chunk(b"RGBA", entries.tobytes())


def _transform(number: int, attributes: dict[str, str], child: int, layer: int, moved: str | None) -> bytes:
    frame = {} if moved is None else {"_t": moved}
    return _chunk(b"nTRN", _ints(number) + _dict(attributes) + _ints(child, -1, layer, 1) + _dict(frame))


def _about(voxels: Voxels) -> str:
    return json.dumps(
        {
            "shape": list(voxels.labels.shape),
            "colors": len(voxels.palette),
            "origin": [float(value) for value in voxels.origin],
            "size": [float(value) for value in voxels.size],
            "meta": voxels.meta,
        }
    )


def _chunk(kind: bytes, content: bytes, children: bytes = b"") -> bytes:
    return kind + _ints(len(content), len(children)) + content + children


def _ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def _dict(pairs: dict[str, str]) -> bytes:
    texts = [text.encode() for pair in pairs.items() for text in pair]
    return _ints(len(pairs)) + b"".join(_ints(len(text)) + text for text in texts)


# -- reading ---------------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Scene:
    """Chunks of a file, as far as we look at them."""

    sizes: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)
    cells: list[np.ndarray] = dataclasses.field(default_factory=list)  # uint8 (N, 4): x, y, z, palette index
    palette: np.ndarray | None = None  # uint8 (256, 4)
    transforms: dict[int, tuple[dict[str, str], int, dict[str, str]]] = dataclasses.field(default_factory=dict)
    groups: dict[int, list[int]] = dataclasses.field(default_factory=dict)
    shapes: dict[int, int] = dataclasses.field(default_factory=dict)


def from_vox(data: bytes) -> Voxels:
    """The voxels of a .vox file: first frame, all models that its scene shows, later ones on top.

    Of our own files, all is as it was; others have origin 0, voxels of size 1, and colours up to the last that is used.

    Raises:
        InvalidInput: "unreadable-input"; "unusable-input" for turned models and for scenes over 512 a side.
    """
    if not re.match(rb"VOX (.{4})MAIN", data[:12], re.DOTALL):
        raise _unreadable("is no MagicaVoxel file")
    try:
        scene = _scene(data)
        about = _own(scene)
        placed = list(_placed(scene))
        low, high = _bounds(placed, about)
        labels = np.zeros(high - low, np.uint8)
        for start, _, cells in placed:
            labels[tuple((cells[:, :3] + (start - low)).T)] = cells[:, 3]
        colors = max(int(labels.max(initial=0)), about["colors"] if about else 0)
        palette = scene.palette[:colors, :3].copy()
        if not about:
            return Voxels(labels, palette, np.zeros(3), np.ones(3))
        return Voxels(labels, palette, np.array(about["origin"], float), np.array(about["size"], float), about["meta"])
    except (struct.error, ValueError, KeyError, IndexError, TypeError, RecursionError) as problem:
        raise _unreadable("is damaged or cut off") from problem


def _bounds(
    placed: list[tuple[np.ndarray, np.ndarray, np.ndarray]], about: dict | None
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of the grid in the scene."""
    if about:
        low = -_middle(tuple(about["shape"]))
        high = low + about["shape"]
    else:
        low = np.min([start for start, _, _ in placed], axis=0)
        high = np.max([start + size for start, size, _ in placed], axis=0)
    if (high - low).max() > _LARGEST_SCENE:
        raise error(
            "unusable-input",
            "The scene of the .vox file is too large for one grid.",
            given=" x ".join(map(str, high - low)),
            allowed=f"at most {_LARGEST_SCENE} voxels a side",
            remedy="Move its models closer together.",
        )
    return low, high


def _own(scene: _Scene) -> dict | None:
    attributes, _, _ = scene.transforms.get(0, ({}, 0, {}))
    return json.loads(attributes["_tessera"]) if "_tessera" in attributes else None


def _placed(scene: _Scene) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Lower corner, size and cells int64 (N, 4) of each model in the scene."""
    if scene.transforms:
        instances = list(_instances(scene, 0, np.zeros(3, np.int64), set()))
    else:  # an older file: several models are frames of an animation
        instances = [(0, np.zeros(3, np.int64))]
    for model, anchor in instances:
        size = np.array(scene.sizes[model])
        yield anchor - size // 2, size, scene.cells[model].astype(np.int64)


def _instances(scene: _Scene, node: int, place: np.ndarray, above: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    if node in above:
        raise _unreadable("has a scene that contains itself")
    above = above | {node}
    if node in scene.transforms:
        attributes, child, frame = scene.transforms[node]
        if attributes.get("_hidden") == "1":
            return
        if int(frame.get("_r", "4")) != 4:  # 4 is the rotation that turns nothing
            raise error(
                "unusable-input",
                "The .vox file has turned models, which are not read here.",
                remedy="Export it as one model.",
            )
        moved = np.array([int(part) for part in frame.get("_t", "0 0 0").split()])
        yield from _instances(scene, child, place + moved, above)
    elif node in scene.groups:
        for child in scene.groups[node]:
            yield from _instances(scene, child, place, above)
    else:
        yield scene.shapes[node], place


def _scene(data: bytes) -> _Scene:
    """The chunks.

    Raises:
        struct.error, ValueError: they are damaged.
    """
    scene = _Scene()
    at = 20 + struct.unpack_from("<i", data, 12)[0]
    while at < len(data):
        kind = data[at : at + 4]
        content, children = struct.unpack_from("<2i", data, at + 4)
        if min(content, children) < 0 or at + 12 + content > len(data):
            raise ValueError("cut off")
        _take(scene, kind, _Cursor(data[at + 12 : at + 12 + content]))
        at += 12 + content + children
    if scene.palette is None:
        raise _unreadable("has no palette of its own (its version is before 2015)")
    if not scene.sizes or len(scene.sizes) != len(scene.cells):
        raise ValueError("no model")
    for size, cells in zip(scene.sizes, scene.cells, strict=True):
        if min(size) < 1 or max(size) > LONGEST or (cells[:, :3] >= size).any():
            raise ValueError("voxels outside of their model")
    return scene


def _take(scene: _Scene, kind: bytes, content: _Cursor) -> None:
    if kind == b"SIZE":
        scene.sizes.append((content.number(), content.number(), content.number()))
    elif kind == b"XYZI":
        scene.cells.append(np.frombuffer(content.take(4 * content.number()), np.uint8).reshape(-1, 4))
    elif kind == b"RGBA":
        scene.palette = np.frombuffer(content.take(1024), np.uint8).reshape(256, 4)
    elif kind == b"nTRN":
        number, attributes, child = content.number(), content.pairs(), content.number()
        content.take(12)  # reserved, layer, how many frames
        scene.transforms[number] = attributes, child, content.pairs()
    elif kind == b"nGRP":
        number, _ = content.number(), content.pairs()
        scene.groups[number] = [content.number() for _ in range(content.number())]
    elif kind == b"nSHP":
        number, _ = content.number(), content.pairs()
        content.take(4)  # how many models: frames of an animation, of which the first is taken
        scene.shapes[number] = content.number()


class _Cursor:
    """A chunk's content, from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise ValueError("cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        return struct.unpack("<i", self.take(4))[0]

    def pairs(self) -> dict[str, str]:
        return {self.text(): self.text() for _ in range(self.number())}

    def text(self) -> str:
        return self.take(self.number()).decode("utf-8", "replace")


def _unreadable(what: str) -> TesseraError:
    return error("unreadable-input", f"The .vox file {what}.", remedy="Save it again in MagicaVoxel.")
