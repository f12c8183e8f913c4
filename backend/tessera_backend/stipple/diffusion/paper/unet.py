"""The unconditional net: a U-Net over the grid of offsets, without attention.

Doignies et al., Example-Based Sampling with Diffusion Models, SIGGRAPH Asia 2023, section 4; sizes of their released
model. It runs on grids of any size.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Sizes of a U-Net; the defaults are the paper's.

    Attributes:
        width: channels at the full resolution.
        multipliers: of the width, one for each level, each half as fine as the one before.
        blocks: residual blocks of each level, down and up alike.
        dropout: share of channels' values left out in training.
    """

    width: int = 128
    multipliers: tuple[int, ...] = (1, 2, 3)
    blocks: int = 2
    dropout: float = 0.1

    @property
    def levels(self) -> list[int]:
        """Channels of each level."""
        return [self.width * m for m in self.multipliers]

    @classmethod
    def of(cls, values: dict[str, Any]) -> Architecture:
        """The same again from `dataclasses.asdict`, also after a way through JSON."""
        return cls(**{**values, "multipliers": tuple(values["multipliers"])})


PAPER = Architecture()
# As fast as one core needs it: 898 calls with its control branch take under 5 s on 32 x 32 cells.
SMALL = Architecture(width=32, multipliers=(1, 2, 3), blocks=1, dropout=0.0)


class UNet(nn.Module):
    """Predicts the noise in offsets."""

    def __init__(self, architecture: Architecture = PAPER) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder = Encoder(architecture)
        self.decoder = _Decoder(architecture)

    def forward(self, offsets: Tensor, steps: Tensor, control: Sequence[Tensor] | None = None) -> Tensor:
        """One call.

        Args:
            offsets: (B, 2, rows, columns), cells, with noise.
            steps: (B,), step of the diffusion each is at, 0 to 999.
            control: what is added to the encoder's features, in their order.
        Returns:
            (B, 2, rows, columns), the noise, of standard deviation 1.
        """
        features, embedded = self.encoder(offsets, steps)
        if control is not None:
            features = [feature + added for feature, added in zip(features, control, strict=True)]
        return self.decoder(features, embedded)


class Encoder(nn.Module):
    """The half of the U-Net that is also copied into the control branch: way down and middle."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        levels, embedding = architecture.levels, 4 * architecture.width
        # Linear after linear, as in the released model: blocks bring the activation.
        self.time = nn.Sequential(nn.Linear(embedding, embedding), nn.Linear(embedding, embedding))
        self.inward = _Conv(2, levels[0])
        self.blocks = nn.ModuleList()
        self.shrink = nn.ModuleList(_Conv(c, c, stride=2) for c in levels[:-1])
        last = levels[0]
        for channels in levels:
            row = nn.ModuleList()
            for _ in range(architecture.blocks):
                row.append(_Block(last, channels, embedding, architecture.dropout))
                last = channels
            self.blocks.append(row)
        self.middle = nn.ModuleList(_Block(last, last, embedding, architecture.dropout) for _ in range(2))
        self.embedding = embedding
        self.channels = [c for c in levels for _ in range(architecture.blocks)] + [last]

    def forward(self, offsets: Tensor, steps: Tensor, hint: Tensor | float = 0.0) -> tuple[list[Tensor], Tensor]:
        """Features after each block, down to the middle's, which are last; and the embedded step.

        Args:
            offsets, steps: as of `UNet`.
            hint: added after the first convolution.
        """
        embedded = functional.silu(self.time(_waves(steps, self.embedding)))
        hidden = self.inward(offsets) + hint
        features = []
        for level, row in enumerate(self.blocks):
            for block in row:
                hidden = block(hidden, embedded)
                features.append(hidden)
            if level < len(self.shrink):
                hidden = self.shrink[level](hidden)
        for block in self.middle:
            hidden = block(hidden, embedded)
        return [*features, hidden], embedded


class _Decoder(nn.Module):
    """The way up: each block sees the features of its twin on the way down."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        levels, embedding = architecture.levels, 4 * architecture.width
        self.blocks, self.grow = nn.ModuleList(), nn.ModuleList()
        last = levels[-1]
        for level in reversed(range(len(levels))):
            row = nn.ModuleList()
            for i in range(architecture.blocks):
                above = levels[max(level - 1, 0)] if i == architecture.blocks - 1 else levels[level]
                row.append(_Block(last + levels[level], above, embedding, architecture.dropout))
                last = above
            self.blocks.append(row)
            if level:
                self.grow.append(_Conv(last, last))
        self.norm = nn.GroupNorm(1, last, eps=1e-6)
        self.outward = _Conv(last, 2)

    def forward(self, features: Sequence[Tensor], embedded: Tensor) -> Tensor:
        *skips, hidden = features
        for level, row in enumerate(self.blocks):
            for block in row:
                hidden = block(torch.cat([hidden, skips.pop()], 1), embedded)
            if level < len(self.grow):
                # To the size that was there: halving rounds up where it is odd.
                hidden = self.grow[level](functional.interpolate(hidden, skips[-1].shape[-2:], mode="nearest"))
        return self.outward(functional.silu(self.norm(hidden)))


class _Block(nn.Module):
    """Two convolutions around the embedded step, added to what came in."""

    def __init__(self, inward: int, outward: int, embedding: int, dropout: float) -> None:
        super().__init__()
        # One group: the mean and variance of all channels and cells together.
        self.norm1, self.norm2 = nn.GroupNorm(1, inward, eps=1e-6), nn.GroupNorm(1, outward, eps=1e-6)
        self.conv1, self.conv2 = _Conv(inward, outward), _Conv(outward, outward)
        self.step = nn.Linear(embedding, outward)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = nn.Conv2d(inward, outward, 1) if inward != outward else nn.Identity()

    def forward(self, hidden: Tensor, embedded: Tensor) -> Tensor:
        inner = self.conv1(functional.silu(self.norm1(hidden))) + self.step(embedded)[:, :, None, None]
        inner = self.conv2(self.dropout(functional.silu(self.norm2(inner))))
        return self.shortcut(hidden) + inner


class _Conv(nn.Conv2d):
    """3 x 3, reflected at the border; repeated where a grid is too small to reflect."""

    def __init__(self, inward: int, outward: int, stride: int = 1) -> None:
        super().__init__(inward, outward, 3, stride)

    def forward(self, planes: Tensor) -> Tensor:
        mode = "reflect" if min(planes.shape[-2:]) > 1 else "replicate"
        return super().forward(functional.pad(planes, (1, 1, 1, 1), mode))


def _waves(steps: Tensor, size: int) -> Tensor:
    """Sines, then cosines, of steps, at wavelengths from 2 pi to 20000 pi."""
    half = size // 2
    rates = torch.exp(torch.arange(half, device=steps.device) * (-math.log(10000) / (half - 1)))
    phases = steps[:, None].float() * rates
    return torch.cat([phases.sin(), phases.cos()], 1)
