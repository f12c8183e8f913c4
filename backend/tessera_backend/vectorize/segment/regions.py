"""Pixels become a few thousand regions of nearly one colour: Ward's criterion over neighbours, cheapest pair first.

Costs in the heap may be out of date: they are recomputed when they come to the top, and put back where they have risen.
So no lists of neighbours have to be kept, only a union-find forest.
Source: Ward, Hierarchical Grouping to Optimize an Objective Function, JASA 58 (1963).
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit


def merge_pixels(image: np.ndarray, opaque: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Merge 4-neighbours until `count` regions are left.

    Args:
        image: float32 (H, W, 3).
        opaque: bool (H, W): others belong to no region.
        count: at least 1. Where the opaque pixels are more islands than that, the smallest are left out.
    Returns:
        int32 (H, W), 0 to n - 1 in reading order, -1 where there is no region; and n, at most `count`.
    """
    roots = _ward(image, opaque, count)
    found, labels, sizes = np.unique(roots, return_inverse=True, return_counts=True)
    labels = labels.reshape(opaque.shape)
    rank = np.arange(len(found)) - (found[0] < 0)
    islands = len(found) - (found[0] < 0) - count
    if islands > 0:
        sizes[found < 0] = 0
        rank[:] = -1
        kept = np.sort(np.argsort(-sizes, kind="stable")[:count])
        rank[kept] = np.arange(count)
    return rank[labels].astype(np.int32), int(rank.max()) + 1


@njit(cache=True)
def _ward(image: np.ndarray, opaque: np.ndarray, count: int) -> np.ndarray:
    """The pixel, by its place in the flat image, that stands for each pixel's region; -1 where not opaque."""
    height, width = opaque.shape
    parent = np.empty(height * width, np.int32)
    size = np.ones(height * width)
    total = image.reshape(-1, 3).astype(np.float64)
    keys = np.empty(2 * height * width, np.float32)
    ends = np.empty((2 * height * width, 2), np.int32)
    edges = left = 0
    for y in range(height):
        for x in range(width):
            i = y * width + x
            parent[i] = i if opaque[y, x] else -1
            if not opaque[y, x]:
                continue
            left += 1
            if x > 0 and opaque[y, x - 1]:
                edges = _push(keys, ends, edges, _cost(total, size, i, i - 1), i, i - 1)
            if y > 0 and opaque[y - 1, x]:
                edges = _push(keys, ends, edges, _cost(total, size, i, i - width), i, i - width)
    while edges > 0 and left > count:
        a, b = _root(parent, ends[0, 0]), _root(parent, ends[0, 1])
        cost = _cost(total, size, a, b)
        if a != b and cost > keys[0] * 1.0001 + 1e-9:
            _settle(keys, ends, edges, cost, a, b)
            continue
        edges -= 1
        _settle(keys, ends, edges, keys[edges], ends[edges, 0], ends[edges, 1])
        if a != b:
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
            total[a] += total[b]
            left -= 1
    for i in range(len(parent)):
        if parent[i] >= 0:
            parent[i] = _root(parent, i)
    return parent


@njit(cache=True, inline="always")
def _cost(total: np.ndarray, size: np.ndarray, a: int, b: int) -> float:
    """By how much the sum of squared errors rises when two regions become one."""
    d0 = total[a, 0] / size[a] - total[b, 0] / size[b]
    d1 = total[a, 1] / size[a] - total[b, 1] / size[b]
    d2 = total[a, 2] / size[a] - total[b, 2] / size[b]
    return size[a] * size[b] / (size[a] + size[b]) * (d0 * d0 + d1 * d1 + d2 * d2)


@njit(cache=True)
def _root(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def _push(keys: np.ndarray, ends: np.ndarray, used: int, key: float, a: int, b: int) -> int:
    """Add an edge to the heap; returns how many it has then."""
    i = used
    while i > 0 and keys[(i - 1) // 2] > key:
        keys[i] = keys[(i - 1) // 2]
        ends[i] = ends[(i - 1) // 2]
        i = (i - 1) // 2
    keys[i] = key
    ends[i, 0], ends[i, 1] = a, b
    return used + 1


@njit(cache=True)
def _settle(keys: np.ndarray, ends: np.ndarray, used: int, key: float, a: int, b: int) -> None:
    """Replace the heap's top, and let the new edge sink to its place."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= used:
            break
        if child + 1 < used and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i] = keys[child]
        ends[i] = ends[child]
        i = child
    keys[i] = key
    ends[i, 0], ends[i, 1] = a, b
