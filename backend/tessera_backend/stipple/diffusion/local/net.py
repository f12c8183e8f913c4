"""The denoiser: from dots with noise to where they belong, as a small convolutional net over the kd grid.

Preconditioned as in Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models, NeurIPS 2022,
table 1: the net predicts what is left after the best linear guess.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import features
from .grid import Grid

# Root mean square of an offset from the kd grid to a relaxed set, spacings.
SPREAD = 0.5
_EMBEDDING = 32
_WAVES = 4


class Denoiser(nn.Module):
    """Estimates offsets without noise.

    Args:
        width: channels; 64 makes 190 thousand parameters at depth 4.
        depth: residual blocks, each of which sees one cell farther.
    """

    def __init__(self, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.width, self.depth = width, depth
        self.inward = nn.Sequential(nn.Conv2d(2 + features.CHANNELS, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1))
        self.level = nn.Sequential(
            nn.Linear(1 + 2 * _WAVES, _EMBEDDING), nn.SiLU(), nn.Linear(_EMBEDDING, _EMBEDDING), nn.SiLU()
        )
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.outward = nn.Conv2d(width, 2, 1)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    @property
    def architecture(self) -> dict[str, Any]:
        """What makes such a net again."""
        return {"width": self.width, "depth": self.depth}

    def forward(self, grid: Grid, offsets: Tensor, noise: Tensor) -> Tensor:
        """One call.

        Args:
            offsets: (B, rows, columns, 2), spacings, with noise.
            noise: (B,), its standard deviation, spacings.
        Returns:
            the estimate of the offsets without noise, of the same shape.
        """
        dots = grid.dots(offsets)
        view = features.look(grid, dots, features.neighbours(dots))
        level = noise[:, None, None, None]
        total = (level * level + SPREAD * SPREAD).sqrt()
        seen = torch.cat([(offsets / total).flatten(1, 2), view.channels], -1)
        planes = seen.transpose(1, 2).unflatten(2, offsets.shape[1:3])
        return offsets * (SPREAD / total) ** 2 + self._convolved(planes, noise.log()) * (level * SPREAD / total)

    def _convolved(self, planes: Tensor, level: Tensor) -> Tensor:
        phases = level[:, None] * (0.8 * torch.arange(1, _WAVES + 1, device=level.device))
        embedded = self.level(torch.cat([level[:, None], phases.sin(), phases.cos()], 1))
        hidden = self.inward(planes)
        for block in self.blocks:
            hidden = block(hidden, embedded)
        return self.outward(functional.silu(hidden)).permute(0, 2, 3, 1)


class _Block(nn.Module):
    """A residual block, modulated by the level of noise.

    Normalized over channels at each cell: statistics of the whole grid would change with the number of dots.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 3, padding=1)
        self.mixing = nn.Conv2d(width, width, 1)
        self.modulation = nn.Linear(_EMBEDDING, 2 * width)
        for layer in (self.mixing, self.modulation):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: Tensor, embedded: Tensor) -> Tensor:
        gain, shift = self.modulation(embedded)[:, :, None, None].chunk(2, 1)
        normal = hidden * torch.rsqrt((hidden * hidden).mean(1, keepdim=True) + 1e-4)
        inner = functional.silu(normal * (1 + gain) + shift)
        return hidden + self.mixing(functional.silu(self.spatial(inner)))
