"""What dots are taught: where the classical engine would take them, each by its index."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tessera_protocol.jobs import StippleParams

from ....progress import SILENT
from ... import lloyd
from ..local import grid as kd
from ..local import tree
from . import densities

# Spacing of dots in a density's dark parts below which a raster of cells is too coarse to teach, pixels.
_LEAST_SPACING = 4.0
_INKED = 1 / 128


def scene(
    rng: np.random.Generator, known: list[np.ndarray], rows: int, columns: int, raster: tuple[int, int]
) -> tuple[kd.Grid, np.ndarray]:
    """A random density, cut to the box around its ink, with its kd grid.

    Args:
        known: pictures, as `densities.pictures` returns them.
        raster: rows and columns of the density.
    Returns:
        a batch of one; and labels, int32 `raster`, which box of the grid each pixel is in.
    """
    while True:
        turned = rng.random() < 0.5
        density = densities.draw(rng, known, raster[::-1] if turned else raster)
        density = _cut_to_ink(density.T if turned else density)
        effective = float(density.sum()) ** 2 / float((density * density).sum())
        if effective / (rows * columns) >= _LEAST_SPACING**2:
            break
    grid, boxes = kd.encode(torch.from_numpy(density), rows, columns)
    labels = np.zeros(raster, np.int32)
    tree.paint(boxes, labels)
    return grid, labels


def relaxed(density: Tensor, dots: Tensor, labels: np.ndarray, steps: int, rng: np.random.Generator) -> Tensor:
    """Dots after steps of engine `tone`, the last third of which also evens out masses.

    Args:
        density: (H, W), on the CPU.
        dots: (N, 2), pixels.
        labels: int32 (H, W), a near dot of each pixel; updated in place.
    """
    height, width = density.shape
    sites = dots.detach().float().numpy().copy()
    np.clip(sites, 0, np.array([width, height], np.float32) - np.float32(0.01), out=sites)
    params = StippleParams(engine="tone", iterations=steps, tolerance=0.0)
    lloyd.relax(sites, labels, density.numpy(), params, rng, SILENT)
    return torch.from_numpy(sites)


def _cut_to_ink(density: np.ndarray) -> np.ndarray:
    """The box around what is not white, on a raster of the same shape."""
    there = density > _INKED
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    inner = torch.from_numpy(density[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy())
    if inner.shape == density.shape:
        return np.ascontiguousarray(density)
    scaled = torch.nn.functional.interpolate(inner[None, None], density.shape, mode="bilinear", align_corners=False)
    return scaled[0, 0].numpy()
