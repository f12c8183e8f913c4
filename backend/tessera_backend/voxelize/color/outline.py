"""Outlines, as pixel artists draw them: dark voxels along sharp edges."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from ... import colour
from ..components import components
from ..voxels import Voxels

# A palette that has nothing this dark, CIE L*, gets a colour of that lightness.
DARK = 32.0
_INK = 14.0
# An edge is where a face ends that goes on straight for so many voxels; it is sharp where the face beside it goes on
# for the second number: on the steps of what is round, it does not. Edges are drawn of which that share is sharp.
_WIDE, _FLAT, _MOST = 6, 3, 0.45
# A line spans at least so many voxels, and that share of the longest side.
_LINE, _SPAN = 5, 0.15
# Patches of at most so many voxels, of which outlines would take less than this share, stay: eyes, badges.
_SMALL, _MOSTLY = 12, 0.6


def outlined(voxels: Voxels, *, add: bool = True) -> Voxels:
    """Voxels with their sharp edges in the darkest colour of the palette; whole lines, or none.

    Args:
        add: whether a palette without a dark colour gets one more: its darkest, darker. One of 255 gets none.
    """
    lines, sharp = _edges(voxels.solid)
    numbers, sizes = components(lines)
    spans = [max(part.stop - part.start for part in box) for box in ndimage.find_objects(numbers)]
    drawn = np.bincount(numbers[sharp], minlength=len(sizes) + 1)[1:] >= _MOST * sizes
    drawn &= np.array(spans) >= max(_LINE, _SPAN * max(voxels.solid.shape))
    lines &= np.concatenate([[False], drawn])[numbers]
    lines &= ~_details(voxels.labels, lines)
    if not lines.any():
        return voxels
    palette, ink = voxels.palette, int(np.argmin(colour.lab(voxels.palette / 255)[:, 0]))
    dark = _ink(palette[ink])
    if add and dark is not None and len(palette) < 255:
        palette, ink = np.vstack([palette, dark]), len(palette)
    labels = np.where(lines, np.uint8(ink + 1), voxels.labels)
    return dataclasses.replace(voxels, labels=labels, palette=palette)


def _edges(solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Voxels at which flat faces end, and those of them that are sharp, bool (X, Y, Z)."""
    edges, sharp = np.zeros((2, *solid.shape), bool)
    faces = {(axis, sign): solid & ~_shifted(solid, axis, sign) for axis in range(3) for sign in (-1, 1)}
    for (axis, sign), face in faces.items():
        for (other, way), beside in faces.items():
            if axis < other:
                here, there = _run(face, other, -way), _run(beside, axis, -sign)
                ends = face & beside & (np.maximum(here, there) >= _WIDE)
                edges |= ends
                sharp |= ends & (np.minimum(here, there) >= _FLAT)
    return edges, sharp


def _shifted(values: np.ndarray, axis: int, sign: int) -> np.ndarray:
    """What each voxel's neighbour along an axis has; nothing, beyond the grid."""
    moved = np.zeros_like(values)
    to, of = [slice(None)] * 3, [slice(None)] * 3
    to[axis], of[axis] = (slice(0, -1), slice(1, None)) if sign > 0 else (slice(1, None), slice(0, -1))
    moved[tuple(to)] = values[tuple(of)]
    return moved


def _run(face: np.ndarray, axis: int, sign: int) -> np.ndarray:
    """For how many voxels a face goes on from each along an axis, itself among them; no more than matter."""
    count, going = face.astype(np.uint8), face
    for _ in range(_WIDE - 1):
        going = face & _shifted(going, axis, sign)
        count += going
    return count


def _details(labels: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Voxels of small patches that are not mostly line, bool (X, Y, Z)."""
    shell = (labels > 0) & ~ndimage.binary_erosion(labels > 0)
    kept = np.zeros_like(lines)
    for label in range(1, int(labels.max(initial=0)) + 1):
        patches, sizes = components(shell & (labels == label))
        lost = np.bincount(patches[lines], minlength=len(sizes) + 1)[1:]
        kept |= np.concatenate([[False], (sizes <= _SMALL) & (lost < _MOSTLY * sizes)])[patches]
    return kept


def _ink(darkest: np.ndarray) -> np.ndarray | None:
    """A darker colour of the same hue, uint8 (3,); None if this one is dark."""
    lab = colour.lab(darkest / 255)
    if lab[0] <= DARK:
        return None
    inked = np.clip(colour.srgb(lab * [_INK / lab[0], 0.5, 0.5]), 0, 1)
    return np.rint(inked * 255).astype(np.uint8)
