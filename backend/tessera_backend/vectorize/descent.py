"""Adam over outlines and fills, against the picture (Wang et al. 2025, Stage II: points 1.0 px a step, colours 0.01).

After each step smooth joints are made smooth again and long handles short: free handles become spikes and loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..compiled import njit
from ..progress import SILENT, Progress
from ..vector_raster import RADIAL, Gradients, Raster
from .curves.holes import Holes
from .shapes import Shapes, neighbours

POINTS, COLORS = 1.0, 0.01
# Of a gradient's length.
_GEOMETRY = 0.02
# A point's step is measured against its path's mean square slope, too, times this: Adam alone moves points whose slopes
# are mere noise as far as those that matter, and outlines grow needles and loops.
_SHARED = 4.0
# Squared error, summed over pixels and channels, that a px of outline has to save: where a border is weak, outlines
# that follow each speck save less.
_BORDER = 0.006
_DECAYS = (0.9, 0.99)
_SHORTEST, _LONGEST = 0.02, 0.75
# Steps after which it is seen to that holes are in their outlines.
_CHECKED = 5

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]


def fidelity(target: np.ndarray) -> Loss:
    """The mean squared difference to a target (H, C, W), and its derivative by the image."""

    def loss(image: np.ndarray) -> tuple[float, np.ndarray]:
        away = image - target
        value = float(np.vdot(away, away)) / away.size
        away *= 2.0 / away.size
        return value, away

    return loss


def descend(
    shapes: Shapes,
    raster: Raster,
    loss: Loss,
    steps: int,
    *,
    background: tuple[float, ...] = (1.0, 1.0, 1.0),
    rate: float = POINTS,
    last: float = 0.05,
    recolored: bool = True,
    progress: Progress = SILENT,
) -> list[float]:
    """Move shapes, in place, down the loss.

    Args:
        raster: of the canvas.
        steps: of Adam.
        rate: of points, px a step; the others' rates go with it. It falls along a cosine to `last` of it.
        recolored: whether colours move, too; opacities do.
        progress: told of each tenth step; may say that it is enough.
    Returns:
        The loss before each step.
    """
    values = [shapes.points, shapes.paint.colors, shapes.paint.geometry]
    first, second = ([np.zeros_like(value) for value in values] for _ in range(2))
    held = np.repeat(shapes.fixed, shapes.sizes)
    holes = Holes(shapes.points, shapes.contours, shapes.paths)
    before, after = neighbours(shapes.contours)
    losses = []
    for step in range(steps):
        if step % 10 == 0:
            progress("descent", step / steps, f"Step {step} of {steps}")
            if step and progress.enough():
                holes.keep(shapes.points)
                break
        scene = shapes.scene(raster.width, raster.height)
        image = raster.forward(scene, background)
        progress.show(lambda shown=image: shown)
        value, upstream = loss(image)
        losses.append(value)
        slopes = _slopes(raster.backward(upstream), held, recolored)
        slopes[0][~held] += _BORDER / upstream.size * shortening(shapes.points, after)[~held]
        falling = last + (1 - last) * 0.5 * (1 + math.cos(math.pi * step / max(steps - 1, 1)))
        rates = (rate, rate * COLORS, rate * _GEOMETRY * _lengths(shapes))
        for i, (slope, own_rate) in enumerate(zip(slopes, rates, strict=True)):
            first[i] += (1 - _DECAYS[0]) * (slope - first[i])
            second[i] += (1 - _DECAYS[1]) * (slope * slope - second[i])
            square = second[i] if i else _shared(second[i], shapes.sizes)
            mean = first[i] / (1 - _DECAYS[0] ** (step + 1))
            spread = np.sqrt(square / (1 - _DECAYS[1] ** (step + 1)))
            values[i] -= falling * own_rate * mean / (spread + 1e-12)
        np.clip(shapes.paint.colors, 0.0, 1.0, out=shapes.paint.colors)
        tidy(shapes.points, shapes.smooth, before, after)
        if (step + 1) % _CHECKED == 0 or step + 1 == steps:
            first[0][holes.keep(shapes.points)] = 0.0
    return losses


def _shared(squares: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean square slopes (M, 2), none of them small beside those of its path."""
    path = np.repeat(np.arange(len(sizes)), sizes)
    mean = np.bincount(path, squares.mean(1), len(sizes)) / np.maximum(sizes, 1)
    return np.maximum(squares, _SHARED * mean[path][:, None])


def _slopes(gradients: Gradients, held: np.ndarray, recolored: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points = np.where(held[:, None], 0.0, gradients.points)
    colors = gradients.colors.astype(np.float64)
    if not recolored:
        colors[..., :3] = 0.0
    return points, colors, gradients.geometry.astype(np.float64)


def _lengths(shapes: Shapes) -> np.ndarray:
    """(P, 1), px: from a gradient's one end to the other."""
    x1, y1, x2, y2 = shapes.paint.geometry.T
    radial = shapes.paint.kind == RADIAL
    return np.where(radial, np.abs(x2), np.hypot(x2 - x1, y2 - y1))[:, None]


def shortening(points: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How the length of contours' control polygons changes with their points.

    Args:
        points: float64 (M, 2), px.
        after: as `shapes.neighbours` returns it.
    Returns:
        float64 (M, 2): nothing where three points lie on a line, in order.
    """
    following = np.arange(1, len(points) + 1)
    following[2::3] = after
    legs = points[following] - points
    legs /= np.maximum(np.hypot(legs[:, 0], legs[:, 1]), _SHORTEST)[:, None]
    slopes = -legs
    slopes[following] += legs
    return slopes


@njit(cache=True)
def tidy(points: np.ndarray, smooth: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
    """Make smooth joints smooth, and handles no longer than a share of their cubic's chord; in place.

    Args:
        points: float64 (M, 2), px.
        smooth: bool (M / 3,).
        before, after: as `shapes.neighbours` returns them.
    """
    for k in range(len(smooth)):
        if not smooth[k]:
            continue
        knot, leaving, arriving = 3 * k, 3 * k + 1, before[k]
        dx = points[leaving, 0] - points[arriving, 0]
        dy = points[leaving, 1] - points[arriving, 1]
        length = max(math.hypot(dx, dy), 1e-9)
        dx, dy = dx / length, dy / length
        for handle, sign in ((leaving, 1.0), (arriving, -1.0)):
            along = (points[handle, 0] - points[knot, 0]) * dx + (points[handle, 1] - points[knot, 1]) * dy
            along = sign * max(sign * along, _SHORTEST)
            points[handle, 0] = points[knot, 0] + along * dx
            points[handle, 1] = points[knot, 1] + along * dy
    for k in range(len(smooth)):
        here, there = 3 * k, after[k]
        chord = math.hypot(points[there, 0] - points[here, 0], points[there, 1] - points[here, 1])
        longest = _LONGEST * chord + 0.05
        for handle, knot in ((here + 1, here), (here + 2, there)):
            dx, dy = points[handle, 0] - points[knot, 0], points[handle, 1] - points[knot, 1]
            length = math.hypot(dx, dy)
            if length > longest:
                points[handle, 0] = points[knot, 0] + dx * longest / length
                points[handle, 1] = points[knot, 1] + dy * longest / length
