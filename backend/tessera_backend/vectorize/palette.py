"""Drawings of few colours: chosen from the picture, or given, and then drawn with.

Nearness is measured in OKLab (Ottosson 2020). Shapes are fitted to the picture as it is in these colours: of a drawing
in all colours, neighbours would become one colour, and the border between them be drawn for nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .. import colour
from .curves.area import top
from .drawing import Drawing, Gradient
from .segment import moments, sharpen
from .segment.regions import merge_pixels

_ROUNDS = 30
# Regions that colours are chosen from, the power of their areas, how often that is tried, and rounds of k-means over
# pixels afterwards.
_REGIONS, _POWER, _TRIES, _REFINED = 100, 0.75, 12, 2
# How much pixels side with those around them, as a share of how much nearer the nearest colour is to most of them than
# the second one; the window's side, px; rounds; and the colours from which on that takes too long.
_SMOOTHING, _AROUND, _SMOOTHED, _MOST_SMOOTHED = 1.0, 5, 4, 32
# Differences of hue and chroma count more than those of lightness, as a yellow pear is no light grey (Ottosson's later
# advice for distances).
_AXES = np.array([1.0, 2.0, 2.0])
# Linear sRGB to the responses of three cones, and their cube roots to lightness and two opponent axes.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def parsed(palette: Sequence[str]) -> np.ndarray:
    """(K, 3) sRGB in [0, 1], of #rrggbb each."""
    return np.array([colour.parsed(text) for text in palette])


