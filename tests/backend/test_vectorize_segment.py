"""Regions: every opaque pixel is in one piece, merges form one tree, and rims become sharp."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as components

from tessera_backend.vectorize.segment import affine_colors, grow, moments, residuals, sharpen, split


def picture(seed: int, height: int, width: int, colors: int, holes: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of few colours with some noise, and which pixels are opaque; at least one is."""
    rng = np.random.default_rng(seed)
    palette = rng.random((colors, 3))
    coarse = rng.integers(0, colors, (height // 3 + 1, width // 3 + 1))
    image = palette[np.kron(coarse, np.ones((3, 3), int))[:height, :width]]
    opaque = rng.random((height, width)) >= holes
    opaque[height // 2, width // 2] = True
    return (image + rng.normal(0, 0.01, image.shape)).clip(0, 1).astype(np.float32), opaque


pictures = st.builds(
    picture,
    st.integers(0, 10_000),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.05, 0.4, 0.9]),
)


def check_tree(children: np.ndarray, leaves: int) -> None:
    """Each node but the last is merged once, and after it was made."""
    assert children.shape == (leaves - 1, 2)
    assert sorted(children.ravel().tolist()) == list(range(2 * leaves - 2))
    assert (children < leaves + np.arange(leaves - 1)[:, None]).all()


@settings(max_examples=60, deadline=None)
@given(pictures, st.integers(1, 12), st.sampled_from(["affine", "constant"]), st.integers(1, 9))
def test_partition(case: tuple[np.ndarray, np.ndarray], count: int, model: str, smallest: int) -> None:
    """Regions are pieces, at most as many as asked for, and cover what is opaque but for whole islands."""
    image, opaque = case
    tree = grow(image, opaque, model=model, regions=100)
    check_tree(tree.children, tree.leaves)
    made = split(tree, image, count, model=model, smallest=smallest)
    assert 1 <= made.count <= count
    check_tree(made.merges, made.count)
    assert np.array_equal(np.unique(made.labels[made.labels >= 0]), np.arange(made.count))
    assert not (made.labels[~opaque] >= 0).any()
    for region in range(made.count):
        assert components(made.labels == region)[1] == 1
    islands, number = components(opaque)
    for island in range(1, number + 1):
        assert len(np.unique(made.labels[islands == island] >= 0)) == 1


@pytest.mark.parametrize(
    ("image", "regions"),
    [
        (np.full((1, 1, 3), 0.5), 1),
        (np.zeros((2, 2, 3)), 1),
        (np.arange(4).reshape(2, 2, 1).repeat(3, 2) / 3, 4),
        (np.repeat([0.0, 1.0], 10)[:, None, None].repeat(3, 2), 2),
        (np.repeat([0.0, 1.0], 10)[None, :, None].repeat(3, 2), 2),
        ((np.indices((9, 9)).sum(0) % 2)[..., None].repeat(3, 2), 8),
    ],
    ids=["a pixel", "four pixels", "four colours", "a column", "a row", "checkerboard"],
)
def test_small_pictures(image: np.ndarray, regions: int) -> None:
    """Pictures of a few pixels give the regions that they have, or as many as are asked for."""
    made = split(grow(image), image, 8, smallest=1)
    assert made.count <= 8
    assert made.count >= min(regions, 2)
    assert (made.labels >= 0).all()


def test_one_color_is_one_region() -> None:
    """A flat picture's tree may have many leaves, but whoever asks for more gets a partition all the same."""
    image = np.full((40, 30, 3), 0.25)
    made = split(grow(image), image, 1)
    assert made.count == 1
    assert (made.labels == 0).all()


def test_smoothing_that_empties_a_region() -> None:
    """A region whose pixels all go to a neighbour leaves the tree, instead of breaking whoever follows its merges."""
    image = np.zeros((20, 20, 3))
    image[8:11, 8:11] = 0.02
    tree = grow(image, regions=2)
    assert split(tree, image, 2, smooth=0.0, smallest=9).count == 2
    made = split(tree, image, 2, smooth=1.0, smallest=9)
    assert made.count == 1
    assert made.merges.shape == (0, 2)


def test_finds_what_is_there() -> None:
    """Four quarters of four colours and a disc with a gradient on them are five regions, to the pixel."""
    yy, xx = np.mgrid[:60, :80]
    truth = (yy >= 30) * 2 + (xx >= 40)
    image = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], float)[truth]
    disc = (yy - 30) ** 2 + (xx - 40) ** 2 < 400
    image[disc] = (0.3 + 0.5 * xx[disc] / 80)[:, None]
    truth[disc] = 4
    made = split(grow(image), image, 5)
    assert made.count == 5
    assert len(np.unique(truth * 5 + made.labels)) == 5


def test_affine_model_keeps_a_gradient_whole() -> None:
    """Of two gradients side by side the affine model makes two regions, the constant one stripes."""
    ramp = np.linspace(0, 0.8, 64)[:, None].repeat(40, 1)
    image = np.concatenate([ramp, ramp[::-1]], 1)[..., None].repeat(3, 2)
    labels = split(grow(image), image, 2).labels
    assert (labels[:24, :40] == labels[0, 0]).all()
    assert (labels[:24, 40:] == labels[0, -1]).all()
    assert labels[0, 0] != labels[0, -1]
    assert len(np.unique(split(grow(image, model="constant"), image, 4, model="constant").labels[:, 0])) > 1


