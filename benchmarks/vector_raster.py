"""Time and memory of the rasterizer, forward and backward, beside diffvg's.

    python benchmarks/vector_raster.py

Every scene is rendered by one thread and by more, in turns, and by pydiffvg where it is installed; otherwise diffvg's
columns are figures that were recorded before, on a machine of this kind.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import report
from tessera_backend.compiled import config, set_num_threads
from tessera_backend.vector_raster import LINEAR, RADIAL, Paint, Raster, Scene

ROOT = Path(__file__).parent.parent
# diffvg built from source, one process on the CPU: forward, and forward + backward; ms, medians.
RECORDED = {(64, 256): (189, 782), (256, 256): (352, 1626), (512, 512): (2086, 11069), (1024, 512): (3965, 21259)}
ROUNDS = 5


def blobs(count: int, side: int, area: float = 1.0) -> Scene:
    """Closed paths of four cubics, whose areas sum to about `area` times the canvas; opaque, of one colour."""
    random = np.random.default_rng(0)
    radius = np.sqrt(area * side * side / (count * np.pi)) * random.uniform(0.6, 1.35, (count, 4, 1))
    angle = random.uniform(0, 2 * np.pi, (count, 1)) + np.arange(4) * np.pi / 2
    knots = radius * np.stack([np.cos(angle), np.sin(angle)], -1)
    handles = radius * np.stack([-np.sin(angle), np.cos(angle)], -1) * (4 / 3 * (np.sqrt(2) - 1))
    parts = np.stack([knots, knots + handles, np.roll(knots - handles, -1, 1)], 2)
    points = parts.reshape(count, 12, 2) + random.uniform(0, side, (count, 1, 2))
    starts = np.arange(count + 1)
    paint = Paint.solid(random.random((count, 3)))
    flat = np.zeros(count)
    return Scene(side, side, points.reshape(-1, 2), starts * 12, starts, paint, np.ones(count), flat > 0, flat)


def translucent(scene: Scene) -> Scene:
    """Everything at half opacity."""
    return dataclasses.replace(scene, opacity=np.full(len(scene.opacity), 0.5))


def stroked(scene: Scene, width: float) -> Scene:
    """Outlines instead of fills."""
    return dataclasses.replace(scene, stroke=np.full(len(scene.stroke), width))


def shaded(scene: Scene, kind: int) -> Scene:
    """Gradients of three stops across each path."""
    count = len(scene.opacity)
    boxes = scene.points.reshape(count, 12, 2)
    low, high = boxes.min(1), boxes.max(1)
    geometry = np.concatenate([low, high], 1)
    if kind == RADIAL:
        geometry = np.column_stack([(low + high) / 2, np.linalg.norm(high - low, axis=1) / 2, np.zeros(count)])
    random = np.random.default_rng(1)
    colors = np.ones((count, 3, 4))
    colors[..., :3] = random.random((count, 3, 3))
    offsets = np.tile([0.1, 0.5, 0.9], (count, 1))
    return dataclasses.replace(scene, paint=Paint(np.full(count, kind, np.int8), geometry, offsets, colors))


@dataclasses.dataclass
class Case:
    """A row of the table."""

    name: str
    scene: Scene
    recorded: tuple[int, int] | None = None
    channels: int = 3


def cases() -> list[Case]:
    """What is measured."""
    plain = [Case(f"{n} blobs, {s} px", blobs(n, s), RECORDED[n, s]) for n, s in RECORDED]
    middle = blobs(512, 512)
    return [
        *plain,
        Case("512 blobs, 512 px, premultiplied RGBA", middle, channels=4),
        Case("512 blobs, linear gradients", shaded(middle, LINEAR)),
        Case("512 blobs, radial gradients", shaded(middle, RADIAL)),
        Case("512 blobs, strokes of 2 px", stroked(middle, 2.0)),
        Case("512 blobs, strokes of 8 px", stroked(middle, 8.0)),
        Case("128 large shapes, 10 canvases of area", blobs(128, 512, 10)),
        Case("512 large shapes, 25 canvases of area", blobs(512, 512, 25)),
        Case("512 blobs, half transparent", translucent(middle)),
        Case("128 large shapes, half transparent", translucent(blobs(128, 512, 10))),
        Case("512 large shapes, half transparent", translucent(blobs(512, 512, 25))),
    ]


def milliseconds(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)


def measured(case: Case, threads: list[int], repeat: int) -> list[float]:
    """One row: forward and both by one thread, processor time; both by each number of threads, wall time; MB.

    Numbers of threads take turns. Of the medians of all rounds the least counts.
    """
    scene = case.scene
    raster = Raster(scene.width, scene.height, case.channels)
    upstream = np.random.default_rng(2).random((scene.height, case.channels, scene.width)).astype(np.float32)
    rounds: dict[int, list[np.ndarray]] = {count: [] for count in threads}
    for count in [count for _ in range(ROUNDS) for count in threads]:
        set_num_threads(count)
        raster.forward(scene)
        raster.backward(upstream)
        times = np.array(
            [
                (milliseconds(lambda: raster.forward(scene)), milliseconds(lambda: raster.backward(upstream)))
                for _ in range(repeat)
            ]
        )
        both = times.sum(1)
        rounds[count].append(np.median([times[:, 0, 1], both[:, 1], both[:, 0]], axis=1))
    best = {count: np.min(values, axis=0) for count, values in rounds.items()}
    return [*best[threads[0]][:2], *(best[count][2] for count in threads), raster.memory() / 1e6]


def diffvg_times(scene: Scene) -> tuple[float, float] | None:
    """Forward, and forward + backward, of pydiffvg, ms; None where it is not installed."""
    from tessera_backend.vector_raster import diffvg

    if not diffvg.available():
        return None
    import torch

    from tessera_backend.vector_raster.autograd import render

    points = torch.tensor(scene.points, dtype=torch.float32, requires_grad=True)
    colors = torch.tensor(scene.paint.colors, dtype=torch.float32, requires_grad=True)
    options = {"width": scene.width, "height": scene.height, "raster": "diffvg"}

    def image() -> torch.Tensor:
        return render(points, scene.contours, scene.paths, colors, **options)

    image()
    return milliseconds(image)[0], milliseconds(lambda: image().sum().backward())[0]


def rows(threads: list[int], repeat: int) -> tuple[list[list[object]], bool]:
    """The table's body, and whether diffvg's figures are of this run."""
    body, live = [], False
    for case in cases():
        ours = measured(case, threads, repeat)
        peer = diffvg_times(case.scene) if case.recorded else None
        live = live or peer is not None
        peer = peer or case.recorded or (None, None)
        body.append([case.name, *ours, *(None if value is None else float(value) for value in peer)])
        print("|", *body[-1], sep=" ", flush=True)
    return body, live


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=25, help="runs a median is taken of (default 25)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default 1 2")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "vector-raster.md", metavar="MD")
    return parser.parse_args()


def main() -> None:
    """Measure, then write the page."""
    options = arguments()
    threads = sorted({min(count, config.NUMBA_NUM_THREADS) for count in options.threads})
    body, live = rows(threads, options.repeat)
    head = ["forward, CPU", "both, CPU", *(f"both, wall, {n} thread{'s' * (n > 1)}" for n in threads)]
    peer = "pydiffvg, in this run" if live else "recorded on a machine of this kind, not in this run: medians, CPU"
    report.write(
        options.out,
        "# Rasterizer: time and memory",
        "Written by `benchmarks/vector_raster.py`; what is measured is in `benchmarks/README.md`. Milliseconds, "
        "compiled code cached: processor time of one thread, and wall time. Each number is the least of "
        f"{ROUNDS} medians of {options.repeat} calls. Other programs share the machine: where its load is above its "
        "cores, wall times are theirs as much as ours, and say nothing about threads.",
        report.bullets(
            [
                f"Machine: {report.machine()}",
                f"Packages: {report.versions(['tessera', 'numba', 'numpy'])}",
                f"Load when it ended, as an average over five minutes: {report.load()}",
                f"diffvg: {peer}",
            ]
        ),
        report.table(["scene; ms", *head, "MB", "diffvg forward", "diffvg both"], body),
    )


if __name__ == "__main__":
    main()
