"""Details that fall between voxels: eyes, noses and badges are moved by up to half a voxel onto the grid.

An eye two voxels wide that begins in the middle of a voxel covers one whole and two halves: no threshold makes a
square of it. Pixel artists draw it where the grid is, in whole voxels; so do we, before anything is counted. What is
smaller than a voxel, and would be lost, becomes one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from skimage.measure import label as components

from ... import colour
from ...compiled import njit
from ..render.views import View
from . import discs, figures

# Least and greatest area of a detail and greatest side, voxels; the share of one colour around it; its contrast,
# CIEDE2000.
_LEAST, _LARGEST, _MOST = 0.06, 12.0, 9.0
_GROUND, _CONTRAST = 0.75, 25.0
# Larger ones, up to that area and side, stay where they are: only their colours count.
_PATCH, _LONG = 80.0, 24.0
# Details smaller than this, voxels, differ by so much more, CIEDE2000; or small ones from nearly all around them.
_TINY, _STARK, _NEARLY_ALL = 0.15, 40.0, 0.95
# Places that are tried for a detail, so that it touches no other.
_TRIES = 16
# Most of a detail's edge has no step, voxels, to its ground.
_STEP, _FLUSH = 0.5, 0.7
# Details that face each other have so much in common, of what either has, and begin and end so near, voxels.
_SAME_SHAPE, _AS_FAR = 0.55, 1.25
# What is in a detail and farther from its colour than this share of the farthest, is its light; the second: its colour.
_BRIGHT, _BRIGHTEST = 0.6, 0.9
# Details smaller than a voxel are drawn in a view of at most so many of them: more are a texture.
_SMALL, _FEW = 1.0, 4
# What moving by one voxel is worth in voxels that are neither in nor out.
_STAY = 0.3


@dataclasses.dataclass(frozen=True)
class Detail:
    """A small part of a view on a ground of one colour.

    Attributes:
        box: slices of the view, with a margin of one voxel, that begin and end at whole ones.
        figure: bool, of the box.
        light: bool, of the box: what is in the figure and far from most of it.
        color, ground, shine: float32 (3,), sRGB, means of the figure, of what is around, and of the light.
    """

    box: tuple[slice, slice]
    figure: np.ndarray
    light: np.ndarray
    color: np.ndarray
    ground: np.ndarray
    shine: np.ndarray

    def points(self) -> np.ndarray:
        """The figure's pixels in the view, int (N, 2)."""
        return np.argwhere(self.figure) + [part.start for part in self.box]


def on_grid(
    views: Sequence[View], palette: np.ndarray, mirror: int | None
) -> tuple[tuple[View, ...], list[np.ndarray], np.ndarray, np.ndarray]:
    """The views with details where the grid draws them best; what is around them stays.

    Args:
        palette: (K, 3), CIE Lab, that tells details from their ground.
        mirror: the axis across which things are alike: details that face each other move as one does.
    Returns:
        the views; of each, float32 (U, V), the area of the detail that is drawn in a voxel, or around it, else 0; the
        details' main colours, float64 (D, 3), CIE Lab; and areas, (D,), voxels.
    """
    rounded = [discs.round_off(view, nearest(view, palette), palette, _across(view, mirror)) for view in views]
    views = [view for view, _ in rounded]
    found = [details(view, palette) for view in views]
    every = [some + details(view, palette, large=True) for view, some in zip(views, found, strict=True)]
    colors = np.array([detail.color for some in every for detail in some]).reshape(-1, 3)
    areas = np.array([detail.figure.sum() for some in every for detail in some]) / views[0].samples ** 2
    moved = [_moved(view, some, mirror) for view, some in zip(views, found, strict=True)]
    drawn = [np.maximum(one, other) for (_, one), (_, other) in zip(rounded, moved, strict=True)]
    return tuple(view for view, _ in moved), drawn, colour.lab(colors), areas


