"""One view of a voxel grid, its loss and exact gradients, ray by ray: see `reference` for what is computed."""

from __future__ import annotations

import numpy as np

from ...compiled import njit

# Kinds of voxels beside those that are numbered.
AIR, DEEP = -1, -2
# What is behind this much opacity is not looked at.
_OPAQUE = 1e-5


@njit(cache=True)
def view(
    lines: np.ndarray,
    first: np.ndarray,
    alpha: np.ndarray,
    rgb: np.ndarray,
    color: np.ndarray,
    covered: np.ndarray,
    depth: np.ndarray,
    weights: tuple[float, float, float],
    share: float,
    slope_alpha: np.ndarray,
    slope_rgb: np.ndarray,
) -> float:
    """The loss of one view times `share`; its gradients are added to the slopes.

    Args:
        lines: int32 (U, V, S), numbers of voxels along each ray, AIR or DEEP (opaque and black).
        first: int32 (U, V), the first that is not air.
        alpha: (A,), opacities; rgb: (A, 3).
        color, covered, depth: of a `Target`.
        weights: of pixels, alpha and depth.
    """
    wide, high, deep = lines.shape
    place, before, light = np.empty(deep, np.int64), np.empty(deep), np.zeros(5)
    total = 0.0
    for a in range(wide):
        for b in range(high):
            light[:] = 0
            count, wall = _there(lines[a, b], first[a, b], alpha, rgb, place, before, light)
            if covered[a, b]:
                lost, red, green, blue, far, left = _seen(light, color[a, b], depth[a, b], weights)
            else:
                gone = 1 - light[4]
                lost, left = weights[1] * gone * gone, -2 * weights[1] * gone
                red = green = blue = far = 0.0
            total += lost
            # Back to front, `behind` is what a unit of light that gets past a voxel adds to the loss.
            behind = left if wall < 0 else far * (wall + 0.5)
            for n in range(count - 1, -1, -1):
                i = lines[a, b, place[n]]
                here = red * rgb[i, 0] + green * rgb[i, 1] + blue * rgb[i, 2] + far * (place[n] + 0.5)
                slope_alpha[i] += share * before[n] * (here - behind)
                weight = share * before[n] * alpha[i]
                slope_rgb[i, 0] += weight * red
                slope_rgb[i, 1] += weight * green
                slope_rgb[i, 2] += weight * blue
                behind = alpha[i] * here + (1 - alpha[i]) * behind
    return total * share


@njit(cache=True)
def _there(
    line: np.ndarray,
    first: int,
    alpha: np.ndarray,
    rgb: np.ndarray,
    place: np.ndarray,
    before: np.ndarray,
    light: np.ndarray,
) -> tuple[int, int]:
    """Follow a ray: where its voxels are and what light reaches each, (S,); how many, and where it ends, or -1.

    `light` becomes red, green, blue, depth, and what passes through.
    """
    count, through = 0, 1.0
    for s in range(first, len(line)):
        i = line[s]
        if i == AIR:
            continue
        if i == DEEP:
            light[3] += through * (s + 0.5)
            return count, s
        place[count], before[count] = s, through
        count += 1
        weight = through * alpha[i]
        light[0] += weight * rgb[i, 0]
        light[1] += weight * rgb[i, 1]
        light[2] += weight * rgb[i, 2]
        light[3] += weight * (s + 0.5)
        through *= 1 - alpha[i]
        if through < _OPAQUE:
            break
    light[4] = through
    return count, -1


@njit(cache=True, inline="always")
def _seen(
    light: np.ndarray, color: np.ndarray, depth: float, weights: tuple[float, float, float]
) -> tuple[float, float, float, float, float, float]:
    """The loss of a covered pixel, and its slopes in red, green, blue, depth, and what passes through.

    That meets white, and counts as at the depth that is wanted.
    """
    left = light[4]
    red, green, blue = light[0] + left - color[0], light[1] + left - color[1], light[2] + left - color[2]
    lost = weights[0] * (red * red + green * green + blue * blue) + weights[1] * left * left
    red, green, blue = 2 * weights[0] * red, 2 * weights[0] * green, 2 * weights[0] * blue
    through, far = red + green + blue + 2 * weights[1] * left, 0.0
    if depth >= 0:
        away = light[3] + left * depth - depth
        lost += weights[2] * (0.5 * away * away if abs(away) < 1 else abs(away) - 0.5)
        far = weights[2] * min(max(away, -1.0), 1.0)
        through += far * depth
    return lost, red, green, blue, far, through
