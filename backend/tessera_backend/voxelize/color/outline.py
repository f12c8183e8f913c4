"""Outlines, as pixel artists draw them: dark voxels along the silhouettes of the six views."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from ... import colour
from ..components import components
from ..voxels import Voxels
from .observed import first_layer

# A palette that has nothing this dark, CIE L*, gets a colour of that lightness.
DARK = 32.0
_INK = 14.0
# What is thinner than that, pixels, has no outline: it would be nothing else.
_THICK = np.ones((3, 3), bool)
# An edge has at most this share of solid voxels within so many to each side: a plane has .6, a cube's edge .36.
_REACH, _EDGE = 2, 0.5
# Lines are at least that long, voxels.
_LINE = 5
# Patches of at most so many voxels, of which outlines would take less than this share, stay: eyes, badges.
_SMALL, _MOSTLY = 12, 0.6


def outlined(voxels: Voxels, *, add: bool = True) -> Voxels:
    """The voxels that a view sees at the rim of its silhouette, in the darkest colour of the palette.

    Args:
        add: whether a palette without a dark colour gets one more: its darkest, darker. One of 255 gets none.
    """
    rims = _rims(voxels.solid)
    rims &= _sharp(voxels.solid)
    lines, sizes = components(rims)
    rims &= np.concatenate([[False], sizes >= _LINE])[lines]
    rims &= ~_details(voxels.labels, rims)
    if not rims.any():
        return voxels
    palette, ink = voxels.palette, int(np.argmin(colour.lab(voxels.palette / 255)[:, 0]))
    dark = _ink(palette[ink])
    if add and dark is not None and len(palette) < 255:
        palette, ink = np.vstack([palette, dark]), len(palette)
    labels = np.where(rims, np.uint8(ink + 1), voxels.labels)
    return dataclasses.replace(voxels, labels=labels, palette=palette)


def _rims(solid: np.ndarray) -> np.ndarray:
    """bool (X, Y, Z)."""
    rims = np.zeros_like(solid)
    for axis in range(3):
        shown = solid.any(axis)
        thick = ndimage.binary_dilation(ndimage.binary_opening(np.pad(shown, 1), _THICK), _THICK)[1:-1, 1:-1]
        pixels = np.argwhere(shown & thick & ~ndimage.binary_erosion(shown))
        for above in (False, True):
            layers = first_layer(solid, axis, above)[tuple(pixels.T)]
            rims[tuple(np.insert(pixels, axis, layers, 1).T)] = True
    return rims


def _sharp(solid: np.ndarray) -> np.ndarray:
    """Where little is around a voxel, bool (X, Y, Z): edges. On what is round, rims are seams to other views."""
    around = ndimage.uniform_filter(solid.astype(np.float32), 2 * _REACH + 1, mode="constant")
    sharp: np.ndarray = around <= _EDGE
    return sharp


def _details(labels: np.ndarray, rims: np.ndarray) -> np.ndarray:
    """Voxels of small patches that are not mostly rim, bool (X, Y, Z)."""
    shell = (labels > 0) & ~ndimage.binary_erosion(labels > 0)
    kept = np.zeros_like(rims)
    for label in range(1, int(labels.max(initial=0)) + 1):
        patches, sizes = components(shell & (labels == label))
        lost = np.bincount(patches[rims], minlength=len(sizes) + 1)[1:]
        kept |= np.concatenate([[False], (sizes <= _SMALL) & (lost < _MOSTLY * sizes)])[patches]
    return kept


def _ink(darkest: np.ndarray) -> np.ndarray | None:
    """A darker colour of the same hue, uint8 (3,); None if this one is dark."""
    lab = colour.lab(darkest / 255)
    if lab[0] <= DARK:
        return None
    inked = np.clip(colour.srgb(lab * [_INK / lab[0], 0.5, 0.5]), 0, 1)
    return np.rint(inked * 255).astype(np.uint8)
