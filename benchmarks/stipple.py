"""Time and quality of the stipple engines by dot count, with a plain SciPy Lloyd and what peers are given beside them.

    python benchmarks/stipple.py
    python benchmarks/stipple.py --images FOLDER --rougier CHECKOUT --bnot BINARY --sheet sheet.png

One core for everybody. How peers are found, and what the columns mean: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Read when NumPy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

import peers  # noqa: E402
import pictures  # noqa: E402
import report  # noqa: E402
import sheet  # noqa: E402
from tessera_backend.stipple import metrics, stipple  # noqa: E402
from tessera_protocol.jobs import ENGINES, StippleParams  # noqa: E402

ROOT = Path(__file__).parent.parent
DOTS = [576, 1024, 2304, 10_000, 20_000]
SHEET_DOTS = [1024, 5000]
# The raster that everything is measured on, and that every method is given.
PIXELS, PIXELS_PER_DOT = 512 * 512, 50
# A method that took longer than this is not run again for a median.
SLOW = 5.0
# Column -> what `metrics.all_metrics` calls it.
QUALITY = {
    "E_norm": "energy_normalized",
    "capacity error": "capacity_error",
    "W2": "w2",
    "W2/sqrt(E/mass)": "w2_over_local",
    "Sinkhorn": "sinkhorn",
    "rho points": "spatial_points",
    "rho mass": "spatial_mass",
}
COLUMNS = ["dots out", "CPU s", *QUALITY]


@dataclasses.dataclass(frozen=True)
class Run:
    """One method on one picture with one dot count."""

    picture: str
    method: str
    dots: int
    values: list[float | int | None]


def engine(name: str, iterations: int) -> peers.Method:
    """An engine of the product, called in-process, on a page without margin."""

    def solve(grey: pictures.Grey, dots: int, seed: int) -> tuple[peers.Floats, float]:
        params = StippleParams(dots=dots, engine=name, seed=seed, iterations=iterations)
        start = time.process_time()
        made = stipple(grey, params)
        seconds = time.process_time() - start
        return made.positions / np.array(made.page), seconds

    version = f"{report.versions(['tessera'])}, {iterations} iterations"
    return peers.Method(f"Tessera {name}", version, solve, 100_000)


def timed(method: peers.Method, grey: pictures.Grey, dots: int, repeat: int) -> tuple[peers.Floats, float]:
    """Positions of the first run, and the median CPU time."""
    points, first = method.solve(grey, dots, 0)
    more = [method.solve(grey, dots, 0)[1] for _ in range(repeat - 1 if first < SLOW else 0)]
    return points, statistics.median([first, *more])


def quality(points: peers.Floats, grey: pictures.Grey) -> list[float | None]:
    """The five metrics of StippleDiffusion (section 5.5); transport is None where its matrix would be too large."""
    measured = metrics.all_metrics(points, 1 - grey / 255.0)
    return [measured[name] for name in QUALITY.values()]


def measure(
    methods: Sequence[peers.Method], inputs: Sequence[pictures.Picture], counts: Sequence[int], repeat: int
) -> list[Run]:
    """Every method on every picture with every dot count that it can do in reasonable time."""
    runs = []
    for dots, picture in itertools.product(counts, inputs):
        grey = picture.raster(max(PIXELS, PIXELS_PER_DOT * dots))
        for method in methods:
            if dots > method.most_dots:
                continue
            points, seconds = timed(method, grey, dots, repeat)
            runs.append(Run(picture.name, method.name, dots, [len(points), seconds, *quality(points, grey)]))
            print(f"{picture.name}, {dots} dots, {method.name}: {seconds:.3g} s", file=sys.stderr)
    return runs


def means(runs: Sequence[Run]) -> list[list[object]]:
    """One row for each method and dot count: the mean over the pictures."""
    groups = {(run.dots, run.method): None for run in runs}
    rows: list[list[object]] = []
    for dots, method in groups:
        columns = zip(*(r.values for r in runs if (r.dots, r.method) == (dots, method)), strict=True)
        rows.append([method, dots, *(None if None in c else statistics.fmean(c) for c in columns)])
    return rows


def contact_sheet(path: Path, methods: Sequence[peers.Method], inputs: Sequence[pictures.Picture]) -> None:
    """Draw every picture by every method."""
    rows = []
    for picture, dots in itertools.product(inputs, SHEET_DOTS):
        grey = picture.raster(max(PIXELS, PIXELS_PER_DOT * dots))
        drawn = [sheet.dots(m.solve(grey, dots, 0)[0], grey) if dots <= m.most_dots else None for m in methods]
        rows.append((f"{picture.name}, {dots} dots", [sheet.thumbnail(grey), *drawn]))
    sheet.save(path, ["input", *(method.name for method in methods)], rows)
    print(f"contact sheet: {path}", file=sys.stderr)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="more pictures, beside the default three")
    parser.add_argument("--dots", type=int, nargs="+", default=DOTS, metavar="N", help=f"dot counts; default {DOTS}")
    parser.add_argument("--iterations", type=int, default=30, help="of the engines and of SciPy Lloyd (default 30)")
    parser.add_argument("--repeat", type=int, default=3, help="runs a median is taken of (default 3)")
    parser.add_argument("--rougier", type=Path, metavar="CHECKOUT", help="a clone of ReScience-Archives/Rougier-2017")
    parser.add_argument("--bnot", type=Path, metavar="BINARY", help="ibnot_new_cli, built from BNOT_new")
    parser.add_argument("--peer-dots", type=int, default=2304, metavar="N", help="most dots that slow peers are given")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="also draw a contact sheet")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "stipple.md", metavar="MD")
    return parser.parse_args()


def main() -> None:
    """Measure, then write the page."""
    options = arguments()
    inputs = pictures.default(options.images)
    methods = [engine(name, options.iterations) for name in ENGINES]
    methods.append(peers.plain_lloyd(options.iterations))
    methods += [peers.rougier(options.rougier, options.peer_dots)] if options.rougier else []
    methods += [peers.bnot(options.bnot, options.peer_dots)] if options.bnot else []
    for method in methods[: len(ENGINES)]:
        method.solve(inputs[0].raster(PIXELS), 100, 0)  # compiles the kernels, where that has not been done
    runs = measure(methods, inputs, options.dots, options.repeat)
    report.write(
        options.out,
        "# Stipple: time and quality",
        "Written by `benchmarks/stipple.py`; what the columns mean is in `benchmarks/README.md`.",
        report.bullets(
            [
                f"Machine: {report.machine()}",
                f"Packages: {report.versions(['tessera', 'numpy', 'scipy', 'numba', 'pot', 'pillow'])}",
                *(f"Method {method.name}: {method.version}" for method in methods),
                *(f"Picture {picture.name}: {picture.source}" for picture in inputs),
                f"CPU s: median of {options.repeat} runs after warm-up, one run where it took over {SLOW:g} s",
            ]
        ),
        f"## Mean of {len(inputs)} pictures",
        report.table(["method", "dots", *COLUMNS], means(runs)),
        "## Each picture",
        report.table(
            ["picture", "method", "dots", *COLUMNS], ([r.picture, r.method, r.dots, *r.values] for r in runs), texts=2
        ),
    )
    if options.sheet:
        contact_sheet(options.sheet, methods, inputs)


if __name__ == "__main__":
    main()
