"""How the numbers of voxels become rows: one function a table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from voxel_judge import Record
from voxel_methods import OURS

Row = list[object]
Value = Callable[[Record], float | None]

# Column -> its value, and whether more is better.
METRICS: Mapping[str, tuple[Value, bool]] = {
    "silhouettes": (lambda record: record.iou, True),
    "of bound": (lambda record: record.ratio, True),
    "free views": (lambda record: record.free_iou, True),
    "dE": (lambda record: record.error, False),
    "loose voxels": (lambda record: record.loose, False),
    "asymmetry %": (lambda record: None if record.asymmetry is None else 100 * record.asymmetry, False),
    "faces": (lambda record: record.faces, False),
}
COSTS: Mapping[str, Value] = {
    "CPU seconds": lambda record: record.seconds,
    "wall seconds": lambda record: record.wall,
    "MB": lambda record: record.megabytes,
}
OVERVIEW = ["method", *METRICS, "parts", "colours", "palette %", *COSTS, "most CPU seconds", "most MB"]
SIZES = ["voxels", "colours", "method", *METRICS, "colours used", "fewest", "CPU seconds"]
# What there is a table of by mesh.
BY_MESH = ("of bound", "free views", "dE", "loose voxels", "asymmetry %")


def methods(records: Iterable[Record]) -> list[str]:
    """Names in the order in which they come."""
    return list(dict.fromkeys(record.method for record in records))


def overview(records: Sequence[Record]) -> list[Row]:
    """Means over the meshes, a row a method."""
    rows: list[Row] = []
    for method in methods(records):
        own = [record for record in records if record.method == method]
        rows.append(
            [
                method,
                *(_mean(own, value) for value, _ in METRICS.values()),
                _mean(own, lambda record: record.parts),
                _mean(own, lambda record: record.used),
                100 * min(record.compliance for record in own),
                *(_mean(own, value) for value in COSTS.values()),
                max(record.seconds for record in own),
                max(record.megabytes for record in own),
            ]
        )
    return rows


def best(records: Sequence[Record]) -> list[Row]:
    """On how many meshes a method is the best of all, or as good as that; a row a method, a column a metric."""
    return [[method, *(_best(records, method, metric) for metric in METRICS)] for method in methods(records)]


def against(records: Sequence[Record]) -> list[Row]:
    """On how many meshes ours is better than, as good as, and worse than the best peer in that metric."""
    peers = [record for record in records if not record.method.startswith(OURS)]
    rows: list[Row] = []
    for method in methods(records):
        if method.startswith(OURS):
            own = [record for record in records if record.method == method]
            rows.append([method, *(_against(own, peers, metric) for metric in METRICS)])
    return rows


def by_mesh(records: Sequence[Record], value: Value) -> tuple[list[str], list[Row]]:
    """A row a mesh and one of means, a column a method."""
    names = methods(records)
    found = {(record.mesh, record.method): value(record) for record in records}
    meshes = list(dict.fromkeys(record.mesh for record in records))
    rows: list[Row] = [[mesh, *(found.get((mesh, name)) for name in names)] for mesh in meshes]
    means = [_mean([record for record in records if record.method == name], value) for name in names]
    return ["mesh", *names], [*rows, ["mean", *means]]


def sizes(records: Sequence[Record]) -> list[Row]:
    """Means over the meshes by resolution and colours; and of the colours used the fewest."""
    rows: list[Row] = []
    for side, colors in sorted({(record.side, record.colors) for record in records}):
        for method in methods(records):
            own = [r for r in records if (r.side, r.colors, r.method) == (side, colors, method)]
            if own:
                rows.append(
                    [
                        side,
                        colors,
                        method,
                        *(_mean(own, value) for value, _ in METRICS.values()),
                        _mean(own, lambda record: record.used),
                        min(record.used for record in own),
                        _mean(own, lambda record: record.seconds),
                    ]
                )
    return rows


def _mean(records: Iterable[Record], value: Value) -> float | None:
    """Of those that have it."""
    known = [float(found) for record in records if (found := value(record)) is not None]
    return statistics.fmean(known) if known else None


def _best(records: Sequence[Record], method: str, metric: str) -> str:
    value, more = METRICS[metric]
    wins, meshes = 0, 0
    for mesh in dict.fromkeys(record.mesh for record in records):
        known = {r.method: found for r in records if r.mesh == mesh and (found := value(r)) is not None}
        if method in known:
            meshes += 1
            wins += known[method] == (max if more else min)(known.values())
    return f"{wins} of {meshes}"


def _against(own: Sequence[Record], peers: Sequence[Record], metric: str) -> str:
    value, more = METRICS[metric]
    better, equal, worse = 0, 0, 0
    for record in own:
        mine = value(record)
        theirs = [found for peer in peers if peer.mesh == record.mesh and (found := value(peer)) is not None]
        if mine is not None and theirs:
            ahead = mine - max(theirs) if more else min(theirs) - mine
            better, equal, worse = better + (ahead > 0), equal + (ahead == 0), worse + (ahead < 0)
    return f"{better} / {equal} / {worse}"
