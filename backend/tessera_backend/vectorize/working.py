"""The raster that shapes are fitted to: the picture scaled down, colours straight, alpha apart."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image
from scipy import ndimage

from ..progress import Progress
from .segment import sharpen

# Alpha under which a pixel counts as outside of the picture's shapes, and over which as inside.
CLEAR = 0.5
# Where there is more between clear and opaque than the rims of shapes: from which alpha on something is there, and from
# which on nothing shows through.
FAINT, OPAQUE = 1 / 48, 0.95
# Rims are that many px wide, at most; more is seen through if it is this share of what is there.
_RIMS, _SOME = 2, 0.002
# Fewer pixels, or a side no longer than that, px, and a picture is tiny.
_TINY, _THIN = 64, 2
# A longer side that is more than so many times the other one.
_BANNER = 4
_STRIP_PIXELS = 1 << 22


@dataclasses.dataclass(frozen=True)
class Working:
    """A picture to vectorize.

    Attributes:
        image: float32 (H, W, 3), sRGB in [0, 1], straight; transparent pixels have the colour of near opaque ones.
        alpha: float32 (H, W), from 0 to 1; None for an opaque picture.
        size: width and height of the picture itself, px.
        solid: float32 (H, W), alpha with sharp rims; None where nothing but rims is translucent.
    """

    image: np.ndarray
    alpha: np.ndarray | None
    size: tuple[int, int]
    solid: np.ndarray | None = None

    @property
    def inside(self) -> np.ndarray:
        """bool (H, W): the pixels that shapes have to cover."""
        if self.alpha is None:
            return np.ones(self.image.shape[:2], bool)
        return self.alpha >= CLEAR if self.solid is None else self.solid >= FAINT

    @property
    def veil(self) -> np.ndarray:
        """bool (H, W): the pixels that are translucent, and no rims."""
        none = np.zeros(self.image.shape[:2], bool)
        return none if self.solid is None else (self.solid >= FAINT) & (self.solid < OPAQUE)

    @property
    def tiny(self) -> bool:
        """Whether there is no room for curves."""
        return _tiny(self.image.shape[:2])

    @property
    def target(self) -> np.ndarray:
        """What a rasterized drawing is compared with: float32 (H, C, W), RGB, or premultiplied RGBA with alpha."""
        if self.alpha is None:
            return np.ascontiguousarray(self.image.transpose(0, 2, 1))
        rgba = np.concatenate([self.image * self.alpha[..., None], self.alpha[..., None]], axis=2)
        return np.ascontiguousarray(rgba.transpose(0, 2, 1))

    @property
    def rgba(self) -> np.ndarray:
        """float32 (H, W, 3) of an opaque picture, else (H, W, 4), straight."""
        return self.image if self.alpha is None else np.dstack([self.image, self.alpha])


def prepare(image: np.ndarray, resolution: int, progress: Progress) -> Working:
    """The working raster of a picture.

    Args:
        image: as `pixels.check_image` returns it.
        resolution: its longer side at most, px; smaller pictures stay as they are. Banners that are longer than four
            times their other side have as many pixels as one that is not.
    """
    height, width = image.shape[:2]
    scale = min(1.0, max(resolution / max(height, width), resolution / np.sqrt(_BANNER * height * width)))
    raster = (max(1, round(height * scale)), max(1, round(width * scale)))
    premultiplied = _scaled(image, raster, progress)
    alpha = premultiplied[..., 3]
    if alpha.min() >= 1 - 1e-3:
        return Working(np.ascontiguousarray(premultiplied[..., :3]), None, (width, height))
    solid = _solid(alpha)
    known = alpha >= CLEAR if solid is None else solid >= FAINT
    image = _straight(premultiplied, known)
    return Working(image, np.ascontiguousarray(alpha), (width, height), solid)


def _scaled(image: np.ndarray, raster: tuple[int, int], progress: Progress) -> np.ndarray:
    """float32 (*raster, 4), premultiplied RGBA; strips of rows, so that a huge picture is never there as floats."""
    height, width = image.shape[:2]
    narrow = np.empty((height, raster[1], 4), np.float32)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        progress("reading", top / height, "Scaling the picture")
        strip = _premultiplied(image[top : top + rows])
        narrow[top : top + rows] = _resized(strip, (strip.shape[0], raster[1]))
    return np.clip(_resized(narrow, raster), 0.0, 1.0)


def _premultiplied(image: np.ndarray) -> np.ndarray:
    """float32 (H, W, 4) of any kind of picture."""
    white = np.float32(np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1.0)
    values = image.astype(np.float32) / white
    if values.ndim == 2:
        values = values[..., None]
    channels = values.shape[2]
    rgba = np.ones((*values.shape[:2], 4), np.float32)
    rgba[..., :3] = values[..., :3] if channels > 2 else values[..., :1]
    if channels in (2, 4):
        rgba[..., 3] = values[..., -1]
        rgba[..., :3] *= rgba[..., 3:]
    return rgba


def _resized(values: np.ndarray, raster: tuple[int, int]) -> np.ndarray:
    """Channel by channel, as Pillow's floats have one; area averages."""
    if values.shape[:2] == raster:
        return values
    bands = [Image.fromarray(np.ascontiguousarray(values[..., c])) for c in range(values.shape[2])]
    return np.stack([np.asarray(band.resize(raster[::-1], Image.Resampling.HAMMING)) for band in bands], axis=2)


def _tiny(shape: tuple[int, ...]) -> bool:
    return shape[0] * shape[1] <= _TINY or min(shape) <= _THIN


def _solid(alpha: np.ndarray) -> np.ndarray | None:
    """`Working.solid`; the alpha itself of what is too small to have rims."""
    if _tiny(alpha.shape):
        return alpha
    sharp = sharpen(np.repeat(alpha[..., None], 3, axis=2), passes=_RIMS)[..., 0]
    there = sharp >= FAINT
    veil = np.pad(there & (sharp < OPAQUE), 1, mode="edge")
    wide = ndimage.binary_opening(veil, np.ones((3, 3)))
    return sharp if wide.sum() > _SOME * there.sum() else None


def _straight(premultiplied: np.ndarray, known: np.ndarray) -> np.ndarray:
    """float32 (H, W, 3): colours without their alpha; where they are not known, those of the nearest pixels."""
    if not known.any():
        return np.ones((*known.shape, 3), np.float32)
    colors = premultiplied[..., :3] / np.maximum(premultiplied[..., 3:], 1e-3)
    return np.clip(extended(colors, known), 0.0, 1.0)


def extended(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Values (H, W, C), of the nearest known pixel each."""
    rows, columns = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return values[rows, columns]
