"""The control branch: what makes the unconditional net place dots by a density.

A ControlNet (Zhang et al., ICCV 2023) on the frozen U-Net, with features of the picture read at the dots' present
places (GECCO: Tyszkiewicz et al., ICCV 2023) and gated injections; Gilad et al. 2026, sections 3.1, 3.3 and 5.8.

Differences: nets smaller than the paper's keep the proportions of its conditioning encoder. The picture has 4 pixels a
cell, whatever the count of dots, so that features mean the same on every grid. And the nets see the square root of the
density over its mean, dots to a cell's length, where the paper hands on greys: the same grey asks for other spacings
in other pictures, and half the greys for the same dots.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .unet import Architecture, UNet

PIXELS_PER_CELL = 4
# Which parts of the branch each of the paper's ablations has: features of the picture, gates.
VARIANTS = {"vanilla": (False, False), "gecco": (True, False), "gated": (False, True), "full": (True, True)}
_FEATURES = 16


@dataclasses.dataclass(frozen=True)
class Condition:
    """What the branch knows of a density; made once for all calls.

    Attributes:
        density: (B, 1, rows, columns), mean over each cell.
        features: (B, 16, 4 rows, 4 columns), or None without GECCO.
    """

    density: Tensor
    features: Tensor | None


class Controlled(nn.Module):
    """A frozen U-Net with its control branch.

    Args:
        base: gets frozen.
        variant: a key of `VARIANTS`.
    """

    def __init__(self, base: UNet, variant: str = "full") -> None:
        super().__init__()
        self.variant = variant
        self.base = base.requires_grad_(False)
        self.branch = _Branch(base, *VARIANTS[variant])

    @property
    def architecture(self) -> dict[str, Any]:
        """What makes such a net again."""
        return {**dataclasses.asdict(self.base.architecture), "variant": self.variant}

    @classmethod
    def of(cls, architecture: dict[str, Any]) -> Controlled:
        """A net of that architecture, with weights at random."""
        sizes = {name: value for name, value in architecture.items() if name != "variant"}
        return cls(UNet(Architecture.of(sizes)), architecture["variant"])

    def train(self, mode: bool = True) -> Controlled:
        """The base's dropout stays off: it does not learn."""
        super().train(mode)
        self.base.eval()
        return self

    def look(self, raster: Tensor) -> Condition:
        """Read a density.

        Args:
            raster: (B, 1, 4 rows, 4 columns), as `raster_of` makes it.
        """
        density = functional.avg_pool2d(raster * raster, PIXELS_PER_CELL).sqrt()
        extractor = self.branch.extractor
        return Condition(density, extractor(raster) if extractor is not None else None)

    def forward(self, offsets: Tensor, steps: Tensor, condition: Condition) -> Tensor:
        """The noise in offsets; shapes as of `UNet`."""
        return self.base(offsets, steps, self.branch(offsets, steps, condition))


class _Branch(nn.Module):
    """The trainable copy of the encoder, what it is told, and how its features get into the base."""

    def __init__(self, base: UNet, gecco: bool, gated: bool) -> None:
        super().__init__()
        width = base.architecture.width
        self.extractor = _extractor() if gecco else None
        seen = 2 + 1 + (_FEATURES if gecco else 0)
        # 19, 32, 64, 128 channels for the paper's width.
        self.hint = nn.Sequential(
            nn.Conv2d(seen, width // 4, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width // 4, width // 2, 3, padding=2, dilation=2),
            nn.SiLU(),
            nn.Conv2d(width // 2, width, 3, padding=4, dilation=4),
        )
        self.encoder = copy.deepcopy(base.encoder).requires_grad_(True)
        self.inject = nn.ModuleList(_Injection(channels, gated) for channels in self.encoder.channels)

    def forward(self, offsets: Tensor, steps: Tensor, condition: Condition) -> list[Tensor]:
        seen = [offsets, condition.density]
        if condition.features is not None:
            seen.append(_read(condition.features, offsets))
        features, _ = self.encoder(offsets, steps, self.hint(torch.cat(seen, 1)))
        return [inject(feature) for inject, feature in zip(self.inject, features, strict=True)]


class _Injection(nn.Module):
    """A 1 x 1 projection that starts as nothing; the gate, where there is one, starts half open."""

    def __init__(self, channels: int, gated: bool) -> None:
        super().__init__()
        self.value = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(channels, channels, 1) if gated else None
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, feature: Tensor) -> Tensor:
        value = self.value(feature)
        return value if self.gate is None else torch.sigmoid(self.gate(feature)) * value


def raster_of(density: Tensor, rows: int, columns: int) -> Tensor:
    """A density as the branch wants to see it.

    Args:
        density: (H, W), not negative, not all 0.
    Returns:
        (1, 1, 4 rows, 4 columns); the square root of the mean density of each pixel over that of the picture.
    """
    size = rows * PIXELS_PER_CELL, columns * PIXELS_PER_CELL
    mean = functional.interpolate(density[None, None].float(), size, mode="area")
    return (mean / mean.mean()).sqrt()


def _extractor() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, _FEATURES, 3, padding=1), nn.SiLU())


def _read(features: Tensor, offsets: Tensor) -> Tensor:
    """Features at the places of dots, (B, 16, rows, columns)."""
    rows, columns = offsets.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(rows, device=offsets.device) + 0.5,
        torch.arange(columns, device=offsets.device) + 0.5,
        indexing="ij",
    )
    # grid_sample has the area from -1 to 1.
    places = torch.stack([(x + offsets[:, 0]) * (2 / columns) - 1, (y + offsets[:, 1]) * (2 / rows) - 1], -1)
    return functional.grid_sample(features, places, mode="bilinear", padding_mode="border", align_corners=False)
