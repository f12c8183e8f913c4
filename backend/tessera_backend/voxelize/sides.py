"""The six sides of a voxel grid, as pictures: what each view sees first."""

from __future__ import annotations

import numpy as np

from .voxels import Voxels

# Order of the six views, everywhere. Front looks along +y, as in Blender.
SIDES = ("front", "right", "back", "left", "top", "bottom")
# Per side: which axis (x 0, y 1, z 2) runs down the picture, to the right, and away from the eye, and which of
# them runs the other way. Right, back and left unfold to the right of the front; top and bottom hinge on it.
_TURNS = {
    "front": ((2, 0, 1), (True, False, False)),
    "right": ((2, 1, 0), (True, False, True)),
    "back": ((2, 0, 1), (True, True, True)),
    "left": ((2, 1, 0), (True, True, False)),
    "top": ((1, 0, 2), (True, False, True)),
    "bottom": ((1, 0, 2), (False, False, False)),
}


# Per side: the axis that it looks along, and whether from its greater end. Views of a mesh are numbered
# 2 * axis from there, 2 * axis + 1 from the lesser one.
LOOKS = {
    "front": (1, False),
    "right": (0, True),
    "back": (1, True),
    "left": (0, False),
    "top": (2, True),
    "bottom": (2, False),
}


def facing(grid: np.ndarray, side: str) -> np.ndarray:
    """A grid (X, Y, Z, ...) as one side sees it: (height, width, depth, ...), nearest first; a view, not a copy."""
    axes, backwards = _TURNS[side]
    steps = tuple(slice(None, None, -1 if back else 1) for back in backwards)
    return np.transpose(grid, (*axes, *range(3, grid.ndim)))[steps]


def as_picture(values: np.ndarray, side: str) -> np.ndarray:
    """Values (U, V, ...) over the grid's two axes across a side, in their direction, as that side's picture."""
    return values.swapaxes(0, 1)[_flips(side)]


def on_grid(picture: np.ndarray, side: str) -> np.ndarray:
    """A side's picture (height, width, ...) as (U, V, ...) over the grid's two axes across it: `as_picture` undone."""
    return picture[_flips(side)].swapaxes(0, 1)


def turned(side: str) -> tuple[bool, bool]:
    """Whether the axes that run down and to the right in a side's picture run against the grid's."""
    down, right, _ = _TURNS[side][1]
    return down, right


def _flips(side: str) -> tuple[slice, slice]:
    down, right = turned(side)
    return slice(None, None, -1 if down else 1), slice(None, None, -1 if right else 1)


def view_shape(shape: tuple[int, int, int], side: str) -> tuple[int, int]:
    """Height and width of a side's picture, in voxels."""
    down, right, _ = _TURNS[side][0]
    return shape[down], shape[right]


def first_labels(labels: np.ndarray, side: str) -> np.ndarray:
    """uint8 (height, width): the label that each pixel sees first, 0 where it sees through."""
    turned = facing(labels, side)
    nearest = (turned > 0).argmax(2)[..., None]
    return np.take_along_axis(turned, nearest, 2)[..., 0]


def first_depths(labels: np.ndarray, side: str) -> np.ndarray:
    """int32 (height, width): voxels in front of the first solid one; the whole depth where there is none."""
    solid = facing(labels, side) > 0
    return np.where(solid.any(2), solid.argmax(2), solid.shape[2]).astype(np.int32)


def colors_with_alpha(palette: np.ndarray) -> np.ndarray:
    """uint8 (K + 1, 4): sRGB of each label with alpha; label 0 is clear."""
    table = np.zeros((len(palette) + 1, 4), np.uint8)
    table[1:, :3] = palette
    table[1:, 3] = 255
    return table


def six_pictures(voxels: Voxels) -> list[np.ndarray]:
    """uint8 (height, width, 4) each, sRGB with straight alpha, one pixel a voxel, in the order of `SIDES`."""
    table = colors_with_alpha(voxels.palette)
    return [table[first_labels(voxels.labels, side)] for side in SIDES]