def of_picture(image: np.ndarray, inside: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """The colours that a picture is best drawn with: at most `count`, (K, 3) sRGB.

    Weighted k-means over small regions of the picture, then over its pixels.

    Args:
        image: float32 (H, W, 3), sRGB in [0, 1].
        inside: bool (H, W), the pixels that matter.
    """
    labels, found = merge_pixels(sharpen(image, inside), inside, _REGIONS)
    rows = moments(image, labels, found)
    palette = chosen(rows[:, 6::4] / rows[:, :1], rows[:, 0], count, seed, power=_POWER, tries=_TRIES)
    for _ in range(_REFINED):
        nearest = in_colors(image, inside, palette)
        size = np.bincount(nearest[inside], minlength=len(palette))
        sums = np.stack(
            [np.bincount(nearest[inside], channel[inside], len(palette)) for channel in np.moveaxis(image, 2, 0)]
        )
        palette = np.where(size > 0, sums / np.maximum(size, 1), palette.T).T
    return palette


def in_colors(image: np.ndarray, inside: np.ndarray, palette: np.ndarray, smooth: bool = True) -> np.ndarray:
    """Which colour of a palette each pixel is drawn in: int (H, W).

    The nearest one, but that pixels side with those around them where two are about as near: noise and gradients make
    no specks. Rims are sharpened before: a mixture is neither a line nor a third colour. Neither if not `smooth`.
    Source of the way: Besag, On the Statistical Analysis of Dirty Pictures, JRSS B 48 (1986), iterated conditional
    modes of a Potts model.
    """
    sharp = sharpen(image, inside, passes=2 if smooth else 0)
    lab = srgb_to_oklab(sharp.reshape(-1, 3).astype(np.float64)) * _AXES
    centers = srgb_to_oklab(palette) * _AXES
    tree = cKDTree(centers)
    away, order = tree.query(lab, min(2, len(palette)))
    if len(palette) == 1 or len(palette) > _MOST_SMOOTHED or not smooth:
        return (order if order.ndim == 1 else order[:, 0]).reshape(inside.shape)
    strength = _SMOOTHING * float(np.median((away[:, 1] ** 2 - away[:, 0] ** 2)[inside.ravel()]))
    nearest = order[:, 0].reshape(inside.shape)
    far = [((lab - center) ** 2).sum(1).reshape(inside.shape) for center in centers]
    for _ in range(_SMOOTHED):
        costs = [
            own - strength * ndimage.uniform_filter(((nearest == k) & inside).astype(np.float32), _AROUND)
            for k, own in enumerate(far)
        ]
        nearest = np.argmin(costs, axis=0)
    return nearest


def snapped(drawing: Drawing, palette: np.ndarray) -> Drawing:
    """Every path in the nearest colour of (K, 3) sRGB; gradients become flat."""
    colors = snapped_colors(seen_colors(drawing)[0], palette)
    paths = [
        dataclasses.replace(path, fill=color, opacity=path.alpha)
        for path, color in zip(drawing.paths, colors, strict=True)
    ]
    return dataclasses.replace(drawing, paths=tuple(paths))


def snapped_colors(colors: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The nearest of a palette (K, 3) for each of (N, 3), sRGB."""
    found: np.ndarray = palette[_distances(srgb_to_oklab(colors), srgb_to_oklab(palette)).argmin(1)]
    return found


def chosen(
    colors: np.ndarray, weights: np.ndarray, count: int, seed: int = 0, *, power: float = 0.5, tries: int = 1
) -> np.ndarray:
    """At most `count` colours, (K, 3) sRGB, for colours (N, 3) of weights (N,); all of them where they are no more.

    k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's rounds, of masses that are that power of the weights: a
    small bright shape counts for more than its share. 0 weighs next to nothing. Of several tries the best.
    """
    colors, owner = np.unique(colors, axis=0, return_inverse=True)
    if len(colors) <= count:
        return colors
    mass = np.bincount(owner.ravel(), weights, len(colors)) ** power + 1e-6
    rng = np.random.default_rng(seed)
    lab = srgb_to_oklab(colors)
    found = [_means(lab, mass, count, rng) for _ in range(tries)]
    return oklab_to_srgb(min(found, key=lambda centers: float(mass @ _distances(lab, centers).min(1))))


def _means(lab: np.ndarray, mass: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """k-means of (N, 3) with masses (N,): (count, 3)."""
    centers = lab[[int(np.argmax(mass))]]
    for _ in range(count - 1):
        far = mass * _distances(lab, centers).min(1)
        centers = np.vstack([centers, lab[rng.choice(len(lab), p=far / far.sum())]])
    for _ in range(_ROUNDS):
        nearest = _distances(lab, centers).argmin(1)
        sums = np.stack([np.bincount(nearest, mass * axis, count) for axis in lab.T], 1)
        total = np.bincount(nearest, mass, count)
        centers = np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], centers)
    return centers


def seen_colors(drawing: Drawing) -> tuple[np.ndarray, np.ndarray]:
    """For each path the mean colour of what is seen of it, (P, 3), and how many pixels that is, (P,)."""
    shown = top(drawing).ravel()
    order = np.argsort(shown, kind="stable")
    bounds = np.searchsorted(shown[order], np.arange(len(drawing.paths) + 1))
    colors = np.zeros((len(drawing.paths), 3))
    for p, path in enumerate(drawing.paths):
        if isinstance(path.fill, Gradient):
            pixels = order[bounds[p] : bounds[p + 1]]
            centers = np.column_stack([pixels % drawing.width, pixels // drawing.width]) + 0.5
            seen = gradient_colors(path.fill, centers) if len(pixels) else path.fill.colors
            colors[p] = seen[:, :3].mean(0)
        else:
            colors[p] = np.asarray(path.fill)[:3]
    return np.clip(colors, 0, 1), np.diff(bounds).astype(np.float64)


def gradient_colors(gradient: Gradient, points: np.ndarray) -> np.ndarray:
    """(N, 4) RGBA of a gradient at points (N, 2), px."""
    geometry = np.asarray(gradient.geometry, np.float64)
    if gradient.kind == "linear":
        axis = geometry[2:] - geometry[:2]
        at = (points - geometry[:2]) @ axis / max(float(axis @ axis), 1e-12)
    else:
        at = np.hypot(*(points - geometry[:2]).T) / max(float(geometry[2]), 1e-12)
    return np.stack([np.interp(at, gradient.offsets, channel) for channel in gradient.colors.T], 1)


def srgb_to_oklab(rgb: np.ndarray) -> np.ndarray:
    """(N, 3) of (N, 3) in [0, 1]."""
    return np.cbrt(colour.srgb_to_linear(rgb) @ _TO_CONES.T) @ _TO_LAB.T


def oklab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """The inverse of `srgb_to_oklab`, in [0, 1]: what no screen shows is clipped."""
    linear = np.clip((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T, 0, 1)
    return colour.linear_to_srgb(linear)


def _distances(lab: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """(N, K), squared."""
    return (((lab[:, None] - centers) * _AXES) ** 2).sum(2)
