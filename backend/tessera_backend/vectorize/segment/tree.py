"""The tree of regions: pixels merge into small regions, and these, two by two, into the whole picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...compiled import njit
from .merging import contacts, merge
from .models import moments, residuals
from .regions import merge_pixels


@dataclasses.dataclass(frozen=True)
class Tree:
    """Regions that merge two by two. Nodes 0 to R - 1 are the leaves; node R + i is what the i-th merge made.

    Attributes:
        labels: int32 (H, W): the leaf of each pixel; -1 where it has none, being transparent.
        children: int32 (R - 1, 2): nodes that merged, in the order in which they did.
        parent: int32 (2 R - 1,): -1 of the root, which is the last node.
        moments: float64 (2 R - 1, 18), see `models`, of the image that the tree was grown on.
    """

    labels: np.ndarray
    children: np.ndarray
    parent: np.ndarray
    moments: np.ndarray

    @property
    def leaves(self) -> int:
        """How many leaves it has."""
        return len(self.children) + 1

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums of values per pixel, (H, W), over each node's pixels: float64 (2 R - 1,)."""
        inside = self.labels >= 0
        leaves = np.bincount(self.labels[inside], weights=values[inside], minlength=self.leaves)
        return self.gathered(leaves[:, None])[:, 0]

    def gathered(self, leaves: np.ndarray) -> np.ndarray:
        """Sums over each node's leaves of values (R, N): float64 (2 R - 1, N)."""
        out = np.zeros((len(self.parent), leaves.shape[1]))
        out[: self.leaves] = leaves
        _accumulate(out, self.children)
        return out

    def errors(self, affine: bool) -> np.ndarray:
        """Sum of squared errors of so many parts, each with its best constant or affine colours: float64 (R,).

        Entry k is that of k + 1 parts: the whole, with the last k merges undone.
        """
        own = residuals(self.moments, affine)
        falls = own[self.leaves :] - own[self.children].sum(1)
        return own[-1] - np.concatenate([[0.0], np.cumsum(falls[::-1])])

    def mask(self, node: int) -> np.ndarray:
        """A node's pixels, bool (H, W)."""
        chosen = np.zeros(self.leaves + 1, np.bool_)  # the last one stands for -1
        chosen[self.leaves_of(node)] = True
        return chosen[self.labels]

    def perimeters(self) -> np.ndarray:
        """How long each node's border with others is, px; that of the canvas does not count: float64 (2 R - 1,)."""
        out: np.ndarray = _perimeters(self.labels, self.children, self.parent)
        return out

    def leaves_of(self, node: int) -> np.ndarray:
        """The leaves below a node, or itself."""
        leaves, stack = [], [int(node)]
        while stack:
            at = stack.pop()
            if at < self.leaves:
                leaves.append(at)
            else:
                stack += self.children[at - self.leaves].tolist()
        return np.array(leaves, np.int32)

    def ancestors(self, node: int) -> list[int]:
        """Nodes that contain a node, the nearest first."""
        out = []
        while (node := int(self.parent[node])) >= 0:
            out.append(node)
        return out


def grow(
    image: np.ndarray,
    opaque: np.ndarray | None = None,
    *,
    model: str = "affine",
    boundary: float = 0.005,
    regions: int = 3000,
    unlike: float = 0.25,
    simpler: Sequence[tuple[np.ndarray, int]] = (),
) -> Tree:
    """Merge neighbours by what it costs in squared error, the cheapest pair first.

    Args:
        image: float (H, W, 3), sRGB in [0, 1].
        opaque: bool (H, W): other pixels belong to no region. None: all are. At least one must be.
        model: "affine" lets a region's colours change along a line, "constant" does not.
        boundary: squared error that a px of border between two regions is worth; 0 is nearest to the picture, and more
            gives rounder regions.
        regions: leaves at most.
        unlike: parts whose mean colours are further apart than this (Euclidean, RGB), and which one gradient does not
            fit well, are judged as if the model were constant: a gradient excuses no merge of unlike things. 0: off.
        simpler: pictures of the same size, each simpler than the one before, and the number of regions from which on
            merging looks at their colours instead; numbers descend.
    Returns:
        A tree. Regions that share no border, for transparent pixels lie between, merge as well: small islands early.
    """
    image = np.ascontiguousarray(image, np.float32)
    if opaque is None:
        opaque = np.ones(image.shape[:2], np.bool_)
    labels, count = merge_pixels(image, opaque, regions)
    leaves = moments(image, labels, count)
    contact = contacts(labels, count)
    merges = np.empty((count - 1, 2), np.int32)
    alive = np.ones(count, np.bool_)
    rule = (model == "affine", float(boundary), float(unlike))
    rows, done, stands = leaves.copy(), 0, np.arange(count, dtype=np.int32)
    steps = [(image, count), *simpler]
    for k, (picture, _) in enumerate(steps):
        if k:
            rows = _gathered(moments(np.ascontiguousarray(picture, np.float32), labels, count), stands)
        until = max(steps[k + 1][1], 1) if k + 1 < len(steps) else 1
        before = done
        done = merge(rows, contact, alive, rule, until, merges, done)
        if simpler:
            for a, b in merges[before:done]:
                stands[stands == b] = a
    return _tree(labels, leaves, merges)


def _gathered(rows: np.ndarray, stands: np.ndarray) -> np.ndarray:
    """Moments of leaves, summed over those that merged, at the leaf that stands for them."""
    out = np.zeros_like(rows)
    np.add.at(out, stands, rows)
    return out


def _tree(labels: np.ndarray, rows: np.ndarray, merges: np.ndarray) -> Tree:
    """Name the nodes that merges of leaves make."""
    count = len(rows)
    node = np.arange(count, dtype=np.int32)
    children = np.empty((count - 1, 2), np.int32)
    parent = np.full(2 * count - 1, -1, np.int32)
    for i, (a, b) in enumerate(merges):
        children[i] = node[a], node[b]
        parent[children[i]] = count + i
        node[a] = count + i
    every = np.zeros((2 * count - 1, rows.shape[1]))
    every[:count] = rows
    _accumulate(every, children)
    return Tree(labels, children, parent, every)


@njit(cache=True)
def _accumulate(values: np.ndarray, children: np.ndarray) -> None:
    """Fill the rows of inner nodes with the sums of their children's."""
    leaves = len(children) + 1
    for i in range(len(children)):
        values[leaves + i] = values[children[i, 0]] + values[children[i, 1]]


@njit(cache=True)
def _perimeters(labels: np.ndarray, children: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Sums of the children's, less twice what these share: the borders between leaves that meet in the node."""
    height, width = labels.shape
    leaves = len(children) + 1
    out, shared = np.zeros(len(parent)), np.zeros(len(parent))
    for y in range(height):
        for x in range(width):
            for way in range(2):
                y2, x2 = y + way, x + 1 - way
                if y2 >= height or x2 >= width:
                    continue
                a, b = labels[y, x], labels[y2, x2]
                if a < 0 or b < 0 or a == b:
                    continue
                out[a] += 1.0
                out[b] += 1.0
                while a != b:  # parents have larger numbers than their children
                    if a < b:
                        a = parent[a]
                    else:
                        b = parent[b]
                shared[a] += 1.0
    for i in range(len(children)):
        out[leaves + i] = out[children[i, 0]] + out[children[i, 1]] - 2.0 * shared[leaves + i]
    return out
