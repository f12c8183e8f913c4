"""Rendering as a torch function: one public function that checks, over one autograd function."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from tessera_protocol.errors import error

from . import diffvg, gpu, reference
from .checks import check
from .flatten import Polylines, polylines
from .raster import Raster, opaque_paths
from .scene import SOLID, Paint, Scene

RASTERS = ("tessera", "reference", "diffvg")


def render(
    points: torch.Tensor,
    contours: Sequence[int] | np.ndarray,
    paths: Sequence[int] | np.ndarray,
    colors: torch.Tensor,
    *,
    width: int,
    height: int,
    kind: np.ndarray | None = None,
    geometry: torch.Tensor | None = None,
    offsets: torch.Tensor | None = None,
    opacity: torch.Tensor | None = None,
    even_odd: np.ndarray | None = None,
    stroke: torch.Tensor | None = None,
    background: torch.Tensor | None = None,
    channels: int = 3,
    tolerance: float = 0.1,
    segments: int | None = None,
    raster: str = "tessera",
) -> torch.Tensor:
    """Render paths, back to front; differentiable in every tensor but the background.

    Args:
        points: (M, 2), px, x right, y down; float32 or float64, on any device. See `Scene` for the arrays' layout.
        contours, paths: whole numbers, (K + 1,) and (P + 1,).
        colors: (P, S, 4), straight RGBA of the stops; (P, 4) or (P, 3) is solid colour.
        kind: int8 (P,), SOLID, LINEAR or RADIAL; solid where it is left out.
        geometry: (P, 4), px, and offsets, (P, S): of gradients.
        opacity: (P,), 1 where it is left out. Its gradient is 0 for opaque paths.
        even_odd: bool (P,), nonzero where it is left out.
        stroke: (P,), px, filled where it is left out.
        background: (C,) or (H, W, C); white for RGB and nothing for RGBA where it is left out.
        channels: 3, RGB, or 4, premultiplied RGBA.
        tolerance, segments: see `Raster`.
        raster: "tessera": kernels on the CPU, torch operations on cuda and mps; "reference": slow, by definition;
            "diffvg", where pydiffvg is installed.
    Returns:
        (H, W, C), of the dtype and device of the points.
    Raises:
        TesseraError: shapes, dtypes or devices that don't fit, values that are not finite, an unknown raster.
    """
    if raster not in RASTERS:
        raise error("out-of-range", f"Raster is {raster}.", field="raster", given=raster, allowed=", ".join(RASTERS))
    if colors.ndim == 2:
        colors = colors[:, None]
    if colors.shape[-1] == 3:
        colors = torch.cat([colors, torch.ones_like(colors[..., :1])], -1)
    count = len(colors)
    paint = Paint(
        np.full(count, SOLID, np.int8) if kind is None else np.asarray(kind, np.int8),
        points.new_zeros(count, 4) if geometry is None else geometry,
        points.new_zeros(colors.shape[:2]) if offsets is None else offsets,
        colors,
    )
    scene = Scene(
        width,
        height,
        points,
        np.asarray(contours, np.int64),
        np.asarray(paths, np.int64),
        paint,
        points.new_ones(count) if opacity is None else opacity,
        np.zeros(count, bool) if even_odd is None else np.asarray(even_odd, bool),
        points.new_zeros(count) if stroke is None else stroke,
    )
    _check_tensors(scene)
    plain = _plain(scene)
    check(plain, width, height)
    ground = _ground(background, points, (height, width, channels))
    if raster == "diffvg":
        return diffvg.render(scene, ground)
    settings = _Settings(plain, channels, tolerance, segments, raster)
    return _Render.apply(settings, ground, *_floats(scene))


# Rasters are kept for the next image of their kind: what they hold is the last image's.
_in_use = threading.Lock()


@functools.lru_cache(maxsize=4)
def _raster(
    width: int, height: int, channels: int, tolerance: float, dtype: torch.dtype, segments: int | None
) -> Raster:
    return Raster(width, height, channels, tolerance, np.float64 if dtype == torch.float64 else np.float32, segments)


@dataclasses.dataclass
class _Settings:
    """What is not differentiated; `scene` holds numpy arrays."""

    scene: Scene
    channels: int
    tolerance: float
    segments: int | None
    raster: str


def _floats(scene: Scene) -> tuple[Any, ...]:
    """What is differentiated, in the order of `Gradients`."""
    paint = scene.paint
    return scene.points, paint.geometry, paint.offsets, paint.colors, scene.opacity, scene.stroke


def _with_floats(scene: Scene, floats: Sequence[Any]) -> Scene:
    points, geometry, offsets, colors, opacity, stroke = floats
    paint = dataclasses.replace(scene.paint, geometry=geometry, offsets=offsets, colors=colors)
    return dataclasses.replace(scene, points=points, paint=paint, opacity=opacity, stroke=stroke)


def _plain(scene: Scene) -> Scene:
    """A copy of the scene in numpy: an optimizer may change its tensors before the backward pass."""
    return _with_floats(scene, [values.detach().cpu().numpy().copy() for values in _floats(scene)])


def _check_tensors(scene: Scene) -> None:
    names = ("points", "geometry", "offsets", "colors", "opacity", "stroke")
    points = scene.points
    for name, values in zip(names, _floats(scene), strict=True):
        if values.dtype not in (torch.float32, torch.float64) or values.dtype != points.dtype:
            raise error(
                "wrong-type", f"The scene's {name} are {values.dtype}.", field=name, allowed="float32 or float64, all"
            )
        if values.device != points.device:
            raise error("unusable-input", f"The scene's {name} are on {values.device}.", field=name)


def _ground(background: torch.Tensor | None, points: torch.Tensor, shape: tuple[int, int, int]) -> torch.Tensor:
    """The background as an image, (H, W, C)."""
    channels = shape[2]
    if channels not in (3, 4):
        raise error("out-of-range", f"{channels} channels.", field="channels", given=channels, allowed="3 or 4")
    if background is None:
        background = points.new_ones(3) if channels == 3 else points.new_zeros(4)
    if background.shape not in ((channels,), shape):
        problem = f"The background has the shape {tuple(background.shape)}."
        raise error("unusable-input", problem, field="background", allowed=f"({channels},) or {shape}")
    return background.detach().to(points).expand(shape)


class _Render(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: _Settings, ground: torch.Tensor, *floats: torch.Tensor) -> torch.Tensor:
        scene = settings.scene
        if settings.raster == "tessera" and ground.device.type == "cpu":
            size = scene.width, scene.height, settings.channels
            ctx.kernels = _raster(*size, settings.tolerance, ground.dtype, settings.segments)
            ctx.ground = ground.numpy().transpose(0, 2, 1)
            with _in_use:
                image = ctx.kernels.forward(scene, ctx.ground)
            ctx.scene = scene
            return torch.from_numpy(np.ascontiguousarray(image.transpose(0, 2, 1)))
        ctx.kernels, ctx.scene = None, scene
        by: Callable[[Scene, Polylines, np.ndarray, torch.Tensor], torch.Tensor] = (
            reference.render if settings.raster == "reference" else gpu.render
        )
        # torch records these operations itself: in backward its gradients are asked for.
        with torch.enable_grad():
            ctx.leaves = [values.detach().requires_grad_() for values in floats]
            lines = polylines(scene, settings.tolerance, settings.segments)
            ctx.image = by(_with_floats(scene, ctx.leaves), lines, opaque_paths(scene), ground)
        return ctx.image.detach()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        if ctx.kernels is None:
            found = torch.autograd.grad(ctx.image, ctx.leaves, upstream, retain_graph=True, materialize_grads=True)
            points, geometry, offsets, colors, opacity, stroke = found
            # As from the kernels: what opaque paths hide is not known.
            opaque = torch.as_tensor(opaque_paths(ctx.scene), device=upstream.device)
            colors[..., 3][opaque] = 0
            opacity[opaque] = 0
            return None, None, points, geometry, offsets, colors, opacity, stroke
        with _in_use:
            if ctx.kernels.scene is not ctx.scene:
                ctx.kernels.forward(ctx.scene, ctx.ground)
            slopes = ctx.kernels.backward(upstream.numpy().transpose(0, 2, 1))
        return (None, None, *(torch.from_numpy(values) for values in dataclasses.astuple(slopes)))
