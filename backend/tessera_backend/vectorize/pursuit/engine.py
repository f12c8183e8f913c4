"""The engines `fast` and `best`: parts of the picture, chosen one after another, moved to be nearest to it.

They go beyond the paper: seconds instead of an hour, gradients, shapes that are traded for better ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ...progress import Progress
from ..canvas import Canvas, psnr
from ..segment import Tree
from ..shapes import Shapes
from ..thinning import thin
from .parts import Criterion, Parts
from .pursue import pursue
from .swaps import Trader
from .telling import tell

# Steps of descent: of engine fast, and to finish engine best.
_FAST, _FINAL = 150, 250
# After this share of them nodes that hardly matter go; how far the rate falls before, and px of the first step after.
_THINNED, _AGILE, _CALM = 2 / 3, 0.4, 0.5
# Rounds of trading: of each beginning; then, of the best one, this many for all paths together, within limits: where
# there are few shapes, trying another one is cheap.
_FIRST, _ROUNDS, _LIMITS = 2, 240, (12, 20)
# A beginning with more shapes than asked for, of which the least useful go.
_SURPLUS = 1.4
# Where a quality is asked for and not reached, so many times as many shapes are tried next.
_MORE = 1.35

# Parts of several trees overlap in ways that those of one, which nest, don't.
_FAITHFUL: tuple[Criterion, ...] = (Criterion(boundary=0.01), Criterion("constant", 0.01))
_LAYERED = (dataclasses.replace(_FAITHFUL[0], grounded=True),)
# Shares of the shapes above which new ones may go. Below others, one is seen through their holes: as near to the
# picture as can be, but hardly a layer.
_HEIGHTS = (0.5, 0.25)
# What only engine best chooses from, too: borders as they are, without the smoothing that loses texture.
_FINE = Criterion(boundary=0.01, sharpened=0, price=0.02)

# Makes at most so many shapes.
Make = Callable[[int, Progress], Shapes]


def fast(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """One choice of shapes, one descent."""
    criteria = _LAYERED if params.preset == "layered" else _FAITHFUL
    parts = _parts(canvas, params, criteria, progress.part(0.0, 0.2))

    def make(paths: int, progress: Progress) -> Shapes:
        shapes = _chosen(canvas, parts, paths, params, progress.part(0.0, 0.2))
        return _finished(canvas, shapes, _FAST, params, progress.part(0.2, 1.0))

    return _good_enough(canvas, params, parts, make, progress.part(0.2, 1.0))


def best(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """Several beginnings trade shapes; the best of them goes on with it, and is finished."""
    layered = params.preset == "layered"
    parts = _parts(canvas, params, _LAYERED if layered else (*_FAITHFUL, _FINE), progress.part(0.0, 0.1))
    # Of how many of the trees, and how many times as many shapes; the finer tree is the last one.
    smooth = len(parts) if layered else len(parts) - 1
    beginnings = list(dict.fromkeys([(smooth, 1.0), (len(parts), 1.0), (len(parts), _SURPLUS)]))

    def make(paths: int, progress: Progress) -> Shapes:
        heights = () if layered else _HEIGHTS
        trader = Trader(canvas, paths, params.tolerance, params.gradients, params.levels - 1, heights)
        made: list[tuple[Shapes, float]] = []
        for number, (trees, surplus) in enumerate(beginnings):
            part = progress.part(0.4 * number / len(beginnings), 0.4 * (number + 1) / len(beginnings))
            if not (made and progress.enough()):
                own = parts[:trees]
                shapes = _chosen(canvas, own, round(paths * surplus), params, part.part(0.0, 0.1))
                made.append(trader.rounds(trader.begun(shapes, part.part(0.1, 0.5)), own, _FIRST, part.part(0.5, 1.0)))
        rounds = int(np.clip(_ROUNDS // paths, *_LIMITS))
        shapes, _ = trader.rounds(min(made, key=lambda one: one[1]), parts, rounds, progress.part(0.4, 0.8))
        return _finished(canvas, shapes, _FINAL, params, progress.part(0.8, 1.0))

    return _good_enough(canvas, params, parts, make, progress.part(0.1, 1.0))


def _finished(canvas: Canvas, shapes: Shapes, steps: int, params: VectorizeParams, progress: Progress) -> Shapes:
    """Moved to where they are best, of few nodes."""
    before = round(steps * _THINNED)
    canvas.descend(shapes, before, last=_AGILE, progress=progress.part(0.0, 0.6))
    shapes = thin(shapes, canvas.image, params.tolerance)
    canvas.descend(shapes, steps - before, rate=_CALM, progress=progress.part(0.6, 0.9))
    if params.preset == "layered":
        tell(canvas, shapes, params.gradients, progress.part(0.9, 1.0))
    return shapes


def _parts(canvas: Canvas, params: VectorizeParams, criteria: tuple[Criterion, ...], progress: Progress) -> list[Parts]:
    if not params.gradients:
        criteria = tuple(dict.fromkeys(dataclasses.replace(one, model="constant") for one in criteria))
    return [
        Parts.grown(canvas, criterion, params.gradients, params.smallest, progress.part(i / len(criteria), 1.0))
        for i, criterion in enumerate(criteria)
    ]


def _chosen(canvas: Canvas, parts: list[Parts], count: int, params: VectorizeParams, progress: Progress) -> Shapes:
    return pursue(
        canvas,
        parts,
        count,
        tolerance=params.tolerance,
        level_count=params.levels,
        gradients=params.gradients,
        progress=progress,
    )


def _good_enough(
    canvas: Canvas, params: VectorizeParams, parts: list[Parts], make: Make, progress: Progress
) -> tuple[Shapes, dict[str, Any]]:
    """All the paths that are asked for, or as few as reach the quality that is: more and more are tried."""
    facts = {"trees": len(parts)}
    count = _likely(parts[0].tree, params) if params.quality else params.paths
    done = 0.0
    while True:
        # How many tries it takes is not known: each has half of what is left.
        within = progress.part(done, 1.0 if count == params.paths else 0.5 * (1 + done))
        shapes = make(count, within)
        if count == params.paths or progress.enough() or psnr(canvas.error(shapes)) >= params.quality:
            return shapes, facts
        done = 0.5 * (1 + done)
        count = min(params.paths, max(count + 1, round(count * _MORE)))


def _likely(grown: Tree, params: VectorizeParams) -> int:
    """How many of a tree's regions reach the quality, if only their colours are fitted."""
    reached = grown.errors(params.gradients) <= 3 * grown.moments[-1, 0] * 10 ** (-params.quality / 10)
    return min(params.paths, 1 + int(np.argmax(reached)) if reached.any() else params.paths)
