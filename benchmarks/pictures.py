"""What the stipple benchmark is run on: the bundled picture, two formulas, and a folder of your own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from report import digest
from tessera_backend.demo import STILL_LIFE

Grey = NDArray[np.uint8]

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
# Standard deviation of the Gaussian, as a share of the picture's side.
SIGMA = 0.18


@dataclasses.dataclass(frozen=True)
class Picture:
    """One input.

    Attributes:
        name: as the tables call it.
        source: a hash of the file, or the formula.
        aspect: width over height.
        draw: (width, height) -> grey uint8 (height, width), 255 is paper.
    """

    name: str
    source: str
    aspect: float
    draw: Callable[[int, int], Grey]

    def raster(self, pixels: int) -> Grey:
        """The picture at about that many pixels: the very same bytes for every method and for the metrics."""
        height = round((pixels / self.aspect) ** 0.5)
        return self.draw(round(height * self.aspect), height)


def default(folder: Path | None) -> list[Picture]:
    """The bundled picture and the formulas, and whatever pictures lie in `folder`."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES) if folder else []
    return [_from_file(STILL_LIFE), ramp(), gaussian(), stress(), *map(_from_file, files)]


def ramp() -> Picture:
    """White at the left to black at the right, density x squared: its four strips have known shares."""

    def draw(width: int, height: int) -> Grey:
        x = (np.arange(width) + 0.5) / width
        return np.tile(_bytes(1 - x**2), (height, 1))

    return Picture("ramp", "density x^2", 1.0, draw)


def gaussian() -> Picture:
    """A round blot: density falls smoothly to paper."""

    def draw(width: int, height: int) -> Grey:
        x, y = (np.arange(width) + 0.5) / width - 0.5, (np.arange(height) + 0.5) / height - 0.5
        return _bytes(1 - np.exp(-(x**2 + y[:, None] ** 2) / (2 * SIGMA**2)))

    return Picture("gauss", f"density exp(-r^2 / (2 {SIGMA}^2))", 1.0, draw)


def stress() -> Picture:
    """A sharp peak among four hills (Balzer et al. 2009), on [-1, 1]^2: the paper's stress test."""

    def draw(width: int, height: int) -> Grey:
        x, y = (2 * (np.arange(side) + 0.5) / side - 1 for side in (width, height))
        hills = np.sin(np.pi * x) ** 2 * np.sin(np.pi * y[:, None]) ** 2
        return _bytes(1 - np.minimum(np.exp(-20 * (x**2 + y[:, None] ** 2)) + hills, 1))

    return Picture("stress", "density exp(-20 r^2) + sin(pi x)^2 sin(pi y)^2", 1.0, draw)


def _from_file(path: Path) -> Picture:
    with Image.open(path) as opened:
        picture = opened.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    grey = paper.convert("L")

    def draw(width: int, height: int) -> Grey:
        return np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR))

    return Picture(path.stem, f"sha256 {digest(path.read_bytes())}", grey.width / grey.height, draw)


def _bytes(shares: NDArray[np.float64]) -> Grey:
    return np.rint(shares * 255).astype(np.uint8)
