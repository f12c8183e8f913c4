"""How the numbers of drawings become rows: one function a table.

Ratios are to VTracer's drawing of the same picture with the same number of paths.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from results import Record
from vector_pictures import PICTURES, TUNED

PEER = "VTracer"
# The numbers of paths that the means over counts are taken of: at more, most icons are done.
MEANT = (8, 16, 32, 64, 128, 256)

Row = list[object]
Pairs = list[tuple[Record, Record]]

OVERVIEW = [
    "method",
    "MSE ratio",
    *map(str, MEANT),
    "worst",
    "at",
    "SSIM higher %",
    "bytes ratio",
    "bare",
    "VeC %",
    "segments a path",
    "with seams %",
    "CPU seconds",
]
MEDIANS = [
    "method",
    "paths at most",
    "paths",
    "MSE",
    "SSIM",
    "VeC %",
    "bytes",
    "segments",
    "segments a path",
    "CPU seconds",
]


def methods(records: Iterable[Record]) -> list[str]:
    """Names in the order in which they come."""
    return list(dict.fromkeys(record.method for record in records))


def overview(records: Sequence[Record]) -> list[Row]:
    """A row a method: geometric-mean ratios over all of `MEANT` and by count, the worst, and the other measures."""
    rows = []
    for method in methods(records):
        own = [record for record in records if record.method == method and record.budget in MEANT]
        pairs = [pair for pair in _pairs(records, method) if pair[0].budget in MEANT]
        by_count = [_ratio(pair for pair in pairs if pair[0].budget == count) for count in MEANT]
        worst = max(pairs, key=_error, default=None)
        rows.append(
            [
                method,
                _ratio(pairs),
                *by_count,
                worst and _error(worst),
                worst and f"{worst[0].picture} {worst[0].budget}",
                _percent(mine.ssim > peer.ssim for mine, peer in pairs),
                _geometric(mine.bytes / peer.bytes for mine, peer in pairs),
                _geometric(mine.bare / peer.bare for mine, peer in pairs),
                100 * statistics.fmean(record.vec for record in own),
                statistics.fmean(record.segments / record.paths for record in own),
                _percent(record.seams > 0 for record in own),
                statistics.median(record.seconds for record in own),
            ]
        )
    return rows


def by_kind(records: Sequence[Record]) -> tuple[list[str], list[Row]]:
    """Geometric-mean MSE ratios over `MEANT` by kind of picture, and for those that were and were not tuned on."""
    groups: Mapping[str, Callable[[Record], bool]] = {
        **{kind: lambda record, kind=kind: record.kind == kind for kind in PICTURES},  # type: ignore[misc]
        "tuned on": lambda record: record.picture in TUNED,
        "not tuned on": lambda record: record.picture not in TUNED,
    }
    rows: list[Row] = []
    for method in methods(records):
        pairs = [pair for pair in _pairs(records, method) if pair[0].budget in MEANT]
        rows.append([method, *(_ratio(pair for pair in pairs if member(pair[0])) for member in groups.values())])
    return ["method", *groups], rows


def medians(records: Sequence[Record]) -> list[Row]:
    """Medians over the pictures, a row a method and number of paths."""
    rows: list[Row] = []
    for method in methods(records):
        for budget in sorted({record.budget for record in records}):
            own = [record for record in records if (record.method, record.budget) == (method, budget)]
            if own:
                rows.append([method, budget, *_medians(own)])
    return rows


def by_picture(records: Sequence[Record], method: str) -> tuple[list[str], list[Row]]:
    """VTracer's errors themselves, anyone else's ratios to them; a row a picture, a column a number of paths."""
    budgets = sorted({record.budget for record in records})
    pairs = {(mine.picture, mine.budget): (mine, peer) for mine, peer in _pairs(records, method)}
    rows: list[Row] = []
    for picture in dict.fromkeys(record.picture for record in records):
        found = (pairs.get((picture, budget)) for budget in budgets)
        values = [pair and (pair[0].mse if method == PEER else _error(pair)) for pair in found]
        rows.append([f"{picture}{'*' if picture in TUNED else ''}", *values])
    return ["picture", *map(str, budgets)], rows


def _pairs(records: Iterable[Record], method: str) -> Pairs:
    """A method's drawings beside VTracer's."""
    records = list(records)
    peers = {(record.picture, record.budget): record for record in records if record.method == PEER}
    own = (record for record in records if record.method == method)
    return [(mine, peers[mine.picture, mine.budget]) for mine in own if (mine.picture, mine.budget) in peers]


def _error(pair: tuple[Record, Record]) -> float:
    return pair[0].mse / pair[1].mse


def _ratio(pairs: Iterable[tuple[Record, Record]]) -> float | None:
    return _geometric(map(_error, pairs))


def _geometric(values: Iterable[float]) -> float | None:
    logs = np.log(list(values))
    return float(np.exp(logs.mean())) if len(logs) else None


def _percent(truths: Iterable[bool]) -> float | None:
    found = list(truths)
    return 100 * sum(found) / len(found) if found else None


def _medians(own: Sequence[Record]) -> Row:
    values = [(r.paths, r.mse, r.ssim, 100 * r.vec, r.bytes, r.segments, r.segments / r.paths, r.seconds) for r in own]
    return [float(value) for value in np.median(values, axis=0)]
