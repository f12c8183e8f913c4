"""Which pixels of a raster lie inside an outline, or outside, by winding number."""

from __future__ import annotations

import numpy as np

from tessera_protocol.errors import error

from ..compiled import njit
from .page import Box


def check_clip(clip: np.ndarray, field: str = "clip") -> np.ndarray:
    """The outline, clip or protect, as float64 (M, 3): ring number, x, y.

    Raises:
        InvalidInput: "unusable-input".
    """
    clip = np.asarray(clip)
    if clip.ndim != 2 or clip.shape[1] != 3 or len(clip) < 3 or clip.dtype.kind not in "fiu":
        raise error(
            "unusable-input",
            f"The outline ({field}) is an array of {clip.dtype} {clip.shape}.",
            field=field,
            given=str(clip.shape),
            allowed="float32 (M, 3): rows of ring number, x, y; at least 3",
        )
    clip = clip.astype(np.float64)
    if not np.isfinite(clip).all() or np.abs(clip).max() > 1e6:
        raise error(
            "unusable-input",
            f"The outline ({field}) has vertices that are no numbers, or far off the page.",
            field=field,
            allowed="shares of the page, 0 to 1",
        )
    return clip


def bounds(clip: np.ndarray, page: tuple[float, float]) -> Box:
    """The box around a checked clip, mm."""
    low, high = clip[:, 1:].min(axis=0) * page, clip[:, 1:].max(axis=0) * page
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def inside(clip: np.ndarray, page: tuple[float, float], raster: tuple[int, int], frame: Box) -> np.ndarray:
    """Pixels with all four corners inside, bool (H, W), so that a dot anywhere in one of them is inside.

    Corners exactly on a left or upper side are inside, on a right or lower one outside.

    Args:
        clip: as `check_clip` returns it; each ring is closed, and a point is inside where the rings wind around
            it in total not 0 times.
        page: width and height, mm.
        raster: height and width.
        frame: what the raster covers, mm.
    """
    corners = _corners(clip, page, raster, frame)
    return corners[:-1, :-1] & corners[:-1, 1:] & corners[1:, :-1] & corners[1:, 1:]


def outside(protect: np.ndarray, page: tuple[float, float], raster: tuple[int, int], frame: Box) -> np.ndarray:
    """Pixels with no corner inside, bool (H, W); arguments as of `inside`."""
    corners = _corners(protect, page, raster, frame)
    return ~(corners[:-1, :-1] | corners[:-1, 1:] | corners[1:, :-1] | corners[1:, 1:])


def _corners(clip: np.ndarray, page: tuple[float, float], raster: tuple[int, int], frame: Box) -> np.ndarray:
    """Whether each corner of a pixel is inside, bool (H + 1, W + 1)."""
    height, width = raster
    scale = np.array([width / frame.width, height / frame.height])
    points = (clip[:, 1:] * page - (frame.left, frame.top)) * scale
    winding = np.zeros((height + 1, width + 2), np.int32)
    starts = np.flatnonzero(np.diff(clip[:, 0], prepend=np.nan))
    for ring in np.split(points, starts[1:]):
        _add_ring(winding, ring)
    return np.cumsum(winding, axis=1, dtype=np.int32)[:, :-1] != 0


@njit(cache=True)
def _add_ring(winding: np.ndarray, ring: np.ndarray) -> None:
    """Add to winding[y, x] what the winding number of lattice point (x, y) has over that of (x - 1, y)."""
    height, width = winding.shape
    for i in range(ring.shape[0]):
        x0, y0 = ring[i - 1]
        x1, y1 = ring[i]
        if y0 == y1:
            continue
        turn = 1 if y1 > y0 else -1
        low, high = min(y0, y1), max(y0, y1)
        first, last = max(int(np.ceil(low)), 0), min(int(np.ceil(high)), height)
        for y in range(first, last):
            column = max(int(np.ceil(x0 + (y - y0) * (x1 - x0) / (y1 - y0))), 0)
            if column < width:
                winding[y, column] += turn
