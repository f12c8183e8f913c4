"""The tree, cut: regions with smooth borders, each in one piece."""

from __future__ import annotations

import dataclasses

import numpy as np
from skimage.measure import label as components

from ...compiled import njit
from .models import affine_colors, moments
from .tree import Tree

# Colours are fitted again after so many sweeps over the borders.
_FITS, _SWEEPS = 2, 8
# Squared error a pixel, over all channels, that nobody sees: a third of a step of 8 bit.
_EXACT = 3 * (0.33 / 255) ** 2


@dataclasses.dataclass(frozen=True)
class Partition:
    """Regions side by side, and how they merge. Nodes 0 to K - 1 are regions; K + i is what merge i makes.

    Attributes:
        labels: int32 (H, W), 0 to K - 1, each one 4-connected piece; -1 where there is none.
        merges: int32 (K - 1, 2): nodes, in order; the last one makes the whole.
        nodes: int32 (K,): the tree's node that each region was cut from; smoothing moved its borders since.
    """

    labels: np.ndarray
    merges: np.ndarray
    nodes: np.ndarray

    @property
    def count(self) -> int:
        """How many regions there are."""
        return len(self.nodes)


def split(
    tree: Tree, image: np.ndarray, count: int, *, model: str = "affine", smooth: float = 0.004, smallest: int = 3
) -> Partition:
    """Cut a tree into at most `count` regions, smooth their borders, and keep each in one piece.

    Args:
        image: float (H, W, 3), that borders follow.
        count: at least 1; fewer regions come out where the tree has fewer leaves.
        model: of the regions' colours, "affine" or "constant".
        smooth: squared error that each of a border pixel's eight neighbours on the other side weighs; above 0.01 thin
            parts suffer, below 0.001 borders are ragged.
        smallest: px; what is smaller becomes a part of the neighbour with the longest contact, or is left out if it
            has none.
    """
    image = np.ascontiguousarray(image, np.float32)
    exact = _exact(tree, model)
    wanted, best = count, _cleaned(*_cut(tree, 1, exact, smallest), smallest)
    for _ in range(3):
        made = _cleaned(*_cut(tree, wanted, exact, smallest), smallest)
        labels = made.labels.copy()
        for _ in range(_FITS):
            rows = moments(image, labels, made.count)
            colors = affine_colors(rows, labels.shape[1], labels.shape[0], model == "affine")
            _settle(image, labels, colors, smooth, _SWEEPS)
        made = _cleaned(labels, made.nodes, made.merges, smallest)
        if best.count <= made.count <= count:
            best = made
        if best.count == count or wanted >= tree.leaves or made.count > count:
            break
        wanted += count - made.count
    return best


def _exact(tree: Tree, model: str) -> int:
    """How many parts leave no error that anybody sees, and are one island each."""
    reached = tree.errors(model == "affine") <= _EXACT * tree.moments[-1, 0]
    exact = int(np.argmax(reached)) + 1 if reached.any() else tree.leaves
    islands, count = components(tree.labels >= 0, connectivity=1, return_num=True)
    if count > 1:
        of = np.zeros(tree.leaves)
        of[tree.labels[islands > 0]] = islands[islands > 0]
        number, total, square = tree.gathered(np.stack([np.ones_like(of), of, of * of], axis=1))[tree.leaves :].T
        across = np.flatnonzero(number * square - total * total > 0.5)
        exact = max(exact, len(tree.children) - int(across[0]) + 1)
    return exact


