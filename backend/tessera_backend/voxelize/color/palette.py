"""Palettes chosen from weighted colours, in CIE Lab, in which distances are about as large as they look.

The four ways are those of Voxify3D (Huang et al. 2025, "Color palette controllability"); there colours are RGB and all
of one weight.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...compiled import njit

LEAST_COLORS, MOST_COLORS = 2, 32
# Colours that near are one paint, Lab; it is a label's if so much of its weight is.
_SAME, _MOST = 0.25, 0.5
# k-means: tries, candidates of each step of its start, rounds, and the movement, Lab, that ends them.
_TRIES, _CANDIDATES, _ROUNDS, _STILL = 8, 16, 30, 0.05
# Max-min looks at colours of at least this share of the weight: the others are seams and noise.
_SHARE = 0.002
# What is nearer than this to a locked colour needs no other, Lab.
_SERVED = 4.0
# Annealing: steps, first temperature (a mean distance, Lab), and what is left of it after a step.
_STEPS, _HOT, _COOLING = 600, 1.0, 0.985


def chosen(
    colors: np.ndarray,
    weights: np.ndarray,
    count: int,
    *,
    method: str = "k-means",
    seed: int = 0,
    locked: np.ndarray | None = None,
) -> np.ndarray:
    """At most `count` colours for the given ones: float64 (K, 3), CIE Lab, the locked ones first.

    Args:
        colors: (N, 3), CIE Lab.
        weights: (N,), more than 0.
        method: of `METHODS`.
        locked: (L, 3), CIE Lab, which are part of the palette as they are; L is at most `count`.
    """
    kept = np.zeros((0, 3)) if locked is None else np.asarray(locked, np.float64).reshape(-1, 3)
    colors, owner = np.unique(np.asarray(colors, np.float64), axis=0, return_inverse=True)
    weights = np.bincount(owner.ravel(), weights, len(colors))
    others = _far(colors, kept).min(1, initial=np.inf) > _SERVED**2
    colors, weights = colors[others], weights[others]
    if len(kept) + len(colors) <= count:
        return np.vstack([kept, colors])
    if len(kept) == count:
        return kept
    return METHODS[method](colors, weights / weights.sum(), count, kept, np.random.default_rng(seed))


def binned(colors: np.ndarray, weights: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means (B, 3) and weights (B,) of the cubes of that side that colours (N, 3) lie in, and which one, int (N,)."""
    cell = np.rint(colors / side).astype(np.int64)
    cell -= cell.min(0, initial=0)
    sides = cell.max(0, initial=0) + 1
    _, owner = np.unique((cell[:, 0] * sides[1] + cell[:, 1]) * sides[2] + cell[:, 2], return_inverse=True)
    weight = np.bincount(owner, weights)
    sums = np.stack([np.bincount(owner, weights * axis) for axis in colors.T], 1)
    return sums / weight[:, None], weight, owner


def medians(
    colors: np.ndarray, weights: np.ndarray, label: np.ndarray, palette: np.ndarray, fixed: int = 0
) -> np.ndarray:
    """One of Weiszfeld's steps from each palette colour towards the geometric median of its colours, (K, 3) Lab.

    A median stays with most of a patch where a mean is drawn into a colour between two. The first `fixed` colours
    remain, and those of no label.
    """
    pull = weights / np.maximum(np.sqrt(((colors - palette[label]) ** 2).sum(1)), 2.0)
    total = np.bincount(label, pull, len(palette))
    sums = np.stack([np.bincount(label, pull * axis, len(palette)) for axis in colors.T], 1)
    free = (total > 0) & (np.arange(len(palette)) >= fixed)
    return np.where(free[:, None], sums / np.maximum(total, 1e-12)[:, None], palette)


def exact(
    colors: np.ndarray, weights: np.ndarray, label: np.ndarray, palette: np.ndarray, fixed: int = 0
) -> np.ndarray:
    """The palette, with the colour that most of a label's weight is, where one is: flat paint keeps its value.

    Arguments are those of `medians`.
    """
    kinds, kind = np.unique(
        np.column_stack([label, np.rint(colors / _SAME)]).astype(np.int64), axis=0, return_inverse=True
    )
    share = np.bincount(kind, weights, len(kinds)) / np.maximum(np.bincount(label, weights)[kinds[:, 0]], 1e-12)
    flat = np.flatnonzero((share > _MOST) & (kinds[:, 0] >= fixed))
    sums = np.stack([np.bincount(kind, weights * axis, len(kinds)) for axis in colors.T], 1)
    palette = palette.copy()
    palette[kinds[flat, 0]] = sums[flat] / np.bincount(kind, weights, len(kinds))[flat, None]
    return palette


