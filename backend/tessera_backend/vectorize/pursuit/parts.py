"""The parts of a picture that shapes could be drawn for: the nodes of trees of regions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...progress import Progress
from ..canvas import Canvas
from ..segment import Tree, grow, moments, residuals, sharpen

# A shape that is worth less, in squared error over all, is not seen: ten pixels that are off by a tenth.
UNSEEN = 0.3
# Share of the pixels of two masks from which on, where both have them, they are nearly the same.
_SAME = 0.6
# The ground has this share of the canvas's sides, and the first of these mean squared errors per channel at most that
# any part there has.
_SIDES, _GROUND_FITS = 0.3, (0.005, 0.01, 0.02)


@dataclasses.dataclass(frozen=True)
class Criterion:
    """What regions are merged by, and what parts are judged by.

    Attributes:
        model: "affine" or "constant": how a region's colours may change within it.
        boundary: squared error that a px of border is worth.
        sharpened: passes of `segment.sharpen` before.
        price: squared error that a part has to take away for each px of its outline: ragged borders and the rims that
            anti-aliasing leaves are long for what they show.
        grounded: whether an opaque picture's backdrop shows one part, which no shape covers as a whole.
    """

    model: str = "affine"
    boundary: float = 0.0
    sharpened: int = 1
    price: float = 0.0
    grounded: bool = False


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in the order of shapes a new one goes.

    Attributes:
        below: how many shapes it lies above.
        seen: bool (H, W), pixels that it would show: where none of the shapes above it is.
    """

    below: int
    seen: np.ndarray


@dataclasses.dataclass(frozen=True)
class Offer:
    """A part that could be drawn.

    Attributes:
        gain: squared error that it takes away, less the price of its outline.
        mask: bool (H, W), all of it.
        place: where it gains most; None on top of all.
    """

    gain: float
    mask: np.ndarray
    place: Place | None = None


@dataclasses.dataclass(frozen=True)
class Parts:
    """The nodes of a tree as shapes that could be drawn.

    Attributes:
        image: float32 (H, W, 3), the picture.
        tree: of regions.
        gradients: whether fills may have them.
        price: float64 (nodes,), of their outlines.
        rest: float64 (nodes,), squared error that each has left with a fill of its own.
        allowed: bool (nodes,).
        ground: bool (H, W), what the backdrop is to show; None: whatever is left.
    """

    image: np.ndarray
    tree: Tree
    gradients: bool
    price: np.ndarray
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
        allowed = rows[:, 0] >= min(smallest, rows[-1, 0])
        price = criterion.price * tree.perimeters()
        parts = Parts(canvas.image, tree, gradients, price, residuals(rows, gradients), allowed)
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

    def best(self, error: np.ndarray, want: int, places: Sequence[Place] = ()) -> list[tuple[float, int, Place | None]]:
        """Disjoint nodes, those first that would take most away of `error` (H, W): (by how much, node, where)."""
        gains = np.stack([self.tree.sums(error) - self.rest, *(self._gain(error, place.seen) for place in places)])
        where = gains.argmax(0)
        gain = np.where(self.allowed, gains.max(0) - self.price, -1.0)
        taken = np.zeros(len(gain), bool)
        found: list[tuple[float, int, Place | None]] = []
        for node in np.argsort(-gain, kind="stable"):
            if len(found) == want or gain[node] <= UNSEEN:
                break
            if not taken[node]:
                found.append((float(gain[node]), int(node), places[where[node] - 1] if where[node] else None))
                taken[self.tree.ancestors(int(node))] = True
                taken[self._below(int(node))] = True
        return found

    def without(self, masks: Sequence[np.ndarray]) -> Parts:
        """Nodes that are nearly the same as one of some masks, bool (H, W), are not allowed any more."""
        size, allowed = self.tree.moments[:, 0], self.allowed.copy()
        for mask in masks:
            shared = self.tree.sums(mask.astype(np.float64))
            allowed &= shared < _SAME * (size + mask.sum() - shared)
        return dataclasses.replace(self, allowed=allowed)

    def _gain(self, error: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """What each node takes away of an error where it is seen."""
        labels = np.where(seen, self.tree.labels, -1).astype(np.int32)
        rows = self.tree.gathered(moments(self.image, labels, self.tree.leaves))
        rest: np.ndarray = residuals(rows, self.gradients)
        return self.tree.sums(np.where(seen, error, 0.0)) - rest

    def _below(self, node: int) -> list[int]:
        every, stack = [], [node]
        while stack:
            at = stack.pop()
            every.append(at)
            if at >= self.tree.leaves:
                stack += self.tree.children[at - self.tree.leaves].tolist()
        return every
