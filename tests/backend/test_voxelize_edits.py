"""Sheets that an artist has edited: the voxels look like them, and what was not edited stays."""

import io

import numpy as np
import pytest
from PIL import Image

from tessera_backend.voxelize import Voxels, engines, voxelize
from tessera_backend.voxelize.export.sheet import layout, read_sheet, to_sheet
from tessera_backend.voxelize.finetune.edits import applied
from tessera_backend.voxelize.finetune.wishes import agreement, wishes
from tessera_backend.voxelize.sides import SIDES, facing, six_pictures
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import VoxelizeParams

from .voxel_grids import figure
from .voxel_meshes import box, mesh

RED, HAT = (220, 30, 30, 255), (40, 30, 90, 255)


def robot():
    """A grey block with two white eyes in front, and an antenna."""
    parts = [box((-3, -2, 0), (3, 2, 6)), box((-0.25, -0.25, 6), (0.25, 0.25, 9))]
    parts += [box((x, -2.01, 4), (x + 1, -2, 5)) for x in (-2, 1)]
    grey, white = (0.2, 0.2, 0.2, 1.0), (1.0, 1.0, 1.0, 1.0)
    colors = np.concatenate([np.tile(color, (12, 3, 1)) for color in (grey, grey, white, white)])
    return mesh(*parts, colors=colors)


PARAMS = VoxelizeParams(side=18, engine="voxify", iterations=10, crispness=1.0)


@pytest.fixture(scope="module")
def plain():
    return voxelize(robot(), PARAMS)


@pytest.fixture
def sheet(plain):
    return np.array(Image.open(io.BytesIO(to_sheet(plain))))


def view(sheet, plain, side):
    """The part of a sheet with a side's view; changes change the sheet."""
    row, column = layout(plain.labels.shape)[0][side]
    tall, wide = facing(plain.labels, side).shape[:2]
    return sheet[row : row + tall, column : column + wide]


def redrawn(sheet, **changes):
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    return voxelize(
        robot(), VoxelizeParams(**{"side": 18, "engine": "voxify", "iterations": 10} | changes), sheet=file.getvalue()
    )


def test_metadata_names_the_device_that_worked(monkeypatch):
    """Edits are made without torch, whatever device it would have had."""
    monkeypatch.setattr(engines.devices, "check", lambda device: None)
    surface = voxelize(robot(), VoxelizeParams(side=18))
    made = voxelize(robot(), PARAMS, sheet=to_sheet(surface), device="elsewhere")
    np.testing.assert_array_equal(made.labels, surface.labels)
    assert (made.meta["engine"], made.meta["device"]) == ("voxify", "cpu")


@pytest.mark.parametrize("device", ["nowhere", "", "cuda:99", "meta"])
def test_devices_that_are_not_there_are_refused(device):
    with pytest.raises(InvalidInput) as caught:
        voxelize(robot(), PARAMS, device=device)
    failure = caught.value.failure
    assert (failure.code, failure.field, failure.given) == ("out-of-range", "device", device)
    assert "cpu" in failure.allowed


def test_an_unchanged_sheet_changes_nothing(plain, sheet):
    made = redrawn(sheet)
    np.testing.assert_array_equal(made.labels, plain.labels)
    np.testing.assert_array_equal(made.palette, plain.palette)
    assert made.meta["sheet"] == {"afresh": False, "edited": 0, "agreement": 1.0}


def test_a_sheet_of_the_other_engine_is_known_again():
    """What was exported from engine surface is edited as that."""
    surface = voxelize(robot(), VoxelizeParams(side=18))
    made = redrawn(np.array(Image.open(io.BytesIO(to_sheet(surface)))))
    np.testing.assert_array_equal(made.labels, surface.labels)


def test_recoloured_eyes_are_the_only_change(plain, sheet):
    """The voxels that the front sees there, and no others, have a new colour of the palette."""
    front = view(sheet, plain, "front")
    eyes = (front[..., :3] > 200).all(2) & (front[..., 3] > 0)
    assert 4 <= eyes.sum() <= 18
    front[eyes] = RED
    made = redrawn(sheet)
    np.testing.assert_array_equal(made.solid, plain.solid)
    changed = made.labels != plain.labels
    assert changed.sum() == eyes.sum()
    np.testing.assert_array_equal(facing(changed, "front").any(2), eyes)
    assert tuple(made.palette[made.labels[changed] - 1][0]) == RED[:3]
    np.testing.assert_array_equal(made.palette[: len(plain.palette)], plain.palette)


