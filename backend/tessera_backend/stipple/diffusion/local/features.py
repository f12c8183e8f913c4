"""What a dot sees of the density and of the other dots, in units of the local spacing.

Nothing here knows how many dots there are, how large the raster is, or where on it a dot lies; so a net that was
trained on a thousand dots places ten thousand as well.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional

from .grid import Grid

NEIGHBOURS = 8
_SIDE, _PITCH = 7, 0.3
_STENCIL = _PITCH * torch.stack(
    torch.meshgrid(torch.arange(_SIDE) - _SIDE // 2, torch.arange(_SIDE) - _SIDE // 2, indexing="xy"), -1
).reshape(-1, 2)
CHANNELS = 2 * NEIGHBOURS + len(_STENCIL) + 3
# Width of a soft cell's border, in squared spacings.
_SOFTNESS = 0.04
# Beyond this many times the local mean, a density is only told to be large.
_MOST_DENSITY = 4.0
# Dots whose samples are held at once where no gradient is wanted.
_CHUNK = 8192


@dataclasses.dataclass(frozen=True)
class View:
    """What dots see.

    Attributes:
        channels: (B, N, CHANNELS): neighbours sorted by distance, the density around, and the cell.
        centroid: (B, N, 2), spacings: from the dot to the centroid of its soft cell under the density squared.
    """

    channels: Tensor
    centroid: Tensor


def neighbours(dots: Tensor) -> Tensor:
    """Indices of the eight nearest other dots, by distance: (B, N, 8) of dots (B, N, 2); with N < 9, some repeat."""
    dots = dots.detach()
    known = min(NEIGHBOURS, dots.shape[1] - 1)
    near = _by_matrix(dots, known) if dots.is_cuda else _by_tree(dots, known)
    return near[..., torch.arange(NEIGHBOURS) % known]


def _by_tree(dots: Tensor, known: int) -> Tensor:
    each = [cKDTree(d, balanced_tree=False).query(d, known + 1)[1] for d in dots.cpu().double().numpy()]
    return torch.from_numpy(np.stack(each)[..., 1:]).to(dots.device)


def _by_matrix(dots: Tensor, known: int) -> Tensor:
    """All distances, of so many dots at a time that they fit: the way for a GPU."""
    parts = [torch.cdist(part, dots).topk(known + 1, largest=False)[1] for part in dots.split(4096, 1)]
    return torch.cat(parts, 1)[..., 1:]


def look(grid: Grid, dots: Tensor, near: Tensor) -> View:
    """What each dot sees; differentiable in the dots and the density, not in who is near whom.

    Args:
        dots: (B, N, 2), pixels, in the order of the grid.
        near: as `neighbours` returns it.
    """
    spacing = grid.spacing.flatten(1)
    # Share of a dot's mass per squared spacing, at density 1.
    scale = grid.count / grid.density.sum((1, 2, 3)).detach()
    if torch.is_grad_enabled() or dots.shape[1] <= _CHUNK:
        return _look(grid.density, scale, dots, dots, spacing, near)
    parts = [
        _look(grid.density, scale, dots, dots[:, i : i + _CHUNK], spacing[:, i : i + _CHUNK], near[:, i : i + _CHUNK])
        for i in range(0, dots.shape[1], _CHUNK)
    ]
    return View(torch.cat([p.channels for p in parts], 1), torch.cat([p.centroid for p in parts], 1))


def _look(density: Tensor, scale: Tensor, every: Tensor, dots: Tensor, spacing: Tensor, near: Tensor) -> View:
    batch, count, _ = dots.shape
    others = torch.gather(every, 1, near.flatten(1)[..., None].expand(-1, -1, 2)).view(batch, count, NEIGHBOURS, 2)
    ways = (others - dots[:, :, None]) / spacing[:, :, None, None]
    squared = (ways * ways).sum(-1)
    stencil = _STENCIL.to(dots)
    around = _samples(density, dots, spacing, stencil) * (scale[:, None] * spacing * spacing)[..., None]
    around = around.clamp(0, _MOST_DENSITY)
    # How much of each sample is nearer to this dot than to the others.
    beyond = (ways @ stencil.T - 0.5 * squared[..., None]) / _SOFTNESS
    own = 1 / (1 + beyond.clamp(-20, 20).exp().sum(2))
    mass = (around * own).sum(-1, keepdim=True) * _PITCH**2
    weight = around * around * own + 1e-6 * own
    centroid = (weight @ stencil) / (weight.sum(-1, keepdim=True) + 1e-9)
    squashed = ways / (1 + 0.25 * squared[..., None])
    return View(torch.cat([squashed.flatten(2), around, 3 * centroid, mass - 1], -1), centroid)


def _samples(density: Tensor, dots: Tensor, spacing: Tensor, stencil: Tensor) -> Tensor:
    """The density, 0 outside of the raster, at the stencil's places around each dot: (B, N, places)."""
    places = dots[:, :, None] + spacing[..., None, None] * stencil
    size = torch.tensor([density.shape[3], density.shape[2]], dtype=dots.dtype, device=dots.device)
    return functional.grid_sample(density, places * (2 / size) - 1, padding_mode="zeros", align_corners=False)[:, 0]