def details(view: View, palette: np.ndarray, *, large: bool = False) -> list[Detail]:
    """All of a view: groups of small patches that differ much from the one colour round about; or the large ones."""
    label, k = nearest(view, palette), view.samples
    least, largest, most = (_LARGEST, _PATCH, _LONG) if large else (_LEAST, _LARGEST, _MOST)
    patches = components(label, background=-1, connectivity=1)
    size = np.bincount(patches.ravel())
    size[0] = label.size
    groups, _ = ndimage.label((size <= largest * k * k)[patches], np.ones((3, 3)))
    area = np.bincount(groups.ravel()) / k**2
    fitting = (area >= least) & (area <= largest)
    fitting[0] = False
    groups = np.where(fitting, fitting.cumsum(), 0)[groups]
    found = []
    for number, box in enumerate(ndimage.find_objects(groups), 1):
        longest = max(part.stop - part.start for part in box)
        if longest > most * k:
            continue
        low = [max((part.start // k - 1) * k, 0) for part in box]
        high = [min((-(-part.stop // k) + 1) * k, whole) for part, whole in zip(box, label.shape, strict=True)]
        wide = (slice(low[0], high[0]), slice(low[1], high[1]))
        figure = groups[wide] == number
        detail = _detail(view.color[wide], label[wide], figure, k) if _painted(view.depth[wide], figure) else None
        if detail is not None:
            found.append(Detail(wide, *detail))
    return found


def _painted(depth: np.ndarray, figure: np.ndarray) -> bool:
    """Whether a figure lies on its ground; else it stands out, or is seen through a hole."""
    steps, edges = [], []
    for axis in (0, 1):
        with np.errstate(invalid="ignore"):
            steps.append(np.abs(np.diff(depth, axis=axis)).ravel())
        edges.append(np.diff(figure, axis=axis).ravel())
    edge = np.concatenate(edges)
    return bool((np.concatenate(steps)[edge] <= _STEP).mean() >= _FLUSH) if edge.any() else False


def _detail(color: np.ndarray, label: np.ndarray, figure: np.ndarray, scale: int) -> tuple[np.ndarray, ...] | None:
    """The figure, its light, and colours as in `Detail`, if it stands on one ground and is far from it."""
    ring = ndimage.binary_dilation(figure, np.ones((3, 3)), 2) & ~figure
    around, inside = label[ring], label[figure]
    if not len(around) or (around < 0).any():
        return None
    ground, main = int(np.bincount(around).argmax()), int(np.bincount(inside).argmax())
    colors = np.stack([color[figure & (label == main)].mean(0), color[ring & (label == ground)].mean(0)])
    far = float(colour.ciede2000(*colour.lab(colors)[:, None])[0])
    alone = (around == ground).mean() >= _GROUND
    if figure.sum() < _SMALL * scale**2 and not alone:
        # A nose may lie where two colours meet.
        apart = colour.ciede2000_table(colour.lab(color[ring]), colour.lab(colors[:1]))
        alone = bool((apart >= _STARK).mean() >= _NEARLY_ALL)
    if not alone or far < (_CONTRAST if figure.sum() >= _TINY * scale**2 else _STARK):
        return None
    # Rims are mixtures with the ground.
    light = ndimage.binary_erosion(ndimage.binary_closing(figure, np.ones((3, 3)), 4), np.ones((3, 3)), 2)
    apart = colour.ciede2000_table(colour.lab(color[light]), colour.lab(colors[:1]))[:, 0]
    brightest = apart.max(initial=_CONTRAST)
    shine = color[light][apart >= _BRIGHTEST * brightest].mean(0) if (apart >= _CONTRAST).any() else colors[0]
    light[light] = apart >= max(_CONTRAST, _BRIGHT * brightest)
    return figure | light, light, *colors, shine


def nearest(view: View, palette: np.ndarray) -> np.ndarray:
    """Which palette colour each pixel is nearest to, int (W, H), -1 where nothing is hit; colours are rounded first."""
    codes = np.rint(view.color[view.hit] * 31).astype(np.int64) @ (1024, 32, 1)
    used, index = np.unique(codes, return_inverse=True)
    shades = colour.lab(np.stack([used // 1024, used // 32 % 32, used % 32], 1) / 31)
    label = np.full(view.hit.shape, -1)
    label[view.hit] = ((shades[:, None] - palette) ** 2).sum(2).argmin(1)[index]
    return label


def _moved(view: View, found: list[Detail], mirror: int | None) -> tuple[View, np.ndarray]:
    color, scale = view.color.copy(), view.samples
    axis = _across(view, mirror)
    areas = np.zeros([side // scale for side in view.hit.shape], np.float32)
    taken = np.zeros(areas.shape, bool)
    few = sum(detail.figure.sum() < _SMALL * scale**2 for detail in found) <= _FEW
    for detail in found:
        color[detail.box][detail.figure] = detail.ground
        areas[tuple(detail.points().T // scale)] = detail.figure.sum() / scale**2
    for detail, other in _pairs(found, axis, view.hit.shape, scale):
        cells = _placed(detail, other, axis, taken, scale, few)
        _paint(color, areas, detail, cells)
        if other is not None and other is not detail and axis is not None:
            _paint(color, areas, other, np.flip(cells, axis))
            taken |= np.flip(cells, axis) > 0
        taken |= cells > 0
    return dataclasses.replace(view, color=color), areas


def _across(view: View, mirror: int | None) -> int | None:
    """Which of a view's two axes is the mirror's; None if it looks along it."""
    across = [axis for axis in range(3) if axis != view.axis]
    return across.index(mirror) if mirror in across else None


def _pairs(
    found: list[Detail], axis: int | None, shape: tuple[int, ...], scale: int
) -> list[tuple[Detail, Detail | None]]:
    """Each detail once, alone or the lower one with that which faces it, maybe itself; the largest first."""
    pairs, done = [], set()
    for detail in sorted(found, key=lambda detail: -int(detail.figure.sum())):
        if id(detail) in done:
            continue
        other = _facing(detail, found, axis, shape, scale)
        other = None if other is not None and id(other) in done else other
        done |= {id(detail), id(other)}
        swapped = other is not None and axis is not None and other.box[axis].start < detail.box[axis].start
        pairs.append((other, detail) if swapped and other is not None else (detail, other))
    return pairs


def _placed(
    detail: Detail, other: Detail | None, axis: int | None, taken: np.ndarray, scale: int, few: bool
) -> np.ndarray:
    """The voxels of the view, as `figures.drawn`, in which a detail is drawn, best where it touches no other."""
    first = None
    for shift in _shifts(detail, other, axis, scale)[:_TRIES]:
        points = detail.points() + shift
        lit = [detail.light[detail.figure]]
        if other is not None and axis is not None:
            sign = np.where(np.arange(2) == axis, -1, 1)
            theirs = (other.points() + sign * shift) * sign
            theirs[:, axis] += taken.shape[axis] * scale - 1
            points, lit = np.concatenate([points, theirs]), [*lit, other.light[other.figure]]
        # A margin of one voxel, for what bends.
        low = (points.min(0) // scale - 1).clip(0)
        high = np.minimum(points.max(0) // scale + 2, taken.shape)
        inside = ((points >= low * scale) & (points < high * scale)).all(1)
        figure, light = np.zeros((2, *((high - low) * scale)))
        places = points[inside] - low * scale
        np.add.at(figure, tuple(places.T), 1 / len(lit))
        np.add.at(light, tuple(places[np.concatenate(lit)[inside]].T), 1 / len(lit))
        cells = np.zeros(taken.shape, np.uint8)
        cells[low[0] : high[0], low[1] : high[1]] = figures.drawn(
            figure, light, scale, lost=few, mirror=axis if other is detail else None
        )
        first = cells if first is None else first
        if not taken[ndimage.binary_dilation(cells, np.ones((3, 3)))].any():
            return cells
    return np.zeros(taken.shape, np.uint8) if first is None else first


def _paint(color: np.ndarray, areas: np.ndarray, detail: Detail, cells: np.ndarray) -> None:
    """Lights at a figure's rim would be notches: they are half as bright."""
    scale = color.shape[0] // cells.shape[0]
    inner = ndimage.binary_erosion(cells > 0)
    for place in np.argwhere(cells):
        pixels = tuple(slice(at * scale, (at + 1) * scale) for at in place)
        light = detail.shine if inner[tuple(place)] else (detail.color + detail.shine) / 2
        color[pixels] = detail.color if cells[tuple(place)] == 1 else light
        areas[tuple(place)] = detail.figure.sum() / scale**2


def _shifts(detail: Detail, other: Detail | None, axis: int | None, scale: int) -> np.ndarray:
    """Where a detail is drawn best, pixels (N, 2), the best first; of two that face each other, for the lower one."""
    costs, half = _costs(detail.figure, scale), scale // 2
    if other is detail:
        costs = np.where(np.moveaxis(np.indices(costs.shape), 0, -1)[..., axis] == half, costs, np.inf)
    elif other is not None and axis is not None:
        costs = costs + np.flip(_costs(other.figure, scale), axis)
    order = np.argsort(costs, axis=None, kind="stable")
    return np.stack(np.unravel_index(order, costs.shape), 1) - half


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


def _facing(detail: Detail, found: list[Detail], axis: int | None, shape: tuple[int, ...], scale: int) -> Detail | None:
    """The detail that is nearly this one's mirror image; maybe itself."""
    if axis is None:
        return None
    here = np.array([(part.start, part.stop) for part in detail.box])
    here[axis] = shape[axis] - here[axis][::-1]
    best, least = None, _AS_FAR * scale + 1e-6
    for other in found:
        there = np.array([(part.start, part.stop) for part in other.box])
        away = float(np.abs(here - there).max())
        if away < least and _alike(detail, other, axis):
            best, least = other, away
    return best


def _alike(detail: Detail, other: Detail, axis: int) -> bool:
    """Whether most of a figure lies on the other's mirror image, centre upon centre."""
    both = detail.points(), other.points() * np.where(np.arange(2) == axis, -1, 1)
    codes = [(points - np.rint(points.mean(0)).astype(int)) @ (10_000, 1) for points in both]
    return len(np.intersect1d(*codes)) >= _SAME_SHAPE * len(np.union1d(*codes))