def test_nearly_the_same_colour_is_the_same(plain, sheet):
    """Programs that manage colours round them."""
    there = sheet[..., 3] > 0
    sheet[there] = np.clip(sheet[there] + np.array([1, -1, -2, 0]), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(redrawn(sheet).labels, plain.labels)


def test_an_antenna_erased_in_one_view_is_gone(plain, sheet):
    """Nothing else is."""
    front = view(sheet, plain, "front")
    above = np.zeros(front.shape[:2], bool)
    above[:5] = front[:5, :, 3] > 0
    assert above.sum() >= 5
    front[above] = 0
    made = redrawn(sheet)
    gone = plain.solid & ~made.solid
    np.testing.assert_array_equal(facing(gone, "front").any(2), above)
    assert not (made.solid & ~plain.solid).any()
    np.testing.assert_array_equal(made.labels[made.solid], plain.labels[made.solid])


def test_a_block_painted_in_all_views_is_solid(plain, sheet):
    """A box on the robot's shoulder: exactly the voxels that front, side and top agree on."""
    wanted = np.zeros(plain.labels.shape, bool)
    wanted[1:4, 2:6, 12:15] = True
    assert not (wanted & plain.solid).any()
    for side in SIDES:
        seen = facing(wanted | plain.solid, side)
        first = np.take_along_axis(facing(wanted, side), seen.argmax(2)[..., None], 2)[..., 0]
        view(sheet, plain, side)[first & seen.any(2)] = HAT
    made = redrawn(sheet)
    np.testing.assert_array_equal(made.solid, plain.solid | wanted)
    assert {tuple(color) for color in made.palette[made.labels[wanted] - 1]} == {HAT[:3]}
    np.testing.assert_array_equal(made.labels[plain.solid], plain.labels[plain.solid])
    assert made.meta["sheet"]["agreement"] == 1.0


def test_a_block_painted_in_one_view_is_as_thick_as_what_is_beside(plain, sheet):
    """Beside the antenna it is as thick as that; the other views keep their silhouettes."""
    front = view(sheet, plain, "front")
    clear = front[2:4, 0:3]
    assert not clear[..., 3].any()
    clear[:] = HAT
    made = redrawn(sheet)
    added = made.solid & ~plain.solid
    assert not (plain.solid & ~made.solid).any()
    np.testing.assert_array_equal(added.any((0, 2)), plain.solid[:, :, -1].any(0))
    np.testing.assert_array_equal(made.solid.any(0), plain.solid.any(0))


def test_what_no_other_view_has_room_for_is_one_voxel_thick():
    """As deep as the middle of what is nearest in that view."""
    labels = np.zeros((5, 7, 5), np.uint8)
    labels[2, 2:5, 0:2] = 1
    base = Voxels(labels, np.array([[9, 9, 9]], np.uint8), np.zeros(3), np.ones(3))
    pictures = six_pictures(base)
    pictures[SIDES.index("front")][0:3, 1] = RED
    wished, _ = wishes(base, pictures)
    made = applied(labels, wished)
    assert sorted(map(tuple, np.argwhere(made != labels))) == [(1, 3, 2), (1, 3, 3), (1, 3, 4)]
    assert set(made[made != labels]) == {2}


def test_with_a_given_palette_the_nearest_counts(plain, sheet):
    """No colour comes in that is not in it."""
    names = "#6d6d6d #ffffff #c02020"
    front = view(sheet, plain, "front")
    front[(front[..., :3] > 200).all(2) & (front[..., 3] > 0)] = RED
    made = redrawn(sheet, palette=names)
    assert made.palette.tolist() == [[109, 109, 109], [255, 255, 255], [192, 32, 32]]
    assert (made.labels == 3).any()


def test_changed_views_outvote_unchanged_ones():
    """And among changed ones the front counts most, of as many."""
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1] = 1
    base = Voxels(labels, np.array([[9, 9, 9]], np.uint8), np.zeros(3), np.ones(3))
    pictures = six_pictures(base)
    pictures[SIDES.index("top")][1, 1] = RED
    wished, palette = wishes(base, pictures)
    assert palette.tolist() == [[9, 9, 9], list(RED[:3])]
    assert applied(labels, wished)[1, 1, 1] == 2
    pictures[SIDES.index("front")][1, 1] = HAT
    wished, palette = wishes(base, pictures)
    assert palette[applied(labels, wished)[1, 1, 1] - 1].tolist() == list(HAT[:3])
    assert agreement(applied(labels, wished), wished) == pytest.approx(1 / 6)


