"""The parts of a picture that shapes could be drawn for: the nodes of trees of regions."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...progress import Progress
from ..canvas import Canvas
from ..segment import Tree, grow, moments, residuals, sharpen

# A shape that is worth less, in squared error over all, is not seen: ten pixels that are off by a tenth.
UNSEEN = 0.3
# The ground has this share of the canvas's sides, and the first of these mean squared errors per channel at most that
# any part there has.
_SIDES, _GROUND_FITS = 0.3, (0.005, 0.01, 0.02)


@dataclasses.dataclass(frozen=True)
class Criterion:
    """What regions are merged by.

    Attributes:
        model: "affine" or "constant": how a region's colours may change within it.
        boundary: squared error that a px of border is worth.
        sharpened: passes of `segment.sharpen` before.
        grounded: whether an opaque picture's backdrop shows one part, which no shape covers as a whole.
    """

    model: str = "affine"
    boundary: float = 0.0
    sharpened: int = 1
    grounded: bool = False


@dataclasses.dataclass(frozen=True)
class Parts:
    """The nodes of a tree as shapes that could be drawn.

    Attributes:
        tree: of regions.
        rest: float64 (nodes,), squared error that each has left with a fill of its own.
        allowed: bool (nodes,).
        ground: bool (H, W), what the backdrop is to show; None: whatever is left.
    """

    tree: Tree
    rest: np.ndarray
    allowed: np.ndarray
    ground: np.ndarray | None = None

    @staticmethod
    def grown(canvas: Canvas, criterion: Criterion, gradients: bool, smallest: int, progress: Progress) -> Parts:
        """Of a tree grown by a criterion.

        Args:
            gradients: whether shapes may have them.
            smallest: px that a part has at least.
        """
        progress("regions", 0.0, "Merging regions")
        image, inside = canvas.image, canvas.working.inside
        if criterion.sharpened:
            image = sharpen(image, inside, passes=criterion.sharpened)
        tree = grow(image, inside, model=criterion.model, boundary=criterion.boundary)
        rows = tree.gathered(moments(canvas.image, tree.labels, tree.leaves))
        # Of what has fewer pixels than that in all, the whole.
        parts = Parts(tree, residuals(rows, gradients), rows[:, 0] >= min(smallest, rows[-1, 0]))
        return parts._grounded() if criterion.grounded and canvas.working.alpha is None else parts

    def _grounded(self) -> Parts:
        """With a ground: the largest part of good fit along the canvas's sides, if there is one."""
        sides = np.zeros(self.tree.labels.shape)
        sides[[0, -1]] = sides[:, [0, -1]] = 1.0
        share = self.tree.sums(sides) / sides.sum()
        area = self.tree.moments[:, 0]
        fits = [(self.rest < 3 * fit * area) & (share >= _SIDES) for fit in _GROUND_FITS]
        found = next((good for good in fits if good.any()), None)
        if found is None:
            return self
        node = int(np.argmax(np.where(found, area, 0.0)))
        allowed = self.allowed.copy()
        allowed[[node, *self.tree.ancestors(node)]] = False
        return dataclasses.replace(self, allowed=allowed, ground=self.tree.mask(node))

    def best(self, error: np.ndarray, want: int) -> list[tuple[float, int]]:
        """Disjoint nodes, those first that would take most away of `error` (H, W): (by how much, node)."""
        gain = np.where(self.allowed, self.tree.sums(error) - self.rest, -1.0)
        taken = np.zeros(len(gain), bool)
        found: list[tuple[float, int]] = []
        for node in np.argsort(-gain, kind="stable"):
            if len(found) == want or gain[node] <= UNSEEN:
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
