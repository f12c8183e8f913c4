"""Scenes to images in torch operations, for cuda and mps; torch differentiates them.

Every step works on all paths at once: edges are cut into rows, rows into cells, and cells are composited by their rank
from the bottom. Memory grows with the rows of all paths times the width of the widest.
"""

from __future__ import annotations

import numpy as np
import torch

from .flatten import Polylines
from .reference import edges, fill_rule, paint, stroke_coverage
from .scene import Scene


def render(scene: Scene, lines: Polylines, opaque: np.ndarray, background: torch.Tensor) -> torch.Tensor:
    """Composite back to front; arguments and result are those of `reference.render`."""
    device = background.device
    boxes = torch.as_tensor(lines.boxes, device=device)
    heights = boxes[:, 3] - boxes[:, 1]
    path = torch.repeat_interleave(torch.arange(len(boxes), device=device), heights)
    if len(path) == 0:
        return background
    starts = heights.cumsum(0) - heights
    y = torch.arange(len(path), device=device) - starts[path] + boxes[path, 1]
    width = int((boxes[:, 2] - boxes[:, 0]).max())
    ends = edges(scene.points, lines)
    cover = fill_rule(
        _windings(ends, lines, boxes, starts, len(path), width),
        torch.as_tensor(lines.even_odd, device=device)[path][:, None],
    )
    cover = _with_strokes(cover, ends, scene, lines, starts)
    columns = torch.arange(width, device=device)
    inside = columns < (boxes[path, 2] - boxes[path, 0])[:, None]
    row, column = torch.nonzero(inside & (cover.detach() > 0), as_tuple=True)
    path, x, y, cover = path[row], column + boxes[path[row], 0], y[row], cover[row, column]
    return _composite(scene, torch.as_tensor(opaque, device=device)[path], path, x, y, cover, background)


def _windings(
    ends: torch.Tensor, lines: Polylines, boxes: torch.Tensor, starts: torch.Tensor, rows: int, width: int
) -> torch.Tensor:
    """The integral of the winding number over each pixel of each path's rows, (R, width)."""
    device = ends.device
    contour = torch.repeat_interleave(
        torch.arange(len(lines.contours) - 1, device=device), torch.as_tensor(lines.contours, device=device).diff()
    )
    path = torch.searchsorted(torch.as_tensor(lines.paths, device=device), contour, right=True) - 1
    half = torch.as_tensor(lines.half > 0, device=device)
    # Edges to rows.
    top = torch.minimum(ends[:, 1], ends[:, 3]).detach().floor().long().clamp(min=boxes[path, 1])
    bottom = torch.maximum(ends[:, 1], ends[:, 3]).detach().ceil().long()
    # A level edge on the border of two rows belongs to the lower one.
    bottom = torch.maximum(bottom, top + 1).clamp(max=boxes[path, 3])
    counts = torch.where(half[path], 0, (bottom - top).clamp(min=0))
    edge, y = _expand(top, counts)
    x0, y0, x1, y1 = ends[edge].unbind(1)
    low, high = y0.clamp(y, y + 1), y1.clamp(y, y + 1)
    level = y1 == y0
    rise = torch.where(level, torch.ones_like(y0), y1 - y0)
    a = x0 + torch.where(level, torch.zeros_like(y0), (low - y0) / rise) * (x1 - x0)
    b = x0 + torch.where(level, torch.ones_like(y0), (high - y0) / rise) * (x1 - x0)
    # Rows to cells, relative to the path's box; cell -1 is all that lies left of it.
    left = boxes[path[edge], 0]
    a, b = a - left, b - left
    first = torch.minimum(a, b).detach().floor().long().clamp(min=-1)
    last = torch.maximum(a, b).detach().floor().long().clamp(-1, width)
    piece, column = _expand(first, (last - first + 1).clamp(min=0))
    a, b, height = a[piece], b[piece], (high - low)[piece]
    floor = torch.where(column < 0, torch.full_like(a, -torch.inf), column.to(a.dtype))
    begin, end = a.clamp(floor, column + 1), b.clamp(floor, column + 1)
    upright = first[piece] == last[piece]
    share = (end - begin) / torch.where(upright, torch.ones_like(a), b - a)
    height = height * torch.where(upright, torch.ones_like(a), share)
    # What lies left of the box covers all of its first cell.
    inside = torch.where(column < 0, torch.ones_like(a), 0.5 * (begin + end) - column)
    cell = ((starts[path[edge]] + y.long() - boxes[path[edge], 1]) * (width + 2))[piece] + column
    total = torch.zeros(rows * (width + 2) + 1, dtype=ends.dtype, device=device)
    total = total.index_add(0, cell.clamp(min=0), torch.where(column < 0, torch.zeros_like(a), height * (1 - inside)))
    total = total.index_add(0, cell + 1, height * inside)
    return total[:-1].reshape(rows, width + 2).cumsum(1)[:, :width]


