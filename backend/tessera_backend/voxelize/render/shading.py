"""The colour of a mesh at a point of a triangle: unlit, the material's colour plus what it emits.

glTF 2.0, section 3.9.2: factor x texture x vertex colour, all in linear light. A texture is read at its nearest
texel: views have many samples per voxel, and painters of small textures do not want their swatches mixed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...colour import linear_to_srgb, srgb_to_linear
from ...compiled import njit
from ..mesh import Material, Mesh

# Where a material has no texture, or no cutoff.
_NONE = -1


class Paint(NamedTuple):
    """What kernels have to know of a mesh's colours.

    Attributes:
        uv, colors, material: as in `Mesh`, all finite.
        factor: float32 (M, 4), of each material, linear RGBA.
        emission: float32 (M, 3), linear.
        cutoff: float32 (M,), -1 where alpha is not looked at.
        texels: uint8 (N, 4), all textures one after the other, sRGB with straight alpha.
        texture: int64 (M, 3), where a material's texture begins in texels, or -1; its height and width.
        glow: int64 (M, 3), the same of its emission texture.
    """

    uv: np.ndarray
    colors: np.ndarray
    material: np.ndarray
    factor: np.ndarray
    emission: np.ndarray
    cutoff: np.ndarray
    texels: np.ndarray
    texture: np.ndarray
    glow: np.ndarray


def paint_of(mesh: Mesh) -> Paint:
    """A mesh's colours, ready for kernels; textures that materials share are there once."""
    texels: list[np.ndarray] = []
    places: dict[int, tuple[int, int, int]] = {}

    def place(texture: np.ndarray | None) -> tuple[int, int, int]:
        if texture is None or texture.size == 0:
            return (_NONE, 0, 0)
        if id(texture) not in places:
            places[id(texture)] = (sum(map(len, texels)), *texture.shape[:2])
            flat = texture.reshape(-1, texture.shape[2])
            if flat.shape[1] == 3:
                flat = np.column_stack([flat, np.full(len(flat), 255, np.uint8)])
            texels.append(flat)
        return places[id(texture)]

    many: tuple[Material, ...] = mesh.materials
    textures = [place(material.texture) for material in many]
    glows = [place(material.emission_texture) for material in many]

    def each(values: list[Any], dtype: type) -> np.ndarray:
        return np.array(values, dtype)

    return Paint(
        np.nan_to_num(mesh.uv, posinf=0, neginf=0),
        np.nan_to_num(mesh.colors, posinf=1, neginf=0),
        mesh.material,
        each([m.color for m in many], np.float32),
        each([m.emission for m in many], np.float32),
        each([_NONE if m.cutoff is None else m.cutoff for m in many], np.float32),
        np.concatenate(texels) if texels else np.zeros((1, 4), np.uint8),
        each(textures, np.int64),
        each(glows, np.int64),
    )


_LINEAR = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
# Between its entries a line is 2e-5 off at most, and ten times as fast as the power.
_STEPS = 4096
_ENCODED = np.append(linear_to_srgb(np.arange(_STEPS + 1) / _STEPS), 1.0).astype(np.float32)


@njit(cache=True, inline="always")
def _encoded(value: float) -> float:
    """sRGB of linear light; what is brighter than 1 is 1."""
    place = min(max(value, 0.0), 1.0) * _STEPS
    below = int(place)
    share = place - below
    return (1 - share) * _ENCODED[below] + share * _ENCODED[below + 1]


@njit(cache=True)
def _texel(paint: Paint, place: np.ndarray, t: int, b: float, c: float) -> int:
    """Which texel lies at a point of triangle t: a + b + c = 1 are the weights of its corners."""
    a = 1 - b - c
    u = a * paint.uv[t, 0, 0] + b * paint.uv[t, 1, 0] + c * paint.uv[t, 2, 0]
    v = a * paint.uv[t, 0, 1] + b * paint.uv[t, 1, 1] + c * paint.uv[t, 2, 1]
    height, width = place[1], place[2]
    row = min(max(int((1 - (v - np.floor(v))) * height), 0), height - 1)
    column = min(max(int((u - np.floor(u)) * width), 0), width - 1)
    return place[0] + row * width + column


@njit(cache=True)
def there(paint: Paint, t: int, b: float, c: float) -> bool:
    """Whether the alpha at a point of triangle t reaches its material's cutoff."""
    m = paint.material[t]
    if paint.cutoff[m] < 0:
        return True
    colors = paint.colors
    alpha = paint.factor[m, 3] * ((1 - b - c) * colors[t, 0, 3] + b * colors[t, 1, 3] + c * colors[t, 2, 3])
    if paint.texture[m, 0] >= 0:
        alpha *= paint.texels[_texel(paint, paint.texture[m], t, b, c), 3] / 255.0
    return alpha >= paint.cutoff[m]


@njit(cache=True)
def color_at(paint: Paint, t: int, b: float, c: float, out: np.ndarray) -> None:
    """sRGB at a point of triangle t, into out (3,)."""
    m = paint.material[t]
    texture = _texel(paint, paint.texture[m], t, b, c) if paint.texture[m, 0] >= 0 else -1
    glow = _texel(paint, paint.glow[m], t, b, c) if paint.glow[m, 0] >= 0 else -1
    for i in range(3):
        colors = paint.colors
        light = paint.factor[m, i] * ((1 - b - c) * colors[t, 0, i] + b * colors[t, 1, i] + c * colors[t, 2, i])
        if texture >= 0:
            light *= _LINEAR[paint.texels[texture, i]]
        emitted = paint.emission[m, i]
        if glow >= 0:
            emitted *= _LINEAR[paint.texels[glow, i]]
        out[i] = _encoded(light + emitted)


@njit(cache=True)
def shaded(paint: Paint, triangle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sRGB, float32 (U, V, 3), of hits: int32 (U, V), -1 for none, and float32 (U, V, 2) of corners 1 and 2."""
    color = np.zeros((*triangle.shape, 3), np.float32)
    for i in range(triangle.shape[0]):
        for j in range(triangle.shape[1]):
            if triangle[i, j] >= 0:
                color_at(paint, triangle[i, j], weights[i, j, 0], weights[i, j, 1], color[i, j])
    return color
