"""A learned engine as a whole: any number of dots on any raster."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional

from .... import models
from ....progress import SILENT, Progress
from ... import voronoi
from . import features, tree
from . import grid as kd
from . import sampler as sampling
from .net import Denoiser

STUDENT, FULL = "stipple-student", "stipple-local"
CALLS = {STUDENT: 4, FULL: 50}
# Pixels of the net's raster from dot to dot in the dark, and the most pixels that it may have.
_SPACING = 7.0
_MOST_PIXELS = 6_000_000
# A grid may be this much longer or shorter than the picture's mass, if that leaves fewer dots over.
_LEEWAY = 1.3
_MOST_ELONGATED = 6.0
# A grid that is twice as long as it should be is as bad as this share of dots too many.
_SHAPE_WEIGHT = 0.015


def place(
    density: np.ndarray,
    dots: int,
    model: str | Path = STUDENT,
    *,
    calls: int | None = None,
    rng: np.random.Generator,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Place dots with a net.

    Args:
        density: float32 (H, W), not negative, not all 0.
        dots: 10 to 100,000.
        model: the name of weights that are shipped, or a file, of kind "stipple-student" or "stipple-local".
        calls: of the net; None is 4 for a student, 50 for the other. The student was trained for 2 to 6.
        device: of torch.
        progress: told before each call.
    Returns:
        float32 (dots, 2), pixels, some of them perhaps on paper between ink; and how they were made, of plain JSON
        types.
    Raises:
        InvalidInput: the weights are missing, damaged or of another kind.
    """
    path = model if isinstance(model, Path) else models.shipped(model)
    kind, file, digest, net = _loaded(path, device, path.stat().st_mtime_ns if path.is_file() else 0)
    calls = CALLS[kind] if calls is None else calls
    progress("placing", 0.0, "Reading the density")
    window, ground = _ground(density, dots)
    rows, columns = _shape(ground, dots)
    sites = _sampled(net, kind, ground, (rows, columns), calls, rng, device, progress.part(0.02, 1.0))
    labels = first_labels(sites, ground.shape)
    sites, _ = without(rows * columns - dots, sites, labels, ground)
    scale = np.array([window[3] - window[2], window[1] - window[0]]) / np.array(ground.shape[::-1])
    sites = (sites * scale + np.array([window[2], window[0]])).astype(np.float32)
    np.clip(sites, 0, np.array(density.shape[::-1], np.float32) - np.float32(0.01), out=sites)
    return sites, {
        "model": kind,
        "weights": file,
        "sha256": digest,
        "device": device,
        "calls": calls,
        "grid": [columns, rows],
        "network_raster": [ground.shape[1], ground.shape[0]],
        "dots_thinned": rows * columns - dots,
    }


