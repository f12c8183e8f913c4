"""Paths painted by level and by group, without changing the picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

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


def beneath(paths: Sequence[Path], width: int, height: int) -> np.ndarray:
    """bool (P, P): row p has the paths that have to be painted before path p, for they touch it or what touches it."""
    under = np.zeros((len(paths), len(paths)), bool)
    last = np.full((height + 2 * _RIM, width + 2 * _RIM), -1, np.int64)
    for p, path in enumerate(paths):
        window, touched = _touched(path, width, height)
        near = np.unique(last[window][touched])
        near = near[near >= 0]
        under[p] = under[near].any(0)
        under[p, near] = True
        last[window][touched] = p
    return under


def runs(keys: Sequence[Hashable], under: np.ndarray) -> list[list[int]]:
    """Indices of paths in an order that keeps what lies on what, those of one key together where that allows it.

    Args:
        keys: of each of N paths.
        under: bool (N, N), see `beneath`.
    Returns:
        runs of paths of one key; a key has several where paths of others must come between.
    """
    units: dict[Hashable, list[int]] = {}
    for p, key in enumerate(keys):
        units.setdefault(key, []).append(p)
    left = np.ones(len(keys), bool)
    found = []
    while units:
        key = next((key for key, unit in units.items() if not _waits(unit, unit, under, left)), None)
        if key is not None:
            run = units.pop(key)
        else:
            # As many as can be painted, of the key that has most such.
            ready = {key: _ready(unit, under, left) for key, unit in units.items()}
            key = max(ready, key=lambda key: len(ready[key]))
            run = ready[key]
            units[key] = [p for p in units[key] if p not in run]
        left[run] = False
        found.append(run)
    return found


def _ready(unit: list[int], under: np.ndarray, left: np.ndarray) -> list[int]:
    """Of paths in their order those that wait for none but themselves."""
    ready: list[int] = []
    for p in unit:
        if not _waits([p], ready, under, left):
            ready.append(p)
    return ready


def _waits(paths: list[int], but: list[int], under: np.ndarray, left: np.ndarray) -> bool:
    needed = under[paths].any(0) & left
    needed[but] = False
    return bool(needed.any())


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
