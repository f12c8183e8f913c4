"""Details that fall between voxels: eyes, nostrils and badges are moved by up to half a voxel onto the grid.

An eye two voxels wide that begins in the middle of a voxel covers one whole and two halves: no threshold makes a
square of it. Pixel artists draw it where the grid is; so do we, before anything is counted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .. import colour
from .view import View

# Least and greatest area and greatest side of a detail, voxels; the share of one colour around it; and its contrast, CIEDE2000.
_LEAST, _LARGEST, _MOST = 0.6, 12.0, 7.0
_GROUND, _CONTRAST = 0.75, 25.0
# What moving by one voxel is worth in voxels that are neither in nor out.
_STAY = 0.3


@dataclasses.dataclass(frozen=True)
class Detail:
    """A small part of a view on a ground of one colour.

    Attributes:
        box: slices of the view, with a margin of one voxel, that begin and end at whole ones.
        figure: bool, of the box.
        color, ground: float32 (3,), sRGB, means of the figure and of what is around.
    """

    box: tuple[slice, slice]
    figure: np.ndarray
    color: np.ndarray
    ground: np.ndarray


def on_grid(views: Sequence[View], palette: np.ndarray, mirror: int | None) -> tuple[tuple[View, ...], np.ndarray]:
    """The views with details where the grid draws them best; what is around them stays. And the details' main colours.

    Args:
        palette: (K, 3), CIE Lab, that tells details from their ground.
        mirror: the axis across which things are alike: details that face each other move as one does.
    Returns:
        the views; float64 (D, 3), CIE Lab.
    """
    found = [details(view, palette) for view in views]
    colors = np.array([detail.color for every in found for detail in every]).reshape(-1, 3)
    moved = tuple(_moved(view, every, mirror) for view, every in zip(views, found, strict=True))
    return moved, colour.lab(colors)


def details(view: View, palette: np.ndarray) -> list[Detail]:
    """All of a view: groups of small patches that differ much from the one colour round about."""
    label = _nearest(view, palette)
    k, lab = view.scale, colour.ciede2000_table(palette, palette)
    small = np.zeros(label.shape, bool)
    for color in range(len(palette)):
        patches, count = ndimage.label(label == color)
        size = np.bincount(patches.ravel(), minlength=count + 1)
        size[0] = label.size
        small |= (size <= _LARGEST * k * k)[patches]
    groups, _ = ndimage.label(small, np.ones((3, 3)))
    found = []
    for number, box in enumerate(ndimage.find_objects(groups), 1):
        sides = [part.stop - part.start for part in box]
        if max(sides) > _MOST * k or sides[0] * sides[1] < _LEAST * k * k:
            continue
        low = [max((part.start // k - 1) * k, 0) for part in box]
        high = [min((-(-part.stop // k) + 1) * k, whole) for part, whole in zip(box, label.shape, strict=True)]
        box = (slice(low[0], high[0]), slice(low[1], high[1]))
        figure = groups[box] == number
        ring = ndimage.binary_dilation(figure, np.ones((3, 3)), 2) & ~figure
        around = label[box][ring]
        ground = int(np.bincount(around[around >= 0], minlength=1).argmax())
        inside = label[box][figure]
        if not _LEAST <= figure.sum() / k**2 <= _LARGEST or (around < 0).any() or (around == ground).mean() < _GROUND:
            continue
        if lab[ground][inside].mean() >= _CONTRAST:
            main = figure & (label[box] == np.bincount(inside).argmax())
            colors = (view.color[box][part].mean(0) for part in (main, ring & (label[box] == ground)))
            found.append(Detail(box, figure, *colors))
    return found


def _nearest(view: View, palette: np.ndarray) -> np.ndarray:
    """Which palette colour each pixel is nearest to, int (W, H), -1 where nothing is hit; colours are rounded first."""
    codes = np.rint(view.color * 31).astype(np.int64) @ (1024, 32, 1)
    used, index = np.unique(codes[view.hit], return_inverse=True)
    shades = colour.lab(np.stack([used // 1024, used // 32 % 32, used % 32], 1) / 31)
    label = np.full(view.hit.shape, -1)
    label[view.hit] = ((shades[:, None] - palette) ** 2).sum(2).argmin(1)[index]
    return label


def _moved(view: View, found: list[Detail], mirror: int | None) -> View:
    color = view.color.copy()
    across = [a for a in range(3) if a != view.axis]
    axis = across.index(mirror) if mirror in across else None
    for detail in found:
        costs = _costs(detail.figure, view.scale)
        other = _facing(detail, found, axis, view.hit.shape)
        if other is not None:
            costs = costs + np.flip(_costs(other.figure, view.scale), axis)
        shift = np.array(np.unravel_index(int(np.argmin(costs)), costs.shape)) - view.scale // 2
        _move(color[detail.box], detail, shift)
    return dataclasses.replace(view, color=color)


def _costs(figure: np.ndarray, scale: int) -> np.ndarray:
    """Of each shift, from half a voxel down to half up: what is neither in nor out, in voxels."""
    half = scale // 2
    padded = np.pad(figure, scale)
    costs = np.empty((2 * half + 1, 2 * half + 1))
    for u in range(-half, half + 1):
        for v in range(-half, half + 1):
            moved = np.roll(padded, (u, v), (0, 1))
            share = moved.reshape(len(moved) // scale, scale, -1, scale).mean((1, 3))
            costs[u + half, v + half] = np.minimum(share, 1 - share).sum() + _STAY * (u * u + v * v) / scale**2
    return costs


def _facing(detail: Detail, found: list[Detail], axis: int | None, shape: tuple[int, ...]) -> Detail | None:
    """The detail whose mirror image is over this one."""
    if axis is None:
        return None
    here = [(part.start, part.stop) for part in detail.box]
    here[axis] = (shape[axis] - here[axis][1], shape[axis] - here[axis][0])
    best, most = None, 0
    for other in found:
        there = [(part.start, part.stop) for part in other.box]
        overlap = [min(a[1], b[1]) - max(a[0], b[0]) for a, b in zip(here, there, strict=True)]
        area = max(overlap[0], 0) * max(overlap[1], 0)
        if area > max(most, 0.5 * other.figure.size):
            best, most = other, area
    return best


def _move(color: np.ndarray, detail: Detail, shift: np.ndarray) -> None:
    """In place: the ground's colour where the figure was, and the figure where it comes to."""
    before = color.copy()
    color[detail.figure] = detail.ground
    place = np.argwhere(detail.figure)
    goal = place + shift
    inside = ((goal >= 0) & (goal < detail.figure.shape)).all(1)
    color[tuple(goal[inside].T)] = before[tuple(place[inside].T)]
