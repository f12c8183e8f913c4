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
from .parts import Criterion, Parts
from .pursue import pursue
from .swaps import Trader
from .telling import tell

# Steps of descent: of engine fast, and to finish engine best.
_FAST, _FINAL = 150, 150
# To mend what taking shapes away has torn: few steps, px of the first ones.
_SETTLING, _GENTLE = 40, 0.3
_ROUNDS = 5
# A beginning with more shapes than asked for, of which the least useful go.
_SURPLUS = 1.4
# Where a quality is asked for and not reached, so many times as many shapes are tried next.
_MORE = 1.35

# Parts of several trees overlap in ways that those of one, which nest, don't.
_FAITHFUL = (Criterion(boundary=0.01), Criterion("constant", 0.01))
_LAYERED = (dataclasses.replace(_FAITHFUL[0], grounded=True),)

# Makes at most so many shapes.
Make = Callable[[int, Progress], Shapes]


def fast(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """One choice of shapes, one descent."""
    parts = _parts(canvas, params, progress.part(0.0, 0.2))

    def make(paths: int, progress: Progress) -> Shapes:
        shapes = _chosen(canvas, parts, paths, params, progress.part(0.0, 0.2))
        canvas.descend(shapes, _FAST, progress=progress.part(0.2, 0.8))
        if params.preset == "layered":
            tell(canvas, shapes, params.gradients, progress.part(0.8, 0.9))
        return _settled(canvas, shapes, paths, progress.part(0.9, 1.0))

    return _good_enough(canvas, params, parts, make, progress.part(0.2, 1.0))


def best(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """Two beginnings trade shapes; the better of them is finished."""
    parts = _parts(canvas, params, progress.part(0.0, 0.1))

    def make(paths: int, progress: Progress) -> Shapes:
        trader = Trader(canvas, parts, paths, params.tolerance, params.gradients, params.levels - 1)
        made = []
        for number, count in enumerate(dict.fromkeys((paths, round(paths * _SURPLUS)))):
            part = progress.part(0.4 * number, 0.4 * (number + 1))
            if not (made and progress.enough()):
                shapes = _chosen(canvas, parts, count, params, part.part(0.0, 0.1))
                made.append(trader.rounds(shapes, _ROUNDS, part.part(0.1, 1.0)))
        shapes, _ = min(made, key=lambda one: one[1])
        canvas.descend(shapes, _FINAL, progress=progress.part(0.8, 0.93))
        if params.preset == "layered":
            tell(canvas, shapes, params.gradients, progress.part(0.93, 0.95))
        return _settled(canvas, shapes, paths, progress.part(0.95, 1.0))

    return _good_enough(canvas, params, parts, make, progress.part(0.1, 1.0))


def _settled(canvas: Canvas, shapes: Shapes, paths: int, progress: Progress) -> Shapes:
    """One outline a path, and no more paths than allowed: those that are worth least go."""
    whole = shapes.separated()
    if whole is shapes:
        return shapes
    if len(whole) > paths:
        canvas.drawn(whole)
        whole = whole.taken(np.sort(np.argsort(-canvas.worth(whole), kind="stable")[:paths]))
    canvas.descend(whole, _SETTLING, rate=_GENTLE, progress=progress)
    return whole


def _parts(canvas: Canvas, params: VectorizeParams, progress: Progress) -> list[Parts]:
    criteria = _LAYERED if params.preset == "layered" else _FAITHFUL
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
