"""Which voxels are solid: shapes whose voxels are known, thin parts, symmetry, and the metrics that say so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tessera_backend.voxelize import metrics
from tessera_backend.voxelize.components import components, floaters
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.render.views import six_views
from tessera_backend.voxelize.shape import hull, silhouette, stairs, sticks, threads
from tessera_backend.voxelize.shape.occupancy import occupied
from tessera_backend.voxelize.shape.surface import surface
from tessera_backend.voxelize.shape.symmetry import Fold, matched, overlap

from .voxel_meshes import ball, box, mesh, quad, tetrahedra


def voxels(shape, side, **options):
    """Solid voxels, and the views they are made of."""
    grid = Grid.fitted(shape, side)
    views = six_views(shape, grid)
    return occupied(shape, grid, views, **options), views


@settings(max_examples=10, deadline=None)
@given(st.tuples(*[st.integers(1, 24)] * 3))
def test_a_box_is_a_full_grid(extent):
    solid, views = voxels(mesh(box(high=extent)), max(*extent, 8))
    assert solid.all()
    assert metrics.silhouettes(solid, views).iou == 1


@pytest.mark.parametrize("side", [8, 17, 40])
def test_a_ball_is_round_and_symmetric(side):
    """Its voxels are those with their centres in it, but for a few on its skin, and their own mirror images."""
    solid, views = voxels(mesh(ball()), side)
    centers = (np.stack(np.mgrid[:side, :side, :side], -1) + 0.5) * 2 / side - 1
    radius = np.linalg.norm(centers, axis=-1)
    assert solid[radius < 1 - 1.2 / side].all()
    assert not solid[radius > 1 + 1.2 / side].any()
    assert [metrics.asymmetry(solid, axis) for axis in range(3)] == [0, 0, 0]
    assert metrics.silhouettes(solid, views).ratio > 0.995


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(0, 999))
def test_the_hull_contains_the_mesh_and_grows_with_it(count, seed):
    """More triangles make no voxel's share inside less; a share is one from 0 to 1; what is outside is empty."""
    ends = [box((0, 0, 0), (0.01,) * 3), box((1, 1, 1), (1.01,) * 3)]
    triangles = np.concatenate([tetrahedra(count, seed), *ends])
    more = np.concatenate([triangles, tetrahedra(3, seed + 1)])
    grid = Grid.fitted(mesh(triangles), 14)
    few, many = (hull.inside(six_views(mesh(part), grid), grid) for part in (triangles, more))
    assert few.min() >= 0
    assert many.max() <= 1
    assert (many >= few).all()
    views = six_views(mesh(triangles), grid)
    for view, cover in zip(views[::2], hull.coverages(views, grid, few), strict=True):
        assert (few.max(view.axis)[cover == 0] == 0).all()


def test_shares_are_volumes():
    """A box that ends within voxels fills its part of them."""
    inner = box((0.25, 0.25, 0.25), (3.75, 3.5, 3.25))
    outer = np.concatenate([inner, box(high=(0.01,) * 3), box((3.99,) * 3, (4,) * 3)])
    grid = Grid.fitted(mesh(outer), 8)
    shares = hull.inside(six_views(mesh(inner), grid, 20), grid)
    assert shares[2:6, 2:6, 2:6].min() == 1
    assert shares[0, 3, 3] == pytest.approx(0.5, abs=1e-6)
    assert shares[7, 3, 0] == pytest.approx(0.25, abs=1e-6)
    assert shares[3, 7, 3] == 0


def test_insides_are_filled_without_a_closed_surface():
    """Triangles turned any way round, and some of them missing where no axis looks in."""
    triangles = ball(steps=20)[:, [1, 0, 2]]
    solid, _ = voxels(mesh(np.delete(triangles, [30, 200, 500], 0)), 20)
    assert solid[8:12, 8:12, 8:12].all()


FLAT = quad([0, 0, 1], [2, 0, 1], [2, 1, 1], [0, 1, 1])
TILTED = quad([0, 0, 0], [2, 0, 2], [2, 1, 2], [0, 1, 0])
UPRIGHT = quad([-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1])


@pytest.mark.parametrize("plane", [FLAT, TILTED, np.concatenate([UPRIGHT, UPRIGHT[..., [1, 0, 2]]])])
def test_sheets_without_thickness_have_no_holes(plane):
    """Each view that sees them sees what it should."""
    solid, views = voxels(mesh(plane), 20)
    assert metrics.silhouettes(solid, views).iou == 1
    assert len(components(solid)[1]) == 1


def lollipop():
    return mesh(ball((0, 0, 0), 1), box((-0.01, -0.01, 1), (0.01, 0.01, 4)))


