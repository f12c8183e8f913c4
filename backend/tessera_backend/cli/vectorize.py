"""`tessera vectorize`: a picture becomes layered shapes, in this process or through the running backend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera_protocol.jobs import VectorizeParams

from .. import files
from . import runs
from .bar import EarlyEnd, ProgressBar
from .options import given, job_options

if TYPE_CHECKING:
    from tessera_protocol.messages import Result

# The job's SVG and the metadata of its run.
Made = tuple[bytes, dict[str, Any]]


@click.command("vectorize")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="An .svg file [default: beside IMAGE].")
@click.option(
    "--device", default="cpu", show_default=True, help="Where networks run: cpu, cuda or mps; not with --backend."
)
@click.option("--backend", "through_backend", is_flag=True, help="Let the running backend do it (tessera serve).")
@job_options(VectorizeParams)
def vectorize_command(image: Path, output: Path | None, device: str, through_backend: bool, **options: Any) -> None:
    """Turn IMAGE into layered shapes: filled curves in named groups, an Inkscape layer for each level of detail.

    Ctrl-C ends it early with the drawing as it is by then; pressed twice, without one.
    """
    params = given(VectorizeParams, options)
    output = output or files.beside(image, ".layers.svg")
    files.check_output(output, (".svg",), "layers.svg")
    with ProgressBar() as bar, EarlyEnd() as early:
        if through_backend:
            data, meta = runs.through_backend("vectorize", params, {"image": image}, bar, from_result, early.asked)
        else:
            data, meta = _here(image, params, device, bar, early)
    files.write(output, data)
    click.echo(f"{output}: {told(meta)}, {len(data) / 1000:.0f} kB")


def told(meta: dict[str, Any]) -> str:
    """A drawing in a line."""
    return (
        f"{meta['paths']} paths in {len(meta['levels'])} levels, {meta['psnr']:.1f} dB, "
        f"engine {meta['engine']}, seed {meta['seed']}"
    )


def save_result(result: Result, output: Path) -> str:
    """Write a job's result, and say what it is."""
    files.check_output(output, (".svg",), "layers.svg")
    data, meta = from_result(result)
    files.write(output, data)
    return told(meta)


def from_result(result: Result) -> Made:
    """What a job's result holds."""
    return bytes(result.buffers["svg"].data), dict(result.meta)


def _here(image: Path, params: VectorizeParams, device: str, bar: ProgressBar, early: EarlyEnd) -> Made:
    bar("reading", 0.0, f"Reading {image.name}")
    from tessera_backend.images import load
    from tessera_backend.progress import Progress

    pixels = load(image)
    runs.say_if_cold(bar)
    from tessera_backend.vectorize import vectorize
    from tessera_backend.vectorize.svg import to_svg

    drawing = vectorize(pixels, params, Progress(bar, enough=early.asked), device=device)
    return to_svg(drawing), drawing.meta
