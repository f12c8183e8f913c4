"""What colours and silhouettes are taken from: orthographic renders along the axes of the grid."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class View:
    """One of six views; `views[2 * axis + (sign < 0)]` is the one from that side.

    W and H are the grid's other two axes, in ascending order, times `scale`; pixels are indexed [u, v].

    Attributes:
        axis: 0, 1 or 2, along which is looked.
        sign: 1, seen from the axis' greater end, or -1.
        color: float32 (W, H, 3), sRGB in [0, 1]; anything where nothing is hit.
        hit: bool (W, H).
        depth: float32 (W, H), where the first hit lies on the axis, in voxels from the grid's lower end.
        scale: pixels per voxel.
    """

    axis: int
    sign: int
    color: np.ndarray
    hit: np.ndarray
    depth: np.ndarray
    scale: int
