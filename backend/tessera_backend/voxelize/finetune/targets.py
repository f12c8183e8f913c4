"""What six views of the voxels shall look like, pixel by voxel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..color.color_metrics import averaged
from ..color.labels import colored
from ..color.observed import first_layer
from ..render.views import View, in_blocks
from ..shape.silhouette import WORTH


@dataclasses.dataclass(frozen=True)
class Target:
    """One view; its axes are those of `views.View`.

    Attributes:
        axis, above: as in `views.View`.
        color: float32 (U, V, 3), sRGB in [0, 1].
        covered: bool (U, V), where something is to be seen; elsewhere nothing is.
        depth: float32 (U, V), voxels from the near face of the grid; negative where any will do.
    """

    axis: int
    above: bool
    color: np.ndarray
    covered: np.ndarray
    depth: np.ndarray


def of_views(
    views: Sequence[View],
    labels: np.ndarray,
    palette: np.ndarray,
    *,
    crispness: float = 1.0,
    mirror: int | None = None,
) -> tuple[Target, ...]:
    """Targets from a mesh's six views: their mean colours, pixel art of them, or what lies between.

    Args:
        labels: uint8 (X, Y, Z), voxels whose silhouettes count as well: they hold what is thinner than half a voxel.
        palette: uint8 (K, 3), sRGB, of the pixel art.
        crispness: from 0, means, to 1, pixel art.
        mirror: the axis across which things are alike.
    """
    return tuple(_of_view(view, labels, palette, crispness, mirror) for view in views)


def _of_view(view: View, labels: np.ndarray, palette: np.ndarray, crispness: float, mirror: int | None) -> Target:
    mean, share = averaged(view)
    first = seen_first(labels, view.axis, view.above)
    covered = (share >= WORTH) | (first > 0)
    # A view that sees a flat mesh edge-on knows nothing, but that the voxels may be seen.
    mean = np.where((share > 0)[..., None], mean, palette[np.maximum(first, 1) - 1] / 255)
    if crispness > 0 and view.hit.any():
        art = palette[pixel_art(view, covered, palette, crispness, mirror) - 1] / 255
        art = np.where((share > 0)[..., None], art, mean)
        mean = (1 - crispness) * mean + crispness * art
    size = labels.shape[view.axis]
    depth = _median_depth(view, size)
    return Target(
        view.axis,
        view.above,
        np.ascontiguousarray(mean * covered[..., None], np.float32),
        covered,
        np.where(covered, depth, -1).astype(np.float32),
    )


def pixel_art(
    view: View, covered: np.ndarray, palette: np.ndarray, crispness: float = 1.0, mirror: int | None = None
) -> np.ndarray:
    """A view as pixel art: uint8 (U, V), 1 + the palette colour of each covered pixel, anything elsewhere.

    A picture is coloured as voxels are: one layer of them, seen from one side. So eyes move onto the grid, a seldom
    colour wins over a common one, and neighbours side with each other.
    """
    across = [axis for axis in range(3) if axis != view.axis]
    fold = across.index(mirror) if mirror in across else None
    if fold is not None and not np.array_equal(covered, np.flip(covered, fold)):
        fold = None
    depth = np.where(view.hit, np.float32(0.5), -np.inf).astype(np.float32)
    flat = dataclasses.replace(view, axis=2, above=True, depth=depth)
    labels, _ = colored(covered[..., None], [flat], palette=palette, crispness=crispness, mirror=fold)
    return np.maximum(labels[..., 0], 1)


def seen_first(labels: np.ndarray, axis: int, above: bool) -> np.ndarray:
    """uint8 (U, V): the label that each ray meets first, 0 for none."""
    layer = first_layer(labels > 0, axis, above)
    along = np.moveaxis(labels, axis, 2)
    return np.take_along_axis(along, np.maximum(layer, 0)[..., None], 2)[..., 0] * (layer >= 0).astype(np.uint8)


def _median_depth(view: View, size: int) -> np.ndarray:
    """float32 (U, V), voxels from the near face of the grid; -1 where nothing is hit."""
    blocks = in_blocks(view.depth, view.samples).reshape(*view.coverage().shape, -1)
    hits = np.isfinite(blocks)
    ranked = np.sort(np.where(hits, size - blocks if view.above else blocks, np.inf), 2)
    middle = np.maximum(hits.sum(2) - 1, 0) // 2
    depth = np.take_along_axis(ranked, middle[..., None], 2)[..., 0]
    return np.where(hits.any(2), depth, -1).astype(np.float32)
