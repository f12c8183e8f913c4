"""Anti-aliased rims, sharpened: a mixed pixel takes the colour of the nearer side.

Left as they are, the rims of flat shapes are regions of their own to whoever merges pixels by colour.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit

# Share of the way from one side to the other within which a pixel is a mixture of both.
_MIXED = 0.02
# How far from the line between both sides' colours a mixture may be, squared, as a share of their distance.
_OFF = 0.04


def sharpen(
    image: np.ndarray, opaque: np.ndarray | None = None, *, passes: int = 1, contrast: float = 0.12
) -> np.ndarray:
    """Give each pixel between two unlike opposite neighbours the colour of the one that it is nearer to.

    Args:
        image: float (H, W, 3), sRGB in [0, 1].
        opaque: bool (H, W): others neither change nor count as neighbours. None: all are.
        passes: a rim of this many pixels becomes sharp.
        contrast: how far apart the two sides must be, Euclidean.
    Returns:
        float32 (H, W, 3).
    """
    now = np.array(image, np.float32, order="C")
    if opaque is None:
        opaque = np.ones(now.shape[:2], np.bool_)
    then = now.copy()
    for _ in range(passes):
        _snap(now, opaque, contrast, then)
        now, then = then, now
    return now


@njit(cache=True)
def _snap(image: np.ndarray, opaque: np.ndarray, contrast: float, out: np.ndarray) -> None:
    height, width, _ = image.shape
    for y in range(height):
        for x in range(width):
            out[y, x] = image[y, x]
            widest = contrast * contrast
            for way in range(4):
                dx, dy = (1, 0, 1, 1)[way], (0, 1, 1, -1)[way]
                if not (0 < x < width - 1 or dx == 0) or not (0 < y < height - 1 or dy == 0):
                    continue
                if not (opaque[y, x] and opaque[y - dy, x - dx] and opaque[y + dy, x + dx]):
                    continue
                span, share, off = _between(image[y - dy, x - dx], image[y, x], image[y + dy, x + dx])
                if span > widest and _MIXED < share < 1 - _MIXED and off <= _OFF * span:
                    widest = span
                    side = 1 if share > 0.5 else -1
                    out[y, x] = image[y + side * dy, x + side * dx]


@njit(cache=True, inline="always")
def _between(a: np.ndarray, middle: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Squared distance of colours a and b, where on the way the middle one lies (0 to 1), and how far off, squared."""
    span = along = length = 0.0
    for k in range(3):
        u, v = b[k] - a[k], middle[k] - a[k]
        span += u * u
        along += u * v
        length += v * v
    if span == 0.0:
        return 0.0, 0.0, length
    return span, along / span, length - along * along / span
