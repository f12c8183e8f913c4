"""Voxels for tests: arbitrary grids, and a figure that is different from all sides."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tessera_backend.voxelize import Voxels


def voxels_of(labels: np.ndarray, colors: int | None = None) -> Voxels:
    """With telling colours, and an origin and sizes that are not 0 and 1."""
    count = max(int(labels.max(initial=0)), colors or 1)
    palette = np.random.default_rng(count).permutation(256)[: 3 * count] if count < 80 else np.arange(3 * count) % 256
    return Voxels(
        labels.astype(np.uint8),
        palette.reshape(count, 3).astype(np.uint8),
        np.array([-1.25, 3.5, 0.125]),
        np.array([0.25, 0.25, 0.2]),
        {"engine": "surface", "name": 'Größe "9"\n'},
    )


def grids(longest: int = 6, colors: int = 3) -> st.SearchStrategy[np.ndarray]:
    """uint8 (X, Y, Z), each 1 to `longest` a side, half of them mostly full."""
    shape = st.tuples(*[st.integers(1, longest)] * 3)
    return shape.flatmap(
        lambda sides: hnp.arrays(np.uint8, sides, elements=st.integers(0, colors), fill=st.integers(0, 1))
    )


def figure() -> np.ndarray:
    """uint8 (5, 4, 7): a body, one arm to the right (+x), a nose to the front (-y), a hat."""
    labels = np.zeros((5, 4, 7), np.uint8)
    labels[1:3, 1:3, 0:5] = 1
    labels[3:5, 2, 3] = 2
    labels[1, 0, 4] = 3
    labels[1:3, 1:4, 5] = 4
    labels[1, 1, 6] = 4
    return labels