def _expand(first: torch.Tensor, counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """first[i], first[i] + 1, ..., counts[i] of them, for every i: the owners i and the values."""
    owner = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    begin = counts.cumsum(0) - counts
    return owner, first[owner] + torch.arange(len(owner), device=counts.device) - begin[owner]


def _with_strokes(
    cover: torch.Tensor, ends: torch.Tensor, scene: Scene, lines: Polylines, starts: torch.Tensor
) -> torch.Tensor:
    """Put the coverage of strokes, one after the other, into the rows of their paths."""
    parts, done = [], 0
    for p in (lines.half > 0).nonzero()[0]:
        left, top, right, bottom = (int(side) for side in lines.boxes[p])
        mine = ends[lines.contours[lines.paths[p]] : lines.contours[lines.paths[p + 1]]]
        if top == bottom:
            continue
        y, x = torch.meshgrid(
            torch.arange(top, bottom, device=cover.device) + 0.5,
            torch.arange(left, right, device=cover.device) + 0.5,
            indexing="ij",
        )
        stroked = stroke_coverage(mine, 0.5 * scene.stroke[p], x.to(cover.dtype), y.to(cover.dtype))
        begin = int(starts[p])
        parts += [cover[done:begin], torch.nn.functional.pad(stroked, (0, cover.shape[1] - (right - left)))]
        done = begin + bottom - top
    return torch.cat([*parts, cover[done:]])


def _composite(
    scene: Scene,
    opaque: torch.Tensor,
    path: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
    cover: torch.Tensor,
    background: torch.Tensor,
) -> torch.Tensor:
    """Blend cells, which come in the order of paths, over the background, one layer of each pixel at a time."""
    width, channels = background.shape[1:]
    image = background.reshape(-1, channels)
    centers = (x + 0.5).to(cover.dtype), (y + 0.5).to(cover.dtype)
    color, alpha = paint(scene, path, *centers, channels)
    alpha = alpha * cover
    pixel = y * width + x
    # What lies below something opaque does not show.
    order = torch.arange(len(pixel), device=pixel.device)
    ground = torch.zeros(len(image), dtype=torch.long, device=pixel.device)
    opaque = opaque & (cover.detach() >= 1)
    ground = ground.scatter_reduce(0, pixel[opaque], order[opaque], "amax")
    shown = torch.nonzero(order >= ground[pixel])[:, 0]
    shown = shown[torch.argsort(pixel[shown], stable=True)]
    begins = torch.searchsorted(pixel[shown].contiguous(), pixel[shown].contiguous())
    rank = torch.arange(len(shown), device=pixel.device) - begins
    for layer in range(int(rank.max()) + 1 if len(rank) else 0):
        mine = shown[rank == layer]
        under = image[pixel[mine]]
        image = image.index_copy(0, pixel[mine], under + alpha[mine, None] * (color[mine] - under))
    return image.reshape(background.shape)
