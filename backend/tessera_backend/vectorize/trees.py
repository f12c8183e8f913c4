"""The engines `fast` and `best`: shapes of a tree of regions, moved and filled to be nearest to the picture.

They go beyond the paper: seconds instead of an hour, gradients, shapes that are traded for better ones.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from .canvas import Canvas
from .segment import Tree
from .shapes import Shapes
from .start import Criterion, begin, tree
from .swaps import Parts, Trader

# Steps of descent: of engine fast, to compare beginnings, and to finish.
_FAST, _TRIAL, _FINAL = 150, 25, 150
_ROUNDS = 5
# How far apart mean colours may be within a part of a layered drawing (Euclidean, RGB).
_UNLIKE = 0.25
# A beginning with more shapes than asked for, of which the least useful go.
_SURPLUS = 1.4

_FAITHFUL = (Criterion("affine"), Criterion("constant"), Criterion("affine", sharpened=0))
_LAYERED = (Criterion("affine", unlike=_UNLIKE), Criterion("constant"))


@dataclasses.dataclass(frozen=True)
class Start:
    """A beginning: its tree, how that was grown, its shapes, and their mean squared error after a few steps."""

    grown: Tree
    criterion: Criterion
    shapes: Shapes
    error: float


def fast(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """One tree, one cut, one descent."""
    start = _start(canvas, _criteria(params)[0], params.paths, params, 0, progress.part(0.0, 0.3))
    canvas.descend(start.shapes, _FAST, progress=progress.part(0.3, 1.0))
    return start.shapes, {"criterion": dataclasses.asdict(start.criterion)}


def best(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """Several trees; the best beginnings trade shapes; the better of them is finished."""
    criteria = _criteria(params)
    trials = []
    for number, criterion in enumerate(criteria):
        for count in dict.fromkeys((params.paths, round(params.paths * _SURPLUS))):
            part = progress.part(0.3 * number / len(criteria), 0.3 * (number + 1) / len(criteria))
            trials.append(_start(canvas, criterion, count, params, _TRIAL, part))
    exact = min((t for t in trials if len(t.shapes) <= params.paths), key=lambda t: t.error)
    surplus = min(trials, key=lambda t: t.error)
    made = []
    for number, start in enumerate((exact, surplus)):
        part = progress.part(0.3 + 0.25 * number, 0.3 + 0.25 * (number + 1))
        made.append(_trader(canvas, start, params).rounds(start.shapes, _ROUNDS, part))
    (shapes, _), start = min(zip(made, (exact, surplus), strict=True), key=lambda one: one[0][1])
    canvas.descend(shapes, _FINAL, progress=progress.part(0.8, 1.0))
    return shapes, {"criterion": dataclasses.asdict(start.criterion)}


def _criteria(params: VectorizeParams) -> tuple[Criterion, ...]:
    criteria = _LAYERED if params.preset == "layered" else _FAITHFUL
    if params.gradients:
        return criteria
    return tuple(dict.fromkeys(dataclasses.replace(one, model="constant") for one in criteria))


def _start(
    canvas: Canvas, criterion: Criterion, count: int, params: VectorizeParams, steps: int, progress: Progress
) -> Start:
    grown = tree(canvas, criterion, progress.part(0.0, 0.7))
    shapes = begin(
        canvas,
        grown,
        criterion,
        count,
        tolerance=params.tolerance,
        smallest=params.smallest,
        level_count=params.levels,
        gradients=params.gradients,
    )
    losses = canvas.descend(shapes, steps, last=1.0, progress=progress.part(0.7, 1.0)) if steps else [0.0]
    return Start(grown, criterion, shapes, losses[-1])


def _trader(canvas: Canvas, start: Start, params: VectorizeParams) -> Trader:
    parts = Parts.of(canvas, start.grown, params.gradients, params.smallest)
    return Trader(canvas, parts, params.paths, params.tolerance, params.gradients, params.levels - 1)
