"""Paint order without holes or gaps: each region is one shape, whole behind what covers it.

At each merge of a partition's tree the part whose outline lies mostly on the other's goes on top; the other is the
background, and its lowest shape spreads beneath. What is enclosed is always on top, so no shape ever needs a hole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.ndimage import find_objects
from scipy.sparse import csr_array

from ..compiled import njit
from .segment import Partition


@dataclasses.dataclass(frozen=True)
class Shape:
    """What is painted once.

    Attributes:
        region: of the partition, whose colour the shape has.
        members: int32, ascending: regions whose union is its mask, in one piece, its own and those that are painted on
            it later. It has holes only where one can look through.
        node: of the partition's tree, whose background it is: members are the node's regions without islands, and
            what these enclose.
    """

    region: int
    members: np.ndarray
    node: int


def stack(partition: Partition) -> list[Shape]:
    """The shapes of a partition, back to front: one for each region."""
    count = partition.count
    contact = _contacts(partition.labels, count)
    borders = csr_array(contact)
    area = np.bincount(partition.labels[partition.labels >= 0], minlength=count)
    boxes = np.concatenate([_boxes(partition.labels, count), np.zeros((count, 4), np.int64)])
    orders = {i: [Shape(i, np.array([i], np.int32), i)] for i in range(count)}
    row = np.arange(2 * count)  # of `contact`, that has a node's borders
    for i, (a, b) in enumerate(partition.merges.tolist()):
        top, bottom = a, b
        share = contact[row[a], row[b]] / np.maximum(contact[row[[a, b]]].sum(1), 1.0)
        if (share[0], -area[row[a]]) < (share[1], -area[row[b]]):
            top, bottom = b, a
        if _inside(boxes[bottom], boxes[top]) and _encloses(borders, orders[top], orders[bottom]):
            top, bottom = bottom, top
        base, *parts = orders.pop(bottom)
        over = orders.pop(top)
        members = np.array([shape.region for shape in (base, *parts, *over)], np.int32)
        orders[count + i] = [Shape(base.region, members, count + i), *parts, *over]
        boxes[count + i] = [*np.minimum(boxes[a, :2], boxes[b, :2]), *np.maximum(boxes[a, 2:], boxes[b, 2:])]
        row[count + i] = row[bottom]
        area[row[bottom]] += area[row[top]]
        _join(contact, row[bottom], row[top])
    (order,) = orders.values()
    return [_whole(borders, shape) for shape in order]


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
    found = np.minimum(np.searchsorted(np.asarray(counts), needs), len(counts) - 1).astype(np.int32)
    # Rarely a part merges early with what lies around it and late with what that encloses.
    floor = np.zeros(count, np.int32)
    for i, shape in enumerate(shapes):
        found[i] = max(found[i], floor[shape.region])
        floor[shape.members] = np.maximum(floor[shape.members], found[i])
    return found


def mask(partition: Partition, shape: Shape) -> np.ndarray:
    """A shape's pixels, bool (H, W)."""
    chosen = np.zeros(partition.count + 1, np.bool_)  # the last one stands for -1
    chosen[shape.members] = True
    return chosen[partition.labels]


def masks(partition: Partition, shapes: Sequence[Shape], underlap: int = 1) -> Iterator[np.ndarray]:
    """The pixels of each shape, bool (H, W), in the order in which they are painted, for outlines to be traced.

    Each reaches by `underlap` px beneath those that are painted later, and never across those painted before: so that
    curves, which are not quite on the borders of pixels, leave no gaps, and need not follow what is hidden.
    """
    turn = np.full(partition.count + 1, -1)  # the last one stands for -1
    turn[[shape.region for shape in shapes]] = np.arange(len(shapes))
    turns = turn[partition.labels]
    boxes = _boxes(partition.labels, partition.count)
    for k, shape in enumerate(shapes):
        top, left = np.maximum(boxes[shape.members, :2].min(0) - underlap, 0)
        bottom, right = boxes[shape.members, 2:].max(0) + underlap
        crop = np.s_[top:bottom, left:right]
        chosen = np.zeros(partition.count + 1, np.bool_)
        chosen[shape.members] = True
        pixels = np.zeros(partition.labels.shape, np.bool_)
        pixels[crop] = _spread(chosen[partition.labels[crop]], turns[crop] > k, underlap)
        yield pixels


def _spread(pixels: np.ndarray, allowed: np.ndarray, steps: int) -> np.ndarray:
    """Pixels, and what is reached from them in so many steps to 4-neighbours that are allowed."""
    for _ in range(steps):
        wider = pixels.copy()
        wider[1:] |= pixels[:-1]
        wider[:-1] |= pixels[1:]
        wider[:, 1:] |= pixels[:, :-1]
        wider[:, :-1] |= pixels[:, 1:]
        pixels = pixels | (wider & allowed)
    return pixels


def _inside(box: np.ndarray, other: np.ndarray) -> bool:
    """Whether a box (top, left, bottom, right) lies within another one, without touching its sides."""
    return bool((box[:2] > other[:2]).all() and (box[2:] < other[2:]).all())


def _encloses(borders: csr_array, around: Sequence[Shape], part: Sequence[Shape]) -> bool:
    """Whether every way from a part to the outside, which is the last row of `borders`, leads across another one."""
    free = np.ones(borders.shape[0], np.bool_)
    free[[shape.region for shape in around]] = False
    return not _reached(borders.indptr, borders.indices, part[0].region, free)[-1]


def _whole(borders: csr_array, shape: Shape) -> Shape:
    """A shape without islands, and with what it encloses."""
    own = np.zeros(borders.shape[0], np.bool_)
    own[shape.members] = True
    own = _reached(borders.indptr, borders.indices, shape.region, own)
    covered = ~_reached(borders.indptr, borders.indices, len(own) - 1, ~own)
    return dataclasses.replace(shape, members=np.flatnonzero(covered).astype(np.int32))


@njit(cache=True)
def _reached(first: np.ndarray, near: np.ndarray, start: int, free: np.ndarray) -> np.ndarray:
    """Which regions can be reached from one across regions that are free: bool, the start among them.

    Args:
        first, near: region i touches near[first[i]:first[i + 1]].
    """
    reached = np.zeros(len(free), np.bool_)
    reached[start] = True
    stack = [start]
    while stack:
        at = stack.pop()
        for k in range(first[at], first[at + 1]):
            if free[near[k]] and not reached[near[k]]:
                reached[near[k]] = True
                stack.append(near[k])
    return reached


def _join(contact: np.ndarray, a: int, b: int) -> None:
    """Row and column a take over what b has."""
    contact[a] += contact[b]
    contact[:, a] += contact[:, b]
    contact[a, a] = 0
    contact[b] = contact[:, b] = 0


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
