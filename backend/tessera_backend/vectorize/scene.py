"""A drawing as the rasterizer's arrays, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..vector_raster.scene import LINEAR, RADIAL, SOLID, Paint, Scene
from .drawing import Drawing, Gradient, Path
from .shapes import Shapes, starts

_KINDS = {"linear": LINEAR, "radial": RADIAL}


def to_scene(drawing: Drawing) -> Scene:
    """The same paths in the same order; float64. Paths with fewer stops than others repeat their last one."""
    contours = [np.asarray(contour, np.float64) for path in drawing.paths for contour in path.contours]
    count = len(drawing.paths)
    return Scene(
        drawing.width,
        drawing.height,
        np.concatenate([np.zeros((0, 2)), *contours]),
        starts([len(contour) for contour in contours]),
        starts([len(path.contours) for path in drawing.paths]),
        _paint([path.fill for path in drawing.paths]),
        np.array([path.opacity for path in drawing.paths], np.float64),
        np.zeros(count, bool),
        np.zeros(count),
    )


def scaled(scene: Scene, scale: float) -> Scene:
    """The same scene on a canvas `scale` times as large each way."""
    paint = dataclasses.replace(scene.paint, geometry=scene.paint.geometry * scale)
    return dataclasses.replace(
        scene,
        width=round(scene.width * scale),
        height=round(scene.height * scale),
        points=scene.points * scale,
        paint=paint,
        stroke=scene.stroke * scale,
    )


def to_shapes(drawing: Drawing) -> Shapes:
    """A drawing that an optimizer can move: opacities go into colours, and gradients keep their two outer stops."""
    levels = np.array([path.level for path in drawing.paths], np.int64)
    shapes = Shapes.of([path.contours for path in drawing.paths], levels, np.zeros(len(levels), bool))
    scene = to_scene(drawing)
    paint = dataclasses.replace(
        scene.paint, offsets=scene.paint.offsets[:, [0, -1]], colors=scene.paint.colors[:, [0, -1]]
    )
    paint.colors[..., 3] *= scene.opacity[:, None]
    shapes.paint = paint
    return shapes


def to_paths(scene: Scene, like: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The paths of a scene, with the names, groups and levels of `like`, one for each, or none if it is empty.

    A solid colour's alpha goes into its path's opacity.

    Raises:
        ValueError: a path is stroked or has the even-odd rule, which a drawing cannot say.
    """
    if np.any(scene.stroke) or np.any(scene.even_odd):
        raise ValueError("a drawing has neither strokes nor the even-odd rule")
    names = like or [Path((), np.zeros(3))] * len(scene.opacity)
    paths = []
    for p, named in zip(range(len(scene.opacity)), names, strict=True):
        bounds = scene.contours[scene.paths[p] : scene.paths[p + 1] + 1]
        contours = tuple(np.array(scene.points[begin:end], np.float64) for begin, end in pairwise(bounds))
        fill, alpha = _fill(scene.paint, p)
        paths.append(
            dataclasses.replace(named, contours=contours, fill=fill, opacity=float(scene.opacity[p]) * float(alpha))
        )
    return tuple(paths)


def _paint(fills: list[np.ndarray | Gradient]) -> Paint:
    count = len(fills)
    stops = max([len(fill.offsets) for fill in fills if isinstance(fill, Gradient)], default=1)
    paint = Paint(
        np.full(count, SOLID, np.int8), np.zeros((count, 4)), np.zeros((count, stops)), np.ones((count, stops, 4))
    )
    for p, fill in enumerate(fills):
        if isinstance(fill, Gradient):
            last = np.minimum(np.arange(stops), len(fill.offsets) - 1)
            paint.kind[p] = _KINDS[fill.kind]
            paint.geometry[p, : len(fill.geometry)] = fill.geometry
            paint.offsets[p], paint.colors[p] = fill.offsets[last], fill.colors[last]
        else:
            paint.colors[p, :, :3] = fill
    return paint


def _fill(paint: Paint, p: int) -> tuple[np.ndarray | Gradient, float]:
    """A path's fill, and what its opacity is to be multiplied by."""
    offsets, colors = (np.array(values[p], np.float64) for values in (paint.offsets, paint.colors))
    if paint.kind[p] == SOLID:
        return colors[0, :3], colors[0, 3]
    count = len(offsets)
    while count > 1 and offsets[count - 1] == offsets[count - 2] and (colors[count - 1] == colors[count - 2]).all():
        count -= 1
    kind, numbers = ("linear", 4) if paint.kind[p] == LINEAR else ("radial", 3)
    return Gradient(kind, tuple(paint.geometry[p, :numbers].tolist()), offsets[:count], colors[:count]), 1.0
