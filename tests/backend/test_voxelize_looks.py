"""How voxels look: the six views and the preview; and what is inside, loose or hidden."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.voxelize.components import components
from tessera_backend.voxelize.render.preview import preview
from tessera_backend.voxelize.shape.hollow import filled, hollowed, without_floaters
from tessera_backend.voxelize.sides import (
    LOOKS,
    SIDES,
    as_picture,
    facing,
    first_depths,
    first_labels,
    on_grid,
    six_pictures,
    view_shape,
)

from .voxel_grids import figure, grids, voxels_of

# Per side: eye's direction of sight, and what runs right in its picture (down follows), in x, y, z.
EYES = {
    "front": ((0, 1, 0), (1, 0, 0)),
    "right": ((-1, 0, 0), (0, 1, 0)),
    "back": ((0, -1, 0), (-1, 0, 0)),
    "left": ((1, 0, 0), (0, -1, 0)),
    "top": ((0, 0, -1), (1, 0, 0)),
    "bottom": ((0, 0, 1), (1, 0, 0)),
}


@settings(max_examples=60, deadline=None)
@given(labels=grids(), side=st.sampled_from(SIDES))
def test_views_see_the_first_voxel(labels, side):
    """Ray by ray from outside, by the eye's own axes."""
    away, right = map(np.array, EYES[side])
    down = np.cross(away, right)
    shape = np.array(labels.shape)
    seen, depths = first_labels(labels, side), first_depths(labels, side)
    assert seen.shape == view_shape(labels.shape, side) == (abs(down @ shape), abs(right @ shape))
    corner = np.where(away + right + down < 0, shape - 1, 0)
    for row, column in np.ndindex(*seen.shape):
        ray = [corner + down * row + right * column + away * step for step in range(abs(away @ shape))]
        values = [int(labels[tuple(place)]) for place in ray]
        first = next((step for step, value in enumerate(values) if value), len(values))
        assert depths[row, column] == first
        assert seen[row, column] == [*values, 0][first]
    assert np.shares_memory(facing(labels, side), labels)


@settings(max_examples=40, deadline=None)
@given(labels=grids(), side=st.sampled_from(SIDES))
def test_pictures_lie_on_the_grid(labels, side):
    """What a side sees, over the grid's own axes: the first voxel along the axis from the end that it looks from."""
    axis, above = LOOKS[side]
    columns = np.moveaxis(labels, axis, 2)[..., :: -1 if above else 1]
    first = np.take_along_axis(columns, (columns > 0).argmax(2)[..., None], 2)[..., 0]
    np.testing.assert_array_equal(on_grid(first_labels(labels, side), side), first)
    np.testing.assert_array_equal(as_picture(first, side), first_labels(labels, side))


def test_views_are_in_order():
    """Front, right, back, left, top, bottom, in colour; the nose is to the front, the arm to the right."""
    voxels = voxels_of(figure())
    front, right, back, _, top, _ = six_pictures(voxels)
    nose, arm = (*voxels.palette[2], 255), (*voxels.palette[1], 255)
    assert tuple(front[2, 1]) == nose
    assert tuple(right[2, 0]) == nose
    assert tuple(front[3, 4]) == tuple(back[3, 0]) == tuple(top[1, 4]) == arm
    assert not back[0, 0].any()


SIX = np.array([[220, 30, 30], [30, 200, 40], [40, 60, 230], [220, 210, 40], [210, 60, 220], [40, 210, 220]], np.uint8)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "label"), [(0, 0, 1), (90, 0, 2), (180, 0, 3), (270, 0, 4), (0, 90, 5), (0, -90, 6)]
)
def test_the_preview_turns_with_its_angles(azimuth, elevation, label):
    """Of a cube with six colours, each angle shows the side it names, in a shade of its colour."""
    labels = np.full((7, 7, 7), 1, np.uint8)
    for side, number in zip(SIDES, range(1, 7), strict=True):
        facing(labels, side)[1:-1, 1:-1, 0] = number
    voxels = voxels_of(labels)
    voxels = type(voxels)(labels, SIX, voxels.origin, np.ones(3))
    picture = preview(voxels, 40, azimuth=azimuth, elevation=elevation, ground=False)
    assert picture[20, 20, 3] == 255
    shade, color = picture[20, 20, :3].astype(float), SIX[label - 1].astype(float)
    assert shade @ color / np.linalg.norm(shade) / np.linalg.norm(color) > 0.97


