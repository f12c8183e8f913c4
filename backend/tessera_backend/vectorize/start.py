"""The first shapes: a tree of regions, cut, stacked, outlined, and filled."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..progress import Progress
from . import contours, curves
from .canvas import Canvas
from .segment import Partition, Tree, grow, sharpen, split
from .shapes import Shapes
from .stack import levels, masks, stack

# How far the backdrop goes beyond the canvas, px.
_BEYOND = 4.0


@dataclasses.dataclass(frozen=True)
class Criterion:
    """What regions are merged by.

    Attributes:
        model: "affine" or "constant": how a region's colours may change within it.
        boundary: squared error that a px of border is worth.
        sharpened: passes of `segment.sharpen` before.
    """

    model: str = "affine"
    boundary: float = 0.005
    sharpened: int = 1


def tree(canvas: Canvas, criterion: Criterion, progress: Progress) -> Tree:
    """Regions of the picture, merged two by two."""
    progress("regions", 0.0, "Merging regions")
    image = _sharp(canvas, criterion)
    return grow(
        image,
        canvas.working.inside,
        model=criterion.model,
        boundary=criterion.boundary,
    )


def begin(
    canvas: Canvas,
    grown: Tree,
    criterion: Criterion,
    count: int,
    *,
    tolerance: float,
    smallest: int,
    level_count: int,
    gradients: bool,
) -> Shapes:
    """At most `count` shapes of a tree's regions, filled, not yet moved.

    Args:
        tolerance: of curves, px.
        smallest: px that a region has at least.
        level_count: how many levels there are.
    """
    image = _sharp(canvas, criterion)
    partition = split(grown, image, count, model=criterion.model, smallest=smallest)
    order = stack(partition)
    level = levels(partition, order, level_sizes(partition.count, level_count))
    nodes = _tree_nodes(grown, partition)
    outlines, kept = [], []
    for i, mask in enumerate(masks(partition, order)):
        curve = outlined(mask, tolerance)
        if curve:
            outlines.append(curve)
            kept.append(i)
    fixed = np.zeros(len(kept), bool)
    if canvas.working.alpha is None:
        outlines[0], fixed[0] = [_backdrop(canvas)], True
    node = np.array([nodes[order[i].node] for i in kept])
    shapes = Shapes.of(outlines, node, level[kept], fixed)
    canvas.fill(shapes, gradients)
    return shapes


def _sharp(canvas: Canvas, criterion: Criterion) -> np.ndarray:
    if not criterion.sharpened:
        return canvas.image
    return sharpen(canvas.image, canvas.working.inside, passes=criterion.sharpened)


def level_sizes(count: int, levels: int) -> list[int]:
    """How many shapes there are up to each level: a geometric series that ends with all."""
    return [max(1, round(count ** ((level + 1) / levels))) for level in range(levels)]


def outlined(shape: np.ndarray, tolerance: float, *, holes: bool = False) -> list[np.ndarray]:
    """Contours, each of control points (3 n, 2), of a mask, bool (H, W); none where there is nothing to go around.

    Args:
        holes: cut them out; without, a shape is whole.
    """
    fitted = [curves.fit_closed(ring, tolerance) for ring in contours.outlines(shape, holes=holes)]
    if not fitted or len(fitted[0]) < 6:
        return []
    return [curve for curve in fitted if len(curve) >= 6]


def _backdrop(canvas: Canvas) -> np.ndarray:
    """A rectangle around an opaque picture: whatever moves, nothing shines through."""
    right, bottom = canvas.raster.width + _BEYOND, canvas.raster.height + _BEYOND
    corners = np.array([[-_BEYOND, -_BEYOND], [right, -_BEYOND], [right, bottom], [-_BEYOND, bottom]])
    sides = np.roll(corners, -1, axis=0) - corners
    return np.stack([corners, corners + sides / 3, corners + sides * 2 / 3], axis=1).reshape(-1, 2)


def _tree_nodes(grown: Tree, partition: Partition) -> np.ndarray:
    """The tree's node for each of a partition's: the nearest that contains what merged."""
    nodes = list(partition.nodes)
    for a, b in partition.merges:
        above = {int(nodes[a]), *grown.ancestors(int(nodes[a]))}
        nodes.append(next(n for n in (int(nodes[b]), *grown.ancestors(int(nodes[b]))) if n in above))
    return np.array(nodes, np.int64)
