"""The definition of right, in torch: coverage of every pixel by every edge, differentiated by torch itself.

Slow and short. Scenes have tensors for points, paint, opacity and stroke here; what is whole numbers stays numpy.
"""

from __future__ import annotations

import numpy as np
import torch

from .flatten import Polylines
from .scene import LINEAR, SOLID, Scene

# Where two crossings are closer than that, their mean is as exact as the integral between them.
CLOSE = 1e-9


def render(scene: Scene, lines: Polylines, opaque: np.ndarray, background: torch.Tensor) -> torch.Tensor:
    """Composite back to front.

    Args:
        opaque: bool (P,), paths that let nothing through; not used here.
        lines: the scene's polylines, of which only the numbers of vertices are used.
        background: (H, W, C), of the scene's dtype and device.
    Returns:
        (H, W, C), premultiplied where C is 4.
    """
    image = background
    ends = edges(scene.points, lines)
    y, x = torch.meshgrid(
        torch.arange(scene.height, device=image.device) + 0.5,
        torch.arange(scene.width, device=image.device) + 0.5,
        indexing="ij",
    )
    x, y = x.to(image.dtype), y.to(image.dtype)
    for p in range(len(lines.paths) - 1):
        mine = ends[lines.contours[lines.paths[p]] : lines.contours[lines.paths[p + 1]]]
        if len(mine) == 0:
            continue
        if lines.half[p] > 0:
            cover = stroke_coverage(mine, 0.5 * scene.stroke[p], x, y)
        else:
            cover = fill_rule(windings(mine, scene.height, scene.width), bool(scene.even_odd[p]))
        color, alpha = paint(scene, torch.full(x.shape, p, device=x.device), x, y, image.shape[2])
        image = image + (cover * alpha)[..., None] * (color - image)
    return image


def edges(points: torch.Tensor, lines: Polylines) -> torch.Tensor:
    """Flatten: x0, y0, x1, y1 of the edge that ends in each vertex, (V, 4), from control points (M, 2)."""
    device = points.device
    cubics = torch.as_tensor(lines.cubics, device=device)
    counts = cubics.diff()
    owner = torch.repeat_interleave(torch.arange(len(counts), device=device), counts)
    t = (torch.arange(len(owner), device=device) - cubics[owner]).to(points.dtype)[:, None] / counts[owner, None]
    begins = np.searchsorted(lines.cubics, lines.contours[:-1])
    after = np.arange(1, len(counts) + 1)
    filled = np.diff(lines.contours) > 0
    after[np.searchsorted(lines.cubics, lines.contours[1:])[filled] - 1] = begins[filled]
    knots = points.reshape(-1, 3, 2)
    a, b, c = knots[owner].unbind(1)
    d = knots[torch.as_tensor(after, device=device), 0][owner]
    s = 1 - t
    vertices = s**3 * a + 3 * s**2 * t * b + 3 * s * t**2 * c + t**3 * d
    return torch.cat([vertices[torch.as_tensor(lines.before, device=device)], vertices], 1)


