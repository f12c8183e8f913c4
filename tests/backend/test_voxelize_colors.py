"""Colours of voxels: faithful, crisp, and how far they are from what they show."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.colour import lab
from tessera_backend.voxelize.color.color_metrics import averaged, colors_error, palette_compliance
from tessera_backend.voxelize.color.details import details, on_grid
from tessera_backend.voxelize.color.labels import colored
from tessera_backend.voxelize.color.observed import first_layer, observed, shell
from tessera_backend.voxelize.render.views import View
from tessera_protocol.errors import TesseraError

SIDE, K = 12, 6
BLACK, YELLOW, WHITE, RED = np.array([[20, 20, 20], [250, 200, 90], [255, 255, 255], [200, 30, 30]]) / 255


def cube(front=None, plain=YELLOW):
    """A whole grid of voxels and its six views, of one colour but for the front, which is seen from +z."""
    views = []
    for axis in range(3):
        for sign in (1, -1):
            color = np.tile(plain.astype(np.float32), (SIDE * K, SIDE * K, 1))
            if front is not None and (axis, sign) == (2, 1):
                color = front.astype(np.float32)
            depth = np.full(color.shape[:2], SIDE if sign > 0 else 0, np.float32)
            views.append(View(axis, sign > 0, K, color, np.ones(color.shape[:2], bool), depth))
    return np.ones((SIDE,) * 3, bool), tuple(views)


def face(*spots, ground=YELLOW):
    """A front with boxes of colours: (u, v, width, height, colour), in voxels."""
    color = np.tile(ground, (SIDE * K, SIDE * K, 1))
    for u, v, width, height, shade in spots:
        color[round(u * K) : round((u + width) * K), round(v * K) : round((v + height) * K)] = shade
    return color


def nearest(found, palette):
    """Which of a palette, uint8, is nearest to a colour."""
    return int(((palette / 255 - found) ** 2).sum(1).argmin())


def front_of(labels, palette, color):
    """Where the front has a colour, bool (U, V)."""
    return labels[:, :, -1] == 1 + nearest(color, palette)


EYES = face((2.5, 6.5, 2, 2, BLACK), (7.5, 6.5, 2, 2, BLACK))


def test_patches_on_the_grid_are_exact():
    """Both ways, and the error is that of rounding to bytes."""
    solid, views = cube(face((2, 3, 4, 5, RED), (8, 8, 2, 2, BLACK)))
    for crispness in (0.0, 0.5, 1.0):
        labels, palette = colored(solid, views, 4, crispness=crispness)
        assert len(palette) == 3
        assert colors_error(labels, palette, views) < 0.2
        assert np.argwhere(front_of(labels, palette, RED)).tolist() == [
            [u, v] for u in range(2, 6) for v in range(3, 8)
        ]


def test_crisp_rims_are_no_mixtures():
    """An edge in the middle of voxels: faithful voxels there are of a third colour, crisp ones of one of the two."""
    solid, views = cube(face((0, 0, 6.5, SIDE, BLACK)))
    mixed, found = colored(solid, views, 3, crispness=0.0)
    assert len(found) == 3
    assert len(np.unique(mixed[6, 1:-1, -1])) == 1
    assert mixed[6, 5, -1] not in (mixed[5, 5, -1], mixed[7, 5, -1])
    crisp, found = colored(solid, views, 3)
    rims = {1 + nearest(BLACK, found), 1 + nearest(YELLOW, found)}
    assert set(np.unique(crisp[:, :, -1])) == rims
    assert len(np.unique(crisp[6, 1:-1, -1])) == 1


def test_eyes_between_voxels_are_squares_of_their_color():
    """Two eyes of two voxels each, half a voxel off: crisp ones are 2 x 2, black, and mirrored."""
    solid, views = cube(EYES)
    labels, palette = colored(solid, views, 4, mirror=0)
    eyes = front_of(labels, palette, BLACK)
    assert eyes.sum() == 8
    assert np.array_equal(eyes, eyes[::-1])
    assert all(eyes[part].any(0).sum() == 2 for part in (slice(0, 6), slice(6, 12)))
    assert np.abs(palette[nearest(BLACK, palette)] / 255 - BLACK).max() < 0.02


def test_a_thin_mouth_is_not_lost():
    """A line of .6 voxels in the middle of a row: gone when colours are averaged, whole when crisp."""
    solid, views = cube(face((3, 4.2, 6, 0.6, BLACK)))
    labels, palette = colored(solid, views, 2)
    assert front_of(labels, palette, BLACK)[3:9, 4].all()


def test_alike_is_coloured_alike():
    """Texture that is not mirrored to the pixel; what is on one side only stays there."""
    solid, views = cube(face((2.3, 7, 2, 2.4, BLACK), (7.5, 7, 2, 2.4, BLACK), (1, 1, 4, 3, RED)))
    labels, palette = colored(solid, views, 4, mirror=0)
    eyes, badge = front_of(labels, palette, BLACK), front_of(labels, palette, RED)
    assert eyes.any()
    assert np.array_equal(eyes, eyes[::-1])
    assert badge[1:5, 1:4].all()
    assert not badge[7:].any()


def test_what_one_side_shows_is_the_others_too():
    """A dent whose wall is seen on one side only, as meshes are that are nearly symmetric."""
    solid, views = cube()
    solid[[2, 9], 4:8, 5:] = False
    hollow = np.zeros((*solid.shape, 4), np.float32)
    hollow[1, 4:8, 6] = [*RED, 1]
    labels, _ = colored(solid, views, 3, surface=hollow, mirror=0)
    assert np.array_equal(labels, labels[::-1])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_faithful_is_nearest(seed, crispness):
    """In a given palette no crisper labels have less error; all voxels have one; the same each time."""
    rng = np.random.default_rng(seed)
    solid, views = cube(rng.random((SIDE, SIDE, 3)).repeat(K, 0).repeat(K, 1))
    solid &= rng.random(solid.shape) < 0.9
    own = rng.integers(0, 256, (5, 3), np.uint8)
    faithful, same = colored(solid, views, palette=own, crispness=0.0)
    labels, _ = colored(solid, views, palette=own, crispness=crispness)
    assert np.array_equal(same, own)
    assert np.array_equal(labels > 0, solid)
    assert labels.max() <= 5
    assert colors_error(faithful, own, views) <= colors_error(labels, own, views) + 0.05
    assert np.array_equal(labels, colored(solid, views, palette=own, crispness=crispness)[0])


@pytest.mark.parametrize("method", ["k-means", "median-cut", "max-min", "annealing"])
def test_locked_colors_are_in_the_palette(method):
    """First, as they are, whether used or not; the others are the picture's."""
    solid, views = cube(EYES)
    locked = np.array([[1, 2, 200], [250, 200, 90]], np.uint8)
    labels, palette = colored(solid, views, 4, locked=locked, method=method)
    assert np.array_equal(palette[:2], locked)
    assert len(palette) <= 4
    assert (labels == 2).any()
    assert palette_compliance(palette[labels[solid] - 1], palette) == 1.0


