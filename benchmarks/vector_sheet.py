"""Contact sheets: the picture beside everybody's drawing of it, whole and a crop at eight times the size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

import sheet
from results import Record, Store
from tessera_backend.vectorize import metrics
from vector_methods import Method
from vector_pictures import SHOWN, SIDE, Picture

# The crop's side, px of the picture, and how much it is enlarged.
CROP, ZOOM = 64, 8
# A cell's side on the page that has all pictures.
SMALL = 240


def draw(folder: Path, store: Store, methods: Sequence[Method], inputs: Sequence[Picture], budget: int) -> None:
    """One sheet for each picture, and a page of those that may be shown anywhere, each small."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = ["original", *(method.name for method in methods)]
    overview = []
    for picture in inputs:
        found = [store.find(method, picture, budget) for method in methods]
        whole = [Image.fromarray(picture.pixels), *(drawn and _render(drawn[1]) for drawn in found)]
        corner = _busiest(picture)
        crops = [_enlarged(picture, corner), *(drawn and _crop(drawn[1], corner) for drawn in found)]
        told = f"{picture.name}, {budget} paths at most. {'; '.join(_told(drawn[0]) for drawn in found if drawn)}"
        rows = [(told, whole), (f"{ZOOM} times the size, from {corner}", crops)]
        sheet.save(folder / f"{picture.name}-{budget}.png", heads, rows, SIDE)
        if picture.name in SHOWN:
            overview.append((picture.name, [cell and _small(cell) for cell in whole]))
    sheet.save(folder / f"all-{budget}.png", heads, overview, SMALL)


def _told(record: Record) -> str:
    return f"{record.method}: MSE {record.mse:.5f}, SSIM {record.ssim:.3f}, {record.bytes / 1000:.0f} kB"


def _busiest(picture: Picture) -> tuple[int, int]:
    """The corner of the crop with the strongest edges."""
    grey = picture.target.mean(2)
    edges = ndimage.gaussian_gradient_magnitude(grey, 1.0)
    sums = ndimage.uniform_filter(edges, CROP, origin=-(CROP // 2))
    height, width = grey.shape
    y, x = np.unravel_index(np.argmax(sums[: height - CROP, : width - CROP]), (height - CROP, width - CROP))
    return int(x), int(y)


def _render(svg: str, zoom: int = 1) -> Image.Image:
    return Image.fromarray(np.rint(metrics.rendered(svg.encode(), zoom) * 255).astype(np.uint8))


def _crop(svg: str, corner: tuple[int, int]) -> Image.Image:
    x, y = (ZOOM * place for place in corner)
    return _render(svg, ZOOM).crop((x, y, x + ZOOM * CROP, y + ZOOM * CROP))


def _enlarged(picture: Picture, corner: tuple[int, int]) -> Image.Image:
    x, y = corner
    crop = Image.fromarray(picture.pixels).crop((x, y, x + CROP, y + CROP))
    return crop.resize((ZOOM * CROP, ZOOM * CROP), Image.Resampling.NEAREST)


def _small(cell: Image.Image) -> Image.Image:
    small = cell.copy()
    small.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
    return small
