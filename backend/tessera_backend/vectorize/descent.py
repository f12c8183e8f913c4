"""Adam over outlines and fills, against the picture (Wang et al. 2025, Stage II: points 1.0 px a step, colours 0.01).

After each step smooth joints are made smooth again and long handles short: free handles become spikes and loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from skimage.measure import points_in_poly

from ..compiled import njit
from ..progress import SILENT, Progress
from ..vector_raster import RADIAL, Gradients, Raster
from .curves.nesting import polygon
from .shapes import Shapes, neighbours

POINTS, COLORS = 1.0, 0.01
# Of a gradient's length.
_GEOMETRY = 0.02
# A point's step is measured against its path's mean square slope, too, times this: Adam alone moves points whose slopes
# are mere noise as far as those that matter, and outlines grow needles and loops.
_SHARED = 4.0
_DECAYS = (0.9, 0.99)
_SHORTEST, _LONGEST = 0.02, 0.75
# Steps after which it is seen to that holes are in their outlines.
_CHECKED = 15

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
    holes = _Holes(shapes)
    before, after = neighbours(shapes.contours)
    losses = []
    for step in range(steps):
        if step % 10 == 0:
            progress("descent", step / steps, f"Step {step} of {steps}")
            if step and progress.enough():
                break
        scene = shapes.scene(raster.width, raster.height)
        image = raster.forward(scene, background)
        progress.show(lambda shown=image: shown)
        value, upstream = loss(image)
        losses.append(value)
        slopes = _slopes(raster.backward(upstream), held, recolored)
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
            holes.keep(shapes, held)
    return losses


class _Holes:
    """Holes stay in their outlines: outside they would be shapes, by the nonzero rule."""

    def __init__(self, shapes: Shapes) -> None:
        self._of = [
            (shapes.paths[path], hole)
            for path in np.flatnonzero(np.diff(shapes.paths) > 1)
            for hole in range(shapes.paths[path] + 1, shapes.paths[path + 1])
        ]
        self._before = shapes.points.copy()

    def keep(self, shapes: Shapes, held: np.ndarray) -> None:
        """Those that left since the last time go back to where they were, and are held there."""
        rings: dict[int, np.ndarray] = {}
        for outer, hole in self._of:
            if outer not in rings:
                rings[outer] = polygon(shapes.points[shapes.contours[outer] : shapes.contours[outer + 1]], 4)
            at = slice(shapes.contours[hole], shapes.contours[hole + 1])
            if not points_in_poly(shapes.points[at][::3], rings[outer]).all():
                shapes.points[at] = self._before[at]
                held[at] = True
        self._before = shapes.points.copy()


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