def test_too_many_colours_are_gathered():
    """A sheet of a soft brush: no more than fit into a byte, and what was there stays."""
    labels = np.ones((20, 20, 20), np.uint8)
    base = Voxels(labels, np.array([[9, 9, 9]], np.uint8), np.zeros(3), np.ones(3))
    pictures = six_pictures(base)
    pictures[0][..., :3] = np.random.default_rng(0).integers(0, 255, (20, 20, 3))
    _, palette = wishes(base, pictures)
    assert 100 < len(palette) <= 255
    assert palette[0].tolist() == [9, 9, 9]


def test_six_views_of_another_thing():
    """Drawn by hand on the robot's grid: what the views show becomes voxels, nothing of the robot stays."""
    plain = voxelize(robot(), PARAMS)
    shape = plain.labels.shape
    other = np.zeros(shape, np.uint8)
    middle = [n // 2 for n in shape]
    other[middle[0] - 1 : middle[0] + 2, middle[1] - 1 : middle[1] + 2, 8:] = 1
    other[: middle[0] + 1, :, 12:15] = 2
    thing = Voxels(other, np.array([RED[:3], HAT[:3]], np.uint8), plain.origin, plain.size)
    pictures = read_sheet(to_sheet(thing), shape)
    made = redrawn(np.array(Image.open(io.BytesIO(to_sheet(thing)))), iterations=60)
    assert made.meta["sheet"]["afresh"]
    assert {tuple(color) for color in made.palette} == {RED[:3], HAT[:3]}
    for mine, drawn in zip(six_pictures(made), pictures, strict=True):
        np.testing.assert_array_equal(mine[..., 3], drawn[..., 3])
    assert made.meta["sheet"]["agreement"] > 0.97


def test_locked_colours_stay_in_a_sheet_of_another_thing(plain):
    solid = Voxels(np.full_like(plain.labels, 1), np.array([RED[:3]], np.uint8), plain.origin, plain.size)
    made = redrawn(np.array(Image.open(io.BytesIO(to_sheet(solid)))), locked="#123456")
    assert made.meta["sheet"]["afresh"]
    assert made.palette.tolist() == [[0x12, 0x34, 0x56], list(RED[:3])]
    assert (made.labels == 2).all()


def test_a_view_that_erases_all_is_refused(plain, sheet):
    """It is seen through, so nothing would be left."""
    view(sheet, plain, "front")[...] = 0
    with pytest.raises(InvalidInput, match="Nothing is left of the voxels") as caught:
        redrawn(sheet)
    assert caught.value.failure.field == "sheet"


def test_views_that_contradict_each_other_are_told(plain, sheet):
    """The front stands on its head, and the right side on its feet."""
    front = view(sheet, plain, "front")
    front[...] = front[::-1].copy()
    made = redrawn(sheet)
    assert made.meta["sheet"]["agreement"] < 0.9
    (note,) = made.meta["notes"]
    assert "contradict each other" in note


def test_a_sheet_needs_its_size_and_its_engine(sheet):
    with pytest.raises(InvalidInput, match="does not fit a grid"):
        redrawn(sheet, side=17)
    with pytest.raises(InvalidInput, match="engine surface looks at the mesh alone"):
        redrawn(sheet, engine="surface")


def test_voxify_is_not_for_large_grids():
    with pytest.raises(InvalidInput, match="at most 128"):
        voxelize(robot(), VoxelizeParams(side=129, engine="voxify"))


def test_shapes_of_figures_survive():
    """A figure that differs from all sides, redrawn from its own views on an empty base."""
    labels = figure()
    base = Voxels(labels, np.array([[9, 9, 9], [99, 9, 9], [9, 99, 9], [9, 9, 99]], np.uint8), np.zeros(3), np.ones(3))
    wished, _ = wishes(base, six_pictures(base), given=True, afresh=True)
    made = applied(np.zeros_like(labels), wished)
    assert made[labels > 0].all()
    assert agreement(made, wished) > 0.8
