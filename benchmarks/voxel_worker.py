"""One method in a process of its own: jobs as JSON lines in, voxels beside each other and their costs out.

    python voxel_worker.py METHOD BLENDER DEVICE FOLDER < jobs

A job has `key`, `path`, `side`, `colors`, `repeat`; its voxels become FOLDER/KEY.npz.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import voxel_methods
from tessera_backend.voxelize.mesh import Mesh
from tessera_backend.voxelize.source import load
from voxel_peers import Made

# What took longer, CPU seconds, is not run again for a median.
SLOW = 2.0


def main() -> None:
    """Every job; the first one also to warm up."""
    name, blender, device, folder = sys.argv[1:]
    method = voxel_methods.named(name, blender, device)
    last, mesh, seconds = None, None, 0.0
    for line in sys.stdin:
        job = json.loads(line)
        if job["path"] != last:
            if last is None:
                # What is compiled or imported is loaded.
                method.make(load.load(Path(job["path"]))[0], job["side"], job["colors"])
            start = time.process_time()
            mesh, last = load.load(Path(job["path"]))[0], job["path"]
            seconds = time.process_time() - start
        made, cost = _timed(method, mesh, job)
        np.savez_compressed(Path(folder, f"{job['key']}.npz"), labels=made.labels, palette=made.palette)
        print(json.dumps({"key": job["key"], "load": seconds, **cost}), flush=True)


def _timed(method: voxel_methods.Method, mesh: Mesh, job: dict[str, Any]) -> tuple[Made, dict[str, float]]:
    """The voxels, and medians of CPU and wall seconds; the peak of memory of this process or the other one."""
    _forget_peak()
    method.prepare(mesh, job["side"])
    costs: list[tuple[float, float]] = []
    while len(costs) < job["repeat"] and (not costs or costs[0][0] < SLOW):
        cpu, wall = time.process_time(), time.perf_counter()
        made = method.make(mesh, job["side"], job["colors"])
        costs.append((time.process_time() - cpu + made.seconds, time.perf_counter() - wall + made.wall))
    seconds, wall = (statistics.median(values) for values in zip(*costs, strict=True))
    return made, {"seconds": seconds, "wall": wall, "megabytes": max(_peak(), made.megabytes)}


def _forget_peak() -> None:
    """Linux can count a process's peak anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """MB, since the last `_forget_peak` where the system can say that."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


if __name__ == "__main__":
    main()
