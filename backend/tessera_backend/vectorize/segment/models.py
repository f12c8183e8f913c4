"""What a region's colours are like: constant, or affine in the position. Moments of pixels say how well either fits.

Moments, float64 (..., 18), of n pixels: n, x, y, xx, xy, yy; then for each channel c, cx, cy, cc. Positions are those
of pixel centres, from the canvas's middle, in units of its longer side: so that sums of squares stay well conditioned.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit

MOMENTS = 18
# Fewer pixels have no gradient.
_FEW = 12
# Ridge on the spread of positions: a line of pixels has no gradient across.
_RIDGE = 1e-3


@njit(cache=True)
def moments(image: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Moments of each label's pixels.

    Args:
        image: float32 (H, W, 3).
        labels: int32 (H, W), 0 to count - 1; negative ones are left out.
    Returns:
        float64 (count, 18).
    """
    height, width = labels.shape
    side = max(width, height)
    out = np.zeros((count, MOMENTS))
    for row in range(height):
        y = (row + 0.5 - 0.5 * height) / side
        for column in range(width):
            label = labels[row, column]
            if label < 0:
                continue
            x = (column + 0.5 - 0.5 * width) / side
            m = out[label]
            m[0] += 1.0
            m[1] += x
            m[2] += y
            m[3] += x * x
            m[4] += x * y
            m[5] += y * y
            for k in range(3):
                c = np.float64(image[row, column, k])
                m[6 + 4 * k] += c
                m[7 + 4 * k] += c * x
                m[8 + 4 * k] += c * y
                m[9 + 4 * k] += c * c
    return out


@njit(cache=True)
def residual(m: np.ndarray, affine: bool) -> float:
    """Sum of squared errors of the best constant or affine colours, over all channels, of moments (18,)."""
    n = m[0]
    if n < 0.5:
        return 0.0
    error = 0.0
    for k in range(6, MOMENTS, 4):
        error += m[k + 3] - m[k] * m[k] / n
    if affine and n > _FEW:
        mx, my, xx, xy, yy, det = _spread(m)
        if det > 1e-18:
            for k in range(6, MOMENTS, 4):
                u, v = m[k + 1] - m[k] * mx, m[k + 2] - m[k] * my
                error -= (yy * u * u - 2.0 * xy * u * v + xx * v * v) / det
    return max(error, 0.0)


@njit(cache=True, inline="always")
def _spread(m: np.ndarray) -> tuple[float, float, float, float, float, float]:
    """Mean position, the scatter around it with its ridge, and that matrix's determinant."""
    n = m[0]
    mx, my = m[1] / n, m[2] / n
    xx, xy, yy = m[3] - n * mx * mx, m[4] - n * mx * my, m[5] - n * my * my
    ridge = _RIDGE * (xx + yy)
    xx += ridge
    yy += ridge
    return mx, my, xx, xy, yy, xx * yy - xy * xy


@njit(cache=True)
def residuals(rows: np.ndarray, affine: bool) -> np.ndarray:
    """Sums of squared errors of the best constant or affine colours of moments (N, 18): float64 (N,)."""
    out = np.empty(len(rows))
    for i in range(len(rows)):
        out[i] = residual(rows[i], affine)
    return out


@njit(cache=True)
def affine_colors(rows: np.ndarray, width: int, height: int, affine: bool) -> np.ndarray:
    """Best colours: c(x, y) = c0 + cx x + cy y per channel, with x and y in px (centres at +0.5).

    Args:
        rows: moments (N, 18) of an image of that size.
        affine: False keeps cx and cy 0.
    Returns:
        float64 (N, 3, 3): for each channel c0, cx, cy. Of no pixels: 0.
    """
    side = max(width, height)
    out = np.zeros((len(rows), 3, 3))
    for i in range(len(rows)):
        m = rows[i]
        if m[0] < 0.5:
            continue
        mx, my, xx, xy, yy, det = _spread(m)
        for k in range(3):
            total = m[6 + 4 * k]
            gx = gy = 0.0
            if affine and m[0] > _FEW and det > 1e-18:
                u, v = m[7 + 4 * k] - total * mx, m[8 + 4 * k] - total * my
                gx, gy = (yy * u - xy * v) / det, (xx * v - xy * u) / det
            out[i, k, 1], out[i, k, 2] = gx / side, gy / side
            out[i, k, 0] = total / m[0] - gx * (mx + 0.5 * width / side) - gy * (my + 0.5 * height / side)
    return out
