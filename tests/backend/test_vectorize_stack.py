"""Paint order: shapes painted one over the other show the partition, with one outline each, and in levels, too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as components

from tessera_backend.vectorize.segment import Partition, grow, split
from tessera_backend.vectorize.stack import Shape, levels, mask, masks, stack


def partition(seed: int, height: int, width: int, count: int, holes: float, cell: int) -> Partition:
    """Of random blocks of four colours, some of them transparent."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 4, (height // cell + 1, width // cell + 1))
    image = np.kron(blocks, np.ones((cell, cell), int))[:height, :width, None] * [0.3, 0.2, 0.1]
    opaque = rng.random(blocks.shape) >= holes
    opaque = np.kron(opaque, np.ones((cell, cell), bool))[:height, :width]
    opaque[height // 2, width // 2] = True
    return split(grow(image, opaque, regions=200), image, count, smallest=1)


partitions = st.builds(
    partition,
    st.integers(0, 100_000),
    st.integers(1, 24),
    st.integers(1, 24),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.0, 0.1, 0.4]),
    st.sampled_from([1, 2, 3]),
)


def painted(made: Partition, shapes: list[Shape]) -> np.ndarray:
    """The region whose shape is on top at each pixel; -1 where there is none."""
    out = np.full(made.labels.shape, -1)
    for shape in shapes:
        out[mask(made, shape)] = shape.region
    return out


@settings(max_examples=150, deadline=None)
@given(partitions)
def test_painting_shows_the_partition(made: Partition) -> None:
    """One shape a region, in one piece that contains it; whole outlines, without holes, hide nothing."""
    shapes = stack(made)
    assert sorted(shape.region for shape in shapes) == list(range(made.count))
    for shape in shapes:
        assert shape.region in shape.members
        assert components(mask(made, shape))[1] == 1
    assert np.array_equal(painted(made, shapes), made.labels)


@settings(max_examples=60, deadline=None)
@given(partitions, st.integers(0, 3))
def test_underlap_is_hidden(made: Partition, underlap: int) -> None:
    """Shapes that reach beneath others show the same picture; between opaque ones no gap is left to look through."""
    shapes = stack(made)
    out = np.full(made.labels.shape, -1)
    for shape, pixels in zip(shapes, masks(made, shapes, underlap), strict=True):
        assert (pixels | ~mask(made, shape)).all()
        out[pixels] = shape.region
    assert np.array_equal(out, made.labels)


def test_underlap() -> None:
    """Of two that lie side by side the lower one reaches beneath the upper one by a pixel, and not beyond."""
    labels = np.zeros((9, 12), np.int32)
    labels[2:7, 2:6], labels[2:7, 6:10] = 1, 2
    made = Partition(labels, np.array([[0, 1], [3, 2]], np.int32), np.arange(3, dtype=np.int32))
    _, lower, upper = masks(made, stack(made))
    assert lower.sum() == 25
    assert upper.sum() == 20


@settings(max_examples=100, deadline=None)
@given(partitions, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_painting_by_level_shows_the_same(made: Partition, counts: list[int]) -> None:
    """A shape is never in a finer level than what lies on it; the coarsest level is not empty."""
    shapes = stack(made)
    level = levels(made, shapes, sorted(counts))
    assert level.min() == level[0] == 0
    assert level.max() < len(counts)
    order = np.argsort(level, kind="stable")
    assert np.array_equal(painted(made, [shapes[i] for i in order]), made.labels)


def test_levels_are_cuts() -> None:
    """In a cut of n nodes as many shapes stand apart."""
    made = partition(5, 24, 24, 30, 0.0, 2)
    level = levels(made, stack(made), [4, 12, 20, 40])
    assert np.bincount(level, minlength=4).cumsum().tolist() == [4, 12, 20, made.count]


def test_backgrounds_are_whole() -> None:
    """A shape has all of its node's pixels, those too that others cover: a disc on two fields, on a ground."""
    labels = np.zeros((20, 20), np.int32)
    labels[4:16, 4:12], labels[4:16, 12:17] = 1, 2
    labels[8:12, 10:14] = 3
    made = Partition(labels, np.array([[3, 2], [4, 1], [5, 0]], np.int32), np.arange(4, dtype=np.int32))
    shapes = stack(made)
    assert [shape.members.tolist() for shape in shapes] == [[0, 1, 2, 3], [1, 2, 3], [2, 3], [3]]
    assert [shape.node for shape in shapes] == [6, 5, 4, 3]


def test_what_is_enclosed_is_on_top() -> None:
    """A ring and what lies in it, of two parts: all outlines are whole, the ring's, too."""
    labels = np.zeros((20, 20), np.int32)
    labels[3:17, 3:17] = 1
    labels[5:15, 5:15] = 2
    labels[5:15, 5:7] = 3
    # The worst order: the ring meets one of the parts first, whose outline is longer.
    labels[6:14:2, 5:14] = 3
    made = Partition(labels, np.array([[1, 3], [4, 2], [5, 0]], np.int32), np.arange(4, dtype=np.int32))
    shapes = stack(made)
    assert np.array_equal(painted(made, shapes), labels)
    (ring,) = [shape for shape in shapes if shape.region == 1]
    assert mask(made, ring)[3:17, 3:17].all()


def test_a_hole_to_look_through_stays_open() -> None:
    """What a ring encloses is not painted if it is transparent."""
    labels = np.full((12, 12), -1, np.int32)
    labels[2:10, 2:10] = 0
    labels[4:8, 4:8] = -1
    made = Partition(labels, np.zeros((0, 2), np.int32), np.zeros(1, np.int32))
    (shape,) = stack(made)
    assert np.array_equal(mask(made, shape), labels == 0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_islands(count: int) -> None:
    """Parts that do not touch are shapes of their own, each with no more than its own pixels."""
    image = np.zeros((9, 20, 3))
    opaque = np.zeros((9, 20), bool)
    opaque[1:8, 1:7] = opaque[2:7, 9:13] = opaque[3:6, 15:18] = True
    made = split(grow(image, opaque, regions=3), image, count)
    assert made.count == count
    assert (made.labels >= 0).sum() == [42, 62, 71][count - 1]
    assert all(len(shape.members) == 1 for shape in stack(made))
