"""Shapes one after another, each the part of the picture that is drawn worst by those before it: matching pursuit.

Unlike in a cut of one tree, shapes of all sizes, and of several trees, compete; later ones lie on earlier ones, and a
shape may have holes: black lines around everything, for instance, are one shape.
Source: Mallat and Zhang, Matching Pursuits with Time-Frequency Dictionaries, IEEE TSP 41 (1993); with the colours of
all shapes fitted again after each step, as in its orthogonal variant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...progress import Progress
from ..canvas import Canvas
from ..curves.outlines import backdrop, completed, outlined
from ..segment import affine_colors, moments
from ..shapes import Shapes
from .parts import Offer, Parts, Place

# Of the shapes that are wanted, this share is chosen at once: those that don't overlap don't influence each other much.
_AT_ONCE = 1 / 16
# Squared error, over three channels, of a pixel off the ground that no shape covers, whatever shines through.
_BARE = 0.01


def pursue(
    canvas: Canvas,
    parts: Sequence[Parts],
    count: int,
    *,
    tolerance: float,
    level_count: int,
    gradients: bool,
    progress: Progress,
) -> Shapes:
    """At most `count` shapes, filled, not yet moved; levels by their turn.

    Args:
        parts: what to choose from, of one tree or several; off the first one's ground, shapes cover everything.
        tolerance: of curves, px.
    """
    chosen: list[np.ndarray] = []
    # 0 is the backdrop, or nothing where the picture is transparent.
    owner = np.zeros(canvas.image.shape[:2], np.int32)
    first = 1 if canvas.working.alpha is None else 0
    while len(chosen) + first < count:
        progress("pursuit", (len(chosen) + first) / count, "Choosing shapes")
        room = min(count - first - len(chosen), max(1, int(count * _AT_ONCE)))
        found = disjoint(parts, _error(canvas, owner, len(chosen), gradients, parts[0].ground), room)
        for offer in found:
            chosen.append(offer.mask)
            owner[offer.mask] = len(chosen)
        if not found:
            break
    shapes = _shapes(canvas, chosen, owner, tolerance)
    shapes.level = _levels(len(shapes), level_count, first)
    canvas.fill(shapes, gradients)
    return shapes


def disjoint(parts: Sequence[Parts], error: np.ndarray, want: int, places: Sequence[Place] = ()) -> list[Offer]:
    """Parts, none of which overlap, that take most away of the error (H, W), from all trees; the best one first.

    Args:
        places: where they may go besides on top of all.
    """
    offers = [
        (gain, i, node, place) for i, own in enumerate(parts) for gain, node, place in own.best(error, want, places)
    ]
    taken = np.zeros(error.shape, bool)
    found: list[Offer] = []
    for gain, i, node, place in sorted(offers, key=lambda offer: offer[:3], reverse=True):
        mask = parts[i].tree.mask(node)
        if not (mask & taken).any():
            taken |= mask
            found.append(Offer(gain, mask, place))
        if len(found) == want:
            break
    return found


def _error(canvas: Canvas, owner: np.ndarray, last: int, gradients: bool, ground: np.ndarray | None) -> np.ndarray:
    """Squared error of each pixel, (H, W), with the best colours for the shapes as they are."""
    height, width = owner.shape
    bare = np.zeros(owner.shape, bool) if ground is None else (owner == 0) & ~ground
    seen = np.where(canvas.working.inside & ~bare, owner, -1).astype(np.int32)
    colors = affine_colors(moments(canvas.image, seen, last + 1), width, height, gradients)
    if canvas.working.alpha is not None:
        colors[0] = 0.0
        colors[0, :, 0] = -1.0  # nothing is drawn there yet: as wrong as can be
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    error = np.zeros(owner.shape)
    for channel in range(3):
        c0, cx, cy = (colors[:, channel, i][owner] for i in range(3))
        error += (canvas.image[..., channel] - np.clip(c0 + cx * x + cy * y, -1.0, 1.0)) ** 2
    error[bare] = np.maximum(error[bare], _BARE)
    return error


def _shapes(canvas: Canvas, masks: list[np.ndarray], owner: np.ndarray, tolerance: float) -> Shapes:
    """Outlined, the backdrop lowest; each whole behind those that lie on it.

    Args:
        owner: int (H, W), 1 + the number of the mask that shows, 0 for none.
    """
    curves = [] if canvas.working.alpha is not None else [[backdrop(canvas.raster.width, canvas.raster.height)]]
    first = len(curves)
    whole = (completed(mask, owner > turn) for turn, mask in enumerate(masks, start=1))
    curves += [curve for mask in whole if (curve := outlined(mask, tolerance))]
    return Shapes.of(curves, np.zeros(len(curves), np.int64), np.arange(len(curves)) < first)


def _levels(count: int, levels: int, first: int) -> np.ndarray:
    """int64 (count,): shapes by their turn, in a geometric series up to all of them; the `first` ones alone."""
    alone = first if levels > 1 else 0
    steps = levels - alone
    sizes = [alone + max(1, round((count - alone) ** ((step + 1) / steps))) for step in range(steps - 1)]
    return np.searchsorted([first] * alone + sizes, np.arange(count), side="right").astype(np.int64)
