"""Voxel art of meshes: our engines beside Blender's Remesh in mode Blocks and trimesh's voxelizer.

    python benchmarks/voxelize.py --meshes FOLDER
    python benchmarks/voxelize.py --meshes FOLDER --quick --sheet sheets

What the columns mean, and what the peers are given: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import report
import voxel_methods
import voxel_sheet
import voxel_subjects
import voxel_tables
from tessera_backend.voxelize import warm
from voxel_judge import Record
from voxel_results import Run, Store

ROOT = Path(__file__).parent.parent
PACKAGES = ["tessera", "numpy", "scipy", "numba", "trimesh", "torch", "pillow"]
# The table of sizes: sides, colours, and methods, all of which are fast.
SIDES, COLORS = (25, 32, 50, 64), (4, 8)
SIZED = ("Blender Blocks", "Tessera surface crisp", "Tessera surface faithful")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meshes", type=Path, required=True, metavar="FOLDER", help="all mesh files in it")
    parser.add_argument("--names", nargs="+", default=(), metavar="NAME", help="some of them, without suffix")
    parser.add_argument("--side", type=int, default=48, metavar="N", help="voxels along the longest side (default 48)")
    parser.add_argument("--colors", type=int, default=8, metavar="K", help="default 8")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="methods whose names contain one of these")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs that times are medians of (default 3)")
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(voxel_subjects.QUICK)} alone, no sizes")
    parser.add_argument("--no-sizes", action="store_true", help=f"leave out {SIDES} voxels with {COLORS} colours")
    parser.add_argument("--device", default="cpu", help="of our engines (default cpu)")
    parser.add_argument(
        "--blender", default=shutil.which("blender") or "", metavar="COMMAND", help="or Python with bpy"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "build/voxelize", metavar="FOLDER", help="all voxels")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="also draw a contact sheet, all.png")
    parser.add_argument("--publish", type=Path, metavar="PNG", help="also draw a small sheet of CC0 meshes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks", metavar="FOLDER")
    options = parser.parse_args()
    if options.quick:
        options.names, options.no_sizes = voxel_subjects.QUICK, True
    return options


def page(records: Sequence[Record], sized: Sequence[Record], options: argparse.Namespace) -> list[str]:
    """The tables."""
    meshes = len({record.mesh for record in records})
    parts = [
        f"## {options.side} voxels, {options.colors} colours: means over {meshes} meshes",
        report.table(voxel_tables.OVERVIEW, voxel_tables.overview(records)),
        "## On how many meshes a method is best, or as good as the best",
        report.table(["method", *voxel_tables.METRICS], voxel_tables.best(records)),
        "## Ours against the best peer of each mesh in each metric: better / equal / worse",
        report.table(["method", *voxel_tables.METRICS], voxel_tables.against(records)),
    ]
    for name in voxel_tables.BY_MESH:
        head, rows = voxel_tables.by_mesh(records, voxel_tables.METRICS[name][0])
        parts += [f"## By mesh: {name}", report.table(head, rows)]
    for name in ("CPU seconds", "MB"):
        head, rows = voxel_tables.by_mesh(records, voxel_tables.COSTS[name])
        parts += [f"## By mesh: {name}", report.table(head, rows)]
    if sized:
        parts += ["## By resolution and colours", report.table(voxel_tables.SIZES, voxel_tables.sizes(sized), 3)]
    return parts


def write(
    options: argparse.Namespace,
    methods: Sequence[voxel_methods.Method],
    subjects: Sequence[voxel_subjects.Subject],
    records: Sequence[Record],
    sized: Sequence[Record],
) -> None:
    """The page."""
    facts = {(record.mesh, record.triangles, record.load) for record in records if record.method == records[0].method}
    report.write(
        options.out / "voxelize.md",
        "# Voxel art of meshes",
        "Written by `benchmarks/voxelize.py`; what the columns mean, and what the peers are given, is in "
        "`benchmarks/README.md`. CLIP similarity is not measured: that needs weights, which are not part of this.",
        *page(records, sized, options),
        report.bullets(
            [
                f"Date: {datetime.datetime.now(tz=datetime.UTC).date()}",
                f"Machine: {report.machine()}; {report.load()} wanted a core at the end",
                f"Packages: {report.versions(PACKAGES)}",
                f"Seed 0 of everything; times are medians of {options.repeat} runs, by mesh; loading a file is apart",
                *(f"Method {method.name}: {method.version}" for method in methods),
                *(f"Mesh {name}: {count} triangles, read in {load:.2g} CPU s" for name, count, load in sorted(facts)),
                *(f"File {subject.path.name}: {subject.key}" for subject in subjects),
            ]
        ),
    )


def main() -> None:
    """Measure what is not measured yet, then write."""
    options = arguments()
    # Compiled code is kept on disk from here on, for every process.
    warm()
    methods = voxel_methods.every(options.blender, options.device)
    methods = [method for method in methods if not options.only or any(part in method.name for part in options.only)]
    subjects = voxel_subjects.found(options.meshes, options.names)
    pairs = list(itertools.product(subjects, methods))
    store = Store(options.results, options.blender, options.device)
    runs = [Run(method, subject, options.side, options.colors, options.repeat) for subject, method in pairs]
    records = store.measure(runs)
    sizes = () if options.no_sizes else itertools.product(SIDES, COLORS, pairs)
    sized = [Run(method, subject, side, colors, 1) for side, colors, (subject, method) in sizes if method.name in SIZED]
    write(options, methods, subjects, records, store.measure(sized))
    if options.sheet:
        voxel_sheet.draw(options.sheet, store, runs)
        print(f"contact sheet: {options.sheet}", file=sys.stderr)
    if options.publish:
        voxel_sheet.publish(options.publish, store, runs)
        print(f"CC0 meshes: {options.publish}", file=sys.stderr)


if __name__ == "__main__":
    main()
