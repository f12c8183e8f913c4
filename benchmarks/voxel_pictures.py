"""The pictures of docs/guide-voxelize.md, drawn from the demo's own model.

python benchmarks/voxel_pictures.py                  # all of them, into docs/images
python benchmarks/voxel_pictures.py thin --out .     # one of them
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import voxel_sheet
from tessera_backend.voxelize import voxelize
from tessera_backend.voxelize.export import sheet as sheets
from tessera_backend.voxelize.mesh import Mesh
from tessera_backend.voxelize.render import preview
from tessera_backend.voxelize.sides import view_shape
from tessera_backend.voxelize.source import load
from tessera_backend.voxelize.voxels import Voxels
from tessera_protocol.jobs import VoxelizeParams
from voxel_spider import spider

ROOT = Path(__file__).parent.parent
GROUND = (247, 245, 241)
# Colours of the files: soft shadows survive, and a picture has a third of the bytes.
COLORS = 256
GAP = 10
# What is drawn over what in the sheet, sRGB: a jersey gets stripes, a face another look.
JERSEY, EYES = np.array([31, 156, 151]), np.array([111, 240, 212])
STRIPES, STARE = (250, 244, 230), (255, 190, 70)
# Four greens in the manner of the first handheld consoles.
HANDHELD = "#1e2a17 #4a6032 #93a653 #dbe2a0"

Cell = Image.Image


def sizes(mesh: Mesh) -> list[list[Cell]]:
    """25, 32, 50 and 64 voxels of twelve colours, from the front and from behind."""
    made = [_made(mesh, side=side, colors=12) for side in (25, 32, 50, 64)]
    return [[_cell(voxels, 320, azimuth=azimuth) for voxels in made] for azimuth in (35.0, 215.0)]


def turntable(mesh: Mesh) -> list[list[Cell]]:
    """One piece of 48 voxels, an eighth of a turn further each time."""
    made = _made(mesh)
    turned = [_cell(made, 320, azimuth=35.0 + 45 * step, steady=True) for step in range(8)]
    return [turned[:4], turned[4:]]


def palettes(mesh: Mesh) -> list[list[Cell]]:
    """4, 8 and 16 colours that the mesh chose, and four that were given."""
    made = [_made(mesh, colors=count) for count in (4, 8, 16)]
    made.append(_made(mesh, palette=HANDHELD))
    return [[_with_swatches(voxels, 330) for voxels in made]]


def crispness(mesh: Mesh) -> list[list[Cell]]:
    """Crisp, half, faithful, from the front."""
    made = [_made(mesh, crispness=share) for share in (1.0, 0.5, 0.0)]
    return [[_cell(voxels, 420, azimuth=12.0, elevation=12.0) for voxels in made]]


def thin(_: Mesh) -> list[list[Cell]]:
    """A spider's legs dropped, kept, thickened; the body as large in all three."""
    made = [_made(spider(), side=44, thin=what) for what in ("drop", "keep", "thicken")]
    dropped = _cell(made[0], round(360 * _span(made[0]) / _span(made[1])))
    small = Image.new("RGB", (360, 360), GROUND)
    small.paste(dropped, ((360 - dropped.width) // 2, 175 - dropped.height // 2))
    return [[small, *(_cell(voxels, 360) for voxels in made[1:])]]


def outline(mesh: Mesh) -> list[list[Cell]]:
    """The mesh itself, and its voxels without and with an outline."""
    made = [_made(mesh, outline=drawn) for drawn in (False, True)]
    return [[_on_ground(voxel_sheet.picture(mesh, 420)), *(_cell(voxels, 420) for voxels in made)]]


def sheet(mesh: Mesh) -> list[list[Cell]]:
    """A sheet as it was written and as somebody drew on it, over the voxels of both."""
    before = _made(mesh, side=32, colors=10)
    drawn = _drawn_on(np.array(Image.open(io.BytesIO(sheets.to_sheet(before)))), before)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG")
    after = voxelize(mesh, VoxelizeParams(side=32, colors=10, engine="voxify"), sheet=file.getvalue())
    pictures = [np.array(Image.open(io.BytesIO(sheets.to_sheet(voxels)))) for voxels in (before, after)]
    return [[_pixels(picture, 420) for picture in pictures], [_cell(voxels, 420) for voxels in (before, after)]]


def _drawn_on(picture: np.ndarray, voxels: Voxels) -> np.ndarray:
    """A sheet with a striped jersey on four sides, and eyes of another colour in front."""
    corners, _ = sheets.layout(voxels.labels.shape)
    for side in ("front", "right", "back", "left"):
        row, column = corners[side]
        height, width = view_shape(voxels.labels.shape, side)
        view = picture[row : row + height, column : column + width]
        jersey = np.abs(view[..., :3].astype(int) - JERSEY).sum(2) < 90
        view[jersey & (np.arange(height)[:, None] % 2 == 1)] = (*STRIPES, 255)
        view[(np.abs(view[..., :3].astype(int) - EYES).sum(2) < 90) & (side == "front")] = (*STARE, 255)
    return picture


PICTURES: Mapping[str, Callable[[Mesh], list[list[Cell]]]] = {
    "sizes": sizes,
    "turntable": turntable,
    "palettes": palettes,
    "crispness": crispness,
    "thin": thin,
    "outline": outline,
    "sheet": sheet,
}


def _made(mesh: Mesh, **params: object) -> Voxels:
    return voxelize(mesh, VoxelizeParams(**params))  # type: ignore[arg-type]


def _cell(voxels: Voxels, side: int, **view: float) -> Cell:
    return _on_ground(Image.fromarray(preview.preview(voxels, side, **view)))  # type: ignore[arg-type]


def _span(voxels: Voxels) -> float:
    """The longer side of what a preview frames, in voxels."""
    places = np.argwhere(voxels.solid) @ voxel_sheet.rotation()[:2].T
    return float(np.ptp(places, 0).max())


def _with_swatches(voxels: Voxels, side: int) -> Cell:
    """The voxels over a row of the colours that occur, the most frequent first."""
    voxel_cell = _cell(voxels, side)
    many = np.bincount(voxels.labels[voxels.solid] - 1, minlength=len(voxels.palette))
    used = [index for index in np.argsort(-many) if many[index]]
    size, gap = 14, 2
    cell = Image.new("RGB", (side, side + 2 * size), GROUND)
    cell.paste(voxel_cell)
    left = (side - len(used) * (size + gap) + gap) // 2
    for place, index in enumerate(used):
        color = tuple(int(value) for value in voxels.palette[index])
        cell.paste(color, (left + place * (size + gap), side, left + place * (size + gap) + size, side + size))
    return cell


def _pixels(picture: np.ndarray, side: int) -> Cell:
    """A sheet, each pixel a square, in the middle of a cell."""
    zoom = side // max(picture.shape[:2])
    large = Image.fromarray(picture.repeat(zoom, 0).repeat(zoom, 1))
    cell = Image.new("RGBA", (side, side))
    cell.paste(large, ((side - large.width) // 2, (side - large.height) // 2))
    return _on_ground(cell)


def _on_ground(cell: Cell) -> Cell:
    whole = Image.new("RGBA", cell.size, GROUND)
    whole.alpha_composite(cell)
    return whole.convert("RGB")


def save(path: Path, rows: Sequence[Sequence[Cell]]) -> None:
    """Cells side by side, rows below each other, without the ground that all have at the same side."""
    cells = np.stack([[np.asarray(cell) for cell in row] for row in rows])
    drawn = (cells != GROUND).any((0, 1, 4))
    box = [np.flatnonzero(drawn.any(axis)) for axis in (1, 0)]
    (top, bottom), (left, right) = [(max(0, at[0] - GAP), at[-1] + 1 + GAP) for at in box]
    cells = cells[:, :, top:bottom, left:right]
    page = Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in cells], 0))
    few = page.quantize(COLORS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path}: {page.width} x {page.height}, {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Draw those that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*PICTURES, []], metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--mesh", type=Path, metavar="FILE", help="another mesh than the demo's")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images", metavar="FOLDER")
    options = parser.parse_args()
    mesh = load.load(options.mesh)[0] if options.mesh else _model()
    for name in options.names or PICTURES:
        save(options.out / f"voxelize-{name}.png", PICTURES[name](mesh))


def _model() -> Mesh:
    from tessera_backend.demo.model import robot

    return robot()


if __name__ == "__main__":
    main()
