"""Rounds that trade shapes: parts of the picture that are drawn worst get one, and those that do least for it go.

What a new shape takes away of the error is known only once it has been moved: so there are more shapes than allowed for
a while, and what is worth least then goes, old or new. A round that does not pay is taken back, and the next one trades
fewer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...progress import Progress
from .. import fills
from ..canvas import Canvas
from ..curves.outlines import outlined
from ..shapes import Shapes
from .parts import Offer, Parts, Place
from .pursue import disjoint

# Share of all shapes that the first round may trade, and of that, the next one after one that did not pay.
_TRADED, _FEWER = 0.25, 0.7
# Steps of descent with too many shapes, and with those that stay; how far its rate falls: shapes stay agile.
_TRIED, _STEPS, _LAST = 20, 40, 0.3
# A shape that is worth less, in squared error over all, goes though there is room for it: it repairs others' borders.
_USELESS = 1.0
# Surplus shapes that leave at once: the worth of one depends on the others.
_AT_ONCE = 8


@dataclasses.dataclass(frozen=True)
class Trader:
    """How shapes are traded.

    Attributes:
        paths: how many there may be.
        tolerance: of new curves, px.
        gradients: whether new shapes may have them.
        level: of new shapes that go on top; others have that of the one below them.
        heights: where new shapes may go, besides on top: above these shares of the others.
    """

    canvas: Canvas
    paths: int
    tolerance: float
    gradients: bool
    level: int
    heights: Sequence[float] = ()

    def begun(self, shapes: Shapes, progress: Progress) -> tuple[Shapes, float]:
        """Moved, no more than allowed, and their mean squared error."""
        self.canvas.descend(shapes, _STEPS, last=_LAST, progress=progress)
        while (surplus := len(shapes) - self.paths) > 0:
            spared = surplus // 2 if surplus > _AT_ONCE and not progress.enough() else 0
            shapes = self.pruned(shapes, self.paths + spared)
            self.canvas.descend(shapes, _STEPS, last=_LAST, progress=progress)
        return shapes, self.canvas.error(shapes)

    def rounds(
        self, begun: tuple[Shapes, float], parts: Sequence[Parts], most: int, progress: Progress
    ) -> tuple[Shapes, float]:
        """Trade up to `most` times; the best shapes and their mean squared error.

        Args:
            parts: what new shapes are chosen from.
        """
        best, least = begun
        count = max(1, int(self.paths * _TRADED))
        for number in range(most):
            if progress.enough():
                break
            part = progress.part(number / most, (number + 1) / most)
            offers = self.offers(best, parts, count)
            if not offers:
                break
            shapes = self.joined(best, offers)
            self.canvas.descend(shapes, _TRIED, last=_LAST, progress=part.part(0.0, 0.4))
            shapes = self.pruned(shapes, self.paths)
            self.canvas.descend(shapes, _STEPS, last=_LAST, progress=part.part(0.4, 1.0))
            error = self.canvas.error(shapes)
            if error < least:
                best, least = shapes, error
                continue
            if count == 1:
                parts = [own.without([offer.mask for offer in offers]) for own in parts]
            count = max(1, int(count * _FEWER))
        return best, least

    def offers(self, shapes: Shapes, parts: Sequence[Parts], count: int) -> list[Offer]:
        """Up to `count` parts of the picture that are drawn worst."""
        away = self.canvas.drawn(shapes) - self.canvas.target
        top = self.canvas.raster.top()
        heights = sorted({max(1, int(len(shapes) * share)) for share in self.heights}, reverse=True)
        places = [Place(height, top < height) for height in heights if height < len(shapes)]
        return disjoint(parts, (away * away).sum(1), count, places)

    def pruned(self, shapes: Shapes, paths: int) -> Shapes:
        """Without those that are too many, the least useful ones, and those that nobody would miss.

        Half of them go, then half of what is left of them, ...: the worth of one depends on the others.
        """
        while True:
            self.canvas.drawn(shapes)
            worth = self.canvas.worth(shapes)
            surplus = max(len(shapes) - paths, int((worth < _USELESS).sum()))
            if surplus <= 0:
                return shapes
            shapes = shapes.taken(np.sort(np.argsort(worth, kind="stable")[-(-surplus // 2) :]))

    def joined(self, shapes: Shapes, offers: Sequence[Offer]) -> Shapes:
        """And new shapes, in their places, filled."""
        label = np.full(self.canvas.image.shape[:2], -1, np.int32)
        curves: list[list[np.ndarray]] = []
        order, level = [], []
        for offer in offers:
            if curve := outlined(offer.mask, self.tolerance):
                label[offer.mask if offer.place is None else offer.mask & offer.place.seen] = len(curves)
                curves.append(curve)
                below = len(shapes) if offer.place is None else offer.place.below
                order.append(below)
                level.append(self.level if offer.place is None else shapes.level[below - 1])
        if not curves:
            return shapes.copy()
        new = Shapes.of(curves, np.array(level), np.zeros(len(curves), bool))
        new.paint = fills.fit(self.canvas.image, label, len(curves), self.gradients)
        at = np.concatenate([np.arange(len(shapes)), np.array(order) - 0.5])
        return shapes.joined(new).taken(np.argsort(at, kind="stable"))
