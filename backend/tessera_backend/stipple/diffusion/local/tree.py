"""The kd tree behind the grid: compiled loops over the density's integral image.

The integral image is float64 (H + 1, W + 1): entry (row, column) is the mass above and to the left of that corner.
Axis 0 is x, 1 is y; a box is (left, right, top, bottom), pixels; a block is (first row, end, first column, end).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ....compiled import njit

# A box is as long as the middle 96 % of its mass.
_TRIM = 0.02
# A block of cells this much longer than wide is cut across, whatever its box is like.
_LONGEST = 3


@dataclasses.dataclass(frozen=True)
class Tree:
    """Nodes, breadth first, so that each level is a range and children stand in the order of their parents.

    Attributes:
        boxes: float64 (nodes, 4), pixels.
        blocks: int64 (nodes, 4), cells of the grid.
        axes: int64 (nodes,), 0 is cut at an x, 1 at a y, -1 is a leaf.
        shares: float64 (nodes,), of the mass, that goes to the first child.
        cuts: float64 (nodes,), pixels.
        levels: int64 (depth,), the first node of each level.
    """

    boxes: np.ndarray
    blocks: np.ndarray
    axes: np.ndarray
    shares: np.ndarray
    cuts: np.ndarray
    levels: np.ndarray


def grow(table: np.ndarray, rows: int, columns: int) -> Tree:
    """Cut the raster into rows x columns boxes of equal mass.

    Each node cuts its block of cells in halves, along the longer side of its mass, at the matching share of the
    mass; so every box has mass / (rows columns).

    Args:
        table: the integral image of a density that is positive everywhere.
    """
    nodes = 2 * rows * columns - 1
    boxes, blocks = np.empty((nodes, 4)), np.empty((nodes, 4), np.int64)
    axes, shares, cuts = np.full(nodes, -1), np.zeros(nodes), np.zeros(nodes)
    boxes[0] = 0, table.shape[1] - 1, 0, table.shape[0] - 1
    blocks[0] = 0, rows, 0, columns
    levels = np.zeros(64, np.int64)
    depth = _grow(table, boxes, blocks, axes, shares, cuts, levels)
    return Tree(boxes, blocks, axes, shares, cuts, levels[:depth])


@njit(cache=True)
def paint(boxes: np.ndarray, labels: np.ndarray) -> None:
    """Give each pixel of labels, int32 (H, W), the index of the box, float64 (N, 4), that its centre is in."""
    height, width = labels.shape
    for i in range(boxes.shape[0]):
        left, right = int(np.ceil(boxes[i, 0] - 0.5)), int(np.ceil(boxes[i, 1] - 0.5))
        top, bottom = int(np.ceil(boxes[i, 2] - 0.5)), int(np.ceil(boxes[i, 3] - 0.5))
        labels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)] = i


@njit(cache=True)
def extent(table: np.ndarray, box: np.ndarray, axis: int) -> float:
    """Length of the middle 96 % of a box's mass along an axis, pixels."""
    return _cut(table, box, axis, 1 - _TRIM) - _cut(table, box, axis, _TRIM)


@njit(cache=True)
def _grow(
    table: np.ndarray,
    boxes: np.ndarray,
    blocks: np.ndarray,
    axes: np.ndarray,
    shares: np.ndarray,
    cuts: np.ndarray,
    levels: np.ndarray,
) -> int:
    """Fill in the nodes after the first; returns the number of levels."""
    made, depth, end = 1, 1, 1
    for i in range(boxes.shape[0]):
        if i == end:
            levels[depth] = i
            depth, end = depth + 1, made
        tall, wide = blocks[i, 1] - blocks[i, 0], blocks[i, 3] - blocks[i, 2]
        if tall * wide == 1:
            continue
        axis = _axis(table, boxes[i], tall, wide)
        cells = tall if axis == 1 else wide
        half = cells // 2
        axes[i], shares[i] = axis, half / cells
        cuts[i] = _cut(table, boxes[i], axis, shares[i])
        boxes[made], boxes[made + 1] = boxes[i], boxes[i]
        boxes[made, 2 * axis + 1] = boxes[made + 1, 2 * axis] = cuts[i]
        blocks[made], blocks[made + 1] = blocks[i], blocks[i]
        across = 2 * (1 - axis)  # rows come first in blocks, x first in boxes
        blocks[made, across + 1] = blocks[made + 1, across] = blocks[i, across] + half
        made += 2
    return depth


@njit(cache=True)
def _axis(table: np.ndarray, box: np.ndarray, tall: int, wide: int) -> int:
    if tall == 1 or wide > _LONGEST * tall:
        return 0
    if wide == 1 or tall > _LONGEST * wide:
        return 1
    return 0 if extent(table, box, 0) >= extent(table, box, 1) else 1


@njit(cache=True)
def _cut(table: np.ndarray, box: np.ndarray, axis: int, share: float) -> float:
    """Where a box has to be cut for the first part to have that share of its mass: exact, by bisection of pixels."""
    low, high = box[2 * axis], box[2 * axis + 1]
    sides = box[2 - 2 * axis], box[3 - 2 * axis]
    first, last = _beyond(table, low, sides, axis), _beyond(table, high, sides, axis)
    goal = first + share * (last - first)
    while True:
        middle = np.floor(0.5 * (low + high))
        if middle <= low:
            middle += 1.0
        if middle >= high:  # within one pixel, where mass is linear
            return low + (high - low) * min(max((goal - first) / max(last - first, 1e-300), 0.0), 1.0)
        value = _beyond(table, middle, sides, axis)
        if value < goal:
            low, first = middle, value
        else:
            high, last = middle, value


@njit(cache=True)
def _beyond(table: np.ndarray, at: float, sides: tuple[float, float], axis: int) -> float:
    """Mass before a coordinate along an axis, between two coordinates of the other."""
    if axis == 0:
        return _lookup(table, at, sides[1]) - _lookup(table, at, sides[0])
    return _lookup(table, sides[1], at) - _lookup(table, sides[0], at)


@njit(cache=True)
def _lookup(table: np.ndarray, x: float, y: float) -> float:
    column, row = min(int(x), table.shape[1] - 2), min(int(y), table.shape[0] - 2)
    u, v = x - column, y - row
    upper = table[row, column] * (1 - u) + table[row, column + 1] * u
    lower = table[row + 1, column] * (1 - u) + table[row + 1, column + 1] * u
    return upper * (1 - v) + lower * v