def test_unlike_parts_stay_apart() -> None:
    """One gradient is a cheap fit of a black and a white part side by side; `unlike` does not accept it."""
    image = np.full((40, 40, 3), 0.5)
    image[10:30, 12:20] = 0.0
    image[10:30, 20:28] = 1.0
    image[1:8, 2:38] = 0.08
    image[32:39, 2:38] = 0.92
    loose = split(grow(image, unlike=0.0), image, 4).labels
    strict = split(grow(image, unlike=0.25), image, 4).labels
    assert loose[20, 15] == loose[20, 25]
    assert strict[20, 15] != strict[20, 25]


def test_levels_nest() -> None:
    """Merging goes on with the colours of simpler pictures: the coarse cut follows those, the fine one the picture."""
    fine = np.zeros((32, 32, 3))
    fine[:, 16:] = 0.9  # the strongest edge of the picture, but not of the simpler one
    fine[16:] += 0.1
    simple = np.zeros((32, 32, 3))
    simple[16:] = 1.0
    own = split(grow(fine), fine, 2).labels
    other = grow(fine, simpler=[(simple, 4)])
    coarse = split(other, simple, 2).labels
    assert own[0, 0] != own[0, -1]
    assert coarse[0, 0] == coarse[0, -1] != coarse[-1, 0]
    assert split(other, fine, 4).count == 4


def test_tree_answers() -> None:
    """Masks, sums, moments and ancestors agree with each other."""
    image, opaque = picture(3, 20, 24, 5, 0.02)
    tree = grow(image, opaque, regions=40)
    values = np.random.default_rng(0).random(opaque.shape)
    sums = tree.sums(values)
    for node in (0, tree.leaves - 1, tree.leaves, 2 * tree.leaves - 2):
        mask = tree.mask(node)
        assert mask.sum() == pytest.approx(tree.moments[node, 0])
        assert values[mask].sum() == pytest.approx(sums[node])
        for above in tree.ancestors(node):
            assert tree.mask(above)[mask].all()
        border = sum(
            int(((mask[a] != mask[b]) & opaque[a] & opaque[b]).sum())
            for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))
        )
        assert tree.perimeters()[node] == border
    assert tree.ancestors(0)[-1] == 2 * tree.leaves - 2
    assert np.array_equal(tree.mask(2 * tree.leaves - 2), tree.labels >= 0)


def test_models_against_least_squares() -> None:
    """Colours and errors from moments are those of numpy's least squares, but for the ridge."""
    rng = np.random.default_rng(1)
    yy, xx = np.mgrid[:30, :50] + 0.5
    plane = 0.2 + 0.01 * xx - 0.004 * yy
    image = (plane[..., None] * [1, 0.5, 0.2] + rng.normal(0, 0.1, (30, 50, 3))).astype(np.float32)
    rows = moments(image, np.zeros((30, 50), np.int32), 1)
    basis = np.stack([np.ones(1500), xx.ravel(), yy.ravel()], 1)
    best, error, _, _ = np.linalg.lstsq(basis, image.reshape(-1, 3).astype(float), rcond=None)
    assert affine_colors(rows, 50, 30, True)[0] == pytest.approx(best.T, abs=5e-3)
    assert residuals(rows, True)[0] == pytest.approx(error.sum(), rel=1e-2)
    assert residuals(rows, False)[0] == pytest.approx(((image - image.mean((0, 1))) ** 2).sum(), rel=1e-4)


def test_sharpen_flattens_rims() -> None:
    """An anti-aliased disc has two colours afterwards, and is as large as before."""
    yy, xx = np.mgrid[:240, :240] + 0.5
    disc = ((yy - 120) ** 2 + (xx - 120) ** 2 < 80**2).astype(float).reshape(60, 4, 60, 4).mean((1, 3))
    image = disc[..., None] * [0.8, 0.1, 0.2] + (1 - disc[..., None]) * [0.1, 0.6, 0.9]
    sharp = sharpen(image)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 5
    assert len(np.unique(sharp.reshape(-1, 3), axis=0)) == 2
    assert (sharp[..., 0] > 0.45).sum() == pytest.approx(disc.sum(), rel=0.01)


def test_sharpen_leaves_gradients_and_transparency() -> None:
    """A slow gradient stays as it is; so does a rim next to pixels that are not opaque."""
    ramp = np.linspace(0, 1, 40)[None, :, None].repeat(30, 0).repeat(3, 2).astype(np.float32)
    assert np.array_equal(sharpen(ramp), ramp)
    step = np.array([0, 0, 0.4, 1, 1])[None, :, None].repeat(3, 0).repeat(3, 2)
    assert sharpen(step)[1, 2, 0] == 0
    opaque = np.ones((3, 5), bool)
    opaque[:, 3] = False
    assert sharpen(step, opaque)[1, 2, 0] == pytest.approx(0.4)


def test_noise_gets_all_the_regions_that_are_asked_for() -> None:
    """Even where no number of regions would be exact."""
    image = np.random.default_rng(0).random((40, 40, 3)).astype(np.float32)
    assert split(grow(image, regions=200), image, 8).count == 8
