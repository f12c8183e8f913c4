"""Pictures that are neither opaque nor clear in places: glass, soft shadows, glows, whole pictures at half opacity.

Engines stack opaque shapes, and a translucent shape on another one would show it. So they draw a stand-in: the picture
over a ground that it contrasts with, in which opacity is a colour. Of that drawing, shapes with nothing translucent
within their outline stay as they are; of the others only what is seen stays, side by side, and gets its opacity.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
from scipy import ndimage

from tessera_protocol.jobs import VectorizeParams

from ..progress import SILENT, Progress
from . import fills
from .arrange import arranged
from .canvas import Canvas
from .curves.area import covered, top
from .curves.outlines import completed, outlined
from .cutout.pieces import pieces
from .drawing import Drawing, Path
from .scene import to_paths, to_shapes
from .shapes import Shapes
from .working import OPAQUE, Working, extended

# Shapes of whose seen pixels a larger share is translucent are.
_SOME = 0.02
# What two shapes may draw better than one, in squared error over all, and not be seen to.
_UNSEEN = 0.3
# Neighbours are looked at whose colours differ by less along their border, RGBA; and as many of their pixels, about.
_ALIKE, _SAMPLE = 0.12, 3000
# Steps of descent that bring edges which meet onto each other, and px of the first ones.
_STEPS, _RATE = 80, 0.5


class StandIn:
    """What engines draw instead of a translucent picture.

    Attributes:
        working: the picture over a ground, opaque where there is anything, clear around it.
    """

    def __init__(self, picture: Working) -> None:
        assert picture.solid is not None
        assert picture.alpha is not None
        self._picture = picture
        solid = extended(picture.solid[..., None], picture.inside)
        ground = _contrasting(picture)
        cover = np.clip(picture.alpha / solid[..., 0], 0.0, 1.0)
        alpha = None if cover.min() >= 1 - 1e-3 else cover
        self._lighter = (1 - solid) * (1 - ground)
        self.working = Working(picture.image * solid + (1 - solid) * ground, alpha, picture.size)

    def on_white(self, preview: np.ndarray) -> np.ndarray:
        """A preview of the stand-in, uint8 (H, W, 3), as one of the picture; of large ones every n-th pixel."""
        step = -(-max(self._lighter.shape) // max(preview.shape))
        lighter: np.ndarray = np.rint(preview + 255 * self._lighter[::step, ::step])
        return lighter.clip(0, 255).astype(np.uint8)

    def redrawn(self, drawing: Drawing, params: VectorizeParams, progress: Progress = SILENT) -> Drawing:
        """A drawing of the stand-in as one of the picture.

        Args:
            params: paths, smallest, tolerance and gradients are read.
        Returns:
            no more than `params.paths` paths; translucent ones lie side by side, and below all others if they are in
            no finer level.
        """
        picture = self._picture
        tops = top(drawing)
        whole = _whole(drawing, picture, tops)
        kinds = np.where(picture.inside & ~np.append(whole, True)[tops], tops, -1)
        canvas = Canvas.of(picture)
        colors = _means(canvas.target, tops, len(drawing.paths))
        gradients = params.gradients and params.engine != "paper"
        parts = pieces(kinds, colors, params.smallest, kinds.size)
        kinds, sources = _joined(*parts, picture, canvas, gradients, progress)
        most = max(1, params.paths - int(whole.sum()))
        numbers, kinds = pieces(kinds, colors[sources], 1, most)
        kinds = np.where(kinds < 0, -1, sources[kinds])
        paths, veiled = _parted(drawing, whole, numbers, kinds, picture, params)
        if not paths:
            return dataclasses.replace(drawing, paths=())
        shapes = to_shapes(dataclasses.replace(drawing, paths=tuple(paths)))
        _paint(shapes, veiled, canvas, gradients)
        canvas.descend(shapes, _STEPS, rate=_RATE, progress=progress)
        done = to_paths(shapes.scene(drawing.width, drawing.height), paths)
        ready = arranged(done, drawing.width, drawing.height)
        return dataclasses.replace(drawing, paths=ready)


def _contrasting(picture: Working) -> np.ndarray:
    """A corner of the colour cube, (3,), that what is translucent is far away from."""
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=3)), np.float32)
    colors = picture.image[picture.veil]
    away = [np.quantile(np.abs(colors - corner).sum(1), 0.1) for corner in corners]
    best: np.ndarray = corners[int(np.argmax(away))]
    return best


def _whole(drawing: Drawing, picture: Working, tops: np.ndarray) -> np.ndarray:
    """bool (P,): paths with nothing translucent within; a rim along their outline does not count."""
    veil = picture.veil
    seen = np.bincount(tops[tops >= 0], minlength=len(drawing.paths))
    through = np.bincount(tops[(tops >= 0) & veil], minlength=len(drawing.paths))
    whole = through <= _SOME * seen
    for p in np.flatnonzero(whole):
        window, inside = covered(drawing.paths[p], drawing.width, drawing.height)
        whole[p] = not ndimage.binary_erosion(inside & veil[window], np.ones((3, 3))).any()
    return whole


def _means(target: np.ndarray, tops: np.ndarray, count: int) -> np.ndarray:
    """Of what each path shows, float64 (P, 4), premultiplied."""
    shown = tops >= 0
    number = np.maximum(np.bincount(tops[shown], minlength=count), 1)
    sums = [np.bincount(tops[shown], channel[shown], count) / number for channel in target.transpose(1, 0, 2)]
    return np.stack(sums, 1)


def _joined(
    numbers: np.ndarray, kinds: np.ndarray, picture: Working, canvas: Canvas, gradients: bool, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Translucent neighbours that one fill draws about as well as two become one: engines see no round gradients.

    Args:
        numbers, kinds: as `pieces` returns them.
    Returns:
        kinds anew, int (H, W), one for each piece that is left; and what they were, (K,).
    """
    assert picture.solid is not None
    image = canvas.target.transpose(0, 2, 1)
    masks = {n: numbers == n for n in range(numbers.max() + 1)}
    sources = np.array([int(kinds[mask][0]) for mask in masks.values()])
    veiled = {n for n, mask in masks.items() if picture.solid[mask].mean() < OPAQUE}
    around: dict[int, set[int]] = {n: set() for n in veiled}
    for a, b in _alike(numbers, image):
        if a in veiled and b in veiled:
            around[a].add(b)
            around[b].add(a)

    def rise(a: int, b: int) -> float:
        progress("joining", 0.0, "Joining translucent shapes")
        both = masks[a] | masks[b]
        step = int(np.ceil(np.sqrt(np.count_nonzero(both) / _SAMPLE)))
        return step**2 * float(
            np.dot([1, -1, -1], [_error(image, mask, gradients, step) for mask in (both, masks[a], masks[b])])
        )

    rises = {(a, b): rise(a, b) for a in veiled for b in around[a] if a < b}
    while rises and min(rises.values()) < _UNSEEN:
        a, b = min(rises, key=lambda pair: rises[pair])
        masks[a] |= masks.pop(b)
        for other in around[b]:
            around[other] = around[other] - {b} | {a}
        around[a] = (around[a] | around[b]) - {a, b}
        rises = {pair: value for pair, value in rises.items() if a not in pair and b not in pair}
        rises |= {(min(a, other), max(a, other)): rise(a, other) for other in around[a]}
    joined = np.full(numbers.shape, -1)
    for n, mask in masks.items():
        joined[mask] = n
    return joined, sources


