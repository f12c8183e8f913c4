"""The same scene through diffvg's Python package, where it is installed: a peer to compare with.

diffvg samples at random, so its images and gradients are near the exact ones, not equal to them. A path of a scene is
one shape group there, whose shapes are its contours.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from tessera_protocol.errors import error

from .scene import LINEAR, SOLID, Scene

# Along each side of a pixel; diffvg's own examples use two.
SAMPLES = 2


def available() -> bool:
    """Whether pydiffvg is installed."""
    return importlib.util.find_spec("pydiffvg") is not None


def render(scene: Scene, background: torch.Tensor, samples: int = SAMPLES, seed: int = 0) -> torch.Tensor:
    """Render, differentiable by diffvg.

    Args:
        scene: with tensors for points, paint, opacity and stroke.
        background: (H, W, C).
        samples: along each side of a pixel.
    Returns:
        (H, W, C), premultiplied where C is 4.
    Raises:
        TesseraError: pydiffvg is not installed.
    """
    if not available():
        raise error(
            "unusable-input",
            "pydiffvg is not installed.",
            field="raster",
            given="diffvg",
            allowed="tessera or reference",
            remedy="Build it from https://github.com/BachiLi/diffvg, or use tessera.",
        )
    import pydiffvg

    pydiffvg.set_use_gpu(scene.points.is_cuda)
    shapes: list[Any] = []
    groups: list[Any] = []
    for p in range(len(scene.paths) - 1):
        contours = [k for k in range(scene.paths[p], scene.paths[p + 1]) if scene.contours[k] < scene.contours[k + 1]]
        if contours:
            groups.append(_group(pydiffvg, scene, p, range(len(shapes), len(shapes) + len(contours))))
            shapes += [_shape(pydiffvg, scene, p, k) for k in contours]
    arguments = pydiffvg.RenderFunction.serialize_scene(scene.width, scene.height, shapes, groups)
    size = scene.width, scene.height, samples, samples, seed
    if background.shape[2] == 3:
        ground = torch.cat([background, torch.ones_like(background[..., :1])], -1).float().contiguous()
        return pydiffvg.RenderFunction.apply(*size, ground, *arguments)[..., :3].to(background)
    # On nothing it answers with straight RGBA.
    rgba = pydiffvg.RenderFunction.apply(*size, None, *arguments).to(background)
    layer = torch.cat([rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]], -1)
    return layer + (1 - rgba[..., 3:]) * background


def _shape(pydiffvg: Any, scene: Scene, p: int, k: int) -> Any:
    """One contour. diffvg's stroke widths are radii."""
    points = scene.points[int(scene.contours[k]) : int(scene.contours[k + 1])].float()
    return pydiffvg.Path(
        num_control_points=torch.full((len(points) // 3,), 2, dtype=torch.int32),
        points=points.contiguous(),
        stroke_width=0.5 * scene.stroke[p].float(),
        is_closed=True,
    )


def _group(pydiffvg: Any, scene: Scene, p: int, shapes: range) -> Any:
    """One path's contours and paint."""
    color = _paint(pydiffvg, scene, p)
    stroked = bool(scene.stroke[p] > 0)
    return pydiffvg.ShapeGroup(
        shape_ids=torch.tensor(list(shapes), dtype=torch.int32),
        fill_color=None if stroked else color,
        use_even_odd_rule=bool(scene.even_odd[p]),
        stroke_color=color if stroked else None,
        shape_to_canvas=torch.eye(3),
    )


def _paint(pydiffvg: Any, scene: Scene, p: int) -> Any:
    """A colour or a gradient; opacity goes into the stops."""
    paint = scene.paint
    alpha = paint.colors[p, :, 3:] * scene.opacity[p]
    colors = torch.cat([paint.colors[p, :, :3], alpha], 1).float()
    offsets, place = paint.offsets[p].float(), paint.geometry[p].float()
    if paint.kind[p] == SOLID:
        return colors[0]
    if paint.kind[p] == LINEAR:
        return pydiffvg.LinearGradient(place[:2], place[2:], offsets, colors)
    radius = place[2].repeat(2)
    return pydiffvg.RadialGradient(place[:2], radius, offsets, colors)
