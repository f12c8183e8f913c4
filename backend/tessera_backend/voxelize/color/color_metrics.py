"""How far voxels' colours are from the mesh's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import colour
from ..render.views import View
from .observed import first_layer

# Pixels count of which the mesh covers at least so much.
_COVERED = 0.25


def colors_error(labels: np.ndarray, palette: np.ndarray, views: Sequence[View]) -> float:
    """Mean CIEDE2000 between voxels and the mesh, averaged in sRGB over each pixel; then over views.

    Args:
        labels: uint8 (X, Y, Z), 0 where nothing is, else 1 + the number of the colour.
        palette: uint8 (K, 3), sRGB.
        views: of the mesh, on the grid of the labels.
    Returns:
        NaN where no view shows both.
    """
    lab, errors = colour.lab(palette / 255), []
    for view in views:
        layer = first_layer(labels > 0, view.axis, view.above)
        seen = np.take_along_axis(np.moveaxis(labels, view.axis, 2), np.maximum(layer, 0)[..., None], 2)[..., 0]
        mean, coverage = averaged(view)
        both = (layer >= 0) & (coverage >= _COVERED)
        if both.any():
            errors.append(float(colour.ciede2000(lab[seen[both] - 1], colour.lab(mean[both])).mean()))
    return float(np.mean(errors)) if errors else float("nan")


def averaged(view: View) -> tuple[np.ndarray, np.ndarray]:
    """A view at voxel resolution: mean sRGB of what is hit, (U, V, 3), and coverage (U, V)."""
    scale = view.samples
    u, v = view.hit.shape[0] // scale, view.hit.shape[1] // scale
    hits = view.hit.reshape(u, scale, v, scale).sum((1, 3))
    sums = (view.color * view.hit[..., None]).reshape(u, scale, v, scale, 3).sum((1, 3), dtype=np.float64)
    return sums / np.maximum(hits, 1)[..., None], hits / scale**2


def palette_compliance(colors: np.ndarray, palette: np.ndarray) -> float:
    """Share of colours, uint8 (N, 3), that are exactly one of the palette, uint8 (K, 3); 1 of none."""
    if not len(colors):
        return 1.0
    codes, allowed = (rgb.astype(np.int64) @ (1, 256, 65536) for rgb in (colors, palette))
    return float(np.isin(codes, allowed).mean())
