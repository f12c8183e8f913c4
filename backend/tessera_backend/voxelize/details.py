"""Details that fall between voxels: eyes, noses and badges are moved by up to half a voxel onto the grid.

An eye two voxels wide that begins in the middle of a voxel covers one whole and two halves: no threshold makes a
square of it. Pixel artists draw it where the grid is; so do we, before anything is counted. What is smaller than a
voxel, and would be lost, becomes one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from skimage.measure import label as components

from .. import colour
from ..compiled import njit
from .views import View

# Least and greatest area of a detail and greatest side, voxels; the share of one colour around it; its contrast,
# CIEDE2000.
_LEAST, _LARGEST, _MOST = 0.15, 12.0, 7.0
_GROUND, _CONTRAST = 0.75, 25.0
# A detail that fills no voxel to this share is painted over those of which it fills the most, or nearly.
_LOST, _NEARLY = 0.6, 0.8
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


def on_grid(
    views: Sequence[View], palette: np.ndarray, mirror: int | None
) -> tuple[tuple[View, ...], np.ndarray, np.ndarray]:
    """The views with details where the grid draws them best; what is around them stays.

    Args:
        palette: (K, 3), CIE Lab, that tells details from their ground.
        mirror: the axis across which things are alike: details that face each other move as one does.
    Returns:
        the views; the details' main colours, float64 (D, 3), CIE Lab; and areas, (D,), voxels.
    """
    found = [details(view, palette) for view in views]
    colors = np.array([detail.color for some in found for detail in some]).reshape(-1, 3)
    areas = np.array([detail.figure.sum() for some in found for detail in some]) / views[0].samples ** 2
    moved = tuple(_moved(view, some, mirror) for view, some in zip(views, found, strict=True))
    return moved, colour.lab(colors), areas


def details(view: View, palette: np.ndarray) -> list[Detail]:
    """All of a view: groups of small patches that differ much from the one colour round about."""
    label, k = _nearest(view, palette), view.samples
    patches = components(label, background=-1, connectivity=1)
    size = np.bincount(patches.ravel())
    size[0] = label.size
    groups, _ = ndimage.label((size <= _LARGEST * k * k)[patches], np.ones((3, 3)))
    area = np.bincount(groups.ravel()) / k**2
    found = []
    for number, box in enumerate(ndimage.find_objects(groups), 1):
        longest = max(part.stop - part.start for part in box)
        if longest > _MOST * k or not _LEAST <= area[number] <= _LARGEST:
            continue
        low = [max((part.start // k - 1) * k, 0) for part in box]
        high = [min((-(-part.stop // k) + 1) * k, whole) for part, whole in zip(box, label.shape, strict=True)]
        wide = (slice(low[0], high[0]), slice(low[1], high[1]))
        detail = _detail(view.color[wide], label[wide], groups[wide] == number)
        if detail is not None:
            found.append(Detail(wide, *detail))
    return found


def _detail(
    color: np.ndarray, label: np.ndarray, figure: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The figure, its colour and its ground's, if it stands on one and is far from it."""
    ring = ndimage.binary_dilation(figure, np.ones((3, 3)), 2) & ~figure
    around, inside = label[ring], label[figure]
    if not len(around) or (around < 0).any():
        return None
    ground, main = int(np.bincount(around).argmax()), int(np.bincount(inside).argmax())
    colors = np.stack([color[figure & (label == main)].mean(0), color[ring & (label == ground)].mean(0)])
    far = colour.ciede2000(*colour.lab(colors)[:, None])[0]
    return (figure, *colors) if (around == ground).mean() >= _GROUND and far >= _CONTRAST else None


def _nearest(view: View, palette: np.ndarray) -> np.ndarray:
    """Which palette colour each pixel is nearest to, int (W, H), -1 where nothing is hit; colours are rounded first."""
    codes = np.rint(view.color[view.hit] * 31).astype(np.int64) @ (1024, 32, 1)
    used, index = np.unique(codes, return_inverse=True)
    shades = colour.lab(np.stack([used // 1024, used // 32 % 32, used % 32], 1) / 31)
    label = np.full(view.hit.shape, -1)
    label[view.hit] = ((shades[:, None] - palette) ** 2).sum(2).argmin(1)[index]
    return label


def _moved(view: View, found: list[Detail], mirror: int | None) -> View:
    color = view.color.copy()
    across = [a for a in range(3) if a != view.axis]
    axis = across.index(mirror) if mirror in across else None
    for detail in found:
        shift = _shift(detail, _facing(detail, found, axis, view.hit.shape), axis, view.samples)
        _move(color[detail.box], detail, shift, view.samples)
    return dataclasses.replace(view, color=color)


def _shift(detail: Detail, other: Detail | None, axis: int | None, scale: int) -> np.ndarray:
    """Where a detail is drawn best, pixels (2,); of two that face each other, mirrored to each other's."""
    costs, half = _costs(detail.figure, scale), scale // 2
    if other is None or axis is None:
        return np.array(np.unravel_index(int(np.argmin(costs)), costs.shape)) - half
    if other is detail:
        costs = np.take(costs, [half], axis)
        where = np.array(np.unravel_index(int(np.argmin(costs)), costs.shape)) - half
        where[axis] = 0
        return where
    # The lower one chooses, so that ties end alike.
    lower = detail.box[axis].start < other.box[axis].start
    joint = costs + np.flip(_costs(other.figure, scale), axis)
    joint = joint if lower else np.flip(joint, axis)
    where = np.array(np.unravel_index(int(np.argmin(joint)), joint.shape)) - half
    where[axis] *= 1 if lower else -1
    return where


def _costs(figure: np.ndarray, scale: int) -> np.ndarray:
    """Of each shift, from half a voxel down to half up: what is neither in nor out, in voxels."""
    reach = np.arange(-(scale // 2), scale // 2 + 1)
    still = _STAY * (reach[:, None] ** 2 + reach**2) / scale**2
    return _unclear(np.argwhere(figure), figure.shape, scale) / scale**2 + still


@njit(cache=True)
def _unclear(places: np.ndarray, shape: tuple[int, int], scale: int) -> np.ndarray:
    """Pixels that are in the minority of their voxel, of each shift."""
    half = scale // 2
    out = np.zeros((2 * half + 1, 2 * half + 1), np.int64)
    for u in range(-half, half + 1):
        for v in range(-half, half + 1):
            # A margin of one voxel, into which it may move.
            cells = np.zeros((shape[0] // scale + 2, shape[1] // scale + 2), np.int64)
            for i in range(len(places)):
                cells[(places[i, 0] + u) // scale + 1, (places[i, 1] + v) // scale + 1] += 1
            for inside in cells.flat:
                out[u + half, v + half] += min(inside, scale * scale - inside)
    return out


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


def _move(color: np.ndarray, detail: Detail, shift: np.ndarray, scale: int) -> None:
    """In place: the ground's colour where the figure was; the figure where it comes to, in whole voxels if small."""
    before = color.copy()
    color[detail.figure] = detail.ground
    place = np.argwhere(detail.figure)
    goal = place + shift
    inside = ((goal >= 0) & (goal < detail.figure.shape)).all(1)
    place, goal = place[inside], goal[inside]
    color[tuple(goal.T)] = before[tuple(place.T)]
    share = np.zeros([side // scale for side in detail.figure.shape])
    np.add.at(share, tuple(goal.T // scale), 1 / scale**2)
    if share.max() < _LOST:
        whole = share >= _NEARLY * share.max()
        color[whole.repeat(scale, 0).repeat(scale, 1)] = detail.color
