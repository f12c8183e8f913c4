"""What six views show of each voxel: its colours, how much of them, and which lie at its depth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ... import colour
from ...compiled import njit
from ..render.views import View
from .palette import binned

# Levels a channel that the colours of fragments are rounded to.
_LEVELS = 64
# Means of pixels in one cube of this side, Lab, are one colour.
_BIN = 1.0
# A fragment is of a voxel when its depth is so near to the voxel's centre, voxels: the rest is seen past its edges.
_NEAR = 1.5
# What is farther than this from it is no part of what a voxel is seen as: a leaf above a roof is not its colour.
_DEEP = 5.0
# The weight of what no view sees, against 1 of a whole pixel.
_UNSEEN = 0.25


@dataclasses.dataclass(frozen=True)
class Shell:
    """Voxels with a face to the air, numbered in the order of their places.

    Attributes:
        number: int32 (X, Y, Z), -1 elsewhere.
        places: int32 (S, 3).
    """

    number: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def mirrored(self, axis: int) -> np.ndarray:
        """The number of the voxel across the middle of an axis, int32 (S,), -1 where none is."""
        x, y, z = np.moveaxis(self.places, 1, 0)
        flipped: np.ndarray = np.flip(self.number, axis)[x, y, z]
        return flipped


@dataclasses.dataclass(frozen=True)
class Pixels:
    """View pixels: the mean of what a voxel is seen as from one side.

    Attributes:
        voxel: int32 (N,), numbers of a shell.
        color: which of the colours, int (N,).
        weight: float32 (N,), coverage in (0, 1].
        colors: float64 (B, 3), CIE Lab.
    """

    voxel: np.ndarray
    color: np.ndarray
    weight: np.ndarray
    colors: np.ndarray


@dataclasses.dataclass(frozen=True)
class Fragments:
    """Subpixels that lie at the depth of the voxel in which they are seen.

    Attributes:
        voxel: int32 (F,), numbers of a shell.
        color: int32 (F,), which of the colours.
        colors: float64 (C, 3), CIE Lab.
    """

    voxel: np.ndarray
    color: np.ndarray
    colors: np.ndarray


def shell(solid: np.ndarray) -> Shell:
    """Of bool (X, Y, Z)."""
    open_ = solid & ~ndimage.binary_erosion(solid, border_value=0)
    number = np.full(solid.shape, -1, np.int32)
    places = np.argwhere(open_).astype(np.int32)
    number[open_] = np.arange(len(places), dtype=np.int32)
    return Shell(number, places)


def first_layer(solid: np.ndarray, axis: int, above: bool) -> np.ndarray:
    """Where the first voxel stands on an axis, seen from its greater end (above) or the lesser: int32 (U, V).

    -1 where none is.
    """
    along = np.moveaxis(solid, axis, 2)
    nearest = solid.shape[axis] - 1 - along[:, :, ::-1].argmax(2) if above else along.argmax(2)
    return np.where(along.any(2), nearest, -1).astype(np.int32)


def observed(
    solid: np.ndarray,
    outer: Shell,
    views: Sequence[View],
    surface: np.ndarray | None = None,
    drawn: Sequence[np.ndarray] | None = None,
) -> tuple[Pixels, Fragments]:
    """All that six views show of voxels, bool (X, Y, Z), and of their shell.

    Args:
        surface: float32 (X, Y, Z, 4), sums over samples of the mesh's surface in each voxel: of sRGB times area, and of
            area. They stand for what no view sees.
        drawn: of `details.on_grid`: a voxel in which a view draws a detail is as that view shows it; of several, as the
            one in which it is the largest.
    """
    most = sum(view.hit.size for view in views)
    voxels, codes = np.empty(most, np.int32), np.empty(most, np.int32)
    sums = np.zeros((_LEVELS**3, 4))
    count, seen = 0, []
    claims, ends = np.zeros((len(views), len(outer)), np.float32), [0]
    for which, view in enumerate(views):
        layer = first_layer(solid, view.axis, view.above)
        number = np.take_along_axis(np.moveaxis(outer.number, view.axis, 2), np.maximum(layer, 0)[..., None], 2)[..., 0]
        mean, weight = np.zeros((*layer.shape, 3)), np.zeros(layer.shape, np.float32)
        near = np.zeros(layer.shape, bool)
        pixels = (view.color, view.hit, view.depth, view.samples, layer)
        _average(*pixels, mean, weight, near)
        count = _gather(*pixels, number, sums, voxels, codes, count)
        ends.append(count)
        if drawn is not None:
            claims[which, number[near]] = drawn[which][near]
        shown = weight > 0
        seen.append((number[shown], mean[shown], weight[shown]))
    voxel, mean, weight = (np.concatenate(part) for part in zip(*seen, strict=True))
    colors, _, color = binned(colour.lab(mean), weight, _BIN)
    voxels, codes = voxels[:count], codes[:count]
    if drawn is not None:
        which = np.repeat(np.arange(len(views)), np.diff(ends))
        own = claims[which, voxels] >= claims.max(0)[voxels]
        voxels, codes = voxels[own], codes[own]
    used = np.flatnonzero(sums[:, 3])
    compact = np.zeros(len(sums), np.int32)
    compact[used] = np.arange(len(used))
    shades = colour.lab(sums[used, :3] / sums[used, 3:])
    whole, fragments = Pixels(voxel, color, weight, colors), Fragments(voxels, compact[codes], shades)
    return (whole, fragments) if surface is None else _with_surface(whole, fragments, outer, surface)


def _with_surface(pixels: Pixels, fragments: Fragments, outer: Shell, surface: np.ndarray) -> tuple[Pixels, Fragments]:
    """One pixel of little weight and one fragment more for each voxel that only samples of the surface know."""
    x, y, z = outer.places.T
    sums = surface[x, y, z].astype(np.float64)
    unseen = np.bincount(fragments.voxel, minlength=len(outer)) == 0
    known = np.flatnonzero(unseen & (sums[:, 3] > 0)).astype(np.int32)
    colors, numbers = colour.lab(sums[known, :3] / sums[known, 3:]), np.arange(len(known), dtype=np.int32)
    return Pixels(
        np.concatenate([pixels.voxel, known]),
        np.concatenate([pixels.color, numbers + len(pixels.colors)]),
        np.concatenate([pixels.weight, np.full(len(known), _UNSEEN, np.float32)]),
        np.vstack([pixels.colors, colors]),
    ), Fragments(
        np.concatenate([fragments.voxel, known]),
        np.concatenate([fragments.color, numbers + np.int32(len(fragments.colors))]),
        np.vstack([fragments.colors, colors]),
    )


@njit(cache=True)
def _average(
    color: np.ndarray,
    hit: np.ndarray,
    depth: np.ndarray,
    scale: int,
    layer: np.ndarray,
    mean: np.ndarray,
    weight: np.ndarray,
    near: np.ndarray,
) -> None:
    """Fill the mean colour of what is not too far behind each pixel's voxel, its coverage, and whether some is near."""
    for u in range(layer.shape[0]):
        for v in range(layer.shape[1]):
            hits = 0
            for x in range(u * scale, (u + 1) * scale):
                for y in range(v * scale, (v + 1) * scale):
                    away = abs(depth[x, y] - layer[u, v] - 0.5)
                    if layer[u, v] >= 0 and hit[x, y] and away <= _DEEP:
                        hits += 1
                        near[u, v] |= away <= _NEAR
                        for c in range(3):
                            mean[u, v, c] += color[x, y, c]
            weight[u, v] = hits / (scale * scale)
            for c in range(3):
                mean[u, v, c] /= max(hits, 1)


@njit(cache=True)
def _gather(
    color: np.ndarray,
    hit: np.ndarray,
    depth: np.ndarray,
    scale: int,
    layer: np.ndarray,
    number: np.ndarray,
    sums: np.ndarray,
    voxels: np.ndarray,
    codes: np.ndarray,
    count: int,
) -> int:
    """Append a view's fragments; returns how many there are now.

    `sums` has for each code of a colour the sum of its fragments' sRGB, and their number.
    """
    for x in range(hit.shape[0]):
        for y in range(hit.shape[1]):
            u, v = x // scale, y // scale
            if not hit[x, y] or layer[u, v] < 0:
                continue
            if abs(depth[x, y] - layer[u, v] - 0.5) > _NEAR:
                continue
            code = 0
            for c in range(3):
                code = code * _LEVELS + min(max(int(color[x, y, c] * (_LEVELS - 1) + 0.5), 0), _LEVELS - 1)
            for c in range(3):
                sums[code, c] += color[x, y, c]
            sums[code, 3] += 1
            voxels[count], codes[count] = number[u, v], code
            count += 1
    return count
