"""Palettes chosen from weighted colours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.colour import lab
from tessera_backend.voxelize.color.palette import METHODS, binned, chosen, exact, medians


def clusters(seed=0, around=6):
    """Six kinds of colours, CIE Lab, of unlike weights."""
    rng = np.random.default_rng(seed)
    middles = lab(np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0.6, 0], [0, 0, 1], [1, 0.8, 0]]))
    colors = np.concatenate([middle + rng.normal(0, 1, (around, 3)) for middle in middles])
    return middles, colors, rng.uniform(0.5, 2, len(colors))


def away(colors, found):
    """Distance of each colour to the nearest found."""
    return np.sqrt(((colors[:, None] - found) ** 2).sum(2)).min(1)


@pytest.mark.parametrize("method", ["k-means", "max-min", "annealing"])
def test_plain_clusters_are_found(method):
    """By all ways but one: median cut cuts at weights and not at gaps."""
    middles, colors, weights = clusters()
    assert (away(middles, chosen(colors, weights, 6, method=method)) < 5).all()


def test_median_cut_shares_the_weight():
    """Along one axis, of equal weights: means of halves of halves."""
    colors = np.stack([np.arange(64.0), np.zeros(64), np.zeros(64)], 1)
    found = chosen(colors, np.ones(64), 4, method="median-cut")
    assert np.sort(found[:, 0]) == pytest.approx([7.5, 23.5, 39.5, 55.5], abs=1)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(list(METHODS)), st.integers(0, 1000), st.integers(2, 12), st.integers(0, 3), st.integers(1, 40))
def test_at_most_so_many_and_the_locked_first(method, seed, count, locked, size):
    """And the same ones each time."""
    rng = np.random.default_rng(seed)
    colors, weights = lab(rng.random((size, 3))), rng.random(size) + 1e-3
    kept = lab(rng.random((min(locked, count), 3)))
    found = chosen(colors, weights, count, method=method, seed=seed, locked=kept)
    assert len(kept) <= len(found) <= count
    assert np.array_equal(found[: len(kept)], kept)
    assert np.isfinite(found).all()
    assert np.array_equal(found, chosen(colors, weights, count, method=method, seed=seed, locked=kept))


@pytest.mark.parametrize("method", METHODS)
def test_few_colors_stay_as_they_are(method):
    """Equal ones are one; a locked one that is among them is not found again."""
    colors = lab(np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1.0]]))
    found = chosen(colors, np.ones(4), 3, method=method)
    assert {tuple(color) for color in found} == {tuple(color) for color in colors}
    assert len(chosen(colors, np.ones(4), 4, method=method, locked=colors[1:2])) == 3


def test_means_are_nearer_than_other_ways():
    """In squares, of weighted colours without clusters; and annealed colours are nearer than drawn ones."""
    rng = np.random.default_rng(1)
    colors, weights = lab(rng.random((400, 3))), rng.random(400)
    errors = {method: weights @ away(colors, chosen(colors, weights, 8, method=method)) ** 2 for method in METHODS}
    assert min(errors, key=errors.get) == "k-means"
    drawn = weights @ away(colors, colors[rng.choice(400, 8, p=weights / weights.sum())])
    assert weights @ away(colors, chosen(colors, weights, 8, method="annealing")) < 0.95 * drawn


def test_weights_draw_the_means():
    """A heavy colour is met, a light one is not."""
    colors = lab(np.array([[0.5, 0.5, 0.5], [0.55, 0.5, 0.5], [0, 0, 1], [0, 1, 0]]))
    found = chosen(colors, np.array([1000, 1, 100, 100]), 3)
    assert away(colors[:1], found) < away(colors[1:2], found)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 20))
def test_bins_keep_weight_and_mean(seed, side):
    """And nothing is farther from its bin than a cube's diagonal."""
    rng = np.random.default_rng(seed)
    colors, weights = lab(rng.random((50, 3))), rng.random(50) + 0.01
    means, total, owner = binned(colors, weights, side)
    assert total.sum() == pytest.approx(weights.sum())
    assert total @ means == pytest.approx(weights @ colors)
    assert np.linalg.norm(colors - means[owner], axis=1).max() <= side * np.sqrt(3) + 1e-9


def test_medians_stay_with_the_most():
    """Two of a kind and one far away: the mean is a third of the way, the median near the two. The fixed stay."""
    colors = np.array([[50.0, 0, 0], [50, 0, 0], [50, 60, 0]])
    found = np.array([[50.0, 20, 0], [0, 0, 0]])
    for _ in range(30):
        found = medians(colors, np.ones(3), np.zeros(3, int), found)
    assert found[0, 1] < 3
    assert np.array_equal(found[1], [0, 0, 0])
    assert np.array_equal(medians(colors, np.ones(3), np.zeros(3, int), found, fixed=1), found)


def test_flat_paint_keeps_its_value():
    """Most of a label's weight decides; what is mixed of two does not draw it away, and locked colours stay."""
    colors = np.array([[50.0, 10, 10], [50, 10, 10], [52, 14, 10], [80, 0, 0], [20, 0, 0]])
    label = np.array([0, 0, 0, 1, 1])
    start = np.array([[51.0, 12, 10], [60, 0, 0]])
    assert exact(colors, np.ones(5), label, start).tolist() == [[50, 10, 10], [60, 0, 0]]
    assert exact(colors, np.array([1.0, 1, 1, 3, 1]), label, start)[1].tolist() == [80, 0, 0]
    assert exact(colors, np.ones(5), label, start, 1).tolist() == start.tolist()
