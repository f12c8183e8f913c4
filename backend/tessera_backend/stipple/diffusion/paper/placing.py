"""The paper's model as an engine: any number of dots on any raster."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tessera_protocol.errors import error

from .... import models
from ....progress import SILENT, Progress
from ..local.placing import first_labels, without
from . import assignment, control
from . import sampler as sampling

KIND = "stipple-paper"
# Cells along a side beyond which a picture is placed in pieces; the net has learned this size. In one piece, 10,000
# dots have twice the capacity error: a piece is more even, so its offsets are shorter.
MOST_SIDE = 32

Box = tuple[int, int, int, int]


def place(
    density: np.ndarray,
    dots: int,
    model: str | Path = KIND,
    *,
    sampler: str = "repaint",
    steps: int = 20,
    start: str = "kd",
    truncation: int = 60,
    rng: np.random.Generator,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Place dots with the paper's model.

    The paper has 300 steps, start "density" and truncation 300. The defaults are what is best with the small net that
    is shipped: little noise around a start that has the masses right, which the net could not mend.

    Args:
        density: float32 (H, W), not negative, not all 0.
        dots: 10 to 100,000.
        model: the name of weights that are shipped, or a file, of kind "stipple-paper".
        sampler: "repaint" goes three times through each step, as the paper does; "ancestral" once; "ddim" and "dpm++"
            once, without new noise, with diffusers.
        steps: 1 to `truncation`.
        start: "density" or "kd", as of `sampler.start_points`.
        truncation: 1 to 300, as of `sampler.sample`.
        device: of torch.
        progress: told before each call of the net.
    Returns:
        float32 (dots, 2), pixels; and how they were made, of plain JSON types.
    Raises:
        InvalidInput: the weights are missing, damaged or of another kind; "out-of-range" for another sampler, start or
            number of steps; "unusable-input" where a sampler needs diffusers.
    """
    _check("sampler", sampler, sampling.SAMPLERS)
    _check("start", start, sampling.STARTS)
    _check_between("truncation", truncation, 300)
    _check_between("steps", steps, truncation)
    path = model if isinstance(model, Path) else models.shipped(model)
    file, digest, net = _loaded(path, device, path.stat().st_mtime_ns if path.is_file() else 0)
    parts = pieces(density, dots)
    found, thinned = [], 0
    for i, (box, count) in enumerate(parts):
        part = progress.part(i / len(parts), (i + 1) / len(parts))
        window = density[box[0] : box[1], box[2] : box[3]]
        sites, shape = place_piece(net, window, count, sampler, steps, start, truncation, rng, part)
        found.append(sites + np.array([box[2], box[0]], np.float32))
        thinned += shape[0] * shape[1] - count
    sites = np.concatenate(found)
    np.clip(sites, 0, np.array(density.shape[::-1], np.float32) - np.float32(0.01), out=sites)
    return sites, {
        "model": KIND,
        "weights": file,
        "sha256": digest,
        "device": device,
        "sampler": sampler,
        "steps": steps,
        "start": start,
        "truncation": truncation,
        "calls": sampling.calls_of(sampler, steps) * len(parts),
        "cells": dots + thinned,
        "pieces": len(parts),
        "dots_thinned": thinned,
    }


def place_piece(
    net: control.Controlled,
    density: np.ndarray,
    dots: int,
    sampler: str,
    steps: int,
    start: str,
    truncation: int,
    rng: np.random.Generator,
    progress: Progress = SILENT,
) -> tuple[np.ndarray, tuple[int, int]]:
    """Sites, float32 (dots, 2), pixels, of one grid; and its rows and columns. Arguments as of `place`."""
    progress("placing", 0.0, "Assigning dots to cells")
    device = next(net.parameters()).device
    density = np.array(density, np.float32)
    height, width = density.shape
    rows, columns = assignment.grid_of(dots, height, width)
    cell = np.array([width / columns, height / rows])
    points = sampling.start_points(density, rows, columns, start, rng)
    offsets = torch.from_numpy(assignment.encode(points / cell, rows, columns))[None].to(device)
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
    with torch.inference_mode():
        condition = net.look(control.raster_of(torch.from_numpy(density).to(device), rows, columns))
        done = sampling.sample(net, condition, offsets, sampler, steps, generator, truncation, progress)
    sites = (assignment.decode(done[0].cpu().numpy()) * cell).astype(np.float32)
    np.clip(sites, 0, np.array([width, height], np.float32) - np.float32(0.01), out=sites)
    surplus = rows * columns - dots
    if surplus:
        sites, _ = without(surplus, sites, first_labels(sites, density.shape), density)
    return sites, (rows, columns)


def pieces(density: np.ndarray, dots: int) -> list[tuple[Box, int]]:
    """Boxes (top, end, left, end) around ink, and how many dots each gets: as many as its mass asks for.

    One box unless its grid had more than 32 cells along a side; otherwise it is cut through the middle of its mass.
    """
    whole = 0, density.shape[0], 0, density.shape[1]
    return _cut(density, _inked(density, whole), dots)


def _cut(density: np.ndarray, box: Box, dots: int) -> list[tuple[Box, int]]:
    top, bottom, left, right = box
    rows, columns = assignment.grid_of(dots, bottom - top, right - left)
    along = int(right - left >= bottom - top)
    length = (bottom - top, right - left)[along]
    if max(rows, columns) <= MOST_SIDE or length == 1:
        return [(box, dots)]
    mass = np.cumsum(density[top:bottom, left:right].sum(axis=1 - along, dtype=np.float64))
    at = int(np.clip(np.searchsorted(mass, mass[-1] / 2) + 1, 1, length - 1))
    first = int(np.clip(round(dots * mass[at - 1] / mass[-1]), 0, dots))
    halves = ((top, bottom, left, left + at), (top, bottom, left + at, right))
    if not along:
        halves = ((top, top + at, left, right), (top + at, bottom, left, right))
    found = []
    for half, count in zip(halves, (first, dots - first), strict=True):
        if count:
            found += _cut(density, _inked(density, half), count)
    return found


def _inked(density: np.ndarray, box: Box) -> Box:
    """The smallest box around the ink in a box; the same where there is none."""
    top, bottom, left, right = box
    there = density[top:bottom, left:right] > 0
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return box
    return top + int(rows[0]), top + int(rows[-1]) + 1, left + int(columns[0]), left + int(columns[-1]) + 1


@functools.lru_cache(maxsize=2)
def _loaded(path: Path, device: str, changed: int) -> tuple[str, str, control.Controlled]:
    """File, its hash, and the net; `changed` only keeps an older file's net from being used."""
    known = models.load(path, KIND)
    net = control.Controlled.of(known.meta["architecture"])
    net.load_state_dict(known.tensors)
    # Convolutions on the CPU are a fifth faster with channels last.
    net = net.to(device, memory_format=torch.channels_last)
    return known.file, known.sha256, net.eval().requires_grad_(False)


def _check(field: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        words = ", ".join(allowed)
        problem = f"{field.capitalize()} is {given!r}, but {words} are possible."
        raise error("out-of-range", problem, field=field, given=given, allowed=words)


def _check_between(field: str, given: int, most: int) -> None:
    if not 1 <= given <= most:
        raise error(
            "out-of-range",
            f"{field.capitalize()} is {given}, but 1 to {most} are possible.",
            field=field,
            given=given,
            allowed=f"1 to {most}",
        )
