"""Paths painted by level, without changing the picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_dilation

from .curves.area import covered
from .curves.nesting import polygon
from .drawing import Path

# How far around a path others count as touching it, px: two anti-aliased rims blend in their order.
_RIM = 1


def arranged(paths: Sequence[Path], width: int, height: int) -> tuple[Path, ...]:
    """The same picture with paths sorted by level.

    A path that lies over another one is in no coarser level than it; apart from that, paths keep theirs.
    """
    # The finest level at each pixel so far, with a rim around the canvas.
    finest = np.full((height + 2 * _RIM, width + 2 * _RIM), -1, np.int64)
    leveled = []
    for path in paths:
        window, touched = _touched(path, width, height)
        under = finest[window]
        level = max(path.level, int(under[touched].max(initial=0)))
        under[touched] = np.maximum(under[touched], level)
        leveled.append(dataclasses.replace(path, level=level))
    return tuple(sorted(leveled, key=lambda path: path.level))


def _touched(path: Path, width: int, height: int) -> tuple[tuple[slice, slice], np.ndarray]:
    """Pixels in or next to a path: a window of the canvas with its rim, and bool of the window's size."""
    (rows, columns), inside = covered(path, width, height)
    window = (slice(rows.start, rows.stop + 2 * _RIM), slice(columns.start, columns.stop + 2 * _RIM))
    framed = np.pad(inside, _RIM)
    if inside.size:
        # What is thinner than a pixel covers no centre.
        outline = np.concatenate([polygon(contour) for contour in path.contours]) - [columns.start, rows.start]
        x, y = np.clip(np.floor(outline), 0, [inside.shape[1] - 1, inside.shape[0] - 1]).astype(int).T + _RIM
        framed[y, x] = True
    return window, binary_dilation(framed, np.ones((3, 3), bool), iterations=_RIM)
