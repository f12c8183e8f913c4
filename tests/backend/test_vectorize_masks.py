"""Masks by region merging: levels nest, cover everything, and come in whole pieces."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.progress import Progress
from tessera_backend.vectorize.masks import masks, merging, pieces
from tessera_backend.vectorize.simplify import structural
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import VectorizeParams


def scene():
    """Sky over grass, a red house with two windows, a sun; under a little noise."""
    image = np.empty((96, 128, 3))
    image[:60], image[60:] = (0.5, 0.7, 0.95), (0.3, 0.6, 0.25)
    image[35:80, 20:70] = (0.7, 0.25, 0.2)
    image[45:55, 28:38] = image[45:55, 52:62] = (0.95, 0.9, 0.6)
    y, x = np.mgrid[:96, :128]
    image[(x - 105) ** 2 + (y - 20) ** 2 < 144] = (1, 0.85, 0.2)
    noise = np.random.default_rng(0).standard_normal(image.shape) * 0.02
    return np.clip(image + noise, 0, 1).astype(np.float32)


def found(image, opaque=None, **params):
    params = VectorizeParams(**params)
    opaque = np.ones(image.shape[:2], bool) if opaque is None else opaque
    return masks(structural.simplified(image, params.levels), opaque, 7, params)


def test_objects_come_out_whole():
    """The house is one mask without holes at some level, its windows and the sun are masks at the finest."""
    levels, facts = found(scene())
    assert facts == {"masks": "merging"}
    house = np.zeros((96, 128), bool)
    house[35:80, 20:70] = True

    def best(target, found):
        return max((m & target).sum() / (m | target).sum() for m in found)

    assert max(best(house, level) for level in levels) > 0.97
    for rows, columns in (
        (slice(45, 55), slice(28, 38)),
        (slice(45, 55), slice(52, 62)),
        (slice(9, 32), slice(94, 117)),
    ):
        thing = np.zeros((96, 128), bool)
        thing[rows, columns] = True
        assert best(thing, levels[-1]) > 0.7


def test_levels_nest():
    """Before holes are filled, each mask of a level lies within one of the next coarser level."""
    pictures = structural.simplified(scene(), 4)
    opaque = np.ones((96, 128), bool)
    levels = merging.masks(pictures, opaque, 12, 8, Progress())
    for level in levels:
        assert (np.sum(level, axis=0) == 1).all()
    for coarse, fine in itertools.pairwise(levels):
        assert len(coarse) <= len(fine)
        for mask in fine:
            assert sum((mask & whole).any() for whole in coarse) == 1


def test_transparent_pixels_have_no_part():
    """What is not opaque is in no mask, also not as a filled hole."""
    opaque = np.ones((96, 128), bool)
    opaque[48:52, 30:34] = False
    opaque[:, :10] = False
    levels, _ = found(scene(), opaque)
    assert not any((mask & ~opaque).any() for level in levels for mask in level)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (30, 2)])
def test_tiny_and_flat_pictures(shape):
    """Every pixel is in one part; or there is none, where all is smaller than the smallest."""
    levels, _ = found(np.full((*shape, 3), 0.4, np.float32), smallest=2)
    for level in levels:
        assert (np.sum(level, axis=0) == 1).all() if np.prod(shape) >= 2 else level == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1))
def test_pieces_are_whole(seed, share):
    """Each is one 8-connected piece without opaque holes, not smaller than asked; the largest comes first."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    mask = rng.random((20, 24)) < share
    opaque = rng.random((20, 24)) < 0.9
    made = pieces([mask], opaque, 3)
    areas = [int(piece.sum()) for piece in made]
    assert areas == sorted(areas, reverse=True)
    for piece in made:
        assert piece.sum() >= 3
        assert ndimage.label(piece, np.ones((3, 3)))[1] == 1
        holes = ndimage.binary_fill_holes(piece) & ~piece
        labels, count = ndimage.label(holes)
        assert all((~opaque[labels == i + 1]).any() for i in range(count))


def test_a_hole_in_the_corner_is_no_hole():
    """What reaches the picture's border is outside, also in the corner where a flood would begin."""
    mask = np.ones((10, 10), bool)
    mask[0, 0] = False
    (piece,) = pieces([mask], np.ones((10, 10), bool), 1)
    np.testing.assert_array_equal(piece, mask)
    mask = np.zeros((10, 10), bool)
    mask[:6, :6] = True
    mask[2:4, 2:4] = False
    (piece,) = pieces([mask], np.ones((10, 10), bool), 1)
    assert piece.sum() == 36


def test_it_can_be_cancelled():
    """Asked before each stage."""
    image = scene()
    with pytest.raises(Cancelled):
        masks([image], np.ones((96, 128), bool), 5, VectorizeParams(), Progress(cancelled=lambda: True))
