"""The grid, its six views, free views, and how a mesh is coloured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.colour import linear_to_srgb, srgb_to_linear
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.mesh import Material, Mesh, checked
from tessera_backend.voxelize.render.views import free_view, six_views
from tessera_backend.voxelize.shape.surface import surface
from tessera_protocol.errors import TesseraError

from .voxel_meshes import ball, box, mesh, quad, tetrahedra


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(0.01, 100)] * 3), st.tuples(*[st.floats(-100, 100)] * 3), st.integers(8, 256))
def test_the_grid_is_the_bounding_box(extent, low, side):
    """The longest side has the asked voxels, no axis has none, and all together are the box exactly."""
    grid = Grid.fitted(mesh(box(low, np.add(low, extent))), side)
    assert max(grid.shape) == side
    assert min(grid.shape) >= 1
    assert np.allclose(grid.origin, low, atol=1e-4)
    assert np.allclose(grid.size * grid.shape, extent, atol=1e-3)


def test_a_flat_mesh_lies_in_the_middle_of_one_layer_of_cubes():
    flat = mesh(quad([0, 0, 3], [2, 0, 3], [2, 1, 3], [0, 1, 3]))
    grid = Grid.fitted(flat, 16)
    assert grid.shape == (16, 8, 1)
    assert np.allclose(grid.size, 1 / 8)
    assert np.allclose(grid.of(flat.positions)[..., 2], 0.5)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 30), st.integers(0, 999), st.integers(1, 6))
def test_opposite_views_see_the_same_silhouette_from_both_ends(count, seed, samples):
    """Opposite views share their silhouette, and the one from above never sees deeper than the one from below."""
    soup = mesh(tetrahedra(count, seed))
    grid = Grid.fitted(soup, 12)
    views = six_views(soup, grid, samples)
    for number, view in enumerate(views):
        u, v = (n * samples for axis, n in enumerate(grid.shape) if axis != number // 2)
        assert (view.axis, view.above, view.hit.shape) == (number // 2, number % 2 == 0, (u, v))
        assert (np.isfinite(view.depth) == view.hit).all()
    for above, below in zip(views[::2], views[1::2], strict=True):
        assert (above.hit == below.hit).all()
        assert (above.depth[above.hit] >= below.depth[above.hit]).all()
        assert above.depth[above.hit].max(initial=0) <= grid.shape[above.axis] + 1e-3
        assert below.depth[above.hit].min(initial=0) >= -1e-3


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 20), st.integers(0, 999), st.integers(0, 2))
def test_a_mirrored_mesh_has_mirrored_views(count, seed, axis):
    """Mirroring along an axis swaps its two views and flips the others' pixels."""
    triangles = tetrahedra(count, seed)
    flipped = triangles * np.where(np.arange(3) == axis, -1, 1)
    one, other = mesh(triangles), mesh(flipped)
    views, mirrored = six_views(one, Grid.fitted(one, 12)), six_views(other, Grid.fitted(other, 12))
    for number, view in enumerate(views):
        if view.axis == axis:
            twin = mirrored[number ^ 1].hit
        else:
            twin = np.flip(mirrored[number].hit, [a for a in range(3) if a != view.axis].index(axis))
        # A pixel whose centre lies on an edge may fall to either side.
        assert np.mean(view.hit != twin) < 2e-3


def test_views_look_where_they_say():
    """Six sides of six colours: each view has its own, exactly."""
    colors = np.arange(6) / 6
    sides = np.repeat(np.column_stack([colors, np.ones(6), 1 - colors, np.ones(6)]), 2, 0)
    cube = mesh(box(), colors=np.repeat(sides[:, None], 3, 1))
    views = six_views(cube, Grid.fitted(cube, 8))
    # box() has the lower side of each axis first, views the upper.
    for number, view in enumerate(views):
        expected = linear_to_srgb([colors[number ^ 1], 1, 1 - colors[number ^ 1]])
        assert view.hit.all()
        assert np.allclose(view.color, expected, atol=1e-3)
        assert np.allclose(view.depth, 8 if view.above else 0, atol=1e-5)


def textured(texture, **material):
    """A square in the x-z plane, seen along y, with a whole texture upright on it."""
    triangles = quad([0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1])
    corners = triangles[..., [0, 2]]
    return mesh(triangles, uv=corners, materials=(Material(texture=texture, **material),))


