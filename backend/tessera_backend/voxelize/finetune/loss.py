"""The loss of six views as a torch function: one public class that checks, over one autograd function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import kernels, reference
from .targets import Target


class Views:
    """Six views of one grid's voxels, with what they shall look like.

    On the CPU kernels compute the loss and its exact gradients in one go; elsewhere torch does, densely.

    Args:
        index: int32 (X, Y, Z), the number of each voxel, -1 for air, -2 for what is opaque, black and never changes.
        targets: views; those that cover nothing and cannot know why are better left out.
        device: of torch.
        dtype: of torch.
    """

    def __init__(
        self,
        index: np.ndarray,
        targets: Sequence[Target],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.targets, self.dtype = tuple(targets), dtype
        self.index = torch.as_tensor(index, dtype=torch.long, device=device)
        self.on_cpu = self.index.device.type == "cpu"
        # Losses are means over what is covered: each view counts as much as the others.
        self.shares = [1 / (max(np.count_nonzero(t.covered), 1) * len(self.targets)) for t in self.targets]
        self._lines = [_lines(index, target) for target in self.targets] if self.on_cpu else []
        kind = np.float64 if dtype == torch.float64 else np.float32
        self._planes = [(t.color.astype(kind), t.covered, t.depth.astype(kind)) for t in self.targets]
        self.tensors = [] if self.on_cpu else [_tensors(t, self.index.device, dtype) for t in self.targets]

    def loss(
        self, alpha: Tensor, rgb: Tensor, weights: tuple[float, float, float], emphasis: Sequence[float] | None = None
    ) -> Tensor:
        """The mean over views of weighted losses, a scalar; differentiable in `alpha` and `rgb`.

        Pixel by pixel, where something is to be seen (Huang et al. 2025, section 3.2, with squared alpha):
        squared difference of colours on white; squared transmittance; smooth L1 of depth, in voxels, where light
        that passes through counts as at the right depth. Elsewhere: squared opacity.

        Args:
            alpha: (A,), opacities; rgb: (A, 3), sRGB in [0, 1].
            weights: of pixels, alpha and depth.
            emphasis: how many times each view counts; once.
        """
        many = [1.0] * len(self.targets) if emphasis is None else list(emphasis)
        if self.on_cpu:
            return _Loss.apply(alpha, rgb, self, weights, many)
        return self.by_torch(alpha, rgb, weights, many)

    def by_torch(
        self, alpha: Tensor, rgb: Tensor, weights: tuple[float, float, float], emphasis: Sequence[float]
    ) -> Tensor:
        """`loss` by dense operations that torch differentiates."""
        grid = reference.dense(self.index, alpha, rgb)
        tensors = self.tensors or [_tensors(t, self.index.device, self.dtype) for t in self.targets]
        total = alpha.new_zeros(())
        for target, planes, share, many in zip(self.targets, tensors, self.shares, emphasis, strict=True):
            if many:
                lost = reference.view_loss(*grid, target.axis, target.above, planes, weights)
                total = total + share * many * lost
        return total

    def by_kernels(
        self, alpha: np.ndarray, rgb: np.ndarray, weights: tuple[float, float, float], emphasis: Sequence[float]
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """`loss`, and its slopes in alpha (A,) and rgb (A, 3)."""
        slopes = np.zeros_like(alpha), np.zeros_like(rgb)
        total = 0.0
        for lines, planes, share, many in zip(self._lines, self._planes, self.shares, emphasis, strict=True):
            if many:
                total += kernels.view(*lines, alpha, rgb, *planes, weights, share * many, *slopes)
        return total, *slopes


def _lines(index: np.ndarray, target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Numbers along each ray, int32 (U, V, S), and where the first is, int32 (U, V), S for nowhere."""
    lines = np.moveaxis(index, target.axis, 2)
    lines = np.ascontiguousarray(lines[:, :, ::-1] if target.above else lines, np.int32)
    there = lines != kernels.AIR
    return lines, np.where(there.any(2), there.argmax(2), lines.shape[2]).astype(np.int32)


def _tensors(target: Target, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    color, depth = (torch.as_tensor(plane, dtype=dtype, device=device) for plane in (target.color, target.depth))
    return color, torch.as_tensor(target.covered, device=device), depth


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        alpha: Tensor,
        rgb: Tensor,
        views: Views,
        weights: tuple[float, float, float],
        emphasis: Sequence[float],
    ) -> Tensor:
        arrays = (values.detach().contiguous().numpy() for values in (alpha, rgb))
        total, *slopes = views.by_kernels(*arrays, weights, emphasis)
        ctx.slopes = [torch.from_numpy(slope) for slope in slopes]
        return alpha.new_tensor(total)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.slopes[0] * upstream, ctx.slopes[1] * upstream, None, None, None
