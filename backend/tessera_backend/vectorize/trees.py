"""The engines `fast` and `best`: shapes of a tree of regions, moved and filled to be nearest to the picture.

They go beyond the paper: seconds instead of an hour, gradients, shapes that are traded for better ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from .canvas import Canvas, psnr
from .segment import Tree
from .shapes import Shapes
from .start import Criterion, begin, tree
from .swaps import Parts, Trader

# Steps of descent: of engine fast, to compare beginnings, and to finish.
_FAST, _TRIAL, _FINAL = 150, 25, 150
_ROUNDS = 5
# A beginning with more shapes than asked for, of which the least useful go.
_SURPLUS = 1.4
# Where a quality is asked for and not reached, so many times as many shapes are tried next.
_MORE = 1.35

_FAITHFUL = (Criterion(boundary=0.0), Criterion("constant", 0.0), Criterion(boundary=0.0, sharpened=0))
_LAYERED = (Criterion(boundary=0.01), Criterion("constant", 0.01))


@dataclasses.dataclass(frozen=True)
class Start:
    """A beginning: its tree, how that was grown, its shapes, and their mean squared error after a few steps."""

    grown: Tree
    criterion: Criterion
    shapes: Shapes
    error: float


def fast(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """One tree, one cut, one descent."""
    criterion = _criteria(params)[0]
    grown = tree(canvas, criterion, progress.part(0.0, 0.2))

    def made(paths: int, progress: Progress) -> tuple[Shapes, Criterion]:
        start = _start(canvas, grown, criterion, paths, params, 0, progress)
        canvas.descend(start.shapes, _FAST, progress=progress)
        return start.shapes, criterion

    return _good_enough(canvas, params, grown, made, progress.part(0.2, 1.0))


def best(canvas: Canvas, params: VectorizeParams, progress: Progress) -> tuple[Shapes, dict[str, Any]]:
    """Several trees; the best beginnings trade shapes; the better of them is finished."""
    criteria = _criteria(params)
    grown = [
        (tree(canvas, criterion, progress.part(0.1 * i / len(criteria), 0.1)), criterion)
        for i, criterion in enumerate(criteria)
    ]

    def made(paths: int, progress: Progress) -> tuple[Shapes, Criterion]:
        return _best_of(canvas, params, grown, paths, progress)

    return _good_enough(canvas, params, grown[0][0], made, progress.part(0.1, 1.0))


def _best_of(
    canvas: Canvas, params: VectorizeParams, grown: list[tuple[Tree, Criterion]], paths: int, progress: Progress
) -> tuple[Shapes, Criterion]:
    """As many paths as given at most, out of several beginnings."""
    trials: list[Start] = []
    for number, (own, criterion) in enumerate(grown):
        part = progress.part(0.3 * number / len(grown), 0.3 * (number + 1) / len(grown))
        counts = dict.fromkeys((paths, round(paths * _SURPLUS)))
        if not (trials and progress.enough()):
            trials += [_start(canvas, own, criterion, count, params, _TRIAL, part) for count in counts]
    exact = min((trial for trial in trials if len(trial.shapes) <= paths), key=lambda trial: trial.error)
    surplus = min(trials, key=lambda trial: trial.error)
    candidates = [exact] if surplus is exact or progress.enough() else [exact, surplus]
    made = []
    for number, start in enumerate(candidates):
        part = progress.part(0.3 + 0.5 * number / len(candidates), 0.3 + 0.5 * (number + 1) / len(candidates))
        made.append((*_trader(canvas, start, params, paths).rounds(start.shapes, _ROUNDS, part), start.criterion))
    shapes, _, criterion = min(made, key=lambda one: one[1])
    canvas.descend(shapes, _FINAL, progress=progress.part(0.8, 1.0))
    return shapes, criterion


def _good_enough(
    canvas: Canvas,
    params: VectorizeParams,
    grown: Tree,
    made: Callable[[int, Progress], tuple[Shapes, Criterion]],
    progress: Progress,
) -> tuple[Shapes, dict[str, Any]]:
    """All the paths that are asked for, or as few as reach the quality that is: more and more are tried."""
    count = _likely(grown, params) if params.quality else params.paths
    while True:
        shapes, criterion = made(count, progress)
        if count == params.paths or progress.enough() or psnr(canvas.error(shapes)) >= params.quality:
            return shapes, {"criterion": dataclasses.asdict(criterion)}
        count = min(params.paths, max(count + 1, round(count * _MORE)))


def _likely(grown: Tree, params: VectorizeParams) -> int:
    """How many of a tree's regions reach the quality, if only their colours are fitted."""
    reached = grown.errors(params.gradients) <= 3 * grown.moments[-1, 0] * 10 ** (-params.quality / 10)
    return min(params.paths, 1 + int(np.argmax(reached)) if reached.any() else params.paths)


def _criteria(params: VectorizeParams) -> tuple[Criterion, ...]:
    criteria = _LAYERED if params.preset == "layered" else _FAITHFUL
    if params.gradients:
        return criteria
    return tuple(dict.fromkeys(dataclasses.replace(one, model="constant") for one in criteria))


def _start(
    canvas: Canvas,
    grown: Tree,
    criterion: Criterion,
    count: int,
    params: VectorizeParams,
    steps: int,
    progress: Progress,
) -> Start:
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
    losses = canvas.descend(shapes, steps, last=1.0, progress=progress) if steps else [0.0]
    return Start(grown, criterion, shapes, losses[-1])


def _trader(canvas: Canvas, start: Start, params: VectorizeParams, paths: int) -> Trader:
    parts = Parts.of(canvas, start.grown, params.gradients, params.smallest)
    return Trader(canvas, parts, paths, params.tolerance, params.gradients, params.levels - 1)
