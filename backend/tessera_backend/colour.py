"""sRGB, light, CIE Lab, in which distances are about as large as they look, and CIEDE2000, which measures them better.

In numba, for tables as well as for pictures.
"""

from __future__ import annotations

import numpy as np

from .compiled import njit

# Linear sRGB to XYZ over the white point D65 (IEC 61966-2-1), so that white is (1, 1, 1).
_TO_XYZ = np.array(
    [
        [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883],
    ]
)
# Of the formula of colour differences.
_COS_30, _COS_6, _SIN_6, _COS_63, _SIN_63 = np.cos(np.radians([30, 6, 84, 63, 27])).tolist()


def parsed(color: str) -> np.ndarray:
    """#rrggbb as sRGB, float64 (3,), [0, 1]."""
    return np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def written(rgb: np.ndarray) -> str:
    """sRGB (3,), [0, 1], as #rrggbb."""
    return "#" + "".join(f"{value:02x}" for value in np.rint(np.clip(rgb, 0, 1) * 255).astype(int).tolist())


def srgb_to_linear(values: np.ndarray) -> np.ndarray:
    """Light, [0, 1], of sRGB values in [0, 1] (IEC 61966-2-1); of the same floats."""
    values = np.asarray(values)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(values: np.ndarray) -> np.ndarray:
    """The inverse of `srgb_to_linear`."""
    values = np.asarray(values)
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * np.maximum(values, 1e-9) ** (1 / 2.4) - 0.055)


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


def srgb(colors: np.ndarray) -> np.ndarray:
    """The inverse of `lab`, (..., 3) in [0, 1]: what no screen shows is clipped."""
    y = (colors[..., 0] + 16) / 116
    responses = np.stack([y + colors[..., 1] / 500, y, y - colors[..., 2] / 200], -1)
    cubes = responses**3
    xyz = np.where(cubes > 216 / 24389, cubes, (116 * responses - 16) / (24389 / 27))
    return linear_to_srgb(np.clip(xyz @ np.linalg.inv(_TO_XYZ).T, 0, 1))


def ciede2000(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Colour differences of CIE Lab (N, 3) and (N, 3), float64 (N,).

    Source: Sharma, Wu and Dalal, The CIEDE2000 color-difference formula, Color Research and Application 30(1), 2005.
    """
    out = np.empty(len(one))
    _pairs(np.ascontiguousarray(one, np.float64), np.ascontiguousarray(other, np.float64), out)
    return out


def ciede2000_table(colors: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colour differences of each of (N, 3) and each of (K, 3), CIE Lab: float64 (N, K)."""
    out = np.empty((len(colors), len(palette)))
    _table(np.ascontiguousarray(colors, np.float64), np.ascontiguousarray(palette, np.float64), out)
    return out


@njit(cache=True)
def _pairs(one: np.ndarray, other: np.ndarray, out: np.ndarray) -> None:
    for i in range(one.shape[0]):
        out[i] = _ciede2000(one[i, 0], one[i, 1], one[i, 2], other[i, 0], other[i, 1], other[i, 2])


@njit(cache=True)
def _table(colors: np.ndarray, palette: np.ndarray, out: np.ndarray) -> None:
    for i in range(colors.shape[0]):
        for k in range(palette.shape[0]):
            out[i, k] = _ciede2000(
                colors[i, 0], colors[i, 1], colors[i, 2], palette[k, 0], palette[k, 1], palette[k, 2]
            )


@njit(cache=True)
def _ciede2000(l1: float, a1: float, b1: float, l2: float, a2: float, b2: float) -> float:
    """Names are those of the paper: equations 2 to 22. Multiples of angles are written out: that is faster."""
    stretch = 1.5 - 0.5 * _saturation((np.sqrt(a1 * a1 + b1 * b1) + np.sqrt(a2 * a2 + b2 * b2)) / 2)
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.sqrt(a1 * a1 + b1 * b1), np.sqrt(a2 * a2 + b2 * b2)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)
    turn, h = h2 - h1, (h1 + h2) / 2
    if c1 * c2 == 0:
        turn, h = 0.0, h1 + h2
    elif abs(turn) > np.pi:
        turn += -2 * np.pi if turn > 0 else 2 * np.pi
        h += np.pi if h1 + h2 < 2 * np.pi else -np.pi
    c, from_50, x, y = (c1 + c2) / 2, ((l1 + l2) / 2 - 50) ** 2, np.cos(h), np.sin(h)
    x2, y2 = 2 * x * x - 1, 2 * x * y
    t = (
        1
        - 0.17 * (_COS_30 * x + 0.5 * y)
        + 0.24 * x2
        + 0.32 * (_COS_6 * (x2 * x - y2 * y) - _SIN_6 * (y2 * x + x2 * y))
        - 0.2 * (_COS_63 * (2 * x2 * x2 - 1) + _SIN_63 * 2 * x2 * y2)
    )
    dl = (l2 - l1) / (1 + 0.015 * from_50 / np.sqrt(20 + from_50))
    dc = (c2 - c1) / (1 + 0.045 * c)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + 0.015 * c * t)
    blue = ((h * 180 / np.pi - 275) / 25) ** 2
    rotation = -2 * _saturation(c) * np.sin(np.pi / 3 * np.exp(-blue)) if blue < 30 else 0.0
    return np.sqrt(max(dl * dl + dc * dc + dh * dh + rotation * dc * dh, 0.0))


@njit(cache=True)
def _saturation(c: float) -> float:
    c2 = c * c
    c7 = c2 * c2 * c2 * c
    return np.sqrt(c7 / (c7 + 25.0**7))


@njit(cache=True)
def _hue(a: float, b: float) -> float:
    h = np.arctan2(b, a)
    return h + 2 * np.pi if h < 0 else h
