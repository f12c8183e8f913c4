"""Stage 1 of Voxify3D: a voxel radiance field fitted to pictures of the mesh from all around.

Direct voxel grid optimization (Sun et al., CVPR 2022): volume density and colour on the grid itself; losses of
rendering, total variation and the entropy of what passes through (Huang et al. 2025, section 3.1). Voxels here are
whole, not interpolated, and what no silhouette has room for is cut away first, so hundreds of steps will do where the
authors' code makes 8000.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from scipy import ndimage

from ..progress import SILENT, Progress
from . import rays
from .grid import Grid
from .mesh import Mesh
from .render.views import free_view

# Pictures, from random directions; pixels per voxel, and samples of each pixel's sides.
_VIEWS, _PIXELS, _SAMPLES = 100, 2.0, 2
# Steps, and rays of each.
STEPS, _RAYS = 150, 16384
# Rates of Adam, of raw density and colour (theirs: 0.1 both, of many more steps).
_DENSITY_RATE, _COLOR_RATE = 0.3, 0.05
# Opacity of a voxel before the first step (theirs: 1e-6 of a hundredth of the box).
_ALPHA = 0.15
# Weights per ray: of the entropy of transmittance (theirs: 0.01), and of total variation of raw density between two
# voxels (in their code: 0). With 30 times as much, half of the knight is gone.
_ENTROPY, _VARIATION = 0.03, 3e-8
# A voxel is solid if so much of the light stops in it (theirs: 0.2 before stage 2, 0.78 after it); or if less than that
# much reaches it.
SOLID, _DARK = 0.25, 0.05
# Light that reached a voxel some steps ago counts less, so that what is closed in grows dark.
_FORGOTTEN = 0.8
# Previews are offered every so many steps.
_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Radiance:
    """What was found.

    Attributes:
        alpha: float32 (X, Y, Z), opacity of a voxel to light that goes straight through.
        rgb: float32 (X, Y, Z, 3), sRGB in [0, 1].
        dark: bool (X, Y, Z), voxels that may be solid for all that the pictures show: no light reaches them.
        losses: mean per ray, at the first step and the last.
    """

    alpha: np.ndarray
    rgb: np.ndarray
    dark: np.ndarray
    losses: tuple[float, float]

    def opaque(self) -> np.ndarray:
        """float32 (X, Y, Z), alpha, and 1 where it is dark: `SOLID` and more of it is solid."""
        return np.where(self.dark, np.float32(1), self.alpha)


def radiance(mesh: Mesh, grid: Grid, steps: int = STEPS, seed: int = 0, progress: Progress = SILENT) -> Radiance:
    """Fit a field to a mesh's pictures.

    Args:
        mesh: checked.
        grid: of the field.
        steps: of Adam, 1 or more.
        progress: told of each picture and step; its previews are the field as it is.
    """
    rng = np.random.default_rng(seed)
    pictures = _pictures(mesh, grid, rng, progress.part(0.0, 0.3))
    alive, rgb = _hull(pictures, grid)
    raw = np.full(grid.shape, np.log(np.expm1(-np.log1p(-_ALPHA))), np.float32)
    values = (raw, rgb)
    moments = [(np.zeros(v.size, np.float32), np.zeros(v.size, np.float32)) for v in values]
    first = last = 0.0
    light = np.zeros(grid.shape, np.float32)
    for step in range(1, steps + 1):
        chosen = rng.integers(0, len(pictures.wanted), min(_RAYS, len(pictures.wanted)))
        chosen.sort()
        slopes = np.zeros(grid.shape, np.float32), np.zeros_like(rgb)
        light *= _FORGOTTEN
        sigma = np.where(alive, np.logaddexp(0, raw), 0).astype(np.float32)
        lost = rays.fit(sigma, rgb, *pictures.take(chosen), _ENTROPY, *slopes, light)
        # Of softplus.
        slopes[0][:] *= 1 / (1 + np.exp(-raw))
        rays.smooth(raw, alive, _VARIATION * len(chosen), slopes[0])
        for value, slope, moment, rate in zip(values, slopes, moments, (_DENSITY_RATE, _COLOR_RATE), strict=True):
            rays.adam(value.reshape(-1), slope.reshape(-1), *moment, step, rate)
        np.clip(rgb, 0, 1, out=rgb)
        last = lost / len(chosen)
        first = last if step == 1 else first
        progress("radiance", 0.3 + 0.7 * step / steps, f"Radiance field, step {step} of {steps}")
        if step % _SHOWN == 0:
            progress.show(functools.partial(_state, raw, rgb, alive, light, (first, last)))
        if progress.enough():
            break
    return _state(raw, rgb, alive, light, (first, last))


def _state(
    raw: np.ndarray, rgb: np.ndarray, alive: np.ndarray, light: np.ndarray, losses: tuple[float, float]
) -> Radiance:
    alpha = np.where(alive, 1 - np.exp(-np.logaddexp(0, raw)), 0).astype(np.float32)
    return Radiance(alpha, rgb, alive & (light < _DARK), losses)


@dataclasses.dataclass(frozen=True)
class _Pictures:
    """Orthographic pictures from random directions, and the rays of their pixels.

    Attributes:
        turns: float64 (V, 3, 3), rows right, up and towards the eye, in voxels' axes.
        colors: float32 (V, P, P, 4), premultiplied sRGB with alpha.
        reach: half a picture's side, voxels.
        wanted: int (R,), pixels whose rays meet something or pass it by closely.
    """

    turns: np.ndarray
    colors: np.ndarray
    reach: float
    center: np.ndarray
    wanted: np.ndarray

    def take(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Starts, directions, float32 (R, 3), voxels, and colours, float32 (R, 4), of some of the wanted pixels."""
        size = self.colors.shape[1]
        view, row, column = np.unravel_index(self.wanted[chosen], self.colors.shape[:3])
        across = ((column + 0.5) / size * 2 - 1) * self.reach
        up = (1 - (row + 0.5) / size * 2) * self.reach
        turn = self.turns[view]
        far = 2 * self.reach
        starts = self.center + across[:, None] * turn[:, 0] + up[:, None] * turn[:, 1] + far * turn[:, 2]
        ways = -turn[:, 2]
        ways = np.where(np.abs(ways) < 1e-6, 1e-6, ways)
        return starts.astype(np.float32), ways.astype(np.float32), self.colors[view, row, column]


