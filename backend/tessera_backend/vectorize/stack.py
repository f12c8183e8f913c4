"""Paint order without holes or gaps: each region is one shape, whole behind what covers it.

At each merge of a partition's tree the part whose outline lies mostly on the other's goes on top; the other is the
background, and its lowest shape spreads beneath. What is enclosed is always on top, so no shape ever needs a hole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.ndimage import find_objects

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
        base, *parts = under
        members = np.array([shape.region for shape in (*under, *over)], np.int32)
        orders[count + i] = [Shape(base.region, members, count + i), *parts, *over]
        stands[count + i] = stands[bottom]
        _join(contact, boxes, area, int(stands[bottom]), int(stands[top]))
    (order,) = orders.values()
    contact = _contacts(partition.labels, count)
    return [_whole(contact, shape) for shape in order]


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
    for k, shape in enumerate(shapes):
        pixels = mask(partition, shape)
        for _ in range(underlap):
            wider = pixels.copy()
            wider[1:] |= pixels[:-1]
            wider[:-1] |= pixels[1:]
            wider[:, 1:] |= pixels[:, :-1]
            wider[:, :-1] |= pixels[:, 1:]
            pixels |= wider & (turns > k)
        yield pixels


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
    free = np.ones(len(contact), np.bool_)
    free[around] = False
    return not _reached(contact, part, free)[-1]


def _reached(contact: np.ndarray, start: int, free: np.ndarray) -> np.ndarray:
    """Which rows can be reached from one by contacts, across rows that are free: bool, the start among them."""
    reached = np.zeros(len(contact), np.bool_)
    front = np.array([start])
    while len(front):
        reached[front] = True
        front = np.flatnonzero((contact[front] > 0).any(0) & free & ~reached)
    return reached


def _whole(contact: np.ndarray, shape: Shape) -> Shape:
    """A shape without islands, and with what it encloses."""
    own = np.zeros(len(contact), np.bool_)
    own[shape.members] = True
    own = _reached(contact, shape.region, own)
    covered = ~_reached(contact, len(contact) - 1, ~own)
    return dataclasses.replace(shape, members=np.flatnonzero(covered).astype(np.int32))


def _join(contact: np.ndarray, boxes: np.ndarray, area: np.ndarray, a: int, b: int) -> None:
    """Row a of each takes over what b has."""
    contact[a] += contact[b]
    contact[:, a] += contact[:, b]
    contact[a, a] = 0
    contact[b] = contact[:, b] = 0
    boxes[a] = [*np.minimum(boxes[a, :2], boxes[b, :2]), *np.maximum(boxes[a, 2:], boxes[b, 2:])]
    area[a] += area[b]


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
