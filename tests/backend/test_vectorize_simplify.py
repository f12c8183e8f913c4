"""Structural simplification: texture goes, borders stay crisp where they were, colours stay."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.progress import Progress
from tessera_backend.vectorize.simplify import simplified, structural
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import VectorizeParams


def textured():
    """A bright disc on a dark ground, both under a fine texture of low contrast; and the disc alone."""
    y, x = np.mgrid[:128, :128]
    disc = (x - 60) ** 2 + (y - 70) ** 2 < 40**2
    clean = np.where(disc[..., None], (0.8, 0.6, 0.3), (0.2, 0.3, 0.5)).astype(np.float32)
    texture = 0.05 * np.sin(1.9 * x + 0.7 * y) + 0.05 * np.random.default_rng(0).standard_normal(x.shape)
    return np.clip(clean + texture[..., None], 0, 1).astype(np.float32), clean, disc


def changes(picture):
    """Differences between neighbours, all of them."""
    return np.concatenate([np.abs(np.diff(picture, axis=axis)).max(2).ravel() for axis in (0, 1)])


def test_texture_goes_and_borders_stay():
    """At the coarsest level hardly any texture is left, and the disc is nearer to the clean one, its rim as steep."""
    image, clean, disc = textured()
    coarsest = structural.simplified(image, 5)[-1]
    rim = changes(clean) > 0
    assert (changes(coarsest)[~rim] ** 2).mean() < 0.02 * (changes(image)[~rim] ** 2).mean()
    assert np.median(changes(coarsest)[rim]) > 0.9 * np.median(changes(clean)[rim])
    assert ((coarsest - clean) ** 2).mean() < 0.05 * ((image - clean) ** 2).mean()
    np.testing.assert_allclose(coarsest[disc].mean(0), image[disc].mean(0), atol=0.005)


def test_each_level_is_simpler_than_the_one_before():
    """Total variation falls from level to level; the finest is the picture itself."""
    image, _, _ = textured()
    pictures = structural.simplified(image, 5)
    assert len(pictures) == 5
    np.testing.assert_array_equal(pictures[0], image)
    amounts = [changes(picture).sum() for picture in pictures]
    assert all(finer > coarser for finer, coarser in itertools.pairwise(amounts))


def test_small_things_go_before_large_ones_of_equal_contrast():
    """A speck is gone where a large square of the same colour is still whole."""
    image = np.full((128, 128, 3), 0.5, np.float32)
    image[20:60, 20:60] = 0.75
    image[96:99, 96:99] = 0.75
    coarsest = structural.simplified(image, 5)[-1]
    assert coarsest[40, 40, 0] > 0.72
    assert coarsest[97, 97, 0] < 0.55


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    levels=st.integers(1, 8),
    seed=st.integers(0, 10**6),
)
def test_any_size_and_any_number_of_levels(height, width, levels, seed):
    """Shapes stay, values stay within the picture's own range, and each channel's mean stays."""
    image = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    pictures = structural.simplified(image, levels)
    assert len(pictures) == levels
    for picture in pictures:
        assert picture.shape == image.shape
        assert picture.dtype == np.float32
        assert picture.min() >= image.min() - 1e-3
        assert picture.max() <= image.max() + 1e-3
        np.testing.assert_allclose(picture.mean((0, 1)), image.mean((0, 1)), atol=2e-3)


def test_one_colour_stays_as_it_is():
    """Nothing to simplify, nothing changed."""
    flat = np.full((9, 31, 3), 0.3, np.float32)
    for picture in structural.simplified(flat, 5):
        np.testing.assert_allclose(picture, flat, atol=1e-4)


def test_the_picture_is_turned_with_its_levels():
    """Rows and columns are treated alike but for the order in which they are solved."""
    image, _, _ = textured()
    turned = structural.simplified(np.ascontiguousarray(image.transpose(1, 0, 2)), 5)[-1].transpose(1, 0, 2)
    assert np.abs(structural.simplified(image, 5)[-1] - turned).mean() < 0.01


def test_facts_say_what_was_used_and_it_can_be_cancelled():
    """The built-in simplification says so; a wish to stop is heard."""
    image, _, _ = textured()
    pictures, facts = simplified(image, VectorizeParams(levels=3))
    assert (len(pictures), facts) == (3, {"simplify": "structural"})
    with pytest.raises(Cancelled):
        simplified(image, VectorizeParams(), Progress(cancelled=lambda: True))