def test_thin_parts_are_dropped_kept_or_thickened():
    """A stick a tenth of a voxel wide: gone, or a path of one voxel or two by two, up to the end of the box."""
    dropped, kept, thick = (voxels(lollipop(), 24, thin=thin)[0] for thin in ("drop", "keep", "thicken"))
    assert dropped[:, :, 12:].sum() == 0
    layers = kept[:, :, 11:].sum((0, 1))
    assert layers.min() >= 1
    assert layers.max() <= 4
    assert thick[:, :, 11:-1].sum((0, 1)).min() >= 4
    assert (thick | ~kept).all()
    for solid in (dropped, kept, thick):
        assert len(components(solid)[1]) == 1


def test_a_wire_that_no_view_sees_is_a_path():
    """A diagonal one, thinner than any sample."""
    steps = np.linspace(0, 1, 40)
    line = np.stack([steps, steps * 0.8, steps * 0.9], 1)
    ribbon = np.stack([line[:-1], line[1:], line[:-1] + np.array([1e-4, 0, 0])], 1)
    solid, _ = voxels(mesh(ribbon), 30)
    assert solid[:2].any()
    assert solid[-2:].any()
    assert len(components(solid)[1]) == 1
    assert solid.sum() < 70


def test_rings_close():
    """Paths from both ends of a wire meet, without a gap."""
    around = np.linspace(0, 2 * np.pi, 97)
    inner, outer = (np.stack([r * np.cos(around), np.zeros(97), r * np.sin(around)], 1) for r in (2.0, 2.03))
    ring = np.concatenate([quad(inner[i], inner[i + 1], outer[i + 1], outer[i]) for i in range(96)])
    solid, _ = voxels(mesh(box((1.5, -0.4, -0.4), (2.5, 0.4, 0.4)), ring), 32, symmetry="off")
    seen = solid.any(1)
    filled = np.ones_like(seen)
    for _ in range(64):
        grown = np.pad(filled, 1)
        beside = grown[:-2, 1:-1] & grown[2:, 1:-1] & grown[1:-1, :-2] & grown[1:-1, 2:]
        filled = seen | beside
    assert filled[10:22, 10:22].all(), "what is inside the ring is not cut off from what is outside"


def test_nearly_symmetric_meshes_become_symmetric_voxels():
    """A ball that is a little crooked does; one with a stick to one side only where the stick is."""
    crooked = ball()
    crooked = crooked * (1 + 0.02 * crooked[..., :1])
    assert metrics.asymmetry(voxels(mesh(crooked), 31)[0], 0) == 0
    stick = mesh(ball(), box((0.7, -0.02, 0.5), (3, 0.02, 0.54)))
    solid, _ = voxels(stick, 31)
    assert metrics.asymmetry(solid, 1) == 0
    assert metrics.asymmetry(solid, 0) > 0
    assert metrics.asymmetry(solid, 2) > 0


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 7)] * 3), st.sets(st.integers(0, 2)), st.integers(0, 99))
def test_folding_and_unfolding(shape, axes, seed):
    """What is symmetric comes back; anything comes back symmetric; views of the half weigh as much as the whole."""
    fold = Fold(shape, tuple(sorted(axes)))
    values = np.random.default_rng(seed).random(shape)
    whole = fold.whole(fold.half(values))
    assert whole.shape == shape
    assert np.allclose(fold.whole(fold.half(whole)), whole)
    for axis in range(3):
        if axis in axes:
            assert np.allclose(whole, np.flip(whole, axis))
        others = tuple(other for other in range(3) if other != axis)
        cover = whole.sum(axis)
        assert (fold.weights(axis) * fold.half(cover, others)).sum() == pytest.approx(cover.sum())
    points = np.argwhere(values > 0.5)
    assert np.allclose(whole[tuple(points.T)], whole[tuple(fold.points(points).T)])


def test_overlap_and_match():
    block = np.zeros((6, 2, 2))
    block[:3] = 1
    assert overlap(block, 0) == 0
    assert overlap(block, 1) == 1
    assert matched(block > 0, 0) == pytest.approx(1 / 3)


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 10), st.integers(0, 999))
def test_the_search_never_makes_silhouettes_worse(count, seed):
    """By its own measure: how much more than its price each covered pixel is worth."""
    soup = mesh(tetrahedra(count, seed))
    grid = Grid.fitted(soup, 16)
    views = six_views(soup, grid)
    shares = hull.inside(views, grid)
    cover = hull.coverages(views, grid, shares)

    def worth(solid):
        return sum(((c - 0.46) * solid.any(axis)).sum() / c.sum() for axis, c in enumerate(cover))

    solid = shares >= 0.5
    before = worth(solid)
    silhouette.search(solid, shares, cover, Fold(grid.shape))
    assert worth(solid) >= before - 1e-4


def test_smoothing_takes_bumps_and_fills_notches_of_what_is_thick():
    """A voxel that is half inside goes where it stands out, and stays in a row; sheets and sticks stay as they are."""
    solid = np.zeros((12, 12, 16), bool)
    solid[2:10, 2:10, 2:8] = solid[5, 5:7, 8] = True
    solid[5, 5, 7] = False
    solid[5:7, 2:10, 9:] = solid[2, 2, 8:15] = True
    shares = np.where(solid, np.float32(0.55), np.float32(0.45))
    rough = solid.copy()
    rough[9, 4, 8] = True
    covers = [(rough.any(axis) * np.float32(0.5)) for axis in range(3)]
    stairs.smooth(rough, shares, covers, Fold(solid.shape))
    assert not rough[9, 4, 8]
    assert rough[5, 5, 7]
    assert rough[5:7, 2:10, 9:].all()
    assert rough[2, 2, 8:15].all()
    again = rough.copy()
    stairs.smooth(again, shares, covers, Fold(solid.shape))
    assert (again == rough).all()


