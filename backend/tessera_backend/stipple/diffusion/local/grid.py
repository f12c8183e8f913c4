"""The kd grid of a density: a grid of points of equal mass, and how far apart dots lie there.

Dots are told as offsets from these points, in local spacings. Then a net sees numbers of one size whatever the count,
the raster and the density, and moving mass over the picture is not its business: the grid has done that. Against the
uniform lattice with optimal transport of the paper (Gilad et al. 2026, section 4.1) offsets are nine times smaller.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from . import tree

# Added everywhere, as a share of the mean: cuts are then defined where there is no ink.
_FLOOR = 1e-6
# A marginal density below this share of its box's mean counts as this: a cut on paper could jump anywhere.
_LEAST_MARGINAL = 0.01
_LEAST_LOCAL = 1e-3
# Pixels to either side of a cut, over which its marginal density is measured.
_NEAR = 0.01


@dataclasses.dataclass(frozen=True)
class Grid:
    """A batch of densities with their kd grids.

    Attributes:
        density: (B, 1, H, W), not negative; pixels have their centres at + 0.5.
        points: (B, rows, columns, 2), pixels, x right, y down; the centroids of boxes of equal mass.
        spacing: (B, rows, columns), pixels: the square root of the area that a dot of such a density has.
    """

    density: Tensor
    points: Tensor
    spacing: Tensor

    @property
    def count(self) -> int:
        """Dots of each of the densities."""
        return self.points.shape[1] * self.points.shape[2]

    def dots(self, offsets: Tensor) -> Tensor:
        """Where dots with these offsets (B, rows, columns, 2), spacings, are: (B, N, 2), pixels."""
        return (self.points + self.spacing[..., None] * offsets).flatten(1, 2)

    def offsets(self, dots: Tensor) -> Tensor:
        """The opposite of `dots`."""
        return (dots.view_as(self.points) - self.points) / self.spacing[..., None]


def encode(density: Tensor, rows: int, columns: int) -> tuple[Grid, np.ndarray]:
    """The kd grid of one density.

    Args:
        density: (H, W), float, not negative, not all 0, any device; gradients flow to the points if it requires them.
    Returns:
        a batch of one, float32, on the density's device; and the boxes, float64 (rows columns, 4) of left, right,
        top, bottom, pixels, in the order of the grid.
    """
    tables = _Tables(density.cpu().double())
    nodes = tree.grow(tables.mass.detach().numpy(), rows, columns)
    leaves = np.flatnonzero(nodes.axes < 0)
    leaves = leaves[np.argsort(nodes.blocks[leaves, 0] * columns + nodes.blocks[leaves, 2])]
    found = torch.from_numpy(nodes.boxes[leaves])
    boxes = _differentiable_boxes(tables, nodes)[torch.from_numpy(leaves)] if density.requires_grad else found
    points = tables.centroids(boxes).float().to(density.device)
    spacing = tables.spacings(found).float().to(density.device)
    grid = Grid(density.float()[None, None], points.view(1, rows, columns, 2), spacing.view(1, rows, columns))
    return grid, nodes.boxes[leaves]


def stack(grids: list[Grid]) -> Grid:
    """One batch of grids with the same sizes."""
    return Grid(
        torch.cat([g.density for g in grids]),
        torch.cat([g.points for g in grids]),
        torch.cat([g.spacing for g in grids]),
    )


class _Tables:
    """Integral images, float64, of a density, of its first moments, and of its square."""

    def __init__(self, density: Tensor) -> None:
        height, width = density.shape
        density = density + _FLOOR * density.detach().mean()
        self.mass = _integral(density)
        self._x = _integral(density * (torch.arange(width, dtype=torch.float64) + 0.5))
        self._y = _integral(density * (torch.arange(height, dtype=torch.float64) + 0.5)[:, None])
        self._square = _integral(density.detach() ** 2)

    def centroids(self, boxes: Tensor) -> Tensor:
        """(N, 2), pixels, of boxes (N, 4)."""
        mass = _inside(self.mass, boxes)
        x = _inside(self._x, boxes) - _partial_moment(self.mass, boxes)
        y = _inside(self._y, boxes) - _partial_moment(self.mass.T, boxes[:, [2, 3, 0, 1]])
        left, right, top, bottom = boxes.detach().unbind(1)
        return torch.stack([(x / mass).clamp(left, right), (y / mass).clamp(top, bottom)], 1)

    def spacings(self, boxes: Tensor) -> Tensor:
        """sqrt(mass / (N local density)), pixels, (N,); the local density is that which the box's ink has."""
        total = self.mass.detach()
        local = _inside(self._square, boxes) / _inside(total, boxes)
        mean = total[-1, -1] / (self.mass.shape[0] - 1) / (self.mass.shape[1] - 1)
        return (total[-1, -1] / (len(boxes) * local.clamp(min=_LEAST_LOCAL * mean))).sqrt()