def _alike(numbers: np.ndarray, image: np.ndarray) -> list[tuple[int, int]]:
    """Neighbours without an edge between them, the smaller number first."""
    count = int(numbers.max()) + 1
    sides = [(np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])]
    low, high, away = (
        np.concatenate(each) for each in zip(*(_across(numbers, image, *side) for side in sides), strict=True)
    )
    keys, which = np.unique(low.astype(np.int64) * count + high, return_inverse=True)
    contrast = np.bincount(which, away) / np.maximum(np.bincount(which), 1)
    return [divmod(key, count) for key in keys[contrast < _ALIKE**2].tolist()]


def _across(numbers: np.ndarray, image: np.ndarray, one: Any, other: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of pixels on either side of borders: both pieces' numbers, ascending, and the squared distance of colours."""
    a, b = numbers[one], numbers[other]
    border = (a != b) & (a >= 0) & (b >= 0)
    away = ((image[one] - image[other]) ** 2).sum(2)
    return np.minimum(a, b)[border], np.maximum(a, b)[border], away[border]


def _error(image: np.ndarray, mask: np.ndarray, gradients: bool, step: int) -> float:
    """What the best fill leaves of every n-th pixel each way."""
    sampled = mask[::step, ::step]
    return fills.error(image[::step, ::step], sampled, gradients) if sampled.any() else 0.0


def _parted(
    drawing: Drawing,
    whole: np.ndarray,
    numbers: np.ndarray,
    kinds: np.ndarray,
    picture: Working,
    params: VectorizeParams,
) -> tuple[list[Path], np.ndarray]:
    """The translucent pieces, and above them what is opaque, in its order: paths, and whether each is translucent.

    Args:
        whole: bool (P,), paths that stay.
        numbers, kinds: as `pieces` returns them.
    """
    assert picture.solid is not None
    tops = top(drawing)
    solid = np.append(whole, False)[tops]
    found: list[tuple[int, np.ndarray, bool]] = []
    for number in range(numbers.max() + 1):
        mask = numbers == number
        opaque = bool(picture.solid[mask].mean() >= OPAQUE)
        found.append((int(kinds[mask][0]), mask, opaque))
        solid = solid | mask if opaque else solid & ~mask
    below: list[Path] = []
    above = {(p, 0): drawing.paths[p] for p in np.flatnonzero(whole).tolist()}
    levels = np.array([path.level for path in drawing.paths])
    for number, (p, mask, opaque) in enumerate(found):
        later = tops > p if opaque else np.ones_like(solid)
        reach = completed(mask, solid & later & ~mask)
        curves = tuple(outlined(reach, params.tolerance))
        under = tops[reach & ~mask]
        # What is reached beneath is above it, and stays in its level.
        level = int(levels[p] if opaque else min([levels[p], *levels[under[under >= 0]]]))
        if curves:
            path = dataclasses.replace(drawing.paths[p], contours=curves, level=level)
            if opaque:
                above[p, number + 1] = path
            else:
                below.append(path)
    below.sort(key=lambda path: path.level)
    paths = [*below, *(path for _, path in sorted(above.items(), key=lambda item: item[0]))]
    return paths, np.arange(len(paths)) < len(below)


def _paint(shapes: Shapes, veiled: np.ndarray, canvas: Canvas, gradients: bool) -> None:
    """What is translucent gets the fill nearest to the pixels that it shows; the rest keeps its own."""
    canvas.drawn(shapes)
    fitted = fills.fit(canvas.target.transpose(0, 2, 1), canvas.raster.top(), len(shapes), gradients)
    for field in dataclasses.fields(fitted):
        getattr(shapes.paint, field.name)[veiled] = getattr(fitted, field.name)[veiled]