def _cut(tree: Tree, count: int, most: int, smallest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Undo merges from the last on until `count` parts are not too small: labels, the parts' nodes, their merges.

    No more than `most` parts are made: what is left then merged without any error.
    """
    large = (tree.moments[:, 0] >= smallest).astype(np.int64)
    gain = large[tree.children].sum(1) - large[tree.leaves :]
    parts = large[-1] + np.concatenate([[0], np.cumsum(gain[::-1])])
    undone = int(np.argmax(parts >= count)) if parts.max() >= count else len(tree.children)
    undone = min(undone, most - 1)
    first = tree.leaves + len(tree.children) - undone  # nodes from here on are undone
    born = np.arange(len(tree.parent)) < first
    nodes = np.flatnonzero(born & (np.append(tree.parent[:-1], first) >= first))
    name = np.full(len(tree.parent), -1, np.int32)
    name[nodes] = np.arange(len(nodes))
    name[first:] = len(nodes) + np.arange(undone)
    merges = name[tree.children[len(tree.children) - undone :]]
    for node in range(first - 1, -1, -1):  # parents come after their children
        if name[node] < 0:
            name[node] = name[tree.parent[node]]
    labels = np.append(name[: tree.leaves], np.int32(-1))[tree.labels]
    return labels, nodes.astype(np.int32), merges.reshape(-1, 2)


@njit(cache=True)
def _settle(image: np.ndarray, labels: np.ndarray, colors: np.ndarray, smooth: float, sweeps: int) -> None:
    """Border pixels go to the 4-neighbour's label of least colour error plus `smooth` for each unlike neighbour of 8.

    Only those whose label stays in one piece: pieces that are cut off, and then given to a neighbour of another colour,
    cost far more than smooth borders gain.
    Source: Besag, On the Statistical Analysis of Dirty Pictures, JRSS B 48 (1986): iterated conditional modes.
    """
    height, width = labels.shape
    for _ in range(sweeps):
        changed = False
        for y in range(height):
            for x in range(width):
                own = labels[y, x]
                if own < 0:
                    continue
                best, least = own, np.inf
                for way in range(4):
                    y2, x2 = y + (0, 0, 1, -1)[way], x + (1, -1, 0, 0)[way]
                    if y2 < 0 or x2 < 0 or y2 >= height or x2 >= width:
                        continue
                    label = labels[y2, x2]
                    if label < 0 or label in (own, best):
                        continue
                    if least == np.inf:  # only border pixels pay for this
                        least = _energy(image, labels, colors, smooth, y, x, own)
                    energy = _energy(image, labels, colors, smooth, y, x, label)
                    if energy < least - 1e-12:
                        best, least = label, energy
                if best != own and _spare(labels, y, x):
                    labels[y, x] = best
                    changed = True
        if not changed:
            break


@njit(cache=True)
def _spare(labels: np.ndarray, y: int, x: int) -> bool:
    """Whether the other pixels of a pixel's label stay 4-connected around it when it goes.

    Source: Yokoi, Toriwaki and Fukumura, An Analysis of Topological Properties of Digitized Binary Pictures Using Local
    Features, CGIP 4 (1975): the connectivity number must be 1.
    """
    height, width = labels.shape
    same = np.zeros(9, np.bool_)
    for k in range(9):
        y2, x2 = y + (0, 1, 1, 1, 0, -1, -1, -1, 0)[k], x + (1, 1, 0, -1, -1, -1, 0, 1, 1)[k]
        same[k] = 0 <= y2 < height and 0 <= x2 < width and labels[y2, x2] == labels[y, x]
    number = 0
    for k in range(0, 8, 2):
        if same[k] and not (same[k + 1] and same[k + 2]):
            number += 1
    return number == 1


@njit(cache=True)
def _energy(
    image: np.ndarray, labels: np.ndarray, colors: np.ndarray, smooth: float, y: int, x: int, label: int
) -> float:
    height, width = labels.shape
    energy = 0.0
    for k in range(3):
        c = colors[label, k]
        energy += (image[y, x, k] - c[0] - c[1] * (x + 0.5) - c[2] * (y + 0.5)) ** 2
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            y2, x2 = y + dy, x + dx
            if y2 < 0 or x2 < 0 or y2 >= height or x2 >= width or (dx == 0 and dy == 0):
                continue
            if labels[y2, x2] >= 0 and labels[y2, x2] != label:
                energy += smooth * (1.0 if dx == 0 or dy == 0 else 0.7)
    return energy


def _cleaned(labels: np.ndarray, nodes: np.ndarray, merges: np.ndarray, smallest: int) -> Partition:
    """Each label keeps its largest piece; the rest goes to neighbours. Labels left without pixels leave the tree."""
    labels = _in_one_piece(labels, len(nodes), smallest)
    kept = np.unique(labels[labels >= 0])
    name = np.full(len(nodes) + len(merges), -1, np.int32)
    name[kept] = np.arange(len(kept))
    linked: list[tuple[int, int]] = []
    for i, pair in enumerate(merges):
        a, b = name[pair]
        if a >= 0 and b >= 0:
            name[len(nodes) + i] = len(kept) + len(linked)
            linked.append((a, b))
        else:
            name[len(nodes) + i] = max(a, b)
    renamed = np.append(name[: len(nodes)], np.int32(-1))[labels]
    return Partition(renamed, np.array(linked, np.int32).reshape(-1, 2), nodes[kept])


def _in_one_piece(labels: np.ndarray, count: int, smallest: int) -> np.ndarray:
    """Keep each label's largest 4-connected piece, if it is large enough; join the rest by the longest contact."""
    pieces, found = components(labels + 1, background=0, connectivity=1, return_num=True)
    area = np.bincount(pieces.ravel(), minlength=found + 1)
    of = np.full(found + 1, -1, np.int32)
    of[pieces.ravel()] = labels.ravel()
    order = np.argsort(area, kind="stable")
    largest = np.zeros(count + 1, np.int64)
    largest[of[order]] = order  # the last one written is the largest
    settled = np.zeros(found + 1, np.bool_)
    settled[largest[:count]] = True
    settled &= area >= smallest
    if not settled[1:].any():
        settled[1 + np.argmax(area[1:])] = True
    settled[0] = False
    pairs, lengths = _borders(pieces, found + 1)
    loose = ~settled
    loose[0] = False
    while loose.any():
        able = loose[pairs[:, 0]] & settled[pairs[:, 1]]
        if not able.any():
            break
        by_length = np.argsort(lengths[able], kind="stable")
        a, b = pairs[able][by_length].T
        goes = np.full(found + 1, -1)
        goes[a] = b  # the last one written has the longest contact
        moved = np.unique(a)
        of[moved] = of[goes[moved]]
        settled[moved] = True
        loose[moved] = False
    of[loose] = -1
    of[0] = -1
    return of[pieces]


def _borders(pieces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of pieces that touch, both ways round, int (N, 2), and for how many px."""
    both = []
    for a, b in ((pieces[1:], pieces[:-1]), (pieces[:, 1:], pieces[:, :-1])):
        apart = (a != b) & (a > 0) & (b > 0)
        both += [a[apart].astype(np.int64) * count + b[apart], b[apart].astype(np.int64) * count + a[apart]]
    keys, lengths = np.unique(np.concatenate(both), return_counts=True)
    return np.stack([keys // count, keys % count], 1), lengths
