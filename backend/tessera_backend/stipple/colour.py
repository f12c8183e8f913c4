"""CIE Lab, in which distances are about as large as they look; in numba, for tables as well as for pictures."""

from __future__ import annotations

import numpy as np

from ..compiled import njit

# Linear sRGB to XYZ over the white point D65 (IEC 61966-2-1), so that white is (1, 1, 1).
_TO_XYZ = np.array(
    [
        [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883],
    ]
)


def parsed(color: str) -> np.ndarray:
    """#rrggbb as sRGB, float64 (3,), [0, 1]."""
    return np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def written(rgb: np.ndarray) -> str:
    """sRGB (3,), [0, 1], as #rrggbb."""
    return "#" + "".join(f"{value:02x}" for value in np.rint(np.clip(rgb, 0, 1) * 255).astype(int).tolist())


def lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB (..., 3), [0, 1], as CIE Lab over D65, float64: L from 0 to 100."""
    flat = np.ascontiguousarray(rgb, np.float64).reshape(-1, 3)
    out = np.empty_like(flat)
    _all_to_lab(flat, out)
    return out.reshape(rgb.shape)


@njit(cache=True)
def to_lab(rgb: np.ndarray, out: np.ndarray) -> None:
    """One colour, float64 (3,); `out` may be `rgb`."""
    r, g, b = _linear(rgb[0]), _linear(rgb[1]), _linear(rgb[2])
    x = _response(_TO_XYZ[0, 0] * r + _TO_XYZ[0, 1] * g + _TO_XYZ[0, 2] * b)
    y = _response(_TO_XYZ[1, 0] * r + _TO_XYZ[1, 1] * g + _TO_XYZ[1, 2] * b)
    z = _response(_TO_XYZ[2, 0] * r + _TO_XYZ[2, 1] * g + _TO_XYZ[2, 2] * b)
    out[0], out[1], out[2] = 116 * y - 16, 500 * (x - y), 200 * (y - z)


@njit(cache=True)
def _all_to_lab(rgb: np.ndarray, out: np.ndarray) -> None:
    for i in range(rgb.shape[0]):
        to_lab(rgb[i], out[i])


@njit(cache=True)
def _linear(value: float) -> float:
    if value <= 0.04045:
        return max(value, 0.0) / 12.92
    return ((value + 0.055) / 1.055) ** 2.4


@njit(cache=True)
def _response(t: float) -> float:
    """CIE 15, section 8.2.1: the cube root, straight near black."""
    return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
