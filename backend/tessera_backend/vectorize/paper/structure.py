"""Stage I: the shapes of the structure, one for each part, fitted to the masks alone.

Each layer is rendered with every shape in its mask's random colour and compared with the layer's masks in these; a
second rendering, in which two translucent shapes on each other are darker than one, keeps shapes of a layer apart
(Wang et al., CVPR 2025, section 3.2). The authors' code adds a little of the error against the picture, which the text
does not have and which colours nobody keeps; it is left out. Layers share nothing, so they are fitted one by one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...progress import SILENT, Progress
from ...vector_raster import Paint, Raster, Scene
from ..curves.holes import Holes
from ..curves.outlines import outlined
from ..descent import tidy
from ..drawing import Path
from ..scene import to_paths
from ..shapes import Shapes, neighbours
from .layers import Part

STEPS = 50
# The first curves may be that many times as far off as asked: points move afterwards, and fewer of them move better.
_FIRST = 2.0
# px per step, falling to this share of it along a cosine: at a constant rate, as published, points end up trembling.
POINT_RATE, LAST_SHARE = 1.0, 0.05
# Of the overlap's mean over pixels and channels. Published as 1e-8 in the text and 2e-7 in the code, of its sum over
# 512 x 512 pixels; this is the code's.
OVERLAP_WEIGHT = 2e-7 * 512 * 512 * 3
# Shapes are black at this opacity on white: one leaves 0.7 of it, two 0.49. What is darker than one counts.
OVERLAP_OPACITY, OVERLAP_FROM = 0.3, 178 / 255
_DARKEST = 0.2
# px, how far polylines may be off their curves while points still move.
TOLERANCE = 0.15


class Adam:
    """Kingma and Ba, ICLR 2015, with the method's published constants."""

    _BETA, _EPSILON = 0.9, 1e-6

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._mean, self._square, self._steps = np.zeros(shape), np.zeros(shape), 0

    def change(self, gradient: np.ndarray, rate: float) -> np.ndarray:
        """What to add to the parameters."""
        self._steps += 1
        self._mean += (1 - self._BETA) * (gradient - self._mean)
        self._square += (1 - self._BETA) * (gradient * gradient - self._square)
        bias = 1 - self._BETA**self._steps
        return -rate * (self._mean / bias) / (np.sqrt(self._square / bias) + self._EPSILON)


class Points:
    """Moves the points of shapes, in place, and keeps smooth joints smooth, and holes in their outlines."""

    def __init__(self, moved: Shapes, steps: int) -> None:
        self._shapes, self._adam, self._step, self._steps = moved, Adam(moved.points.shape), 0, steps
        self._around = neighbours(moved.contours)
        self._holes = Holes(moved.points, moved.contours, moved.paths)

    def move(self, gradient: np.ndarray) -> None:
        """One step."""
        falling = LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + np.cos(np.pi * self._step / self._steps))
        self._step += 1
        self._shapes.points += self._adam.change(gradient, POINT_RATE * falling)
        tidy(self._shapes.points, self._shapes.smooth, *self._around)
        self._holes.keep(self._shapes.points)


def flat(paths: Sequence[Path]) -> Shapes:
    """Paths as arrays, with their colours."""
    none = np.zeros(len(paths), np.int64)
    made = Shapes.of([path.contours for path in paths], none, none)
    made.paint = Paint.solid(np.array([path.fill for path in paths], np.float64))
    return made


def curves(mask: np.ndarray, tolerance: float) -> tuple[np.ndarray, ...]:
    """Closed cubic curves along a mask's outline, and along those of its holes: each (3 n, 2), px."""
    return tuple(outlined(mask, _FIRST * tolerance))


def shapes(
    parts: Sequence[Part], tolerance: float, rng: np.random.Generator, progress: Progress = SILENT
) -> list[Path]:
    """Fit a shape to each part.

    Args:
        parts: of `layers.arrange`.
        tolerance: px, as an artist asks for it.
        rng: of the colours.
        progress: told before each layer.
    Returns:
        for each part a path without a colour; no contours where its mask is too small to have any.
    """
    paths = [Path(curves(part.mask, tolerance), np.zeros(3), level=part.level) for part in parts]
    layers = sorted({part.layer for part in parts})
    for done, layer in enumerate(layers):
        progress("structure", done / len(layers), f"Structure, layer {done + 1} of {len(layers)}")
        members = [i for i, part in enumerate(parts) if part.layer == layer and paths[i].contours]
        if members:
            fitted = fit_layer([paths[i] for i in members], [parts[i].mask for i in members], rng)
            for i, path in zip(members, fitted, strict=True):
                paths[i] = path
    return paths


def fit_layer(paths: Sequence[Path], masks: Sequence[np.ndarray], rng: np.random.Generator) -> list[Path]:
    """Move the points of the paths of one layer until they cover their masks and not each other."""
    height, width = masks[0].shape
    colors = rng.uniform(_DARKEST, 1.0, (len(paths), 3))
    target = np.zeros((height, 3, width), np.float32)
    for mask, color in zip(masks, colors, strict=True):
        target += mask[:, None] * color[:, None].astype(np.float32)
    moved = flat([dataclasses.replace(path, fill=color) for path, color in zip(paths, colors, strict=True)])
    raster = Raster(width, height, tolerance=TOLERANCE)
    points = Points(moved, STEPS)
    for _ in range(STEPS):
        points.move(loss(raster, moved.scene(width, height), target)[1])
    return [
        dataclasses.replace(b, fill=a.fill)
        for a, b in zip(paths, to_paths(moved.scene(width, height), paths), strict=True)
    ]


def loss(raster: Raster, scene: Scene, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The structure loss of a layer, and its gradient for the scene's points.

    Args:
        scene: of the layer, each path in its mask's colour.
        target: float32 (H, 3, W), the masks in these colours on black.
    """
    off = raster.forward(scene, (0.0, 0.0, 0.0)) - target
    value = float((off * off).mean())
    gradient = raster.backward(off * np.float32(2 / off.size)).points
    if len(scene.opacity) > 1:
        none = Paint.solid(np.zeros((len(scene.opacity), 3)))
        black = dataclasses.replace(scene, paint=none, opacity=np.full(len(scene.opacity), OVERLAP_OPACITY))
        dark = np.float32(OVERLAP_FROM) - raster.forward(black, (1.0, 1.0, 1.0))
        value += OVERLAP_WEIGHT * float(np.maximum(dark, 0).mean())
        upstream = np.where(dark > 0, np.float32(-OVERLAP_WEIGHT / dark.size), np.float32(0))
        gradient = gradient + raster.backward(upstream).points
    return value, gradient
