"""`tessera stipple`: a picture becomes dots, in this process or through the running backend."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera_protocol import schema
from tessera_protocol.jobs import StippleParams

from .. import files
from . import runs
from .bar import ProgressBar
from .options import given, job_options

if TYPE_CHECKING:
    from tessera_backend.stipple import Stipples
    from tessera_protocol.messages import Result

KINDS = (".svg", ".csv", ".gcode")


@click.command("stipple")
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="An .svg, .csv or .gcode file [default: an .svg beside IMAGE].",
)
@click.option(
    "--mask", type=click.Path(path_type=Path), help="A picture over IMAGE: white keeps dots, black keeps them off."
)
@click.option("--backend", "through_backend", is_flag=True, help="Let the running backend do it (tessera serve).")
@job_options(StippleParams)
def stipple_command(image: Path, output: Path | None, mask: Path | None, through_backend: bool, **options: Any) -> None:
    """Turn IMAGE into dots: native circles in millimetres, in named Inkscape layers, or a program for a plotter."""
    params = given(StippleParams, options)
    output = output or files.beside(image, ".dots.svg")
    files.check_output(output, KINDS, "dots.svg")
    if output.suffix.lower() == ".gcode":
        # A plotter in the order that dots were computed in would only travel.
        params = dataclasses.replace(params, order="plotter")
    with ProgressBar() as bar:
        if through_backend:
            dots = runs.through_backend("stipple", params, {"image": image, "mask": mask}, bar, from_result)
        else:
            dots = _here(image, mask, params, bar)
    write(dots, params, output, image.stem)
    placed, left_out = len(dots.positions), params.dots - len(dots.positions)
    note = f" ({left_out} found no room)" if left_out > 0 else ""
    inks = "".join(f", {plate['name']} {plate['dots']}" for plate in dots.meta["plates"] if params.plates != "one")
    click.echo(f"{output}: {placed} dots{note}{inks}, engine {dots.meta['engine']}, seed {dots.meta['seed']}")


def write(dots: Stipples, params: StippleParams, output: Path, title: str) -> None:
    """Write dots as their file's ending asks, whole or not at all."""
    kind = output.suffix.lower()
    if kind == ".csv":
        data = _to_csv(dots, params)
    elif kind == ".gcode":
        from tessera_backend.stipple.gcode import to_gcode

        data = to_gcode(dots, params)
    else:
        from tessera_backend.stipple.svg import to_svg

        data = to_svg(dots, params, title)
    files.write(output, data)


def _to_csv(dots: Stipples, params: StippleParams) -> bytes:
    """A header, then a row a dot; with the ink's name where there may be several."""
    rows = [f"{x:.4f},{y:.4f},{r:.4f}" for (x, y), r in zip(dots.positions, dots.radii, strict=True)]
    if params.plates == "one":
        return "\n".join(["x_mm,y_mm,radius_mm", *rows, ""]).encode()
    names = [plate["name"] for plate in dots.meta["plates"]]
    rows = [f"{row},{names[p]}" for row, p in zip(rows, dots.plates, strict=True)]
    return "\n".join(["x_mm,y_mm,radius_mm,ink", *rows, ""]).encode()


def save_result(result: Result, output: Path) -> str:
    """Write a job's result, and say what it is."""
    files.check_output(output, KINDS, "dots.svg")
    dots = from_result(result)
    write(dots, schema.check(StippleParams, result.meta["parameters"]), output, output.stem)
    return f"{len(dots.positions)} dots"


def from_result(result: Result) -> Stipples:
    """The dots in a job's result."""
    from tessera_backend import jobs
    from tessera_backend.stipple import Stipples

    positions, radii, plates = (jobs.array(result.buffers[name]) for name in ("positions", "radii", "plates"))
    width, height = result.meta["page"]
    return Stipples(positions, radii, plates, (width, height), result.meta)


def _here(image: Path, mask: Path | None, params: StippleParams, bar: ProgressBar) -> Stipples:
    bar("reading", 0.0, f"Reading {image.name}")
    from tessera_backend.images import load
    from tessera_backend.progress import Progress

    pixels = load(image)
    kept = load(mask) if mask else None
    runs.say_if_cold(bar)
    from tessera_backend.stipple import stipple

    return stipple(pixels, params, Progress(bar), mask=kept)
