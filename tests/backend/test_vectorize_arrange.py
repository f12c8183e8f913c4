"""Paths sorted by level, without changing the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera_backend.vectorize import Path
from tessera_backend.vectorize.arrange import arranged, beneath, runs


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


def test_beneath() -> None:
    """What touches, and what lies under that; not what is apart."""
    paths = [square(0, 0, 10, 0), square(8, 0, 10, 0), square(16, 0, 10, 0), square(40, 0, 5, 0)]

    under = beneath(paths, 50, 20)

    assert under.tolist() == [[False] * 4, [True] + [False] * 3, [True, True, False, False], [False] * 4]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=14), st.integers(0, 2**32 - 1), st.floats(0, 0.5))
def test_runs_keep_the_order_that_matters(keys: list[int], seed: int, share: float) -> None:
    """Every path once, each after those beneath it; what nothing parts comes in one run."""
    direct = np.tril(np.random.default_rng(seed).random((len(keys),) * 2) < share, -1)
    under = direct.copy()
    for p in range(len(keys)):
        under[p] |= under[direct[p]].any(0)

    found = runs(keys, under)

    order = [p for run in found for p in run]
    assert sorted(order) == list(range(len(keys)))
    assert not any(under[p, later] for i, p in enumerate(order) for later in order[i + 1 :])
    assert all(len({keys[p] for p in run}) == 1 for run in found)
    free = runs(keys, np.zeros_like(under))
    assert len(free) == len(set(keys))
