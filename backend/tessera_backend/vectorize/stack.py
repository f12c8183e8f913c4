"""Paint order without holes or gaps: each region is one shape, whole behind what covers it.

At each merge of a partition's tree the part whose outline lies mostly on the other's goes on top; the other is the
background, and its lowest shape spreads beneath. What is enclosed is always on top, so no shape ever needs a hole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import find_objects
from skimage.measure import label as components

from .segment import Partition


@dataclasses.dataclass(frozen=True)
class Shape:
    """What is painted once.

    Attributes:
        region: of the partition, whose colour the shape has.
        members: int32, regions whose union is its mask; those that come later in the stack cover their part of it.
        node: of the partition's tree, whose pixels these are.
    """

    region: int
    members: np.ndarray
    node: int


def stack(partition: Partition) -> list[Shape]:
    """The shapes of a partition, back to front: one for each region."""
    count = partition.count
    contact = _contacts(partition.labels, count)
    boxes = _boxes(partition.labels, count)
    area = np.bincount(partition.labels[partition.labels >= 0], minlength=count).astype(np.float64)
    stands = np.full(2 * count - 1, -1)  # the row of `contact` that a node has
    stands[:count] = np.arange(count)
    orders = {i: [Shape(i, np.array([i], np.int32), i)] for i in range(count)}
    for i, (a, b) in enumerate(partition.merges):
        top, bottom = int(a), int(b)
        if not _on_top(contact, boxes, area, int(stands[top]), int(stands[bottom])):
            top, bottom = bottom, top
        over, under = orders.pop(top), orders.pop(bottom)
        base = under[0]
        if contact[stands[top], stands[bottom]] > 0:
            base = Shape(base.region, np.concatenate([_regions(under), _regions(over)]), count + i)
        orders[count + i] = [base, *under[1:], *over]
        stands[count + i] = stands[bottom]
        _join(contact, boxes, area, int(stands[bottom]), int(stands[top]))
    (whole,) = orders.values()
    return whole


def levels(partition: Partition, shapes: Sequence[Shape], counts: Sequence[int]) -> np.ndarray:
    """The level of each shape: the first of several cuts of the tree in which its node stands apart.

    Painted by level, and within a level in the stack's order, shapes show the same picture: a shape is never in a finer
    level than one that lies within it.

    Args:
        counts: how many nodes each cut has, ascending; what is finer than the last is in the last level.
    Returns:
        int32 (len(shapes),), from 0, the coarsest.
    """
    count = partition.count
    undone_by = np.zeros(2 * count - 1, np.int64)  # with how many nodes the node's parent is taken apart
    for i, pair in enumerate(partition.merges):
        undone_by[pair] = count - i
    needs = undone_by[[shape.node for shape in shapes]]
    return np.minimum(np.searchsorted(np.asarray(counts), needs), len(counts) - 1).astype(np.int32)


def mask(partition: Partition, shape: Shape) -> np.ndarray:
    """A shape's pixels, bool (H, W): its members', and what they enclose, unless something there is transparent."""
    chosen = np.zeros(partition.count + 1, np.bool_)
    chosen[shape.members] = True
    inside = chosen[partition.labels]
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    crop = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    gaps = components(np.pad(~inside[crop], 1, constant_values=True), connectivity=1)
    holes = np.ones(gaps.max() + 1, np.bool_)
    holes[gaps[0, 0]] = False  # around the shape
    gaps = gaps[1:-1, 1:-1]
    holes[gaps[partition.labels[crop] < 0]] = False
    inside[crop] |= holes[gaps]
    return inside


def _on_top(contact: np.ndarray, boxes: np.ndarray, area: np.ndarray, a: int, b: int) -> bool:
    """Whether of two parts that merge a lies on b, rather than b on a."""
    inner, outer = np.array([boxes[a], boxes[b]]) * [1, 1, -1, -1]
    if (inner > outer).all() and _encloses(contact, b, a):
        return True
    if (outer > inner).all() and _encloses(contact, a, b):
        return False
    share = contact[a, b] / np.maximum(contact[[a, b]].sum(1), 1.0)
    return (share[0], -area[a]) > (share[1], -area[b])


def _encloses(contact: np.ndarray, around: int, part: int) -> bool:
    """Whether every way from a part to the outside, which is the last row of `contact`, leads across another one."""
    reached = np.zeros(len(contact), np.bool_)
    reached[around] = True
    front = np.array([part])
    while len(front):
        reached[front] = True
        if reached[-1]:
            return False
        front = np.flatnonzero((contact[front] > 0).any(0) & ~reached)
    return True


def _join(contact: np.ndarray, boxes: np.ndarray, area: np.ndarray, a: int, b: int) -> None:
    """Row a of each takes over what b has."""
    contact[a] += contact[b]
    contact[:, a] += contact[:, b]
    contact[a, a] = 0
    contact[b] = contact[:, b] = 0
    boxes[a] = [*np.minimum(boxes[a, :2], boxes[b, :2]), *np.maximum(boxes[a, 2:], boxes[b, 2:])]
    area[a] += area[b]


def _regions(order: Sequence[Shape]) -> np.ndarray:
    return np.array([shape.region for shape in order], np.int32)


def _contacts(labels: np.ndarray, count: int) -> np.ndarray:
    """How long the borders between regions are, px: float64 (K + 1, K + 1); the last row is what is outside of all."""
    framed = np.pad(np.where(labels < 0, count, labels), 1, constant_values=count).astype(np.int64)
    out = np.zeros((count + 1) ** 2)
    for a, b in ((framed[1:], framed[:-1]), (framed[:, 1:], framed[:, :-1])):
        apart = a != b
        out += np.bincount(a[apart] * (count + 1) + b[apart], minlength=len(out))
    out = out.reshape(count + 1, count + 1)
    return out + out.T


def _boxes(labels: np.ndarray, count: int) -> np.ndarray:
    """First and last row and column of each region, int (K, 4): top, left, bottom, right."""
    boxes = np.zeros((count, 4), np.int64)
    for i, (rows, columns) in enumerate(find_objects(labels + 1, count)):
        boxes[i] = rows.start, columns.start, rows.stop, columns.stop
    return boxes