def test_too_many_colors_are_refused():
    """Given, or locked."""
    solid, views = cube()
    for options in ({"palette": np.zeros((256, 3), np.uint8)}, {"palette": np.zeros((0, 3), np.uint8)}):
        with pytest.raises(TesseraError, match="The palette has"):
            colored(solid, views, **options)
    with pytest.raises(TesseraError, match="3 colours are locked"):
        colored(solid, views, 2, locked=np.zeros((3, 3), np.uint8))


def test_what_no_view_sees_is_known_from_the_surface():
    """A hollow's wall: its own samples where there are some, else the nearest label."""
    solid, views = cube()
    solid[4:8, 4:8, 4:8] = False
    surface = np.zeros((*solid.shape, 4), np.float32)
    surface[4:8, 4:8, 3] = [*(RED * 2), 2]
    labels, palette = colored(solid, views, 2, surface=surface)
    assert (labels[4:8, 4:8, 3] == 1 + nearest(RED, palette)).all()
    assert (labels[4:8, 4:8, 8] == 1 + nearest(YELLOW, palette)).all()
    assert np.array_equal(labels > 0, solid)
    assert colored(solid, views, 2)[1].shape == (1, 3)


def test_empty_is_empty():
    """Nothing is solid, or nothing is hit."""
    solid, views = cube()
    labels, palette = colored(np.zeros_like(solid), views, 4)
    assert not labels.any()
    assert len(palette) == 1
    dark = tuple(dataclasses.replace(view, hit=np.zeros_like(view.hit)) for view in views)
    labels, palette = colored(solid, dark, 4)
    assert np.array_equal(labels > 0, solid)
    assert len(palette) == 1
    assert np.isnan(colors_error(labels, palette, dark))


