"""`tessera demo`: every job once, on bundled inputs, through a backend of its own; ends with a page of pictures."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera_protocol.errors import error
from tessera_protocol.jobs import StippleParams, VectorizeParams, VoxelizeParams

from .bar import ProgressBar

if TYPE_CHECKING:
    from tessera_backend.demo.gallery import Entry
    from tessera_protocol.client import Client
    from tessera_protocol.messages import Buffer, Result

STIPPLES = {
    "tone": ("Tone: as many dots as the greys ask for", StippleParams(dots=8000, page_width=200.0)),
    "cmyk": (
        "Cyan, magenta, yellow and black, placed together",
        StippleParams(dots=20_000, page_width=200.0, plates="cmyk"),
    ),
    "palette": (
        "Six inks that the picture chose",
        StippleParams(dots=15_000, page_width=200.0, plates="palette", inks=6, edges=0.3),
    ),
    "sized": (
        "Few dots, sized by tone, none touching",
        StippleParams(dots=3000, page_width=200.0, radius_min=0.4, radius_max=1.2, minimum_gap=0.05),
    ),
    "inverted": (
        "White ink on black",
        StippleParams(dots=8000, page_width=200.0, invert=True, gamma=1.5, color="#ffffff"),
    ),
    "best": (
        "Best: the greys and the calmest spacing at once",
        StippleParams(dots=5000, page_width=200.0, engine="best"),
    ),
    "learned": (
        "Learned: four calls of a small network (after StippleDiffusion, 2026)",
        StippleParams(dots=5000, page_width=200.0, engine="diffusion"),
    ),
    "line": (
        "One line, which never crosses itself",
        StippleParams(dots=6000, page_width=200.0, marks="line", edges=0.3),
    ),
    "wvs": ("Even spacing (Secord 2002)", StippleParams(dots=5000, page_width=200.0, engine="wvs")),
}

VECTORS = {
    "layered": ("Layered: 64 shapes on five levels, in named groups", VectorizeParams(paths=64)),
    "faithful": (
        "Faithful: 128 shapes wherever they bring it nearer to the picture",
        VectorizeParams(paths=128, preset="faithful"),
    ),
    "vinyl": (
        "Cut out: six colours side by side, for vinyl and screen print",
        VectorizeParams(paths=48, engine="fast", colors=6, cut_out=True, gradients=False),
    ),
}

VOXELS = {
    "48": ("Voxels: a textured mesh, 48 tall, in twelve colours of its own", VoxelizeParams(side=48, colors=12)),
    "32": ("32 tall, in ten: the stem stays, and the face stays a face", VoxelizeParams(side=32, colors=10)),
    "night": (
        "In six colours that were given",
        VoxelizeParams(side=48, palette="#0d1b2a #1b4965 #5fa8d3 #cae9ff #ffd166 #ef476f"),
    ),
}


@click.command("demo")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("tessera-demo"), show_default=True)
def demo_command(output: Path) -> None:
    """Start a backend, run each job on a bundled input, write the results and a page that shows them."""
    from tessera_backend import private
    from tessera_backend.demo import gallery

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise error("unusable-input", f"{output} can't be made: {exc.strerror}.", field="output") from exc
    with private.private_home(), private.running_backend("demo") as client:
        _wait_until_warm(client)
        entries = [_voxelize(client, name, *VOXELS[name], output) for name in VOXELS]
        entries += [_vectorize(client, name, *VECTORS[name], output) for name in VECTORS]
        entries += [_stipple(client, name, *STIPPLES[name], output) for name in STIPPLES]
    page = gallery.write_index(output, entries)
    click.echo(f"Open {page.resolve()}")


def _stipple(client: Client, name: str, title: str, params: StippleParams, output: Path) -> Entry:
    from tessera_backend.demo.gallery import Entry
    from tessera_backend.stipple.svg import to_svg

    from .stipple import from_result

    result, seconds = _done(client, "stipple", params, _picture())
    dots = from_result(result)
    path = output / f"stipple-{name}.svg"
    path.write_bytes(to_svg(dots, params, title))
    click.echo(f"{path}: {len(dots.positions)} dots in {seconds:.1f} s")
    return Entry.of_stipples(path.name, title, dots, seconds, dark=params.invert)


def _vectorize(client: Client, name: str, title: str, params: VectorizeParams, output: Path) -> Entry:
    from tessera_backend.demo.gallery import Entry

    from .vectorize import from_result

    result, seconds = _done(client, "vectorize", params, _picture())
    data, meta = from_result(result)
    path = output / f"vectorize-{name}.svg"
    path.write_bytes(data)
    click.echo(f"{path}: {meta['paths']} paths in {seconds:.1f} s")
    return Entry.of_shapes(path.name, title, meta, len(data), seconds)


def _voxelize(client: Client, name: str, title: str, params: VoxelizeParams, output: Path) -> Entry:
    from tessera_backend.demo.gallery import Entry
    from tessera_backend.demo.model import robot

    from .voxelize import buffers_of, from_result, save, to_picture, told

    result, seconds = _done(client, "voxelize", params, buffers_of(robot()))
    voxels = from_result(result)
    paths = [output / f"voxelize-{name}{suffix}" for suffix in (".png", ".vox", ".glb")]
    paths[0].write_bytes(to_picture(voxels))
    for path in paths[1:]:
        save(voxels, path)
    click.echo(f"{paths[1]}: {told(voxels)} in {seconds:.1f} s")
    return Entry.of_voxels(*(path.name for path in paths), title=title, meta=voxels.meta, seconds=seconds)


def _picture() -> dict[str, Buffer]:
    """The bundled one, as jobs want it."""
    from tessera_backend.demo import still_life
    from tessera_protocol.client import Buffer

    return {"image": Buffer.file(still_life(), "image/png")}


def _done(client: Client, job: str, params: object, inputs: dict[str, Buffer]) -> tuple[Result, float]:
    """A job done, and the seconds it took."""
    started = time.monotonic()
    with ProgressBar() as bar:
        job_id = client.submit(job, params, inputs)
        result = client.follow(job_id, lambda p: bar(p.stage, p.fraction, p.text))
    seconds = time.monotonic() - started
    client.acknowledge(job_id)
    return result, seconds


def _wait_until_warm(client: Client) -> None:
    """So that the first picture's seconds are its own, and not the compiler's."""
    with ProgressBar() as bar:
        while (workers := client.status()["workers"]) and all(worker["state"] != "ready" for worker in workers):
            bar("compiling", 0.0, "Getting ready; the first run compiles its kernels, which takes up to a minute")
            time.sleep(0.1)
