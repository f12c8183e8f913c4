"""Quality and time of the stipple engines: the tables of StippleDiffusion with exact measures, and peers beside us.

    python benchmarks/stipple.py
    python benchmarks/stipple.py --images FOLDER --rougier CHECKOUT --bnot BINARY --sheet sheet.png --spectra s.png

One core for everybody. How peers are found, and what the columns mean: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Read when NumPy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import methods as engines  # noqa: E402
import peers  # noqa: E402
import pictures  # noqa: E402
import plots  # noqa: E402
import report  # noqa: E402
import sheet  # noqa: E402
import tables  # noqa: E402

ROOT = Path(__file__).parent.parent
# Of the tables of quality, as in the paper.
DOTS = 1024
COUNTS = [576, 1024, 2304, 10_000, 20_000]
SHEET_DOTS = [1024, 5000]
SEEDS = 5


Methods = Sequence[peers.Method]
Pictures = Sequence[pictures.Picture]


def contact_sheet(path: Path, methods: Methods, inputs: Pictures) -> None:
    """Draw every picture by every method."""
    rows = []
    for picture, dots in itertools.product(inputs, SHEET_DOTS):
        grey = tables.raster(picture, dots)
        drawn = [sheet.dots(m.solve(grey, dots, 0)[0], grey) if dots <= m.most_dots else None for m in methods]
        rows.append((f"{picture.name}, {dots} dots", [sheet.thumbnail(grey), *drawn]))
    sheet.save(path, ["input", *(method.name for method in methods)], rows)
    print(f"contact sheet: {path}", file=sys.stderr)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="more pictures for the page of quality")
    parser.add_argument("--dots", type=int, nargs="+", default=COUNTS, metavar="N", help=f"counts; default {COUNTS}")
    parser.add_argument("--iterations", type=int, default=30, help="of the engines and of SciPy Lloyd (default 30)")
    parser.add_argument("--repeat", type=int, default=3, help="runs a median is taken of (default 3)")
    parser.add_argument("--rougier", type=Path, metavar="CHECKOUT", help="a clone of ReScience-Archives/Rougier-2017")
    parser.add_argument("--bnot", type=Path, metavar="BINARY", help="ibnot_new_cli, built from BNOT_new")
    parser.add_argument("--peer-dots", type=int, default=2304, metavar="N", help="most dots that slow peers are given")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="methods whose names contain one of these")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="also draw a contact sheet")
    parser.add_argument("--spectra", type=Path, metavar="PNG", help="also draw power spectra; needs matplotlib")
    parser.add_argument("--pages", nargs="*", choices=PAGES, default=list(PAGES), help="which to write; default all")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks", metavar="FOLDER")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[peers.Method]:
    """The methods asked for, ours first; their kernels are compiled."""
    methods = engines.ours(options.iterations)
    methods.append(peers.plain_lloyd(options.iterations))
    methods += [peers.rougier(options.rougier, options.peer_dots)] if options.rougier else []
    methods += [peers.bnot(options.bnot, options.peer_dots)] if options.bnot else []
    if options.only:
        methods = [m for m in methods if any(name in m.name for name in options.only)]
    for method in methods:
        method.solve(pictures.ramp().raster(tables.PIXELS // 4), 100, 0)
    return methods


def quality(methods: Methods, inputs: Pictures, options: argparse.Namespace) -> list[str]:
    """Table 1 with exact measures, strips, and leftover lattices."""
    del options
    head = ["method", "strip 1", "strip 2", "strip 3", "strip 4", "worst", "4-fold"]
    return [
        f"## {DOTS} dots: mean ± standard deviation over {len(inputs)} pictures",
        report.table(["method", *tables.QUALITY], tables.quality(tables.solve_all(methods, inputs, DOTS))),
        f"## Strips of the density x squared, {DOTS} dots; worst of {SEEDS} seeds; 4-fold bond order",
        report.table(head, tables.strips(methods, DOTS, SEEDS)),
    ]


def time(methods: Methods, inputs: Pictures, options: argparse.Namespace) -> list[str]:
    """Table 2, and the quality of the same dots."""
    times, qualities = tables.by_count(methods, inputs, options.dots, options.repeat)
    head = [f"{column} {n}" for n in options.dots for column in ("capacity", "rho mass")]
    return [
        f"## CPU seconds by dot count: medians of {options.repeat} runs after warm-up, mean of {len(inputs)} pictures",
        f"One run where it took over {tables.SLOW:g} s.",
        report.table(["method", *map(str, options.dots)], times),
        "## Capacity error and spatial measure by dot count: mean of the same pictures",
        report.table(["method", *head], qualities),
    ]


def published(methods: Methods, inputs: Pictures, options: argparse.Namespace) -> list[str]:
    """Table 1 by the measures of the code that made it."""
    del options
    return [
        f"## The published convention, {DOTS} dots, {len(inputs)} pictures: it cannot rank methods",
        "Mass is the white paper, cells have no area, EMD is W1 to random pixels: see `stipple/metrics/legacy.py`.",
        report.table(["method", *tables.LEGACY], tables.published(tables.solve_all(methods, inputs, DOTS))),
    ]


PAGES = {"quality": quality, "time": time, "published": published}


def write(name: str, methods: Methods, options: argparse.Namespace) -> None:
    """Measure for one page, and write it."""
    inputs = pictures.default(options.images if name == "quality" else None)
    measured = PAGES[name](methods, inputs, options)
    report.write(
        options.out / f"stipple-{name}.md",
        f"# Stipple: {name}",
        f"Written by `benchmarks/stipple.py --pages {name}`; what the columns mean is in `benchmarks/README.md`.",
        *measured,
        report.bullets(
            [
                f"Machine: {report.machine()}",
                f"Packages: {report.versions(['tessera', 'numpy', 'scipy', 'numba', 'torch', 'pot', 'pillow'])}",
                *(f"Method {method.name}: {method.version}" for method in methods),
                *(f"Picture {picture.name}: {picture.source}" for picture in inputs),
            ]
        ),
    )


def main() -> None:
    """Measure, page by page."""
    options = arguments()
    methods = chosen(options)
    for name in options.pages:
        write(name, methods, options)
    if options.spectra:
        plots.spectra(options.spectra, methods)
    if options.sheet:
        contact_sheet(options.sheet, methods, pictures.default(options.images))


if __name__ == "__main__":
    main()