def windings(ends: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The integral of the winding number over each pixel, (H, W), of a closed polyline's edges (E, 4).

    To the right of an edge the winding number rises by its signed height: an edge gives each pixel of a row its height
    in that row times the mean share of the pixel on its right.
    """
    x0, y0, x1, y1 = ends[:, :, None].unbind(1)
    rows = torch.arange(height, device=ends.device, dtype=ends.dtype)
    low, high = y0.clamp(rows, rows + 1), y1.clamp(rows, rows + 1)
    level = y0 == y1
    rise = torch.where(level, torch.ones_like(y0), y1 - y0)
    begin = torch.where(level, torch.zeros_like(low), (low - y0) / rise)
    end = torch.where(level, torch.ones_like(low), (high - y0) / rise)
    right = torch.arange(width, device=ends.device, dtype=ends.dtype) + 1
    a = right - (x0 + begin * (x1 - x0))[..., None]
    b = right - (x0 + end * (x1 - x0))[..., None]
    near = (b - a).abs() < CLOSE
    between = (_share_integral(b) - _share_integral(a)) / torch.where(near, torch.ones_like(a), b - a)
    share = torch.where(near, (0.5 * (a + b)).clamp(0, 1), between)
    return ((high - low)[..., None] * share).sum(0)


def _share_integral(z: torch.Tensor) -> torch.Tensor:
    """The integral of clamp(z, 0, 1)."""
    return 0.5 * z.clamp(0, 1) ** 2 + (z - 1).clamp(min=0)


def fill_rule(winding: torch.Tensor, even_odd: bool | torch.Tensor) -> torch.Tensor:
    """Coverage from the integral of the winding number."""
    size = winding.abs()
    rest = size - 2 * torch.floor(0.5 * size.detach())
    folded = torch.where(rest > 1, 2 - rest, rest)
    return torch.where(torch.as_tensor(even_odd, device=winding.device), folded, size.clamp(max=1))


def stroke_coverage(ends: torch.Tensor, half: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Coverage of pixels with centres x, y by the strip around their nearest edge; half: half the width, px."""
    x0, y0, x1, y1 = ends.unbind(1)
    dx, dy = x1 - x0, y1 - y0
    square = dx**2 + dy**2
    length = torch.where(square > 0, square, torch.ones_like(square))
    t = (((x[..., None] - x0) * dx + (y[..., None] - y0) * dy) / length).clamp(0, 1)
    vx, vy = x[..., None] - x0 - t * dx, y[..., None] - y0 - t * dy
    nearest = (vx**2 + vy**2).detach().argmin(-1, keepdim=True)
    vx, vy, t = (values.gather(-1, nearest)[..., 0] for values in (vx, vy, t))
    dx, dy, length = (values[nearest[..., 0]] for values in (dx, dy, length.sqrt()))
    inner = (t > 0) & (t < 1)
    apart = (vx**2 + vy**2) > CLOSE**2
    far = torch.where(apart, vx**2 + vy**2, torch.ones_like(vx)).sqrt()
    nx = torch.where(inner, -dy / length, torch.where(apart, vx / far, torch.ones_like(vx)))
    ny = torch.where(inner, dx / length, torch.where(apart, vy / far, torch.zeros_like(vx)))
    distance = vx * nx + vy * ny
    return half_plane(half - distance, nx, ny) + half_plane(half + distance, nx, ny) - 1


def half_plane(s: torch.Tensor, nx: torch.Tensor, ny: torch.Tensor) -> torch.Tensor:
    """The area of a pixel on the near side of a line with unit normal (nx, ny), s beyond the pixel's centre."""
    a, b = torch.maximum(nx.abs(), ny.abs()), torch.minimum(nx.abs(), ny.abs())
    rest = (0.5 * (a + b) - s.abs()).clamp(min=0)
    flat = s.abs() <= 0.5 * (a - b)
    product = torch.where(flat, torch.ones_like(a), a * b)
    return 0.5 + s.sign() * torch.where(flat, s.abs() / a, 0.5 - 0.5 * rest**2 / product)


def paint(
    scene: Scene, path: torch.Tensor, x: torch.Tensor, y: torch.Tensor, channels: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Colour (..., C) and alpha (...) of paths at points x, y; path: int64 of the same shape."""
    kind = torch.as_tensor(scene.paint.kind, device=x.device)[path]
    a, b, c, d = scene.paint.geometry[path].unbind(-1)
    qx, qy = x - a, y - b
    linear = kind == LINEAR
    square = torch.where(linear, (c - a) ** 2 + (d - b) ** 2, c**2)
    empty = (square <= 0) | (~linear & (c <= 0))
    square = torch.where(empty, torch.ones_like(square), square)
    radius = qx**2 + qy**2
    radius = torch.where(radius > 0, radius, torch.ones_like(radius)).sqrt() * (radius > 0)
    u = torch.where(linear, (qx * (c - a) + qy * (d - b)) / square, radius / square.sqrt())
    offsets = scene.paint.offsets[path].contiguous()
    last = offsets.shape[-1] - 1
    right = torch.searchsorted(offsets.detach(), u.detach()[..., None].contiguous(), right=True)[..., 0]
    right = torch.where(empty, last + 1, right)
    right = torch.where(kind == SOLID, 0, right)
    j, after = (right - 1).clamp(0, last), right.clamp(0, last)
    low, high = (offsets.gather(-1, index[..., None])[..., 0] for index in (j, after))
    between = torch.where(j == after, torch.ones_like(low), high - low)
    w = torch.where(j == after, torch.zeros_like(u), (u - low) / between)
    first, second = scene.paint.colors[path, j], scene.paint.colors[path, after]
    rgba = first + w[..., None] * (second - first)
    solid = torch.ones_like(rgba[..., 3:])
    return torch.cat([rgba[..., :3], solid], -1)[..., :channels], rgba[..., 3] * scene.opacity[path]
