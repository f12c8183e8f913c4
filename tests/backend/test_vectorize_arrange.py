"""Paths sorted by level, without changing the picture."""

from __future__ import annotations

import numpy as np

from tessera_backend.vectorize import Path
from tessera_backend.vectorize.arrange import arranged


def square(x: float, y: float, side: float, level: int) -> Path:
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]])
    along = np.roll(corners, -1, 0) - corners
    contour = np.stack([corners, corners + along / 3, corners + along * 2 / 3], 1).reshape(-1, 2)
    return Path((contour,), np.zeros(3), level=level)


def test_what_lies_on_another_is_in_no_coarser_level() -> None:
    """A coarse path on a fine one becomes fine; one that touches nothing stays coarse and goes below."""
    paths = [square(0, 0, 20, 0), square(2, 2, 10, 2), square(5, 5, 3, 1), square(30, 30, 5, 1)]

    sorted_paths = arranged(paths, 40, 40)

    assert [path.level for path in sorted_paths] == [0, 1, 2, 2]
    assert [path.contours[0].min(0).tolist() for path in sorted_paths] == [[0, 0], [30, 30], [2, 2], [5, 5]]
