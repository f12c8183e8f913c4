"""Neighbourhoods of voxels: what is around them, labels that side with those next to them, labels for all."""

from __future__ import annotations

import numpy as np

from ..compiled import njit
from .observed import Fragments

# Voxels to each side that count as around.
_RADIUS = 2
_SWEEPS = 4


def shares(fragments: Fragments, voxels: int, palette: np.ndarray) -> np.ndarray:
    """Of a voxel's fragments, how many are nearest to each palette colour: float64 (S, K), rows sum to 1 or 0."""
    nearest = ((fragments.colors[:, None] - palette) ** 2).sum(2).argmin(1)
    size = len(palette)
    counts = np.bincount(fragments.voxel * np.int64(size) + nearest[fragments.color], minlength=voxels * size)
    counts = counts.reshape(voxels, size)
    share: np.ndarray = counts / np.maximum(counts.sum(1), 1)[:, None]
    return share


def surroundings(number: np.ndarray, places: np.ndarray, values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Means of (S, K) over the known voxels of the shell within two to each side, itself among them."""
    out = np.zeros(values.shape)
    _surroundings(number, places, values, known, out)
    return out


@njit(cache=True)
def _surroundings(
    number: np.ndarray, places: np.ndarray, values: np.ndarray, known: np.ndarray, out: np.ndarray
) -> None:
    sx, sy, sz = number.shape
    for s in range(len(places)):
        x, y, z = places[s]
        count = 0
        for i in range(max(x - _RADIUS, 0), min(x + _RADIUS + 1, sx)):
            for j in range(max(y - _RADIUS, 0), min(y + _RADIUS + 1, sy)):
                for k in range(max(z - _RADIUS, 0), min(z + _RADIUS + 1, sz)):
                    n = number[i, j, k]
                    if n >= 0 and known[n]:
                        count += 1
                        for c in range(values.shape[1]):
                            out[s, c] += values[n, c]
        if count > 0:
            for c in range(values.shape[1]):
                out[s, c] /= count


def peaks(number: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Greatest of (S, K) among a voxel of the shell and its 26 neighbours."""
    out = values.copy()
    _peaks(number, places, values, out)
    return out


@njit(cache=True)
def _peaks(number: np.ndarray, places: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    sx, sy, sz = number.shape
    for s in range(len(places)):
        x, y, z = places[s]
        for i in range(max(x - 1, 0), min(x + 2, sx)):
            for j in range(max(y - 1, 0), min(y + 2, sy)):
                for k in range(max(z - 1, 0), min(z + 2, sz)):
                    n = number[i, j, k]
                    if n >= 0:
                        for c in range(values.shape[1]):
                            out[s, c] = max(out[s, c], values[n, c])


def potts(
    number: np.ndarray,
    places: np.ndarray,
    costs: np.ndarray,
    label: np.ndarray,
    strength: float,
    mirror: int | None = None,
) -> np.ndarray:
    """Labels int (S,), -1 for unknown ones, of lower cost (S, K) less what equal neighbours are worth.

    Iterated conditional modes (Besag 1986) in checkerboard sweeps over 18 neighbours; those at an edge count half. The
    board is folded at the middle of the mirror's axis, so that what is symmetric stays so.
    """
    label = label.copy()
    folded = places.copy()
    if mirror is not None:
        folded[:, mirror] = np.minimum(places[:, mirror], number.shape[mirror] - 1 - places[:, mirror])
    parity = folded.sum(1) % 2
    for sweep in range(_SWEEPS):
        _sweep(number, places, costs, label, label.copy(), strength, parity == sweep % 2)
    return label


@njit(cache=True)
def _sweep(
    number: np.ndarray,
    places: np.ndarray,
    costs: np.ndarray,
    label: np.ndarray,
    before: np.ndarray,
    strength: float,
    turn: np.ndarray,
) -> None:
    sx, sy, sz = number.shape
    votes = np.zeros(costs.shape[1], np.int64)
    for s in range(len(places)):
        if not turn[s] or before[s] < 0:
            continue
        votes[:] = 0
        x, y, z = places[s]
        for i in range(-1, 2):
            for j in range(-1, 2):
                for k in range(-1, 2):
                    far = abs(i) + abs(j) + abs(k)
                    if far in (0, 3):
                        continue
                    if 0 <= x + i < sx and 0 <= y + j < sy and 0 <= z + k < sz:
                        n = number[x + i, y + j, z + k]
                        if n >= 0 and before[n] >= 0:
                            votes[before[n]] += 3 - far
        label[s] = np.argmin(costs[s] - 0.5 * strength * votes)


def filled(solid: np.ndarray, places: np.ndarray, label: np.ndarray) -> np.ndarray:
    """uint8 (X, Y, Z), 0 where nothing is, else 1 + the label: that of the shell, or of the nearest known voxel.

    What no path of solid voxels joins to one has colour 1.
    """
    out = np.zeros(solid.shape, np.uint8)
    known = label >= 0
    x, y, z = places[known].T
    out[x, y, z] = label[known] + 1
    queue = np.empty((int(solid.sum()), 3), np.int32)
    queue[: len(x)] = places[known]
    _spread(solid, out, queue, len(x))
    out[solid & (out == 0)] = 1
    return out


@njit(cache=True)
def _spread(solid: np.ndarray, out: np.ndarray, queue: np.ndarray, count: int) -> None:
    """Breadth first."""
    steps = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
    sx, sy, sz = solid.shape
    done = 0
    while done < count:
        x, y, z = queue[done]
        done += 1
        for a, b, c in steps:
            i, j, k = x + a, y + b, z + c
            if 0 <= i < sx and 0 <= j < sy and 0 <= k < sz and solid[i, j, k] and out[i, j, k] == 0:
                out[i, j, k] = out[x, y, z]
                queue[count, 0], queue[count, 1], queue[count, 2] = i, j, k
                count += 1
