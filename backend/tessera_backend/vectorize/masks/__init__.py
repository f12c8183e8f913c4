"""Masks: the parts of each simpler picture, as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from tessera_protocol.jobs import VectorizeParams

from ...progress import SILENT, Progress
from . import merging

_EIGHT = np.ones((3, 3), np.bool_)


def masks(
    pictures: Sequence[np.ndarray],
    opaque: np.ndarray,
    count: int,
    params: VectorizeParams,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> tuple[list[list[np.ndarray]], dict[str, Any]]:
    """The parts of each picture.

    Args:
        pictures: float32 (H, W, 3), sRGB in [0, 1], the finest first, as `simplified` gives them.
        opaque: bool (H, W); elsewhere there are no parts.
        count: how many parts the finest level has by region merging.
        params: masks, smallest and sam_checkpoint are read.
        progress: told regularly.
        device: of torch, for Segment Anything.
    Returns:
        for each level, the coarsest first, its masks, bool (H, W), each in one piece and without opaque holes, the
        largest first; and how they were made.
    Raises:
        InvalidInput: the checkpoint can't be read, or the package is missing.
    """
    if params.masks == "merging":
        found, facts = merging.masks(pictures, opaque, count, params.smallest, progress), {"masks": "merging"}
        smallest = params.smallest
    else:
        from . import sam

        progress("masks", 0.0, "Loading Segment Anything")
        model, about = sam.load(params.sam_checkpoint, device)
        found, facts = sam.masks(pictures, model, progress), {"masks": "sam", "segment_anything": about}
        smallest = max(params.smallest, sam.SMALLEST)
    return [pieces(level, opaque, smallest) for level in found], facts


def pieces(found: Sequence[np.ndarray], opaque: np.ndarray, smallest: int) -> list[np.ndarray]:
    """The 8-connected pieces of masks, with what they enclose, the largest first.

    A hole is filled unless some of it is transparent: then the picture shows through it.
    """
    whole: list[np.ndarray] = []
    for mask in found:
        labels, count = ndimage.label(mask & opaque, _EIGHT)
        for i, crop in enumerate(ndimage.find_objects(labels, count)):
            piece = np.zeros(mask.shape, np.bool_)
            piece[crop] = _filled(labels[crop] == i + 1, opaque[crop])
            if np.count_nonzero(piece) >= smallest:
                whole.append(piece)
    return sorted(whole, key=np.count_nonzero, reverse=True)


def _filled(piece: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    holes, count = ndimage.label(ndimage.binary_fill_holes(piece) & ~piece)
    through = np.zeros(count + 1, np.bool_)
    through[holes[~opaque]] = True
    through[0] = True
    return piece | ~through[holes]
