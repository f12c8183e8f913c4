"""The greedy mesh as files: .glb, .obj with its .mtl and palette, and voxels as .ply points.

Positions are the source mesh's, so that both lie over each other. glTF and OBJ have y up: (x, y, z) is written as
(x, z, -y). PLY has no such rule; there z stays up, which is what Blender expects.
A palette is a picture of K x 1 pixels, row 0 at the top in all formats; faces take the centres of its texels.
"""

from __future__ import annotations

import json
import re
import struct
from typing import Any

import numpy as np

from ... import __version__, images
from ..voxels import Voxels
from .greedy import Quads, greedy

GENERATOR = f"Tessera {__version__}"
# glTF 2.0: names of the constants in its specification, section 5.
_FLOAT, _UNSIGNED_INT = 5126, 5125
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_NEAREST, _CLAMP_TO_EDGE = 9728, 33071


def to_glb(voxels: Voxels, name: str = "voxels") -> bytes:
    """A binary glTF 2.0: one mesh, one material with the palette as its picture, how it was made in extras of the node.

    Four vertices a quad, so that normals are sharp; the picture is not filtered.
    """
    mesh = greedy(voxels.labels)
    corners = _y_up(_positions(mesh.vertices, voxels))[mesh.quads].reshape(-1, 3)
    normals = np.repeat(_y_up(mesh.normals), 4, 0)
    texture = np.repeat(np.column_stack([_texel(mesh.labels, voxels), np.full(len(mesh), 0.5)]), 4, 0)
    indices = (np.arange(len(mesh))[:, None] * 4 + [0, 1, 2, 0, 2, 3]).astype("<u4").ravel()
    parts = [
        (corners.astype("<f4"), "VEC3", _FLOAT, _ARRAY_BUFFER),
        (normals.astype("<f4"), "VEC3", _FLOAT, _ARRAY_BUFFER),
        (texture.astype("<f4"), "VEC2", _FLOAT, _ARRAY_BUFFER),
        (indices, "SCALAR", _UNSIGNED_INT, _ELEMENT_ARRAY_BUFFER),
    ]
    picture = palette_png(voxels.palette)
    document, blob = _buffers(parts, picture)
    lowest, highest = parts[0][0].min(0), parts[0][0].max(0)
    document["accessors"][0] |= {"min": lowest.tolist(), "max": highest.tolist()}
    document |= {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name, "extras": {"tessera": about(voxels)}}],
        "meshes": [
            {
                "name": name,
                "primitives": [
                    {"attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0}
                ],
            }
        ],
        "materials": [
            {
                "name": "palette",
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0,
                    "roughnessFactor": 1,
                },
            }
        ],
        "textures": [{"sampler": 0, "source": 0}],
        "samplers": [{"magFilter": _NEAREST, "minFilter": _NEAREST, "wrapS": _CLAMP_TO_EDGE, "wrapT": _CLAMP_TO_EDGE}],
        "images": [{"name": "palette", "mimeType": "image/png", "bufferView": 4}],
    }
    return _container(document, blob)


def _buffers(parts: list[tuple[np.ndarray, str, int, int]], picture: bytes) -> tuple[dict[str, Any], bytes]:
    """Views and accessors of arrays, and the view of the picture behind them; all begin at multiples of 4."""
    views, accessors, blob = [], [], b""
    for array, kind, component, target in parts:
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": array.nbytes, "target": target})
        accessors.append(
            {"bufferView": len(accessors), "componentType": component, "count": len(array), "type": kind},
        )
        blob += array.tobytes()
    views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(picture)})
    blob = _padded(blob + picture, b"\0")
    return {"bufferViews": views, "accessors": accessors, "buffers": [{"byteLength": len(blob)}]}, blob


def _container(document: dict[str, Any], blob: bytes) -> bytes:
    """GLB, version 2: a header, and chunks of JSON and binary data."""
    text = _padded(json.dumps(document, separators=(",", ":")).encode(), b" ")
    total = 12 + 8 + len(text) + 8 + len(blob)
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, total),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(blob), b"BIN\0"),
            blob,
        ]
    )