def test_textures_are_upright_and_sharp():
    """Row 0 of a texture is at v = 1; each texel is a block of equal pixels, in its own sRGB value."""
    texture = np.zeros((4, 8, 4), np.uint8)
    texture[..., 0] = np.arange(32).reshape(4, 8) * 8
    texture[..., 3] = 255
    square = textured(texture)
    view = six_views(square, Grid.fitted(square, 8), 2)[2]
    red = view.color[..., 0].T[::-1]
    assert np.allclose(red, np.kron(texture[..., 0] / 255, np.ones((4, 2))), atol=1e-3)


def test_what_alpha_cuts_away_is_not_there():
    """Rays go on through it, and it has no area; without a cutoff nothing is cut."""
    texture = np.full((2, 2, 4), 255, np.uint8)
    texture[0, :, 3] = 100
    for cutoff, share in ((None, 1.0), (0.3, 1.0), (0.5, 0.5)):
        square = textured(texture, cutoff=cutoff)
        grid = Grid.fitted(square, 16)
        view = six_views(square, grid)[3]
        assert view.hit.mean() == pytest.approx(share)
        assert surface(square, grid)[0].sum() == pytest.approx(256 * share, rel=0.02)


def test_emission_is_added_in_linear_light():
    square = textured(None, color=(0.2, 0.1, 0.0, 1.0), emission=(0.1, 0.5, 2.0))
    color = six_views(square, Grid.fitted(square, 8))[2].color
    assert np.allclose(color, linear_to_srgb([0.3, 0.6, 1.0]), atol=1e-3)


@given(st.floats(0, 1))
def test_srgb_and_back(value):
    assert linear_to_srgb(srgb_to_linear(value)) == pytest.approx(value, abs=1e-6)


def test_surface_has_the_area_of_the_mesh():
    """In voxel faces; a cube's lies in its outermost voxels."""
    cube = mesh(box())
    area, color = surface(cube, Grid.fitted(cube, 10))
    assert area.sum() == pytest.approx(600, rel=1e-3)
    assert area[1:-1, 1:-1, 1:-1].sum() == 0
    assert np.allclose(color[area > 0], 1)


def test_free_view_from_the_front_is_the_view_from_below_y():
    """Rows of the rotation are right, up and towards the viewer."""
    shape = mesh(tetrahedra(8, 3))
    grid = Grid.fitted(shape, 16)
    low, high = shape.bounds()
    rotation = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    radius = (high - low).max() / 2
    picture = free_view(shape, rotation, 600, radius=radius)
    share = picture.hit.mean() * (2 * radius) ** 2
    flat = six_views(shape, grid)[3].hit.mean() * np.prod((high - low)[[0, 2]])
    assert share == pytest.approx(flat, rel=0.02)
    top = np.argwhere(picture.hit)[:, 0].min()
    assert top == pytest.approx(600 * (0.5 - (high - low)[2] / 4 / radius), abs=20)


def test_free_views_of_a_ball_are_discs():
    for turn in np.linalg.qr(np.random.default_rng(1).normal(size=(4, 3, 3)))[0]:
        picture = free_view(mesh(ball()), turn, 200, radius=1.0)
        assert picture.hit.mean() == pytest.approx(np.pi / 4, rel=0.02)
        assert picture.depth.max() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("triangles", "code"),
    [
        (np.zeros((0, 3, 3)), "unusable-input"),
        (np.full((4, 3, 3), np.nan), "unusable-input"),
        (np.ones((4, 3, 3)), "unusable-input"),
        (np.repeat(np.linspace(0, 1, 9).reshape(3, 3, 1), 3, 2), "unusable-input"),
        (np.broadcast_to(np.float32(1), (4_000_001, 3, 3)), "too-large"),
    ],
    ids=["empty", "nan", "a point", "a line", "huge"],
)
def test_meshes_that_are_refused(triangles, code):
    count = len(triangles)
    given_mesh = Mesh(triangles, triangles[..., :2], triangles, np.zeros(count, np.int32), (Material(),))
    with pytest.raises(TesseraError) as caught:
        checked(given_mesh)
    assert caught.value.failure.code == code
    assert caught.value.failure.remedy


def test_triangles_that_are_not_finite_are_left_out():
    triangles = box()
    triangles[3, 1, 2] = np.inf
    assert len(checked(mesh(triangles))) == 11
