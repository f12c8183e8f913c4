"""From a picture to the density that dots follow: 0 is paper, 1 is the darkest tone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from .page import Box

# Rec. 601, as docs/conventions.md says.
LUMA = (np.float32(0.299), np.float32(0.587), np.float32(0.114))
# Less than one step of 16 bit, more than the rounding of float32 arithmetic.
LEAST = 1e-5
_STRIP_PIXELS = 1 << 20


@dataclasses.dataclass(frozen=True)
class Inked:
    """Where a picture can carry dots: the smallest box around it, image pixels, and its share of that box."""

    box: Box
    share: float


def inked(image: np.ndarray, params: StippleParams, progress: Progress) -> Inked | None:
    """Where the tones are over white and the cut-off, before any stretch; None if they are nowhere."""
    least = LEAST if params.autocontrast else max(params.white_cutoff - LEAST, LEAST)
    columns = np.zeros(image.shape[1], bool)
    rows = np.zeros(image.shape[0], bool)
    pixels = 0
    for top, strip in _strips(image, 1, progress):
        there = ink(strip, params.invert) >= least
        rows[top : top + len(strip)] = there.any(axis=1)
        columns |= there.any(axis=0)
        pixels += int(np.count_nonzero(there))
    if not pixels:
        return None
    down, across = np.flatnonzero(rows), np.flatnonzero(columns)
    box = Box(float(across[0]), float(down[0]), float(across[-1] + 1), float(down[-1] + 1))
    return Inked(box, pixels / (box.width * box.height))


def resampled(
    image: np.ndarray, window: Box, raster: tuple[int, int], params: StippleParams, progress: Progress
) -> np.ndarray:
    """Density of a part of the picture on a raster.

    Shrinking averages over areas. Enlarging interpolates between pixel centres, but leaves empty what is empty in
    the picture: no dot strays onto white paper.

    Args:
        image: as `pixels.check_image` returns it.
        window: the part, in image pixels.
        raster: height and width.
        params: invert, autocontrast, white_cutoff and gamma are read.
    Returns:
        float32 (height, width), [0, 1].
    """
    plain = tones(image, window, raster, params.invert, progress)
    if params.autocontrast:
        stretch(plain)
    return tone_curve(plain, params.white_cutoff, params.gamma)


def colours(
    image: np.ndarray, window: Box, raster: tuple[int, int], params: StippleParams, progress: Progress
) -> np.ndarray:
    """The colours of a part of the picture on a raster, on white paper, or on black if inverted.

    Stretch, cut-off and gamma are those of the tones: they take each channel as far from the paper as the grey.

    Args and resampling as of `resampled`.

    Returns:
        sRGB, float32 (height, width, 3), [0, 1].
    """
    away = np.empty((*raster, 3), np.float32)
    for c in range(3):
        part = progress.part(c / 3, (c + 1) / 3)
        away[..., c] = tones(_channel(image, c), window, raster, params.invert, part)
    grey = away @ np.array(LUMA)
    if params.autocontrast and (grey > LEAST).any():
        low, high = np.percentile(grey[grey > LEAST], (0.5, 99.5))
        if high > low:
            np.clip((away - np.float32(low)) / np.float32(high - low), 0, 1, out=away)
            grey = away @ np.array(LUMA)
    away[grey < max(params.white_cutoff - LEAST, LEAST)] = 0
    np.clip(away, 0, 1, out=away)
    if params.gamma != 1:
        np.power(away, np.float32(params.gamma), out=away)
    return away if params.invert else 1 - away


def tones(image: np.ndarray, window: Box, raster: tuple[int, int], invert: bool, progress: Progress) -> np.ndarray:
    """As `resampled`, without stretch, cut-off and gamma."""
    height, width = raster
    block = max(1, int(min(window.width / width, window.height / height)))
    plain = _averaged(image, block, invert, progress)
    box = (window.left / block, window.top / block, window.right / block, window.bottom / block)
    return plain if box == (0, 0, width, height) and plain.shape == raster else _scaled(plain, box, raster)


def _channel(image: np.ndarray, c: int) -> np.ndarray:
    """One colour of a picture as a grey one, its alpha kept."""
    if image.ndim == 2 or image.shape[2] == 2:
        return image
    return image[..., c] if image.shape[2] == 3 else image[..., [c, 3]]


def stretch(tones: np.ndarray) -> None:
    """Spread tones (in place) over [0, 1], from the 0.5th to the 99.5th percentile of what is not paper."""
    inked = tones[tones > LEAST]
    if inked.size:
        low, high = np.percentile(inked, (0.5, 99.5))
        if high > low:
            np.clip((tones - low) / (high - low), 0, 1, out=tones)


def tone_curve(tones: np.ndarray, white_cutoff: float, gamma: float) -> np.ndarray:
    """float32 density: tones (in place) below the cut-off become 0, the others go to the power of gamma."""
    tones[tones < max(white_cutoff - LEAST, LEAST)] = 0
    np.clip(tones, 0, 1, out=tones)
    return tones if gamma == 1 else np.power(tones, np.float32(gamma), out=tones)


def ink(image: np.ndarray, invert: bool) -> np.ndarray:
    """Tone of each pixel before cut-off and gamma, float32 (H, W), dark is 1.

    Transparency is paper, which is white, and black if inverted: it never asks for dots.
    """
    full = np.float32(1.0 if image.dtype.kind == "f" else np.iinfo(image.dtype).max)
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels >= 3:
        tones = image[..., 0] * LUMA[0] + image[..., 1] * LUMA[1]
        tones += image[..., 2] * LUMA[2]
    else:
        tones = (image if channels == 1 else image[..., 0]).astype(np.float32)
    tones /= full
    if not invert:
        np.subtract(1, tones, out=tones)
    if channels in (2, 4):
        tones *= image[..., -1].astype(np.float32) / full
    return tones


def _averaged(image: np.ndarray, block: int, invert: bool, progress: Progress) -> np.ndarray:
    """`ink` averaged over square blocks of pixels; blocks that the edge cuts count what there is."""
    if block == 1:
        tones = np.empty(image.shape[:2], np.float32)
        for top, strip in _strips(image, 1, progress):
            tones[top : top + len(strip)] = ink(strip, invert)
        return tones
    lefts = np.arange(0, image.shape[1], block)
    widths = np.diff(lefts, append=image.shape[1]).astype(np.float32)
    parts = []
    for _, strip in _strips(image, block, progress):
        tops = np.arange(0, len(strip), block)
        heights = np.diff(tops, append=len(strip)).astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(ink(strip, invert), tops, axis=0), lefts, axis=1)
        parts.append(sums / (heights[:, None] * widths))
    return np.concatenate(parts)


def _strips(image: np.ndarray, block: int, progress: Progress) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, rows), a multiple of `block` rows each: temporary floats are a megapixel, not a picture."""
    rows = block * max(1, _STRIP_PIXELS // (image.shape[1] * block))
    for top in range(0, image.shape[0], rows):
        progress("preparing", top / image.shape[0], "Reading tones")
        yield top, image[top : top + rows]


def _scaled(tones: np.ndarray, box: tuple[float, float, float, float], raster: tuple[int, int]) -> np.ndarray:
    """One axis at a time, since a stretched picture may shrink in one and grow in the other."""
    left, top, right, bottom = box
    height, width = raster
    picture = Image.fromarray(tones)
    wide = _resized(picture, (width, picture.height), (left, 0, right, picture.height), right - left >= width)
    scaled = _resized(wide, raster[::-1], (0, top, width, bottom), bottom - top >= height)
    there = Image.fromarray((tones > 0).astype(np.uint8) * 255).resize(raster[::-1], Image.Resampling.BOX, box)
    return np.where(np.asarray(there) > 0, np.asarray(scaled), np.float32(0))


def _resized(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float], shrinks: bool
) -> Image.Image:
    return picture.resize(size, Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR, box)
