"""Neighbourhoods of voxels: what is around them, labels that side with those next to them, labels for all."""

from __future__ import annotations

import numpy as np

from ...compiled import njit
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


def patches(number: np.ndarray, places: np.ndarray, label: np.ndarray) -> np.ndarray:
    """How many voxels of the shell hang together with each, faces and edges, in one label: int32 (S,)."""
    size = np.zeros(len(places), np.int32)
    _patches(number, places, label, size, np.empty(len(places), np.int32))
    return size


@njit(cache=True)
def _patches(number: np.ndarray, places: np.ndarray, label: np.ndarray, size: np.ndarray, queue: np.ndarray) -> None:
    sx, sy, sz = number.shape
    for start in range(len(places)):
        if size[start]:
            continue
        queue[0], size[start] = start, 1
        count, done = 1, 0
        while done < count:
            x, y, z = places[queue[done]]
            done += 1
            for i in range(max(x - 1, 0), min(x + 2, sx)):
                for j in range(max(y - 1, 0), min(y + 2, sy)):
                    for k in range(max(z - 1, 0), min(z + 2, sz)):
                        n = number[i, j, k]
                        corner = abs(i - x) + abs(j - y) + abs(k - z) == 3
                        if n >= 0 and not corner and size[n] == 0 and label[n] == label[start]:
                            queue[count], size[n] = n, 1
                            count += 1
        for at in range(count):
            size[queue[at]] = count


def around(number: np.ndarray, places: np.ndarray, label: np.ndarray, voxels: np.ndarray, count: int) -> np.ndarray:
    """How many of the 18 neighbours of some voxels, int (N,), have each of `count` labels, (N, count); faces twice."""
    votes = np.zeros((len(voxels), count), np.int64)
    _around(number, places, label, voxels, votes)
    return votes


@njit(cache=True)
def _around(number: np.ndarray, places: np.ndarray, label: np.ndarray, voxels: np.ndarray, votes: np.ndarray) -> None:
    sx, sy, sz = number.shape
    for v in range(len(voxels)):
        x, y, z = places[voxels[v]]
        for i in range(max(x - 1, 0), min(x + 2, sx)):
            for j in range(max(y - 1, 0), min(y + 2, sy)):
                for k in range(max(z - 1, 0), min(z + 2, sz)):
                    far = abs(i - x) + abs(j - y) + abs(k - z)
                    n = number[i, j, k]
                    if far in (1, 2) and n >= 0 and label[n] >= 0:
                        votes[v, label[n]] += 3 - far


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