def _padded(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % 4)


def to_obj(voxels: Voxels, name: str = "voxels") -> dict[str, bytes]:
    """name.obj with quads, name.mtl, and name_palette.png, by file name; many readers want no spaces in the latter."""
    mesh = greedy(voxels.labels)
    beside = re.sub(r"\s", "_", name)
    lines = [f"# {line}\n" for line in _comments(voxels)]
    lines += [f"mtllib {beside}.mtl\no {beside}\n"]
    lines += [_rows("v %.9g %.9g %.9g\n", _y_up(_positions(mesh.vertices, voxels)))]
    lines += [_rows("vt %.9g 0.5\n", _texel(np.arange(1, len(voxels.palette) + 1), voxels)[:, None])]
    sides = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    lines += [_rows("vn %d %d %d\n", _y_up(sides)), "usemtl palette\ns off\n"]
    vertices, normals = mesh.quads + 1, _side_numbers(mesh) + 1
    corners = np.stack(np.broadcast_arrays(vertices, mesh.labels[:, None], normals[:, None]), -1)
    lines += [_rows("f %d/%d/%d %d/%d/%d %d/%d/%d %d/%d/%d\n", corners.reshape(-1, 12))]
    material = f"newmtl palette\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {beside}_palette.png\n"
    return {
        f"{name}.obj": "".join(lines).encode(),
        f"{beside}.mtl": material.encode(),
        f"{beside}_palette.png": palette_png(voxels.palette),
    }


def _side_numbers(mesh: Quads) -> np.ndarray:
    """0 to 2 for normals up x, y and z, 3 to 5 down."""
    return np.abs(mesh.normals).argmax(1) + 3 * (mesh.normals.sum(1) < 0)


def to_ply(voxels: Voxels) -> bytes:
    """Binary PLY: a point in the middle of each voxel, with its colour and the number of it in the palette, from 0."""
    places = np.argwhere(voxels.labels)
    labels = voxels.labels[tuple(places.T)]
    rows = np.empty(len(places), [("place", "<f4", 3), ("color", "u1", 3), ("label", "u1")])
    rows["place"] = _positions(places + 0.5, voxels)
    rows["color"] = voxels.palette[labels.astype(np.int64) - 1]
    rows["label"] = labels - 1
    head = ["ply", "format binary_little_endian 1.0", *(f"comment {line}" for line in _comments(voxels))]
    head += [f"element vertex {len(rows)}", *(f"property float {axis}" for axis in "xyz")]
    head += [*(f"property uchar {channel}" for channel in ("red", "green", "blue", "palette_index")), "end_header"]
    return "\n".join(head).encode() + b"\n" + rows.tobytes()


def palette_png(palette: np.ndarray) -> bytes:
    """K x 1 pixels."""
    return images.encode_png(palette[None])


def about(voxels: Voxels) -> dict[str, Any]:
    """What a file says of its voxels beside their colours."""
    return {
        "shape": list(voxels.labels.shape),
        "origin": [float(value) for value in voxels.origin],
        "size": [float(value) for value in voxels.size],
        "meta": voxels.meta,
    }


def _comments(voxels: Voxels) -> list[str]:
    return [GENERATOR, f"tessera {json.dumps(about(voxels))}"]


def _positions(grid: np.ndarray, voxels: Voxels) -> np.ndarray:
    """float64 (N, 3), in the mesh's units, of grid coordinates."""
    return voxels.origin + grid * voxels.size


def _texel(labels: np.ndarray, voxels: Voxels) -> np.ndarray:
    """The middle of each label's texel in the palette's picture, in [0, 1]."""
    return (labels - 0.5) / len(voxels.palette)


def _y_up(points: np.ndarray) -> np.ndarray:
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], 1)


def _rows(format_: str, values: np.ndarray) -> str:
    """A line a row: one format of all numbers at once is much faster than one a line."""
    values = values + 0 if values.dtype.kind != "f" else values + 0.0
    return format_ * len(values) % tuple(values.ravel().tolist())