def test_details_are_small_and_on_one_ground():
    """Eyes are; a big patch, a pale one, one at the silhouette and one across two grounds are none."""
    palette = lab(np.array([BLACK, YELLOW, WHITE, RED]))
    pale = YELLOW * 0.95
    front = face((2.5, 8, 2, 2, BLACK), (1, 1, 5, 5, RED), (9, 9, 1, 1, pale), (8, 0, 4, 5, WHITE), (7, 2, 2, 2, RED))
    view = cube(front)[1][4]
    found = details(view, palette)
    assert [detail.figure.sum() for detail in found] == [4 * K * K]
    assert found[0].color == pytest.approx(BLACK, abs=1e-6)
    hit = view.hit.copy()
    hit[: round(2.5 * K)] = False
    assert not details(dataclasses.replace(view, hit=hit), palette)


def test_details_move_by_half_a_voxel_at_most():
    """Onto the grid, leaving the ground; mirrored ones as one; the rest of the view and what is given stay."""
    _, views = cube(EYES)
    before = views[4].color.copy()
    moved, drawn, colors, areas = on_grid(views, lab(np.array([BLACK, YELLOW])), 0)
    assert np.array_equal(views[4].color, before)
    assert colors == pytest.approx(lab(np.array([BLACK, BLACK])), abs=1e-4)
    assert areas == pytest.approx([4, 4])
    dark = moved[4].color.sum(2) < 1
    assert dark.sum() == 8 * K * K
    share = dark.reshape(SIDE, K, SIDE, K).mean((1, 3))
    assert set(np.unique(share)) == {0, 1}
    assert np.array_equal(dark, dark[::-1])
    assert (drawn[4][share > 0] == 4).all()
    assert not any(area.any() for area in drawn[:4])
    assert all(np.array_equal(a.color, b.color) for a, b in zip(moved[:4], views[:4], strict=True))


def test_large_eyes_count_for_the_palette_and_stay():
    """Half a voxel off the grid; their exact colour is told with their area; a pale patch is none."""
    front = face((1.5, 5.5, 3, 5, RED), (7.5, 5.5, 3, 5, RED), (3, 1, 6, 3, YELLOW * 0.95))
    views = cube(front)[1]
    moved, drawn, colors, areas = on_grid(views, lab(np.array([BLACK, YELLOW, YELLOW * 0.95])), 0)
    assert colors == pytest.approx(lab(np.array([RED, RED])), abs=1e-2)
    assert areas == pytest.approx([15, 15])
    assert np.array_equal(moved[4].color, views[4].color)
    assert not any(area.any() for area in drawn)


def test_what_would_be_lost_becomes_a_voxel():
    """A nostril of a quarter voxel, and a mole in the middle of an edge between two: one, and two."""
    solid, views = cube(face((3.2, 3.2, 0.5, 0.5, BLACK), (5.75, 8.2, 0.5, 0.5, BLACK)))
    labels, palette = colored(solid, views, 2)
    dark = front_of(labels, palette, BLACK)
    assert dark[3, 3]
    assert dark[5:7, 8].all()
    assert dark.sum() == 3


