"""Round patches of a view, hubs and lamps, become circles of pixels: regular, and alike where they are as large."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage
from skimage.measure import label as components

from ... import colour
from ..render.views import View

# Sides, voxels; how much they differ, of the longer; the share of its box that a disc fills, and of itself that it has
# in common with its mirror images; the share of one colour around it, and its contrast, CIEDE2000.
_LEAST, _LARGEST, _OBLONG = 3.5, 16.0, 0.15
_FULL, _EVEN = (0.64, 0.88), 0.85
_GROUND, _CONTRAST = 0.75, 15.0
# A circle of so many voxels across has those whose centres are nearer to its own than half of it, less this.
_SLACK = 0.05
# A disc is not drawn on what is so much farther behind, or before, than all of it, voxels.
_BEHIND = 2.0
# A disc that near to the mirror, voxels, is its own image.
_SELF = 0.5


def round_off(view: View, label: np.ndarray, palette: np.ndarray, axis: int | None = None) -> tuple[View, np.ndarray]:
    """The view with its discs on the grid, and the area of the disc that is drawn in each voxel, float32 (U, V), or 0.

    Args:
        label: int, of each pixel, which colour it has; -1 where nothing is.
        palette: (K, 3), CIE Lab, those colours: discs have no others.
        axis: of the view's two, across whose middle it is symmetric: then so are discs.
    """
    color, k = view.color.copy(), view.samples
    shades = colour.srgb(palette)
    areas = np.zeros([side // k for side in label.shape], np.float32)
    patches = components(label, background=-1, connectivity=1)
    large = np.bincount(patches.ravel()) >= _FULL[0] / 2 * (_LEAST * k) ** 2
    large[0] = False
    patches = np.where(large, large.cumsum(), 0)[patches]
    for number, box in enumerate(ndimage.find_objects(patches), 1):
        sides = [(part.stop - part.start) / k for part in box]
        if not _LEAST <= min(sides) <= max(sides) <= _LARGEST or max(sides) - min(sides) > _OBLONG * max(sides):
            continue
        wide = tuple(
            slice(max(part.start - 2 * k, 0), min(part.stop + 2 * k, side))
            for part, side in zip(box, label.shape, strict=True)
        )
        figure = ndimage.binary_fill_holes(patches[wide] == number)
        ground = _ground(view.color[wide], label[wide], figure) if _is_round(figure) else None
        if ground is not None:
            color[wide][figure] = ground
            corner = [part.start for part in wide]
            cells, shown = _circle(view.color[wide], figure, corner, sides, areas.shape, k, axis)
            own = shades[((palette[:, None] - colour.lab(shown)) ** 2).sum(2).argmin(0)]
            depth = view.depth[wide][figure & view.hit[wide]]
            beside = (view.depth >= depth.min() - _BEHIND) & (view.depth <= depth.max() + _BEHIND)
            for at, one in zip(cells, own, strict=True):
                pixels = tuple(slice(place * k, (place + 1) * k) for place in at)
                color[pixels][beside[pixels]] = one
            touched = np.concatenate([cells, (np.argwhere(figure) + corner) // k])
            areas[tuple(touched.T)] = figure.sum() / k**2
    return dataclasses.replace(view, color=color), areas


def _is_round(figure: np.ndarray) -> bool:
    rows, columns = np.nonzero(figure)
    tight = figure[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    full = _FULL[0] <= tight.mean() <= _FULL[1]
    return full and all((tight & np.flip(tight, axis)).sum() >= _EVEN * tight.sum() for axis in (0, 1, (0, 1)))


def _ground(color: np.ndarray, label: np.ndarray, figure: np.ndarray) -> np.ndarray | None:
    """The one colour around a figure, if there is one and it is far from the figure's."""
    ring = ndimage.binary_dilation(figure, np.ones((3, 3)), 2) & ~figure
    around = label[ring]
    if (around < 0).any():
        return None
    ground = int(np.bincount(around).argmax())
    both = np.stack([color[ring & (label == ground)].mean(0), color[figure].mean(0)])
    far = colour.ciede2000(*colour.lab(both)[:, None])[0]
    return both[0] if (around == ground).mean() >= _GROUND and far >= _CONTRAST else None


def _circle(
    color: np.ndarray,
    figure: np.ndarray,
    corner: list[int],
    sides: list[float],
    shape: tuple[int, ...],
    scale: int,
    axis: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Whole voxels of a circle as large as a figure, int (N, 2), and the mean colour of the figure in each, (N, 3)."""
    places = np.argwhere(figure) + corner
    middle = (places.min(0) + places.max(0) + 1) / 2 / scale
    across = round(sum(sides) / 2)
    own_image = axis is not None and abs(middle[axis] - shape[axis] / 2) < _SELF
    if own_image and (across - shape[axis]) % 2:
        across += 1 if sum(sides) / 2 > across else -1
    center = _centered(middle, across, shape, axis)
    sums = np.zeros((*shape, 4))
    goal = (places + np.rint((center - middle) * scale).astype(int)) // scale
    inside = ((goal >= 0) & (goal < shape)).all(1)
    np.add.at(sums, tuple(goal[inside].T), np.column_stack([color[figure], np.ones(len(places))])[inside])
    sums = sums + np.flip(sums, axis) if own_image else sums
    cells = np.argwhere(np.ones((across, across), bool))
    cells = cells[np.hypot(*(cells + 0.5 - across / 2).T) <= across / 2 - _SLACK]
    cells = cells + np.rint(center - across / 2).astype(int)
    cells = cells[((cells >= 0) & (cells < shape)).all(1)]
    total = sums[tuple(cells.T)]
    mean = np.where(total[:, 3:] > 0, total[:, :3] / np.maximum(total[:, 3:], 1), color[figure].mean(0))
    return cells, mean


def _centered(middle: np.ndarray, across: int, shape: tuple[int, ...], axis: int | None) -> np.ndarray:
    """Where a circle's centre is on the grid, float (2,); that of its mirror image is mirrored, in ties, too."""
    half = across % 2 / 2
    center: np.ndarray = np.rint(middle - half) + half
    if axis is not None and middle[axis] > shape[axis] / 2:
        center[axis] = shape[axis] - (np.rint(shape[axis] - middle[axis] - half) + half)
    return center