def _pictures(mesh: Mesh, grid: Grid, rng: np.random.Generator, progress: Progress) -> _Pictures:
    """In voxels: the grid's small stretch would make rays of different lengths."""
    placed = dataclasses.replace(mesh, positions=grid.of(mesh.positions))
    shape = np.array(grid.shape, np.float64)
    reach = float(np.linalg.norm(shape)) / 2
    size = int(np.ceil(2 * reach * _PIXELS / np.sqrt(3)))
    turns, colors = [], []
    for number in range(_VIEWS):
        turn = _turn(rng)
        seen = free_view(placed, turn, size * _SAMPLES, center=shape / 2, radius=reach)
        pixels = np.concatenate([seen.color * seen.hit[..., None], seen.hit[..., None]], 2)
        colors.append(pixels.reshape(size, _SAMPLES, size, _SAMPLES, 4).mean((1, 3), dtype=np.float32))
        turns.append(turn)
        progress("radiance", number / _VIEWS, f"Drawing view {number + 1} of {_VIEWS}")
    every = np.stack(colors)
    near = ndimage.maximum_filter(every[..., 3], (1, 5, 5)) > 0
    return _Pictures(np.stack(turns), every, reach, shape / 2, np.flatnonzero(near))


def _turn(rng: np.random.Generator) -> np.ndarray:
    """A view from a random direction, even on the sphere: rows right, up, towards the eye."""
    towards = rng.normal(size=3)
    towards /= np.linalg.norm(towards)
    right = np.cross([0.0, 0.0, 1.0] if abs(towards[2]) < 0.95 else [0.0, 1.0, 0.0], towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def _hull(pictures: _Pictures, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Voxels that no silhouette leaves outside, bool (X, Y, Z), and the mean of what is seen there, (X, Y, Z, 3)."""
    size = pictures.colors.shape[1]
    centers = np.stack(np.meshgrid(*[np.arange(n) + 0.5 for n in grid.shape], indexing="ij"), -1).reshape(-1, 3)
    alive, rgb = np.ones(len(centers), bool), np.zeros((len(centers), 4))
    for turn, colors in zip(pictures.turns, pictures.colors, strict=True):
        across, up = ((centers - pictures.center) @ turn[:2].T / pictures.reach).T
        column = np.clip(((across + 1) / 2 * size).astype(np.intp), 0, size - 1)
        row = np.clip(((1 - up) / 2 * size).astype(np.intp), 0, size - 1)
        alive &= ndimage.maximum_filter(colors[..., 3], 3)[row, column] > 0.1
        rgb += colors[row, column]
    mean = rgb[:, :3] / np.maximum(rgb[:, 3:], 1e-6)
    return alive.reshape(grid.shape), np.clip(mean, 0, 1).reshape(*grid.shape, 3).astype(np.float32)
