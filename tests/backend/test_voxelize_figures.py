"""Small figures in whole voxels: eyes are blocks, with their lights; smiles bend; all are mirrored."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from tessera_backend.colour import lab
from tessera_backend.voxelize.color.discs import round_off
from tessera_backend.voxelize.color.figures import drawn
from tessera_backend.voxelize.render.views import View

K = 6
BOTH = lab(np.array([[0.15] * 3, [0.8] * 3]))


def pixels(wide, high, *spots):
    """A figure of boxes (u, v, width, height), in voxels."""
    out = np.zeros((wide * K, high * K))
    for u, v, width, height in spots:
        out[round(u * K) : round((u + width) * K), round(v * K) : round((v + height) * K)] = 1
    return out


def none(figure):
    return np.zeros(figure.shape)


@pytest.mark.parametrize("size", [(2, 2), (1.7, 1.7), (2.2, 1.8), (1.6, 2.2)])
def test_eyes_of_about_two_voxels_are_two_by_two(size):
    """Wherever they begin within the first quarter of a voxel."""
    for start in (1.0, 1.1, 1.2):
        eye = pixels(5, 5, (start, start, *size))
        cells = drawn(eye, none(eye), K)
        assert cells.sum() == 4
        assert cells[1:3, 1:3].all()


def test_a_light_in_an_eye_is_a_voxel():
    """Of .6 of a voxel; in an eye of two voxels there is none, and of its four at most one is light."""
    eye, light = pixels(4, 5, (1, 1, 2, 3)), pixels(4, 5, (1.1, 3.1, 0.8, 0.8))
    assert drawn(eye, light, K)[1:3, 1:4].tolist() == [[1, 1, 2], [1, 1, 1]]
    small = pixels(4, 5, (1, 1, 1, 2))
    assert set(np.unique(drawn(small, light, K))) == {0, 1}
    assert (drawn(pixels(4, 5, (1, 1, 2, 2)), pixels(4, 5, (1, 1, 2, 2)), K) == 2).sum() == 0


def test_smiles_bend():
    """A mouth whose ends are half a voxel up: a bar with its ends one voxel up, mirrored; a straight one is a bar."""
    smile = pixels(8, 4, (1.4, 1.5, 5.2, 0.5), (1.4, 1.9, 0.9, 0.6), (5.7, 1.9, 0.9, 0.6))
    cells = drawn(smile, none(smile), K, mirror=0)
    assert np.array_equal(cells, cells[::-1])
    heights = [np.flatnonzero(column) for column in cells if column.any()]
    assert all(len(height) == 1 for height in heights)
    assert [int(height[0] - heights[2][0]) for height in heights] == [1, 0, 0, 0, 0, 1]
    bar = pixels(8, 4, (1.4, 1.2, 5.2, 0.8))
    assert drawn(bar, none(bar), K).any(0).sum() == 1


def test_short_smiles_bend_at_their_ends():
    """Five voxels long, each a sixth of a voxel up: the ends are one up, the rest is straight; no point, no bar."""
    smile = pixels(7, 4, *((place + 1, (9 + abs(place - 2)) / K, 1, 4 / K) for place in range(5)))
    cells = drawn(smile, none(smile), K, mirror=0)
    assert [np.flatnonzero(column).tolist() for column in cells[1:6]] == [[2], [1], [1], [1], [2]]
    assert cells.sum() == 5


def test_what_fills_no_voxel_is_one_if_it_may():
    """A nostril; in the middle of two it is both."""
    mole = pixels(4, 3, (1.2, 1.1, 0.5, 0.5))
    assert np.argwhere(drawn(mole, none(mole), K)).tolist() == [[1, 1]]
    assert not drawn(mole, none(mole), K, lost=False).any()
    between = pixels(4, 3, (1.75, 1.1, 0.5, 0.5))
    assert np.argwhere(drawn(between, none(between), K)).tolist() == [[1, 1], [2, 1]]


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.bool_, (12, 9)), st.integers(0, 1))
def test_figures_that_are_mirrored_stay_so(half, axis):
    """And end where the figure does."""
    figure = np.concatenate([half, half[::-1]])
    figure = figure if axis == 0 else figure.T
    cells = drawn(figure.astype(float), none(figure), 3, mirror=axis)
    assert np.array_equal(cells, np.flip(cells, axis))
    touched = figure.reshape(cells.shape[0], 3, cells.shape[1], 3).any((1, 3))
    assert not cells[~touched.any(1)].any()
    assert not cells[:, ~touched.any(0)].any()


def hub(center, radius, side=16):
    """A view of a dark ground with a bright disc; and which of the two each pixel is."""
    places = np.stack(np.mgrid[: side * K, : side * K], -1) + 0.5
    inside = np.linalg.norm(places / K - center, axis=-1) < radius
    color = np.where(inside[..., None], np.float32(0.8), np.float32(0.15)).repeat(3, 2)
    view = View(0, True, K, color, np.ones(inside.shape, bool), np.zeros(inside.shape, np.float32))
    return view, inside.astype(int)


@pytest.mark.parametrize("center", [(8.2, 7.9), (7.6, 8.45), (8.0, 8.0)])
def test_hubs_are_round_and_alike(center):
    """Wherever they begin: the same circle of whole voxels, its own mirror image, half a voxel away at most."""
    drawn_view, areas = round_off(*hub(center, 3.4), BOTH)
    share = (drawn_view.color[..., 0] > 0.5).reshape(16, K, 16, K).mean((1, 3))
    assert set(np.unique(share)) == {0, 1}
    cells = np.argwhere(share)
    circle = share[cells[:, 0].min() : cells[:, 0].max() + 1, cells[:, 1].min() : cells[:, 1].max() + 1]
    assert circle.sum(0).tolist() == circle.sum(1).tolist() == [3, 5, 7, 7, 7, 5, 3]
    assert np.abs(cells.mean(0) + 0.5 - center).max() <= 0.5
    assert (areas[share > 0] > 30).all()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("side", [15, 16])
def test_a_hub_on_the_mirror_is_its_own_image(side, axis):
    """Whether its voxels and those of the grid are even or odd, and in all its colours."""
    for radius in np.arange(2.6, 4.2, 0.2):
        center = np.array([6.3, 6.3])
        center[axis] = side / 2
        view, label = hub(center, radius, side)
        color = round_off(view, label, BOTH, axis)[0].color
        assert np.array_equal(color, np.flip(color, axis))


def test_a_disc_is_not_drawn_on_what_is_far_behind():
    """An eye that stands out is seen before the back: there nothing is drawn, though the circle has voxels there."""
    view, label = hub((8.3, 8.3), 3.4)
    near = dataclasses.replace(view, depth=np.where(label == 1, 5.0, 4.0).astype(np.float32))
    far = dataclasses.replace(view, depth=np.where(label == 1, 15.0, 4.0).astype(np.float32))
    all_of_it, rest = (round_off(one, label, BOTH)[0].color[..., 0] > 0.5 for one in (near, far))
    assert (all_of_it & (label == 0)).any()
    assert np.array_equal(rest, all_of_it & (label == 1))


def test_squares_and_halves_are_no_discs():
    """Nor is what ends at the silhouette."""
    view, label = hub((8, 8), 3.4)
    for other in (
        np.where(np.arange(16 * K) < 8 * K, label, 0),
        (ndimage.uniform_filter(label * 1.0, 41) > 0).astype(int),
    ):
        assert np.array_equal(round_off(view, other, BOTH)[0].color, view.color)
    away = np.where(label == 1, 1, -1)
    assert np.array_equal(round_off(view, away, BOTH)[0].color, view.color)
