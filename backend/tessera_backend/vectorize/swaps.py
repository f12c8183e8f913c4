"""Rounds that trade shapes: those that do least for the picture go, and parts of it that are drawn worst get one.

A round that does not pay is taken back, and the next one trades fewer.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..progress import Progress
from . import fills
from .canvas import Canvas
from .segment import Tree, moments, residuals
from .shapes import Shapes
from .start import outlined

# Share of all shapes that the first round may trade; a shape goes if it is worth less than this share of the newcomer.
_TRADED, _LESS = 0.25, 0.85
# Steps of descent in a round, and how far its rate falls: shapes stay agile.
_STEPS, _LAST = 40, 0.3
# A round pays if the error falls by this share.
_PAYS = 0.002
# A shape that is worth less, in squared error over all, is not seen: eight pixels that are off by a twentieth.
_UNSEEN = 0.01


@dataclasses.dataclass(frozen=True)
class Parts:
    """The nodes of a tree as shapes that could be drawn.

    Attributes:
        tree: of regions.
        rest: float64 (nodes,), squared error that each has left with a fill of its own.
        allowed: bool (nodes,).
    """

    tree: Tree
    rest: np.ndarray
    allowed: np.ndarray

    @staticmethod
    def of(canvas: Canvas, tree: Tree, gradients: bool, smallest: int) -> Parts:
        """Nodes of at least `smallest` pixels."""
        rows = tree.gathered(moments(canvas.image, tree.labels, tree.leaves))
        return Parts(tree, residuals(rows, gradients), rows[:, 0] >= smallest)

    def best(self, error: np.ndarray, want: int) -> list[tuple[float, int]]:
        """Disjoint nodes, those first that would take most away of `error` (H, W): (by how much, node)."""
        gain = np.where(self.allowed, self.tree.sums(error) - self.rest, -1.0)
        taken = np.zeros(len(gain), bool)
        found: list[tuple[float, int]] = []
        for node in np.argsort(-gain, kind="stable"):
            if len(found) == want or gain[node] <= _UNSEEN:
                break
            if not taken[node]:
                found.append((float(gain[node]), int(node)))
                taken[self.tree.ancestors(int(node))] = True
                taken[self._below(int(node))] = True
        return found

    def _below(self, node: int) -> list[int]:
        every, stack = [], [node]
        while stack:
            at = stack.pop()
            every.append(at)
            if at >= self.tree.leaves:
                stack += self.tree.children[at - self.tree.leaves].tolist()
        return every


@dataclasses.dataclass(frozen=True)
class Trader:
    """How shapes are traded.

    Attributes:
        paths: how many there may be.
        tolerance: of new curves, px.
        gradients: whether new shapes may have them.
        level: of new shapes.
    """

    canvas: Canvas
    parts: Parts
    paths: int
    tolerance: float
    gradients: bool
    level: int

    def rounds(self, shapes: Shapes, most: int, progress: Progress) -> tuple[Shapes, float]:
        """Trade up to `most` times; the best shapes, no more than allowed, and their mean squared error.

        Surplus shapes leave in the first two rounds, half of them in each: the worth of one depends on the others.
        """
        best, least, share = shapes, np.inf, _TRADED
        for number in range(most + 1):
            part = progress.part(number / (most + 1), (number + 1) / (most + 1))
            self.canvas.descend(shapes, _STEPS, last=_LAST, progress=part)
            surplus = len(shapes) - self.paths
            if surplus > 0:
                spared = surplus // 2 if not number and not progress.enough() else 0
                shapes = self.traded(shapes, int(self.paths * share), self.paths + spared)
                continue
            error = self.canvas.error(shapes)
            if error < least * (1 - _PAYS):
                best, least = shapes, error
            else:
                share /= 2
            traded = int(self.paths * share)
            if number == most or not traded or progress.enough():
                break
            shapes = self.traded(best.copy(), traded, self.paths)
        return best, least

    def traded(self, shapes: Shapes, most: int, paths: int) -> Shapes:
        """Up to `most` of the shapes that do least replaced by others, and `paths` of them in the end."""
        away = self.canvas.drawn(shapes) - self.canvas.target
        worth = np.where(shapes.fixed, np.inf, self.canvas.raster.removal(self.canvas.target))
        newcomers = self.parts.best((away * away).sum(1), max(most, paths - len(shapes)))
        leaving = list(np.argsort(worth, kind="stable"))
        gone = [leaving.pop(0) for _ in range(len(shapes) - paths)]
        while leaving and worth[leaving[0]] < _UNSEEN:
            gone.append(leaving.pop(0))
        room = paths - len(shapes) + len(gone)
        nodes: list[int] = []
        for gain, node in newcomers:
            if len(nodes) == room:
                if not leaving or worth[leaving[0]] > _LESS * gain or len(nodes) >= most:
                    break
                gone.append(leaving.pop(0))
                room += 1
            nodes.append(node)
        stay = np.setdiff1d(np.arange(len(shapes)), gone)
        return self._with(shapes.taken(stay), nodes)

    def _with(self, shapes: Shapes, nodes: list[int]) -> Shapes:
        """New shapes, on top, for nodes of the tree."""
        tree, curves, kept = self.parts.tree, [], []
        label = np.full(tree.labels.shape, -1, np.int32)
        for node in nodes:
            mask = tree.mask(node)
            curve = outlined(mask, self.tolerance, holes=True)
            if curve:
                label[mask] = len(curves)
                curves.append(curve)
                kept.append(node)
        if not curves:
            return shapes
        count = len(curves)
        new = Shapes.of(curves, np.array(kept), np.full(count, self.level), np.zeros(count, bool))
        new.paint = fills.fit(self.canvas.image, label, count, self.gradients)
        return shapes.joined(new)