def test_the_preview_fills_its_frame():
    """But for the margin; the background is clear, the inside opaque."""
    picture = preview(voxels_of(figure()), 100, ground=False)
    rows, columns = np.nonzero(picture[..., 3])
    reach = max(np.ptp(rows), np.ptp(columns)) + 1
    assert 86 <= reach <= 89
    assert abs(rows.min() + rows.max() - 99) <= 1
    assert abs(columns.min() + columns.max() - 99) <= 1
    assert picture[50, 50, 3] == 255


def test_corners_are_darker():
    """A wall darkens the floor beside it, and the ground below has a shadow that ends inside the picture."""
    labels = np.zeros((9, 9, 6), np.uint8)
    labels[..., 0] = 1
    labels[:, 8, :] = 1
    voxels = voxels_of(labels, 2)
    voxels = type(voxels)(labels, np.full((1, 3), 200, np.uint8), voxels.origin, np.ones(3))
    picture = preview(voxels, 200, azimuth=0, elevation=60)
    column = picture[:, 100].astype(int)
    opaque = np.flatnonzero(column[:, 3] == 255)
    floor_near, floor_far = column[opaque[-1] - 30, 0], column[opaque, 0].min()
    assert floor_near > floor_far + 10
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert not rim[:, 3].any()
    shadow = (picture[..., 3] > 0) & (picture[..., 3] < 255) & (picture[..., :3].max(-1) == 0)
    assert shadow.sum() > 200


def test_steady_frames_do_not_jump():
    """Every azimuth has the same scale and the same axis, for turntables."""
    labels = np.zeros((21, 5, 9), np.uint8)
    labels[10, 2] = 1
    labels[[0, -1], 2, 0] = 1
    heights = []
    for azimuth in (0, 33, 71, 90):
        rows, columns = np.nonzero(preview(voxels_of(labels), 120, azimuth=azimuth, ground=False, steady=True)[..., 3])
        top = columns[rows == rows.min()]
        assert abs(top.mean() - 59.5) < 1
        heights.append(rows.min())
    assert np.ptp(heights) <= 1


def test_presides_nothing_and_of_one_voxel():
    """Are clear, and a cube."""
    assert not preview(voxels_of(np.zeros((3, 3, 3))), 30).any()
    assert preview(voxels_of(np.ones((1, 1, 1))), 30)[15, 15, 3] == 255
    same = preview(voxels_of(figure()), 64)
    np.testing.assert_array_equal(same, preview(voxels_of(figure()), 64))


@settings(max_examples=40, deadline=None)
@given(labels=grids(7), thickness=st.integers(1, 3))
def test_hollow_looks_the_same(labels, thickness):
    """From outside; what stays has its colour, and what goes was `thickness` voxels deep on all axes."""
    voxels = filled(voxels_of(labels))
    shell = hollowed(voxels, thickness)
    for side in SIDES:
        np.testing.assert_array_equal(first_labels(shell.labels, side), first_labels(voxels.labels, side))
    gone = voxels.solid & ~shell.solid
    assert np.array_equal(shell.labels[~gone], voxels.labels[~gone])
    padded = np.pad(voxels.solid, thickness)
    for x, y, z in np.argwhere(gone) + thickness:
        for axis in range(3):
            place = [x, y, z]
            place[axis] = slice(place[axis] - thickness, place[axis] + thickness + 1)
            assert padded[tuple(place)].all()


def test_a_cube_is_hollowed_and_filled():
    """A shell of one, two; filling takes the nearest colour."""
    cube = voxels_of(np.ones((5, 5, 5)), 2)
    assert hollowed(cube).solid.sum() == 125 - 27
    assert hollowed(cube, 2).solid.sum() == 125 - 1
    assert filled(hollowed(cube)).labels.tolist() == cube.labels.tolist()
    assert filled(cube) is cube


def test_floaters_go():
    """Parts under the share; corners hold together; the largest stays even if it is small."""
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[:4, :4, :4] = 1
    labels[4, 4, 4] = 2  # touches in a corner
    labels[8, 8, 8] = 3
    labels[8:, 0, 0] = 3
    voxels = voxels_of(labels)
    numbers, sizes = components(voxels.solid)
    assert sorted(sizes) == [1, 2, 65]
    assert numbers.max() == 3
    assert sorted(components(without_floaters(voxels, 0.02).solid)[1]) == [2, 65]
    assert components(without_floaters(voxels, 1.0).solid)[1].tolist() == [65]
    assert without_floaters(voxels, 0.0).labels.tolist() == labels.tolist()