def _integral(density: Tensor) -> Tensor:
    return torch.nn.functional.pad(density.cumsum(0).cumsum(1), (1, 0, 1, 0))


def _lookup(table: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The table between its entries, which is exact: mass is bilinear within a pixel."""
    column = x.detach().long().clamp(0, table.shape[1] - 2)
    row = y.detach().long().clamp(0, table.shape[0] - 2)
    u, v = x - column, y - row
    upper = table[row, column] * (1 - u) + table[row, column + 1] * u
    lower = table[row + 1, column] * (1 - u) + table[row + 1, column + 1] * u
    return upper * (1 - v) + lower * v


def _inside(table: Tensor, boxes: Tensor) -> Tensor:
    left, right, top, bottom = boxes.unbind(1)
    across = _lookup(table, right, bottom) - _lookup(table, left, bottom)
    return across - _lookup(table, right, top) + _lookup(table, left, top)


def _partial_moment(mass: Tensor, boxes: Tensor) -> Tensor:
    """What the table of moments has too much of where a box ends inside a pixel.

    It books a pixel's mass at the pixel's centre. But the left u of a pixel has its centre at u / 2: u (1 - u) / 2 of
    the pixel's mass is the difference.
    """
    left, right, top, bottom = boxes.unbind(1)

    def at(x: Tensor) -> Tensor:
        column = x.detach().long().clamp(0, mass.shape[1] - 2)
        u = x - column
        below = (column + 1).to(x.dtype), column.to(x.dtype)
        upto = [_lookup(mass, c, bottom) - _lookup(mass, c, top) for c in below]
        return 0.5 * u * (1 - u) * (upto[0] - upto[1])

    return at(right) - at(left)


def _differentiable_boxes(tables: _Tables, nodes: tree.Tree) -> Tensor:
    """The tree's boxes again, (nodes, 4), with gradients: level by level, each cut by the implicit function theorem.

    A cut m solves F(m) = share * F(box). Its value is known; one Newton step from it, of length 0, has the right
    derivative, dm = (share dF(box) - dF(m)) / (marginal at m). Exact for the tree as it is; where a change of the
    density would turn a cut into the other axis, dots would jump.
    """
    ends = np.append(nodes.levels[1:], len(nodes.axes))
    boxes = torch.from_numpy(nodes.boxes[:1])
    levels = [boxes]
    for first, end in zip(nodes.levels, ends, strict=True):
        inner = np.flatnonzero(nodes.axes[first:end] >= 0)
        if not len(inner):
            break
        parents = boxes[torch.from_numpy(inner)]
        children = _halves(tables.mass, parents, nodes, first + inner)
        boxes = children.reshape(-1, 4)
        levels.append(boxes)
    return torch.cat(levels)


def _halves(mass: Tensor, boxes: Tensor, nodes: tree.Tree, indices: np.ndarray) -> Tensor:
    """Both parts, (N, 2, 4), of cut boxes (N, 4)."""
    along_x = torch.from_numpy(nodes.axes[indices] == 0)
    share, cut = torch.from_numpy(nodes.shares[indices]), torch.from_numpy(nodes.cuts[indices])
    left, right, top, bottom = boxes.unbind(1)

    def first(at: Tensor) -> Tensor:
        return torch.stack([left, torch.where(along_x, at, right), top, torch.where(along_x, bottom, at)], 1)

    with torch.no_grad():
        total, length = _inside(mass, boxes), torch.where(along_x, right - left, bottom - top)
        around = _inside(mass, first(cut + _NEAR)) - _inside(mass, first(cut - _NEAR))
        marginal = (around / (2 * _NEAR)).clamp(min=_LEAST_MARGINAL * (total / length))
    excess = share * _inside(mass, boxes) - _inside(mass, first(cut))
    cut = cut + (excess - excess.detach()) / marginal
    second = torch.stack([torch.where(along_x, cut, left), right, torch.where(along_x, top, cut), bottom], 1)
    return torch.stack([first(cut), second], 1)