def _far(colors: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Squared distances (N, K)."""
    return ((colors[:, None] - palette) ** 2).sum(2)


def _means(
    colors: np.ndarray, weights: np.ndarray, count: int, kept: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """k-means with the greedy start of k-means++ (Arthur and Vassilvitskii 2007); of several tries the best."""
    best, least = kept, np.inf
    for _ in range(_TRIES):
        palette = kept if len(kept) else colors[[int(np.argmax(weights))]]
        near = _far(colors, palette).min(1)
        while len(palette) < count and near.any():
            drawn = rng.choice(len(colors), _CANDIDATES, p=weights * near / (weights @ near))
            nearer = np.minimum(near, _far(colors[drawn], colors))
            taken = int(np.argmin(nearer @ weights))
            palette, near = np.vstack([palette, colors[drawn[taken]]]), nearer[taken]
        palette = palette.copy()
        away = _lloyd(colors, weights, palette, len(kept))
        if away < least:
            best, least = palette, away
    return best


@njit(cache=True)
def _lloyd(colors: np.ndarray, weights: np.ndarray, palette: np.ndarray, fixed: int) -> float:
    """Rounds of k-means on the palette in place; returns the mean squared distance before the last one."""
    away = 0.0
    for _ in range(_ROUNDS):
        sums = np.zeros((len(palette), 4))
        away = 0.0
        for i in range(len(colors)):
            k, d = _nearest(colors[i], palette)
            away += weights[i] * d
            sums[k, 3] += weights[i]
            for c in range(3):
                sums[k, c] += weights[i] * colors[i, c]
        moved = 0.0
        for k in range(fixed, len(palette)):
            if sums[k, 3] > 0:
                for c in range(3):
                    value = sums[k, c] / sums[k, 3]
                    moved = max(moved, abs(value - palette[k, c]))
                    palette[k, c] = value
        if moved < _STILL:
            break
    return away


@njit(cache=True)
def _nearest(color: np.ndarray, palette: np.ndarray) -> tuple[int, float]:
    which, least = 0, np.inf
    for k in range(len(palette)):
        d = (color[0] - palette[k, 0]) ** 2 + (color[1] - palette[k, 1]) ** 2 + (color[2] - palette[k, 2]) ** 2
        if d < least:
            which, least = k, d
    return which, least


def _median_cut(
    colors: np.ndarray, weights: np.ndarray, count: int, kept: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Heckbert's (1982): the box of most weight is cut at the median of its widest axis; boxes' means."""
    boxes = [np.arange(len(colors))]
    while len(boxes) < count - len(kept):
        wide = [float(np.ptp(colors[box], axis=0).max()) for box in boxes]
        heavy = [float(weights[box].sum()) if width > 0 else -1.0 for box, width in zip(boxes, wide, strict=True)]
        cut = int(np.argmax(heavy))
        if heavy[cut] < 0:
            break
        box = boxes.pop(cut)
        along = colors[box, int(np.argmax(np.ptp(colors[box], axis=0)))]
        box = box[np.argsort(along, kind="stable")]
        half = np.cumsum(weights[box]) - weights[box] / 2
        at = int(np.clip(np.searchsorted(half, half[-1] / 2), 1, len(box) - 1))
        boxes += [box[:at], box[at:]]
    return np.vstack([kept, [np.average(colors[box], axis=0, weights=weights[box]) for box in boxes]])


def _max_min(
    colors: np.ndarray, weights: np.ndarray, count: int, kept: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """From the heaviest colour on, always the one farthest from those taken."""
    seen = weights >= _SHARE * weights.max()
    colors, weights = colors[seen], weights[seen]
    palette = kept if len(kept) else colors[[int(np.argmax(weights))]]
    while len(palette) < count:
        near = _far(colors, palette).min(1)
        if not near.any():
            break
        palette = np.vstack([palette, colors[int(np.argmax(near))]])
    return palette


def _annealed(
    colors: np.ndarray, weights: np.ndarray, count: int, kept: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Colours are swapped for others, at first also for worse ones, so that the mean distance falls."""
    drawn = rng.choice(len(colors), min(count - len(kept), len(colors)), replace=False, p=weights)
    palette = np.vstack([kept, colors[drawn]])
    now = least = _mean_distance(colors, weights, palette)
    best = palette
    for step in range(_STEPS):
        other = palette.copy()
        other[rng.integers(len(kept), len(palette))] = colors[rng.choice(len(colors), p=weights)]
        cost = _mean_distance(colors, weights, other)
        if cost < now or rng.random() < np.exp((now - cost) / (_HOT * _COOLING**step)):
            palette, now = other, cost
        if now < least:
            best, least = palette, now
    return best


@njit(cache=True)
def _mean_distance(colors: np.ndarray, weights: np.ndarray, palette: np.ndarray) -> float:
    total = 0.0
    for i in range(len(colors)):
        total += weights[i] * np.sqrt(_nearest(colors[i], palette)[1])
    return total


Method = Callable[[np.ndarray, np.ndarray, int, np.ndarray, np.random.Generator], np.ndarray]
METHODS: dict[str, Method] = {
    "k-means": _means,
    "median-cut": _median_cut,
    "max-min": _max_min,
    "annealing": _annealed,
}
