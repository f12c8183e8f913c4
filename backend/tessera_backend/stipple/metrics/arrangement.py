"""How dots lie to each other on an even tone: power spectrum, anisotropy, and leftover lattices.

None of the five measures of StippleDiffusion sees whether dots stand in rows; these do.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.spatial import cKDTree


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """Radially averaged periodogram (Ulichney 1987; Lagae and Dutre 2008).

    Attributes:
        frequency: (K,), in units of sqrt(N): about 1 is where blue noise has its peak.
        power: (K,), mean over directions; 1 is white noise, 0 below the peak is blue.
        anisotropy: (K,), variance over directions by the squared mean, dB; -10 log10(sets) is isotropic.
    """

    frequency: np.ndarray
    power: np.ndarray
    anisotropy: np.ndarray


def spectrum(sets: list[np.ndarray], highest: float = 3.0) -> Spectrum:
    """Spectrum of point sets of an even tone on the unit square, averaged over the sets.

    Args:
        sets: of the same number of points N each, (N, 2), in [0, 1].
        highest: frequency, in units of sqrt(N).
    """
    count = len(sets[0])
    most = int(np.ceil(highest * np.sqrt(count)))
    power = np.mean([_periodogram(points, most) for points in sets], axis=0)
    radius = np.hypot(*np.meshgrid(np.arange(-most, most + 1), np.arange(most + 1)))
    ring = np.rint(radius).astype(int)
    # Of a real set, k and -k have equal power: half the plane is all of it, and 0 is no direction.
    used = (ring >= 1) & (ring <= most)
    rings = ring[used] - 1
    many = np.bincount(rings, minlength=most)
    mean = np.bincount(rings, power[used], most) / many
    spread = np.bincount(rings, power[used] ** 2, most) / many - mean**2
    ratio = np.maximum(spread, 0) / np.maximum(mean, 1e-12) ** 2
    return Spectrum(np.arange(1, most + 1) / np.sqrt(count), mean, 10 * np.log10(np.maximum(ratio, 1e-6)))


def bond_order(points: np.ndarray, fold: int = 4) -> float:
    """Global bond-orientational order: |mean of exp(i fold theta)| over the `fold` nearest neighbours of each point.

    Args:
        points: (N, 2), N > fold.
        fold: 4 finds square lattices, 6 hexagonal ones.
    Returns:
        0 where directions are mixed, 1 where all points are one lattice.
    """
    near = cKDTree(points).query(points, fold + 1)[1][:, 1:]
    ways = points[near] - points[:, None]
    return float(abs(np.exp(1j * fold * np.arctan2(ways[..., 1], ways[..., 0])).mean()))


def _periodogram(points: np.ndarray, most: int) -> np.ndarray:
    """|sum of exp(-2 pi i k x)|^2 / N for k_x in -most..most (columns) and k_y in 0..most (rows)."""
    across = np.exp(-2j * np.pi * np.outer(points[:, 0], np.arange(-most, most + 1)))
    down = np.exp(-2j * np.pi * np.outer(points[:, 1], np.arange(most + 1)))
    return np.abs(down.T @ across) ** 2 / len(points)
