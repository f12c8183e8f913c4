"""Rays through a voxel radiance field: what they see, the loss, and its exact gradients."""

from __future__ import annotations

import numpy as np

from ..compiled import njit

# What is behind that much opacity is not looked at; nor is a voxel that is so clear.
_OPAQUE, _CLEAR = 1e-3, 1e-5


@njit(cache=True)
def fit(
    sigma: np.ndarray,
    rgb: np.ndarray,
    starts: np.ndarray,
    ways: np.ndarray,
    wanted: np.ndarray,
    entropy: float,
    slope_sigma: np.ndarray,
    slope_rgb: np.ndarray,
    light: np.ndarray,
) -> float:
    """Sum over rays of the squared errors of premultiplied colour and alpha, and of the entropy of what passes through.

    Alpha as a fourth channel is the mean over all backgrounds, so that white things do not fade into a white one.

    Args:
        sigma: float32 (X, Y, Z), volume density, per voxel's side; 0 where nothing may be.
        rgb: float32 (X, Y, Z, 3), in [0, 1].
        starts, ways: float32 (R, 3), voxels; ways have length 1 and no zeros.
        wanted: float32 (R, 4), premultiplied sRGB and alpha.
        entropy: weight of -(T ln T + (1 - T) ln (1 - T)), T being what passes through.
        slope_sigma, slope_rgb: gradients are added to them.
        light: float32 (X, Y, Z), raised to the most light that reached a voxel.
    """
    most = sum(sigma.shape) + 3
    places, lengths = np.empty((most, 3), np.int64), np.empty(most)
    before, alphas, seen = np.empty(most), np.empty(most), np.zeros(4)
    total = 0.0
    for ray in range(len(starts)):
        count = _through(sigma, starts[ray], ways[ray], places, lengths)
        through, reached = 1.0, 0
        seen[:] = 0
        for n in range(count):
            x, y, z = places[n]
            light[x, y, z] = max(light[x, y, z], through)
            alpha = 1 - np.exp(-sigma[x, y, z] * lengths[n])
            before[n], alphas[n] = through, alpha
            for c in range(3):
                seen[c] += through * alpha * rgb[x, y, z, c]
            through *= 1 - alpha
            reached = n + 1
            if through < _OPAQUE:
                break
        seen[3] = 1 - through
        seen -= wanted[ray]
        total += (seen * seen).sum()
        # What a unit of light that passes through adds to the loss.
        behind = -2 * seen[3]
        if entropy > 0:
            left = min(max(through, 1e-4), 1 - 1e-4)
            total -= entropy * (left * np.log(left) + (1 - left) * np.log(1 - left))
            behind += entropy * np.log((1 - left) / left)
        for n in range(reached - 1, -1, -1):
            x, y, z = places[n]
            here = 0.0
            for c in range(3):
                here += 2 * seen[c] * rgb[x, y, z, c]
                slope_rgb[x, y, z, c] += before[n] * alphas[n] * 2 * seen[c]
            slope_sigma[x, y, z] += before[n] * (here - behind) * lengths[n] * (1 - alphas[n])
            behind = alphas[n] * here + (1 - alphas[n]) * behind
    return total


@njit(cache=True)
def _through(sigma: np.ndarray, start: np.ndarray, way: np.ndarray, places: np.ndarray, lengths: np.ndarray) -> int:
    """The voxels of a ray that are not clear, and how long it is in each; how many (Amanatides and Woo 1987)."""
    enter, leave = 0.0, np.inf
    for axis in range(3):
        one, other = -start[axis] / way[axis], (sigma.shape[axis] - start[axis]) / way[axis]
        enter, leave = max(enter, min(one, other)), min(leave, max(one, other))
    count = 0
    if enter >= leave:
        return count
    place, step, following = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3)
    for axis in range(3):
        at = start[axis] + enter * way[axis]
        place[axis] = min(max(int(np.floor(at)), 0), sigma.shape[axis] - 1)
        step[axis] = 1 if way[axis] > 0 else -1
        following[axis] = (place[axis] + (way[axis] > 0) - start[axis]) / way[axis]
    now = enter
    while True:
        axis = 0
        if following[1] < following[axis]:
            axis = 1
        if following[2] < following[axis]:
            axis = 2
        after = min(following[axis], leave)
        if sigma[place[0], place[1], place[2]] > _CLEAR and after > now:
            places[count] = place
            lengths[count] = after - now
            count += 1
        now = after
        place[axis] += step[axis]
        following[axis] += step[axis] / way[axis]
        if not 0 <= place[axis] < sigma.shape[axis] or now >= leave:
            return count


@njit(cache=True)
def smooth(values: np.ndarray, alive: np.ndarray, weight: float, slope: np.ndarray) -> None:
    """Add the gradient of `weight` times the sum of squared differences between neighbours that may both be there."""
    a, b, c = values.shape
    for x in range(a):
        for y in range(b):
            for z in range(c):
                if not alive[x, y, z]:
                    continue
                for i, j, k in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
                    u, v, w = x + i, y + j, z + k
                    if u < a and v < b and w < c and alive[u, v, w]:
                        pull = 2 * weight * (values[x, y, z] - values[u, v, w])
                        slope[x, y, z] += pull
                        slope[u, v, w] -= pull


@njit(cache=True)
def adam(values: np.ndarray, slope: np.ndarray, mean: np.ndarray, square: np.ndarray, step: int, rate: float) -> None:
    """One step of Adam (Kingma and Ba 2015) in place, on flat arrays; where there is no gradient, nothing moves."""
    one, two = 1 - 0.9**step, 1 - 0.99**step
    for i in range(len(values)):
        if slope[i] != 0:
            mean[i] += 0.1 * (slope[i] - mean[i])
            square[i] += 0.01 * (slope[i] * slope[i] - square[i])
            values[i] -= rate * (mean[i] / one) / (np.sqrt(square[i] / two) + 1e-8)
