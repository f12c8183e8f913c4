"""`tessera voxelize`: a mesh becomes palette voxels, in this process or through the running backend."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera_protocol.errors import error
from tessera_protocol.jobs import VoxelizeParams
from tessera_protocol.jobs.colors import is_color, palette_colors

from .. import files
from . import runs
from .bar import EarlyEnd, ProgressBar
from .options import given, job_options

if TYPE_CHECKING:
    from tessera_backend.voxelize import Mesh, Voxels
    from tessera_protocol.messages import Buffer, Result

# As `voxelize.export.files` writes them, which would load numpy.
KINDS = (".vox", ".glb", ".obj", ".ply", ".png", ".npz", ".json")
PREVIEW_PIXELS = 800


@click.command("voxelize")
@click.argument("mesh", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A .vox, .glb, .obj, .ply (points), .png (sheet of six views), .npz or .json file [default: a .vox beside "
    "MESH].",
)
@click.option("--preview", type=click.Path(path_type=Path), help="A .png file, too: the voxels in soft light.")
@click.option(
    "--sheet", type=click.Path(path_type=Path), help="Six views as they shall look, as -o SHEET.png wrote them."
)
@click.option(
    "--device", default="cpu", show_default=True, help="Where networks run: cpu, cuda or mps; not with --backend."
)
@click.option("--backend", "through_backend", is_flag=True, help="Let the running backend do it (tessera serve).")
@job_options(VoxelizeParams)
def voxelize_command(
    mesh: Path,
    output: Path | None,
    preview: Path | None,
    sheet: Path | None,
    device: str,
    through_backend: bool,
    **options: Any,
) -> None:
    """Turn MESH (.glb, .gltf, .obj, .ply or .stl) into voxels of a few colours.

    PALETTE may also be a file: hex colours, .gpl, .ase, JASC .pal, or a picture of at most 255 colours.
    """
    options["palette"] = _palette(options["palette"])
    params = given(VoxelizeParams, options)
    output = output or files.beside(mesh, ".vox")
    files.check_output(output, KINDS, "art.vox")
    _check_preview(preview, output)
    views = None if sheet is None else files.read("sheet", sheet)
    started = time.monotonic()
    with ProgressBar() as bar, EarlyEnd() as early:
        bar("reading", 0.0, f"Reading {mesh.name}")
        from tessera_backend.voxelize.source.load import load

        shape, notes = load(mesh)
        if through_backend:
            voxels = _there(shape, params, views, bar, early)
        else:
            voxels = _here(shape, params, views, device, bar, early)
        shown = None if preview is None else to_picture(voxels)
    seconds = time.monotonic() - started
    save(voxels, output)
    if preview is not None and shown is not None:
        files.write(preview, shown)
    for note in [*notes, *voxels.meta.get("notes", ())]:
        click.echo(f"Note: {note}", err=True)
    click.echo(f"{output}: {told(voxels)}, {seconds:.1f} s")


def told(voxels: Voxels) -> str:
    """Voxels in a line."""
    import numpy as np

    x, y, z = voxels.labels.shape
    colors = np.count_nonzero(np.bincount(voxels.labels.ravel())[1:])
    return (
        f"{voxels.meta['voxels']:,} voxels of {colors} colour{'s' if colors > 1 else ''}, {x} x {y} x {z}, "
        f"engine {voxels.meta['engine']}"
    )


def save(voxels: Voxels, output: Path) -> None:
    """Write voxels as their file's ending asks."""
    from tessera_backend.voxelize.export import files as voxel_files

    voxel_files.write(output, voxels)


def save_result(result: Result, output: Path) -> str:
    """Write a job's result, and say what it is."""
    files.check_output(output, KINDS, "art.vox")
    voxels = from_result(result)
    save(voxels, output)
    return told(voxels)


def from_result(result: Result) -> Voxels:
    """The voxels in a job's result."""
    from tessera_backend import jobs
    from tessera_backend.voxelize.export.arrays import from_arrays

    arrays = {name: jobs.array(result.buffers[name]) for name in ("labels", "palette")}
    return from_arrays(arrays, dict(result.meta))


def _palette(text: str | None) -> str | None:
    """Colours as the job wants them, of a list of them or of a palette file."""
    if text is None or all(map(is_color, palette_colors(text))):
        return text
    if "." not in text and not os.path.isfile(text):
        return text  # colours, of which one is none: it will be told which
    from tessera_backend import palettes

    return " ".join(f"#{color}" for color in palettes.to_hex(palettes.read(Path(text))).split())


def _check_preview(preview: Path | None, output: Path) -> None:
    if preview is None:
        return
    files.check_output(preview, (".png",), "preview.png")
    if preview.resolve() == output.resolve():
        raise error(
            "unusable-input",
            f"The preview and the output are one file, {output}.",
            field="preview",
            given=str(preview),
            remedy="Give them two names.",
        )


def to_picture(voxels: Voxels) -> bytes:
    """A PNG of voxels in soft light, on a transparent ground."""
    from tessera_backend import images
    from tessera_backend.voxelize.render.preview import preview

    return images.encode_png(preview(voxels, PREVIEW_PIXELS))


def _here(
    shape: Mesh, params: VoxelizeParams, sheet: bytes | None, device: str, bar: ProgressBar, early: EarlyEnd
) -> Voxels:
    runs.say_if_cold(bar)
    from tessera_backend.progress import Progress
    from tessera_backend.voxelize import voxelize

    return voxelize(shape, params, Progress(bar, enough=early.asked), sheet=sheet, device=device)


def _there(shape: Mesh, params: VoxelizeParams, sheet: bytes | None, bar: ProgressBar, early: EarlyEnd) -> Voxels:
    from tessera_protocol.client import Buffer

    inputs = buffers_of(shape) | ({} if sheet is None else {"sheet": Buffer.file(sheet, "image/png")})
    return runs.through_backend("voxelize", params, inputs, bar, from_result, early.asked)


def buffers_of(shape: Mesh) -> dict[str, Buffer]:
    """A mesh as the job's inputs."""
    from tessera_backend import jobs
    from tessera_backend.voxelize.source.scene import packed
    from tessera_protocol.client import Buffer

    header, arrays = packed(shape)
    made = {name: jobs.as_buffer(values) for name, values in arrays.items()}
    return made | {"scene": Buffer.file(header, "application/json")}
