"""Drawings of few colours: chosen from the drawing, or given. Nearness is measured in OKLab (Ottosson 2020)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .curves.area import top
from .drawing import Drawing, Gradient

_ROUNDS = 30
# Differences of hue and chroma count more than those of lightness, as a yellow pear is no light grey (Ottosson's later
# advice for distances), and a small bright shape more than its share of the area.
_AXES = np.array([1.0, 2.0, 2.0])
_SALIENCE = 0.5
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


def limited(drawing: Drawing, count: int, seed: int = 0) -> Drawing:
    """With at most `count` colours, the best for what is seen of the paths; gradients become flat.

    Weighted k-means of the paths' colours; each path takes its cluster's mean.
    """
    colors, weights = seen_colors(drawing)
    return _painted(drawing, chosen(colors, weights, count, seed), colors)


def snapped(drawing: Drawing, palette: Sequence[str]) -> Drawing:
    """Every path in the nearest colour of a list, #rrggbb each; gradients become flat."""
    rgb = np.array([[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)] for text in palette])
    return _painted(drawing, rgb, seen_colors(drawing)[0])


def chosen(colors: np.ndarray, weights: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """At most `count` colours, (K, 3) sRGB, for colours (N, 3) of weights (N,); all of them where they are no more.

    k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's rounds; 0 weighs next to nothing, and four times as much
    counts twice.
    """
    colors, owner = np.unique(colors, axis=0, return_inverse=True)
    if len(colors) <= count:
        return colors
    mass = np.bincount(owner.ravel(), weights, len(colors)) ** _SALIENCE + 1e-6
    rng = np.random.default_rng(seed)
    lab = srgb_to_oklab(colors)
    centers = lab[[int(np.argmax(mass))]]
    for _ in range(count - 1):
        far = mass * _distances(lab, centers).min(1)
        centers = np.vstack([centers, lab[rng.choice(len(lab), p=far / far.sum())]])
    for _ in range(_ROUNDS):
        nearest = _distances(lab, centers).argmin(1)
        sums = np.stack([np.bincount(nearest, mass * axis, count) for axis in lab.T], 1)
        total = np.bincount(nearest, mass, count)
        centers = np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], centers)
    return oklab_to_srgb(centers)


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
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def oklab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """The inverse of `srgb_to_oklab`, in [0, 1]: what no screen shows is clipped."""
    linear = np.clip((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def _painted(drawing: Drawing, palette: np.ndarray, colors: np.ndarray) -> Drawing:
    """Each path in the colour of the palette that is nearest to its own."""
    nearest = _distances(srgb_to_oklab(colors), srgb_to_oklab(palette)).argmin(1)
    paths = [dataclasses.replace(path, fill=palette[k]) for path, k in zip(drawing.paths, nearest, strict=True)]
    return dataclasses.replace(drawing, paths=tuple(paths))


def _distances(lab: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """(N, K), squared."""
    return (((lab[:, None] - centers) * _AXES) ** 2).sum(2)
