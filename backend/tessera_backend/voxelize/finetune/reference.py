"""Views of a voxel grid and their loss in plain torch: the definition, and the way on cuda and mps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def composite(alpha: Tensor, color: Tensor, axis: int, *, above: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Render one view of a voxel grid, looking along a grid axis.

    Each ray is a row of voxels, so front-to-back compositing is an exclusive cumulative product of (1 - alpha).

    Args:
        alpha: (X, Y, Z), opacities in [0, 1].
        color: (X, Y, Z, 3), sRGB in [0, 1]: pixel art's colours are mixed as they are written.
        axis: 0, 1 or 2, the direction of sight; from its greater end if `above`.
    Returns:
        color (U, V, 3), premultiplied; transmittance (U, V); depth (U, V), voxels from the near face, of what is
        opaque: the sum of weights times the depths of voxels' centres.
    Source: Max, Optical Models for Direct Volume Rendering, TVCG 1(2), 1995.
    """
    alpha, color = alpha.movedim(axis, 2), color.movedim(axis, 2)
    if above:
        alpha, color = alpha.flip(2), color.flip(2)
    through = torch.cumprod(1 - alpha, 2)
    weight = alpha * torch.cat([torch.ones_like(through[..., :1]), through[..., :-1]], 2)
    depth = torch.arange(alpha.shape[2], dtype=alpha.dtype, device=alpha.device) + 0.5
    return (weight[..., None] * color).sum(2), through[..., -1], (weight * depth).sum(2)


def dense(index: Tensor, alpha: Tensor, rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Opacities (X, Y, Z) and colours (X, Y, Z, 3) of a grid.

    Args:
        index: int (X, Y, Z), numbers of voxels, -1 for air, -2 for what is opaque and black.
        alpha: (A,); rgb: (A, 3).
    """
    fixed = alpha.new_tensor([1.0, 0.0])
    place = index + 2
    return torch.cat([fixed, alpha])[place], torch.cat([rgb.new_zeros(2, 3), rgb])[place]


def view_loss(
    alpha: Tensor,
    color: Tensor,
    axis: int,
    above: bool,
    target: tuple[Tensor, Tensor, Tensor],
    weights: tuple[float, float, float],
) -> Tensor:
    """Of one view, summed over its pixels; see `loss.of_views`.

    Args:
        alpha, color: of `dense`.
        target: color (U, V, 3), covered bool (U, V), depth (U, V), negative where any will do.
    """
    wanted, covered, depth = target
    shown, left, far = composite(alpha, color, axis, above=above)
    pixels = ((shown + left[..., None] - wanted) ** 2).sum(2)
    away = functional.smooth_l1_loss(far + left * depth, depth, reduction="none")
    inside = weights[0] * pixels + weights[1] * left**2 + weights[2] * torch.where(depth >= 0, away, 0.0)
    return torch.where(covered, inside, weights[1] * (1 - left) ** 2).sum()
