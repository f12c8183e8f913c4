"""Vectorization at equal numbers of paths: ours beside VTracer and potrace colour stacks at their best settings.

    python benchmarks/vectorize.py --assets FOLDER
    python benchmarks/vectorize.py --assets FOLDER --quick --sheet sheets

What the columns mean, and what the peers need: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

import report
import results
import vector_methods
import vector_pictures
import vector_sheet
import vector_tables

ROOT = Path(__file__).parent.parent
BUDGETS = [8, 16, 32, 64, 128, 256, 512]
QUICK_BUDGETS = [16, 64]
PACKAGES = ["tessera", "numpy", "scipy", "numba", "scikit-image", "vtracer", "resvg-py", "pillow"]
# Beside the original on a contact sheet, unless --only chooses.
ON_SHEET = ("VTracer", "potrace", "Tessera best layered", "Tessera best faithful")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--assets", type=Path, required=True, metavar="FOLDER", help="holds icons, illustrations, photos"
    )
    parser.add_argument("--paths", type=int, nargs="+", default=BUDGETS, metavar="N", help=f"default {BUDGETS}")
    parser.add_argument("--pictures", nargs="+", default=(), metavar="NAME", help="some of the list")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="VTracer, and methods whose names contain one of these"
    )
    parser.add_argument("--device", default="cpu", help="of our engines (default cpu)")
    parser.add_argument("--quick", action="store_true", help=f"three pictures, {QUICK_BUDGETS} paths")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build/peers", metavar="FOLDER", help="the peers' drawings"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "build/vectorize", metavar="FOLDER", help="all drawings")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="also draw contact sheets")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks", metavar="FOLDER")
    options = parser.parse_args()
    if options.quick:
        options.pictures, options.paths = vector_pictures.QUICK, QUICK_BUDGETS
    return options


def chosen(options: argparse.Namespace) -> list[vector_methods.Method]:
    """Peers and ours. VTracer is always there: ratios are to it."""
    # The peers' search costs the same for all numbers of paths as for one.
    peers = vector_methods.peers(BUDGETS, options.cache)
    wanted = [vector_tables.PEER, *options.only] if options.only else [""]
    methods = [*peers, *vector_methods.ours(options.device)]
    return [method for method in methods if any(part in method.name for part in wanted)]


def page(records: Sequence[results.Record], inputs: Sequence[vector_pictures.Picture]) -> list[str]:
    """The tables."""
    kinds, kind_rows = vector_tables.by_kind(records)
    parts = [
        f"## Ratios to VTracer, {len(inputs)} pictures",
        "Geometric means over the pictures; the first column is over all counts up to 256.",
        report.table(vector_tables.OVERVIEW, vector_tables.overview(records)),
        "## MSE ratio to VTracer by kind of picture, all counts up to 256",
        report.table(kinds, kind_rows),
        "## Medians over the pictures",
        report.table(vector_tables.MEDIANS, vector_tables.medians(records)),
    ]
    for method in vector_tables.methods(records):
        what = "MSE" if method == vector_tables.PEER else "MSE ratio to VTracer"
        head, rows = vector_tables.by_picture(records, method)
        parts += [f"## {method}: {what} by picture and number of paths", report.table(head, rows)]
    return [*parts, "Pictures with a star were used to tune the method."]


def write(
    options: argparse.Namespace,
    methods: Sequence[vector_methods.Method],
    inputs: Sequence[vector_pictures.Picture],
    records: Sequence[results.Record],
) -> None:
    """The page."""
    report.write(
        options.out / "vectorize.md",
        "# Vectorization at equal numbers of paths",
        "Written by `benchmarks/vectorize.py`; what the columns mean is in `benchmarks/README.md`. A path is one "
        "filled closed outline, holes allowed, islands not.",
        *page(records, inputs),
        report.bullets(
            [
                f"Date: {datetime.datetime.now(tz=datetime.UTC).date()}",
                f"Machine: {report.machine()}",
                f"Packages: {report.versions(PACKAGES)}",
                *(f"Method {method.name}: {method.version}" for method in methods),
                *(f"Picture {picture.name}: {picture.kind}, pixels {picture.key}" for picture in inputs),
            ]
        ),
    )


def main() -> None:
    """Measure what is not measured yet, then write."""
    options = arguments()
    methods = chosen(options)
    inputs = vector_pictures.load(options.assets, options.pictures)
    vector_methods.warm_up([method for method in methods if method.name.startswith("Tessera")])
    store = results.Store(options.results)
    records = results.measure_all(store, methods, inputs, options.paths)
    write(options, methods, inputs, records)
    if options.sheet:
        beside = [method for method in methods if options.only or method.name in ON_SHEET]
        for budget in options.paths:
            vector_sheet.draw(options.sheet, store, beside, inputs, budget)
        print(f"contact sheets: {options.sheet}", file=sys.stderr)


if __name__ == "__main__":
    main()
