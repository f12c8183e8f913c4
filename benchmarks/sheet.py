"""A contact sheet: every picture by every method, dots of one size, their ink in proportion to the tone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 420
GAP = 12
LABEL = 26
# Drawn this many times larger, then averaged: Pillow's own circles have jagged edges.
SUPERSAMPLING = 2
# Dots drawn with all the ink of the tone would fill the darks; with this share of it, their spacing shows.
INK = 0.7


def thumbnail(grey: NDArray[np.uint8]) -> Image.Image:
    """The input, at the size of a cell."""
    picture = Image.fromarray(grey)
    return picture.resize(_size(picture.width / picture.height), Image.Resampling.LANCZOS)


def dots(positions: NDArray[np.float64], grey: NDArray[np.uint8]) -> Image.Image:
    """Black dots of one size on white.

    Args:
        positions: (N, 2), shares of the sides, x right, y down.
        grey: the input; the dots' area adds up to `INK` of its mass.
    """
    width, height = (SUPERSAMPLING * side for side in _size(grey.shape[1] / grey.shape[0]))
    ink = float((255 - grey.astype(np.float64)).mean() / 255) * width * height
    radius = math.sqrt(INK * ink / (math.pi * max(len(positions), 1)))
    canvas = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(canvas)
    for x, y in positions * (width, height):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return canvas.resize((width // SUPERSAMPLING, height // SUPERSAMPLING), Image.Resampling.BOX)


Rows = Sequence[tuple[str, Sequence[Image.Image | None]]]


def save(path: Path, heads: Sequence[str], rows: Rows, side: int = SIDE) -> None:
    """Lay the pictures out, none wider than `side`, a label above each column and each row."""
    font = ImageFont.load_default(15)
    row_heights = [LABEL + GAP + max(p.height for p in pictures if p) for _, pictures in rows]
    page = Image.new("RGB", (GAP + len(heads) * (side + GAP), LABEL + GAP + sum(row_heights)), "#ebebeb")
    pen = ImageDraw.Draw(page)
    for column, head in enumerate(heads):
        pen.text((GAP + column * (side + GAP), GAP // 2), head, fill="black", font=font)
    top = LABEL
    for (label, pictures), height in zip(rows, row_heights, strict=True):
        pen.text((GAP, top + 4), label, fill="black", font=font)
        for column, picture in enumerate(pictures):
            if picture is not None:
                page.paste(picture, (GAP + column * (side + GAP), top + LABEL))
        top += height
    page.save(path)


def _size(aspect: float) -> tuple[int, int]:
    return (SIDE, round(SIDE / aspect)) if aspect >= 1 else (round(SIDE * aspect), SIDE)
