"""Rounds that trade shapes: those that do least for the picture go, and parts of it that are drawn worst get one.

A round that does not pay is taken back, and the next one trades fewer.
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
from .parts import UNSEEN, Parts
from .pursue import disjoint

# Share of all shapes that the first round may trade; a shape goes if it is worth less than this share of the newcomer.
_TRADED, _LESS = 0.25, 0.85
# Steps of descent in a round, and how far its rate falls: shapes stay agile.
_STEPS, _LAST = 40, 0.3
# A round pays if the error falls by this share.
_PAYS = 0.002


@dataclasses.dataclass(frozen=True)
class Trader:
    """How shapes are traded.

    Attributes:
        parts: what new shapes are chosen from.
        paths: how many there may be.
        tolerance: of new curves, px.
        gradients: whether new shapes may have them.
        level: of new shapes.
    """

    canvas: Canvas
    parts: Sequence[Parts]
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
        worth = self.canvas.worth(shapes)
        newcomers = disjoint(self.parts, (away * away).sum(1), max(most, paths - len(shapes)))
        leaving = list(np.argsort(worth, kind="stable"))
        gone = [leaving.pop(0) for _ in range(len(shapes) - paths)]
        while leaving and worth[leaving[0]] < UNSEEN:
            gone.append(leaving.pop(0))
        room = paths - len(shapes) + len(gone)
        masks: list[np.ndarray] = []
        for gain, mask in newcomers:
            if len(masks) == room:
                if not leaving or worth[leaving[0]] > _LESS * gain or len(masks) >= most:
                    break
                gone.append(leaving.pop(0))
                room += 1
            masks.append(mask)
        stay = np.setdiff1d(np.arange(len(shapes)), gone)
        return self._with(shapes.taken(stay), masks)

    def _with(self, shapes: Shapes, masks: list[np.ndarray]) -> Shapes:
        """New shapes, on top, for parts of the picture."""
        label = np.full(self.canvas.image.shape[:2], -1, np.int32)
        curves = []
        for mask in masks:
            if curve := outlined(mask, self.tolerance):
                label[mask] = len(curves)
                curves.append(curve)
        if not curves:
            return shapes
        count = len(curves)
        new = Shapes.of(curves, np.full(count, self.level), np.zeros(count, bool))
        new.paint = fills.fit(self.canvas.image, label, count, self.gradients)
        return shapes.joined(new)