def test_knobs_of_limbs_go_and_ends_of_sticks_stay():
    """A voxel that stands out of a bar of two by two; not the last of a bar of one."""
    solid = np.zeros((8, 8, 20), bool)
    solid[3:5, 3:5, 2:14] = solid[3, 3, 14:18] = True
    shares = np.where(solid, np.float32(0.6), np.float32(0.1))
    covers = [(solid.any(axis) * np.float32(0.5)) for axis in range(3)]
    straight = solid.copy()
    for knob in ((5, 3, 6), (3, 2, 9)):
        solid[knob], shares[knob] = True, 0.5
    stairs.smooth(solid, shares, covers, Fold(solid.shape))
    assert (solid == straight).all()


def test_free_silhouettes_of_a_box_are_exact():
    """From any side, voxels that are the box; half of them are not."""
    shape = mesh(box(high=(3, 2, 1)))
    solid, _ = voxels(shape, 12)
    grid = Grid.fitted(shape, 12)
    assert metrics.free_iou(shape, solid, grid) == pytest.approx(1, abs=1e-3)
    solid[6:] = False
    assert metrics.free_iou(shape, solid, grid) < 0.8


def test_dust_and_components():
    solid = np.zeros((20, 20, 20), bool)
    solid[:10, :10, :10] = True
    solid[15, 15, 15] = solid[18, 18, 10:16] = True
    assert sorted(components(solid)[1]) == [1, 6, 1000]
    assert np.argwhere(floaters(solid)).tolist() == [[15, 15, 15]]
    assert metrics.exposed_faces(solid[:10, :10, :10]) == 600


def test_join_follows_the_surface():
    """Two blocks that a strip of surface connects become one; a third without a way stays alone."""
    solid = np.zeros((20, 9, 5), bool)
    solid[:4, :4], solid[10:14, :4], solid[17:] = True, True, True
    area = np.zeros(solid.shape, np.float32)
    area[3:11, 2, 2] = 0.5
    threads.join(solid, area)
    assert solid[4:10, 2, 2].all()
    assert len(components(solid)[1]) == 2


def test_the_same_mesh_gives_the_same_voxels():
    soup = mesh(tetrahedra(20, 5))
    assert (voxels(soup, 24)[0] == voxels(soup, 24)[0]).all()
    grid = Grid.fitted(soup, 24)
    assert (surface(soup, grid)[0] == surface(soup, grid)[0]).all()


def oars(count, thickness=0.11):
    """A hull, and thin bars that run slantwise out of it to both sides."""
    bars = [box((0, 0, 0), (3.4, thickness, thickness)) for _ in range(count)]
    turn = np.array([[0.85, -0.4, -0.34], [0.43, 0.9, 0.0], [0.31, -0.15, 0.94]])
    right = [bar @ turn + (0.4, 1.5 * place - 3, 1.2) for place, bar in enumerate(bars)]
    left = [bar * (-1, 1, 1) for bar in right]
    return mesh(box((-1, -4, 0), (1, 4, 1.3)), *right, *left)


def test_oars_are_whole_straight_runs():
    """Each one part, of voxels that touch with faces, on a straight line, and mirrored."""
    solid, _ = voxels(oars(3), 48)
    assert metrics.asymmetry(solid, 0) == 0
    alone = solid.copy()
    alone[solid.shape[0] // 2 - 7 : -(solid.shape[0] // 2 - 7)] = False
    numbers, sizes = ndimage.label(alone[solid.shape[0] // 2 :])
    assert sizes == 3
    for number in range(1, 4):
        places = np.argwhere(numbers == number).astype(float)
        assert len(places) >= 8
        away = places - places.mean(0)
        assert np.linalg.svd(away, full_matrices=False)[1][1] < 0.8 * len(places) ** 0.5


def test_sticks_are_thin_straight_parts_of_their_own():
    """A ball, a bar two voxels thick and a bump of two voxels are none; a needle is, from end to end."""
    needle = box((3, 0, 0), (3.02, 0.02, 2))
    shape = mesh(ball(), needle, box((-4, 0, 0), (-3, 1, 4)), box((4, 0, 0), (4.02, 0.02, 0.2)))
    grid = Grid.fitted(shape, 40)
    ends = sticks.sticks(shape, grid)
    assert len(ends) == 1
    assert np.ptp(ends[0], axis=0) == pytest.approx([0, 0, 10], abs=0.1)
    assert len(sticks.sticks(mesh(ball()), Grid.fitted(mesh(ball()), 9))) == 0
