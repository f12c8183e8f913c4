"""Runs each method in a process of its own over what is not measured yet, and keeps voxels and numbers."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from report import digest
from store import Records
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.source import load
from tessera_backend.voxelize.voxels import Voxels
from voxel_judge import Judge, Record
from voxel_methods import Method
from voxel_subjects import Subject

# A run to be judged: its key, its method's name, the colours that were asked for, and its costs.
Case = tuple[str, str, int, dict[str, float]]


@dataclasses.dataclass(frozen=True)
class Run:
    """One method's voxels of one mesh."""

    method: Method
    subject: Subject
    side: int
    colors: int
    repeat: int

    @property
    def key(self) -> str:
        """Of all that its numbers depend on."""
        asked = f"{self.side} {self.colors} {self.repeat}"
        return digest(
            f"{self.method.name} {self.method.version} {self.subject.name} {self.subject.key} {asked}".encode()
        )


class Store:
    """The records, and the voxels."""

    def __init__(self, folder: Path, blender: str, device: str) -> None:
        self._records = Records(folder, Record)
        self._folder, self._rest = folder, (blender, device, str(folder))

    def measure(self, runs: Sequence[Run]) -> list[Record]:
        """The records of all runs; what is not known is run, method by method, and judged, mesh by mesh."""
        missing = [run for run in runs if not self._records.get(run.key)]
        costs: dict[str, dict[str, float]] = {}
        for method in dict.fromkeys(run.method.name for run in missing):
            costs |= self._costs(method, [run for run in missing if run.method.name == method])
        cases: dict[tuple[Subject, int], list[Case]] = {}
        for run in missing:
            case = run.key, run.method.name, run.colors, costs[run.key]
            cases.setdefault((run.subject, run.side), []).append(case)
        # Nothing is timed here, so all cores may judge.
        with concurrent.futures.ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            for records in pool.map(_judged, itertools.repeat(self._folder), cases, cases.values()):
                for key, record in records.items():
                    self._records.add(key, record)
        return [record for run in runs if (record := self._records.get(run.key))]

    def voxels(self, run: Run) -> Voxels:
        """What was made."""
        grid = Grid.fitted(load.load(run.subject.path)[0], run.side)
        return _voxels(self._folder, run.key, grid)

    def _costs(self, method: str, runs: Iterable[Run]) -> dict[str, dict[str, float]]:
        """What each run took, by key; their voxels are in the folder then."""
        jobs = [
            {"key": run.key, "path": str(run.subject.path)}
            | {"side": run.side, "colors": run.colors, "repeat": run.repeat}
            # A worker reads a mesh once, and Blender starts once for a mesh and a side.
            for run in sorted(runs, key=lambda run: (run.subject.name, run.side))
        ]
        worker = Path(__file__).with_name("voxel_worker.py")
        print(f"{method}: {len(jobs)} runs", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, str(worker), method, *self._rest],
            input="".join(f"{json.dumps(job)}\n" for job in jobs),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        costs = map(json.loads, done.stdout.splitlines())
        return {cost.pop("key"): cost for cost in costs}


def _voxels(folder: Path, key: str, grid: Grid) -> Voxels:
    with np.load(folder / f"{key}.npz") as file:
        return Voxels(file["labels"], file["palette"], grid.origin, grid.size)


def _judged(folder: Path, place: tuple[Subject, int], cases: Sequence[Case]) -> dict[str, Record]:
    """Records of one mesh at one resolution, by key."""
    subject, side = place
    judge = Judge(subject.name, load.load(subject.path)[0], side)
    return {
        key: judge.record(method, colors, _voxels(folder, key, judge.grid), costs)
        for key, method, colors, costs in cases
    }
