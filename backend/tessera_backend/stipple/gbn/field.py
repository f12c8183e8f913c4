"""What the density is to dots that are Gaussians: how wide they are where, and the field that pulls them."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import fft, ndimage

from ...progress import Progress
from . import kernels

# The field is worked out on at least so many inked pixels for each dot, the map on so many entries.
_FIELD_PIXELS = 32
_MAP_ENTRIES = 6
# Where dots are rarer than this share of their mean density, Gaussians do not become wider any more.
_FAINTEST = 1 / 32
# A width is that of the mean density around, which is the mean under the last guess at it.
_GUESSES = 3
# Deviations of the widest Gaussian that the field goes on beyond the picture.
_BORDER = 3.0


@dataclasses.dataclass(frozen=True)
class Pyramid:
    """Sums of a raster over blocks, as `kernels.under` takes them.

    Attributes:
        blocks: float64 (B,), all levels, the raster itself first.
        shapes: int64 (levels, 3), of each its rows, its columns, and where in `blocks` it begins.
        finest: side of the raster's pixels, in pixels of the density.
        border: how far it goes on beyond the density, pixels of the density.
    """

    blocks: np.ndarray
    shapes: np.ndarray
    finest: float = 1.0
    border: float = 0.0

    @classmethod
    def of(cls, raster: np.ndarray, finest: float = 1.0, border: float = 0.0) -> Pyramid:
        """Halve a raster, float64 (H, W), until one block is left."""
        levels = [raster]
        while max(levels[-1].shape) > 1:
            levels.append(halved(levels[-1]))
        begins = np.cumsum([0] + [level.size for level in levels[:-1]])
        shapes = np.array([(*level.shape, begin) for level, begin in zip(levels, begins, strict=True)], np.int64)
        return cls(np.concatenate([level.ravel() for level in levels]), shapes, finest, border)


@dataclasses.dataclass(frozen=True)
class Widths:
    """Variances of Gaussians all over the picture.

    Attributes:
        entries: float64 (h, w), square pixels.
        side: of the squares that the entries are for, pixels.
    """

    entries: np.ndarray
    side: int

    def at(self, places: np.ndarray) -> np.ndarray:
        """Those at places inside the picture, (N, 2), pixels."""
        column, row = (places / self.side).astype(np.intp).T
        return self.entries[row, column]

    def on(self, shape: tuple[int, int], side: int) -> np.ndarray:
        """Those at the pixels of a raster with another side."""
        rows, columns = (
            np.minimum((np.arange(n) + 0.5) * side / self.side, most - 1).astype(np.intp)
            for n, most in zip(shape, self.entries.shape, strict=True)
        )
        return self.entries[rows[:, None], columns]


def halved(fine: np.ndarray) -> np.ndarray:
    """Sums over blocks of 2 x 2."""
    coarse = np.empty(((fine.shape[0] + 1) // 2, (fine.shape[1] + 1) // 2))
    kernels.halve(fine, coarse)
    return coarse


def fit_widths(mass: np.ndarray, share: float) -> Widths:
    """Variances that are `share` of the area that a dot has around.

    Args:
        mass: float64 (H, W), of each pixel, in dots.
        share: of the area.
    """
    count, ink = float(mass.sum()), int(np.count_nonzero(mass))
    side, inked = 1, mass
    while ink / (2 * side) ** 2 >= _MAP_ENTRIES * count:
        side, inked = 2 * side, halved(inked)
    # Dots may be a little beside the ink.
    rows, columns = np.nonzero(ndimage.binary_dilation(inked > 0, np.ones((3, 3)), 2))
    places = (np.column_stack([columns, rows]) + 0.5) * side
    once, twice = Pyramid.of(mass), Pyramid.of(mass * mass)
    mean = count / ink
    means = np.full(len(places), mean)
    for _ in range(_GUESSES):
        kernels.mean_densities(places, 1 / means, once.blocks, twice.blocks, once.shapes, means)
        np.maximum(means, mean * _FAINTEST, out=means)
    entries = np.full(inked.shape, share / mean)
    entries[rows, columns] = share / means
    return Widths(entries, side)


def pull(mass: np.ndarray, widths: Widths, progress: Progress) -> Pyramid:
    """The sum of the pixels' Gaussians, each as wide as a dot's would be there.

    Args:
        mass: float64 (H, W), of each pixel, in dots.
        widths: of the Gaussians.
        progress: told before each transform.
    """
    count, side = float(mass.sum()), 1
    while np.count_nonzero(mass) >= 4 * _FIELD_PIXELS * count:
        side, mass = 2 * side, halved(mass)
    own = widths.on(mass.shape, side) / side**2
    inked = own[mass > 0]
    # A strip of a picture would otherwise drown in its border.
    border = min(int(_BORDER * float(inked.max()) ** 0.5) + 1, min(mass.shape) // 2 + 32)
    return Pyramid.of(_blurred(mass, own, border, progress), float(side), float(border * side))


def _blurred(mass: np.ndarray, variances: np.ndarray, border: int, progress: Progress) -> np.ndarray:
    """The raster blurred with a Gaussian of every pixel's own variance, and a border around it.

    There are Gaussians for powers of 2 only: pixels in between are shared out between two such that the mean variance
    is right.
    """
    shape = [fft.next_fast_len(side + 2 * border, real=True) for side in mass.shape]
    inside = tuple(slice(border, border + side) for side in mass.shape)
    squared = fft.fftfreq(shape[0])[:, None] ** 2 + fft.rfftfreq(shape[1]) ** 2
    spectrum = np.zeros(squared.shape, np.complex128)
    powers = np.log2(variances[mass > 0])
    for power in range(int(np.floor(powers.min())), int(np.ceil(powers.max())) + 1):
        progress("relaxing", 0.0, "Measuring tones")
        middle = 2.0**power
        part = np.zeros(shape)
        part[inside] = mass * np.clip(np.minimum(2 * variances / middle - 1, 2 - variances / middle), 0, 1)
        spectrum += fft.rfft2(part) * np.exp(-2 * np.pi**2 * middle * squared)
    return fft.irfft2(spectrum, s=shape)
