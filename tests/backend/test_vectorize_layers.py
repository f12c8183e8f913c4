"""Layers: side by side within one, back to front between them, and everything on something."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vectorize.paper import layers

GROUND = np.ones((40, 60), bool)


def box(top, left, bottom, right):
    mask = np.zeros(GROUND.shape, bool)
    mask[top:bottom, left:right] = True
    return mask


boxes = st.tuples(st.integers(0, 38), st.integers(0, 58), st.integers(1, 40), st.integers(1, 60)).map(
    lambda b: box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(max_examples=150, deadline=None)
@given(levels=st.lists(st.lists(boxes, max_size=8), min_size=1, max_size=5), most=st.integers(1, 12))
def test_order_and_parents(levels, most):
    """Within a layer nothing overlaps; what overlaps is painted later, of no coarser level; each part has a parent."""
    parts = layers.arrange(levels, GROUND, most)
    assert 1 <= len(parts) <= most
    assert (parts[0].parent, parts[0].layer, parts[0].level) == (-1, 0, 0)
    np.testing.assert_array_equal(parts[0].mask, GROUND)
    assert [part.level for part in parts] == sorted(part.level for part in parts)
    for i, part in enumerate(parts):
        assert i == 0 or 0 <= part.parent < i
        assert i == 0 or (part.mask & parts[part.parent].mask).any()
        for before in parts[:i]:
            if (before.mask & part.mask).any():
                assert before.layer < part.layer
    again = layers.arrange(levels, GROUND, most)
    assert [part.parent for part in again] == [part.parent for part in parts]


def test_the_same_thing_is_painted_once():
    """A mask that nearly equals one from a coarser level is dropped; so is a larger one that would hide it."""
    coarse = box(10, 10, 30, 30)
    parts = layers.arrange([[coarse], [box(10, 10, 30, 31), box(5, 5, 34, 40)]], GROUND, 10)
    assert [part.area for part in parts] == [40 * 60, 400]


def test_what_lies_within_lies_in_front():
    """A window on a house on the ground: three layers, each on the one before."""
    house, window = box(10, 10, 35, 50), box(15, 20, 20, 25)
    parts = layers.arrange([[house], [window]], GROUND, 10)
    assert [(part.layer, part.parent, part.level) for part in parts] == [(0, -1, 0), (1, 0, 0), (2, 1, 1)]


def test_an_occluded_shape_is_completed():
    """A wall that a tree divides, whole at the coarse level: its two halves are not painted on top of it again."""
    wall, tree = box(5, 5, 35, 55), box(5, 28, 35, 33)
    halves = wall & ~tree
    parts = layers.arrange([[wall], [halves, tree]], GROUND, 10)
    assert len(parts) == 3
    np.testing.assert_array_equal(parts[1].mask, wall)
    np.testing.assert_array_equal(parts[2].mask, tree)
    assert parts[2].parent == 1


def test_parts_that_tile_their_parent_need_no_parent_between():
    """Of two halves of the picture one is the ground, the other lies on it."""
    parts = layers.arrange([[box(0, 0, 40, 35), box(0, 35, 40, 60)]], GROUND, 10)
    assert [part.area for part in parts] == [40 * 60, 40 * 25]


def test_neighbours_that_graze_stay_side_by_side():
    """A few common pixels are cut off; more put the finer one in front."""
    parts = layers.arrange([[box(0, 0, 20, 20)], [box(0, 19, 20, 45)], [box(15, 30, 40, 60)]], GROUND, 10)
    assert [part.layer for part in parts] == [0, 1, 1, 2]
    assert parts[2].area == 500


def test_the_largest_are_kept_and_children_move_up():
    """Where a part is left out, what lay on it lies on its parent."""
    masks = [[box(5, 5, 35, 45)], [box(10, 10, 30, 40)], [box(12, 12, 20, 20), box(21, 21, 23, 23)]]
    every = layers.arrange(masks, GROUND, 10)
    few = layers.arrange(masks, GROUND, 4)
    assert len(every) == 5
    assert [part.area for part in few] == [2400, 1200, 600, 64]
    assert few[3].parent == 2