@pytest.mark.parametrize(("wall", "part"), [(8, True), (3, False)])
def test_fragments_are_those_at_the_voxels_depth(wall, part):
    """A wall behind a voxel's edge is not its colour, but is part of the pixel's mean, if it is not far behind."""
    solid, views = cube(face((0, 0, 0.5, 1, BLACK)))
    depth = views[4].depth.copy()
    depth[: K // 2, :K] = wall
    views = (*views[:4], dataclasses.replace(views[4], depth=depth), views[5])
    outer = shell(solid)
    pixels, fragments = observed(solid, outer, views)
    corner = outer.number[0, 0, SIDE - 1]
    assert (fragments.colors[fragments.color[fragments.voxel == corner], 0] > 70).all()
    assert (pixels.colors[pixels.color[pixels.voxel == corner], 0].min() < 70) == part


def test_first_layers():
    """From both ends of each axis; -1 where nothing is."""
    solid = np.zeros((3, 4, 5), bool)
    solid[1, 2, 1:4] = True
    assert first_layer(solid, 2, True)[1, 2] == 3
    assert first_layer(solid, 2, False)[1, 2] == 1
    assert first_layer(solid, 0, True)[2, 1] == 1
    assert (first_layer(solid, 1, True) >= 0).sum() == 3


def test_the_error_is_the_mean_difference():
    """One view in six is black instead of white: a sixth of that; what is covered below a quarter doesn't count."""
    solid, views = cube(np.zeros((SIDE * K, SIDE * K, 3)), plain=WHITE)
    labels, palette = solid.astype(np.uint8), np.array([[255, 255, 255]], np.uint8)
    assert colors_error(labels, palette, views) == pytest.approx(100 / 6, abs=0.01)
    hit = np.zeros_like(views[4].hit)
    hit[::K, ::K] = True
    thin = (*views[:4], dataclasses.replace(views[4], hit=hit), views[5])
    assert colors_error(labels, palette, thin) == pytest.approx(0, abs=1e-9)
    mean, coverage = averaged(thin[4])
    assert coverage == pytest.approx(1 / K**2)
    assert not mean.any()


def test_compliance():
    """The share of colours that are exactly the palette's."""
    palette = np.array([[1, 2, 3], [255, 0, 0]], np.uint8)
    colors = np.array([[1, 2, 3], [255, 0, 0], [255, 0, 1], [3, 2, 1]], np.uint8)
    assert palette_compliance(colors, palette) == 0.5
    assert palette_compliance(colors[:0], palette) == 1.0


def test_specks_are_calmed_and_details_are_not():
    """One voxel of nearly its ground's colour goes, two and one of far another stay."""
    pale = YELLOW * 0.88
    solid, views = cube(face((3, 3, 1, 1, pale), (7, 3, 2, 1, pale), (4, 8, 1, 1, BLACK)))
    own = (np.stack([YELLOW, pale, BLACK]) * 255).round().astype(np.uint8)
    front = colored(solid, views, palette=own)[0][:, :, -1]
    assert np.argwhere(front == 2).tolist() == [[7, 3], [8, 3]]
    assert np.argwhere(front == 3).tolist() == [[4, 8]]


def test_a_nose_at_the_tip_is_seen():
    """A dark spot smaller than a voxel, where all but one view show the tip's other colours."""
    solid, views = cube(face((5.6, 5.6, 0.8, 0.8, BLACK)))
    tip = np.zeros_like(solid)
    for layer in range(SIDE):
        inset = max(0, layer - 6)
        tip[inset : SIDE - inset, inset : SIDE - inset, layer] = True
    top = views[4].depth.copy()
    reach = tip.shape[2] - tip[:, :, ::-1].argmax(2).repeat(K, 0).repeat(K, 1)
    top[:] = reach
    views = (*views[:4], dataclasses.replace(views[4], depth=top), views[5])
    labels, palette = colored(tip, views, 4, mirror=0)
    assert np.argwhere(front_of(labels, palette, BLACK)).tolist() == [[u, v] for u in (5, 6) for v in (5, 6)]


def test_what_stands_out_is_no_detail():
    """A horn before a ground far behind is not moved over it; a patch of the same shape that lies on it is."""
    view = cube(face((2.5, 6.5, 2, 2, BLACK)))[1][4]
    assert len(details(view, lab(np.array([BLACK, YELLOW])))) == 1
    depth = np.where((view.color < 0.2).all(2), np.float32(SIDE), np.float32(SIDE - 4))
    assert not details(dataclasses.replace(view, depth=depth), lab(np.array([BLACK, YELLOW])))


@pytest.mark.parametrize("grey", [0.697, 0.698, 0.7185])
def test_no_colour_of_a_palette_is_there_twice(grey):
    """Greys that differ less than bytes can say lie in two bins of the palette, whose colours are rounded to one."""
    ground = np.full(3, grey)
    noise = np.random.default_rng(0).uniform(-1e-3, 1e-3, (SIDE, SIDE, 3))
    front = np.tile(ground, (SIDE * K, SIDE * K, 1)) + np.kron(noise, np.ones((K, K, 1)))
    labels, palette = colored(*cube(front, ground), 8, crispness=0.0)
    assert len(np.unique(palette, axis=0)) == len(palette) == labels.max()
