"""Contact sheets: each mesh, and what every method makes of it, drawn by one renderer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import sheet
from tessera_backend.voxelize.mesh import Mesh
from tessera_backend.voxelize.render import preview
from tessera_backend.voxelize.render.views import free_view
from tessera_backend.voxelize.source import load
from tessera_backend.voxelize.voxels import Voxels
from voxel_results import Run, Store
from voxel_subjects import SHOWN, Subject

SIDE, SMALL = 300, 144
PUBLISHED = ("trimesh filled", "Blender Blocks", "Tessera surface crisp", "Tessera voxify crisp")
# As the previews look; meshes are drawn this many times larger, then averaged.
AZIMUTH, ELEVATION, SAMPLES = 35.0, 24.0, 3
GROUND = (235, 235, 235)


def draw(folder: Path, store: Store, runs: Sequence[Run]) -> None:
    """`all.png`, not to be published: all meshes, all methods."""
    folder.mkdir(parents=True, exist_ok=True)
    heads, rows = _rows(store, runs, SIDE)
    sheet.save(folder / "all.png", heads, [(subject.name, cells) for subject, cells in rows], SIDE)


def publish(path: Path, store: Store, runs: Sequence[Run]) -> None:
    """A small picture of the meshes that may be shown anywhere, by some methods, in 256 colours; with credits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [run for run in runs if run.subject.name in SHOWN and run.method.name in PUBLISHED]
    heads, rows = _rows(store, shown, SMALL)
    sheet.save(path, heads, [(f"{s.name}: {SHOWN[s.name]}, CC0-1.0", cells) for s, cells in rows], SMALL)
    with Image.open(path) as large:
        few = large.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def rotation() -> np.ndarray:
    """What is right, up, and towards the eye, as rows, where previews are seen from."""
    around, above = np.radians(AZIMUTH), np.radians(ELEVATION)
    towards = np.array([np.sin(around) * np.cos(above), -np.cos(around) * np.cos(above), np.sin(above)])
    right = np.array([np.cos(around), np.sin(around), 0.0])
    return np.stack([right, np.cross(towards, right), towards])


def picture(mesh: Mesh, side: int) -> Image.Image:
    """The mesh itself in its plain colours, framed as previews are, RGBA."""
    turn = rotation()
    seen = mesh.positions.reshape(-1, 3) @ turn.T
    low, high = seen.min(0), seen.max(0)
    center, radius = (low + high) / 2 @ turn, (high - low)[:2].max() / 2 / (1 - 2 * preview.MARGIN)
    found = free_view(mesh, turn, side * SAMPLES, center=center, radius=radius)
    pixels = np.dstack([found.color, found.hit]) * np.float32(255)
    large = Image.fromarray(np.rint(pixels).astype(np.uint8), "RGBA")
    return large.resize((side, side), Image.Resampling.BOX)


def on_ground(pixels: Image.Image) -> Image.Image:
    """RGBA on the sheet's own grey."""
    whole = Image.new("RGBA", pixels.size, GROUND)
    whole.alpha_composite(pixels)
    return whole.convert("RGB")


def drawn(voxels: Voxels, side: int) -> Image.Image:
    """Voxels in soft light, RGBA."""
    return Image.fromarray(preview.preview(voxels, side, azimuth=AZIMUTH, elevation=ELEVATION))


def _rows(store: Store, runs: Sequence[Run], side: int) -> tuple[list[str], list[tuple[Subject, list[Image.Image]]]]:
    """Heads of the columns, and for each mesh its cells."""
    rows = []
    for subject in dict.fromkeys(run.subject for run in runs):
        own = [run for run in runs if run.subject == subject]
        cells = [picture(load.load(subject.path)[0], side), *(drawn(store.voxels(run), side) for run in own)]
        rows.append((subject, [on_ground(cell) for cell in cells]))
    return ["mesh", *dict.fromkeys(run.method.name for run in runs)], rows