def first_labels(sites: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """For each pixel a near site, int32 `shape`: the nearest to its block of 4 x 4, before `voronoi.propagate`."""
    rows, columns = -(-shape[0] // 4), -(-shape[1] // 4)
    centres = np.stack(np.meshgrid(np.arange(columns) * 4 + 2.0, np.arange(rows) * 4 + 2.0), -1)
    near = cKDTree(sites).query(centres.reshape(-1, 2))[1].reshape(rows, columns).astype(np.int32)
    return np.ascontiguousarray(near.repeat(4, 0).repeat(4, 1)[: shape[0], : shape[1]])


def run(
    net: Denoiser,
    density: Tensor,
    shape: tuple[int, int],
    start: Tensor,
    levels: list[float],
    renew: float = 0.0,
    generator: torch.Generator | None = None,
    progress: Progress = SILENT,
) -> Tensor:
    """Dots of one density, (rows columns, 2), pixels; differentiable in the density where it requires gradients.

    Args:
        density: (H, W) on the net's device.
        shape: rows and columns of the grid.
        start: offsets (1, rows, columns, 2), spacings; `levels`, renew, generator: as of `sampler.sample`.
    """
    grid, _ = kd.encode(density, *shape)
    return grid.dots(sampling.sample(net, grid, start, levels, renew, generator, progress))[0]


@functools.lru_cache(maxsize=4)
def _loaded(path: Path, device: str, changed: int) -> tuple[str, str, str, Denoiser]:
    """Kind, file, its hash, and the net; `changed` only keeps an older file's net from being used."""
    known = models.load(path)
    if known.meta.get("kind") not in CALLS:
        known = models.load(path, STUDENT)
    net = Denoiser(**known.meta["architecture"])
    net.load_state_dict(known.tensors)
    return known.meta["kind"], known.file, known.sha256, net.to(device).eval().requires_grad_(False)


def _ground(density: np.ndarray, dots: int) -> tuple[tuple[int, int, int, int], np.ndarray]:
    """The box around the ink (top, end, left, end), and its density, float32, as fine as so many dots need it."""
    there = density > 0
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    window = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    inner = np.ascontiguousarray(density[window[0] : window[1], window[2] : window[3]], np.float32)
    effective = float(inner.sum(dtype=np.float64)) ** 2 / float(np.square(inner, dtype=np.float64).sum())
    scale = min(_SPACING * math.sqrt(dots / effective), math.sqrt(_MOST_PIXELS / inner.size))
    height, width = (max(1, round(scale * side)) for side in inner.shape)
    if (height, width) == inner.shape:
        return window, inner
    picture = torch.from_numpy(inner)[None, None]
    if scale < 1:
        scaled = functional.interpolate(picture, (height, width), mode="area")
    else:
        scaled = functional.interpolate(picture, (height, width), mode="bilinear", align_corners=False)
    return window, scaled[0, 0].numpy()


def _shape(ground: np.ndarray, dots: int) -> tuple[int, int]:
    """Rows and columns of a grid that is about as long as the picture's mass and has few cells more than dots."""
    table = np.pad(ground.cumsum(0, dtype=np.float64).cumsum(1), ((1, 0), (1, 0)))
    box = np.array([0.0, ground.shape[1], 0.0, ground.shape[0]])
    aspect = max(tree.extent(table, box, 0), 1e-6) / max(tree.extent(table, box, 1), 1e-6)
    aspect = min(max(aspect, 1 / _MOST_ELONGATED), _MOST_ELONGATED)
    ideal = math.sqrt(dots / aspect)
    rows = np.arange(max(1, math.floor(ideal / _LEEWAY)), math.ceil(ideal * _LEEWAY) + 1)
    columns = -(-dots // rows)
    cost = (rows * columns - dots) / dots + _SHAPE_WEIGHT * abs(np.log2(columns / rows / aspect))
    best = int(np.argmin(cost))
    return int(rows[best]), int(columns[best])


def _sampled(
    net: Denoiser,
    kind: str,
    ground: np.ndarray,
    shape: tuple[int, int],
    calls: int,
    rng: np.random.Generator,
    device: str,
    progress: Progress,
) -> np.ndarray:
    """Sites, float32 (rows columns, 2), pixels of the ground."""
    noise = torch.from_numpy(rng.standard_normal((1, *shape, 2), dtype=np.float32)).to(device)
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
    if kind == STUDENT:
        start, levels, renew = sampling.START * noise, sampling.levels(calls), 0.0
    else:
        start, levels, renew = sampling.FULL_START * noise, sampling.full_levels(calls), 1.0
    with torch.no_grad():
        density = torch.from_numpy(ground).to(device)
        dots = run(net, density, shape, start, levels, renew, generator, progress).cpu().numpy()
    return np.clip(dots, 0, np.array(ground.shape[::-1], np.float32) - np.float32(0.01))


def without(surplus: int, sites: np.ndarray, labels: np.ndarray, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sites less those whose cells have the least mass, no two of them neighbours while that is possible; labels."""
    if not surplus:
        return sites, labels
    voronoi.propagate(labels, sites)
    order = np.argsort(voronoi.cell_moments(labels, ground, len(sites))[:, 0], kind="stable")
    near = features.neighbours(torch.from_numpy(sites)[None])[0].numpy()
    spared, taken = np.zeros(len(sites), bool), np.zeros(len(sites), bool)
    for i in order:
        if not spared[i]:
            taken[i] = True
            spared[near[i]] = True
            if taken.sum() == surplus:
                break
    taken[order[~taken[order]][: surplus - int(taken.sum())]] = True
    # Their pixels go to a neighbour for now; propagation will do the rest.
    places = np.maximum(np.cumsum(~taken) - 1, 0).astype(np.int32)
    places[taken] = places[near[taken, 0]]
    return sites[~taken], places[labels]
