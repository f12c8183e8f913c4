"""The one place where an engine is chosen: a picture becomes a drawing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ..progress import Progress
from . import fills, palette, paper, pursuit, tiny
from .arrange import arranged
from .canvas import Canvas, preview, psnr
from .cutout import cut_out
from .descent import fidelity
from .drawing import Drawing, Path
from .names import level_names, named
from .scene import to_paths, to_scene, to_shapes
from .shapes import Shapes
from .translucent import StandIn
from .working import Working

_OURS = {"fast": pursuit.fast, "best": pursuit.best}
# Of shapes in few colours: steps of descent to the picture itself, px of the first ones, and squared error over all
# under which nobody sees that one is missing.
_STEPS, _RATE, _UNSEEN = 60, 0.5, 0.3


def draw(working: Working, params: VectorizeParams, progress: Progress, device: str) -> tuple[Drawing, dict[str, Any]]:
    """Draw a picture as `params.engine` does.

    Args:
        device: where networks run.
    Returns:
        The drawing, named, without metadata; and facts for it, of plain JSON types.
    """
    colors = _palette(working, params)
    picture = working
    if colors is not None:
        params = dataclasses.replace(params, gradients=False)
        shown = colors[palette.in_colors(working.image, working.inside, colors, smooth=not working.tiny)]
        picture = dataclasses.replace(working, image=shown.astype(np.float32))
    if picture.tiny:
        drawing = tiny.drawn(picture, params.paths, params.levels, params.cut_out)
        return _measured(drawing, working, {"pixel_by_pixel": True})
    if picture.solid is None:
        drawing, facts = _drawn_by(Canvas.of(picture, colors), params, progress.part(0.0, 0.9), device)
    else:
        instead = StandIn(picture)
        part = progress.part(0.0, 0.8).showing(lambda told: {"picture": instead.on_white(told["picture"])})
        drawing, facts = _drawn_by(Canvas.of(instead.working), params, part, device)
        drawing = instead.redrawn(drawing, params, progress.part(0.8, 0.9))
    if colors is not None:
        again = 0 if params.palette else params.colors
        drawing = _in_colors(drawing, Canvas.of(working, colors), again, params.seed, progress.part(0.9, 0.95))
    if params.cut_out:
        drawing = cut_out(drawing, params.smallest, params.paths)
    return _measured(drawing, working, facts)


def _measured(drawing: Drawing, working: Working, facts: dict[str, Any]) -> tuple[Drawing, dict[str, Any]]:
    """Named; and facts with how near it is to the picture."""
    canvas = Canvas.of(working)
    error = fidelity(canvas.target)(_rasterized(canvas, drawing))[0]
    return named(drawing), facts | {"mse": error, "psnr": round(psnr(error), 2)}


def _palette(working: Working, params: VectorizeParams) -> np.ndarray | None:
    """The colours that are asked for, (K, 3); None: any."""
    if params.palette:
        return palette.parsed(params.palette_colors)
    if params.colors:
        return palette.of_picture(working.image, working.inside, params.colors, params.seed)
    return None


def _drawn_by(
    canvas: Canvas, params: VectorizeParams, progress: Progress, device: str
) -> tuple[Drawing, dict[str, Any]]:
    """What an engine makes of an opaque picture, and facts."""
    if params.engine == "paper":
        watched = progress.showing(lambda drawing: {"picture": preview(_rasterized(canvas, drawing))})
        drawing = paper.draw(canvas.working.rgba, params, watched, device)
        return drawing, drawing.meta
    shapes, facts = _OURS[params.engine](canvas, params, progress)
    width, height = canvas.raster.width, canvas.raster.height
    like = [Path((), np.zeros(3), level=int(level)) for level in shapes.level]
    paths = to_paths(shapes.scene(width, height), like)
    return Drawing(width, height, arranged(paths, width, height), level_names(params.levels)), facts


def _in_colors(drawing: Drawing, canvas: Canvas, again: int, seed: int, progress: Progress) -> Drawing:
    """A drawing of the picture in a palette, brought nearer to the picture itself, without what changes nothing.

    Args:
        again: so many colours may be chosen again, for the shapes that there are now, if that is nearer; 0: none.
    """
    shapes = to_shapes(palette.snapped(drawing, canvas.palette))
    if again:
        canvas = _chosen_again(shapes, canvas, again, seed)
    canvas.descend(shapes, _STEPS, rate=_RATE, progress=progress)
    own = canvas.drawn(shapes).copy()
    kept = np.arange(len(shapes))
    while len(kept) > 1:
        canvas.drawn(shapes.taken(kept))
        change = canvas.raster.removal(own)
        if canvas.working.alpha is None:
            change[0] = np.inf  # the backdrop: nothing shines through between others
        least = int(np.argmin(change))
        if change[least] > _UNSEEN:
            break
        kept = np.delete(kept, least)
    paths = to_paths(shapes.taken(kept).scene(drawing.width, drawing.height), [drawing.paths[p] for p in kept])
    return dataclasses.replace(drawing, paths=tuple(paths))


def _chosen_again(shapes: Shapes, canvas: Canvas, count: int, seed: int) -> Canvas:
    """The canvas with the palette that is best for shapes: some of the colours may have got none, or others."""
    before = canvas.error(shapes)
    tops = canvas.raster.top()
    means = fills.fit(canvas.image, tops, len(shapes), False).colors[:, 0, :3]
    areas = np.bincount(tops[tops >= 0], minlength=len(shapes))
    other = dataclasses.replace(canvas, palette=palette.chosen(means, areas, count, seed, power=1.0, tries=12))
    snapped = shapes.copy()
    snapped.paint.colors[..., :3] = palette.snapped_colors(means, other.palette)[:, None]
    if canvas.error(snapped) >= before:
        return canvas
    shapes.paint = snapped.paint
    return other


def _rasterized(canvas: Canvas, drawing: Drawing) -> np.ndarray:
    """float32 (H, C, W), valid until the next one."""
    return canvas.raster.forward(to_scene(drawing), canvas.background)
