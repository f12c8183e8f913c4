"""What is measured of a drawing, everybody's alike: from the SVG as written, rendered by resvg."""

from __future__ import annotations

import functools
import io

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from tessera_backend.vectorize import metrics
from tessera_backend.vectorize.drawing import Drawing
from tessera_backend.vectorize.masks import merging
from vector_pictures import Picture

Floats = NDArray[np.float32]

# Seams are looked for at this zoom; a pixel shows the ground when two grounds differ by more than this in it.
SEAM_ZOOM, SEEN = 4, 0.02


def render(svg: str, width: int, height: int, background: str = "#ffffff") -> Floats:
    """The drawing on a plain ground, float32 (height, width, 3) in [0, 1]."""
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=width, height=height, background=background, skip_system_fonts=True
    )
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB"), np.float32) / 255


def mse(drawn: Floats, target: Floats) -> float:
    """Mean squared error over pixels and channels."""
    return float(np.square(drawn - target).mean(dtype=np.float64))


def ssim(drawn: Floats, target: Floats) -> float:
    """scikit-image's, 7 px windows, mean over the channels."""
    return float(structural_similarity(drawn, target, channel_axis=2, data_range=1.0))


def vec(drawing: Drawing, picture: Picture) -> float:
    """Vector compactness: the share of paths of which more than 85 % lies in one of the picture's masks."""
    return metrics.vec(drawing, _masks(picture))


def seams(svg: str, width: int, height: int) -> int:
    """How many pixels, at four times the size, let the ground through: 0 is right, every picture is opaque."""
    grounds = [render(svg, SEAM_ZOOM * width, SEAM_ZOOM * height, ground) for ground in ("#ff00ff", "#00ff00")]
    return int((np.abs(grounds[0] - grounds[1]).max(2) > SEEN).sum())


@functools.lru_cache(maxsize=1)
def _masks(picture: Picture) -> list[NDArray[np.bool_]]:
    """The parts that region merging finds in the picture, (H, W) each: the same for every method."""
    return merging.masks(picture.target)
