"""The demo picture: made by the code beside it, and fit to show what stippling can do."""

import numpy as np
import pytest
from PIL import Image

from tessera_backend import images
from tessera_backend.demo import STILL_LIFE, scene, still_life

SMALL = (160, 120)


@pytest.fixture(scope="module")
def small():
    return scene.render(*SMALL, seed=0)


def test_shipped_picture_is_this_scene(small):
    """The PNG in the package, scaled down, is what the code renders."""
    shipped = Image.fromarray(images.load(still_life())).resize(SMALL, Image.Resampling.BOX)
    difference = np.abs(np.asarray(shipped).astype(int) - small)
    # Averaged after encoding instead of before, and sampled elsewhere: only edges differ, by a few greys on average.
    assert difference.mean() < 2.5
    assert np.percentile(difference, 99) < 30


def test_shipped_file_is_small_and_full_size():
    """8 bit RGB, 1200 x 900 px, under 600 kB."""
    loaded = images.load(STILL_LIFE)
    assert loaded.dtype == np.uint8
    assert loaded.shape[:2] == scene.SIZE[::-1]
    assert STILL_LIFE.stat().st_size < 600_000


def test_tones_reach_from_shadow_to_paper(small):
    """Deep shadows, highlights, and no tenth of the range left out."""
    grey = np.asarray(Image.fromarray(small).convert("L"))
    shares = np.histogram(grey, bins=10, range=(0, 256))[0] / grey.size
    assert grey.min() < 10
    assert grey.max() > 240
    assert shares.min() > 0.005


def test_there_are_colours_for_every_ink(small):
    """Yellow, green, blue and violet, strong enough to be told apart."""
    hue, saturation, value = np.moveaxis(np.asarray(Image.fromarray(small).convert("HSV")), -1, 0)
    strong = (saturation > 60) & (value > 40)
    shares = np.histogram(hue[strong], bins=[25, 50, 115, 190, 240])[0] / hue.size
    assert (shares > 0.004).all(), shares


def test_seed_is_all_the_randomness():
    """The same seed gives the same picture; another seed another grain of the same scene."""
    first, again, other = (scene.render(48, 36, seed, samples=1) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert np.abs(first.astype(int) - other).mean() < 15  # one ray a pixel: edges move by up to a pixel


@pytest.mark.parametrize("size", [(1, 1), (7, 40), (40, 7)])
def test_any_shape(size):
    """Any width and height give a picture of that size."""
    assert scene.render(*size, seed=0, samples=1).shape == (*size[::-1], 3)
