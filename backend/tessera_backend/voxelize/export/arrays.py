"""Voxels as the arrays of a job's result, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from ..voxels import Voxels
from .greedy import greedy


def to_arrays(voxels: Voxels) -> dict[str, np.ndarray]:
    """What the schema of `voxelize` calls its outputs, by name.

    Returns:
        `labels` uint8 (X, Y, Z) and `palette` uint8 (K, 3); the greedy mesh: `vertices` float32 (P, 3), world space,
        `quads` int32 (Q, 4), `quad_labels` uint8 (Q,), from 0; the voxels with an open face: `points` float32 (N, 3),
        their centres, and `point_labels` uint8 (N,), from 0.
    """
    mesh = greedy(voxels.labels)
    inside = ndimage.binary_erosion(voxels.solid)
    places = np.argwhere(voxels.solid & ~inside)
    return {
        "labels": voxels.labels,
        "palette": voxels.palette,
        "vertices": (voxels.origin + mesh.vertices * voxels.size).astype(np.float32),
        "quads": mesh.quads,
        "quad_labels": mesh.labels - np.uint8(1),
        "points": (voxels.origin + (places + 0.5) * voxels.size).astype(np.float32),
        "point_labels": voxels.labels[tuple(places.T)] - np.uint8(1),
    }


def from_arrays(arrays: Mapping[str, np.ndarray], meta: dict[str, Any]) -> Voxels:
    """The voxels of a job's result: its `labels` and `palette`, and its metadata, which say where they are."""
    return Voxels(arrays["labels"], arrays["palette"], np.array(meta["origin"]), np.array(meta["size"]), meta)
