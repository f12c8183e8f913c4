"""Stage II: the structure gets its colours and stays; shapes are added where they are missing, and useless ones go."""

import dataclasses

import numpy as np
import pytest

from tessera_backend.progress import Progress
from tessera_backend.vectorize import Path, paper
from tessera_backend.vectorize.curves.area import cover
from tessera_backend.vectorize.paper import refine
from tessera_backend.vectorize.paper.refine import Item, Refinement
from tessera_protocol.errors import Cancelled
from tessera_protocol.jobs import VectorizeParams

BLUE, RED, YELLOW = (0.2, 0.4, 0.8), (0.85, 0.2, 0.15), (0.95, 0.9, 0.3)


def boxed(left, top, right, bottom):
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    after = np.roll(corners, -1, 0)
    return np.stack([corners, corners + (after - corners) / 3, corners + (after - corners) * 2 / 3], 1).reshape(-1, 2)


def painted(*boxes, size=(48, 64), ground=BLUE):
    image = np.empty((*size, 3), np.float32)
    image[:] = ground
    for (left, top, right, bottom), color in boxes:
        image[top:bottom, left:right] = color
    return image


def begun(image, *boxes):
    """A refinement whose structure is the whole canvas and some boxes."""
    height, width = image.shape[:2]
    state = Refinement(image, None, 0.5, 4, 0)
    paths = [Path((boxed(*box),), np.zeros(3)) for box in ((-4, -4, width + 4, height + 4), *boxes)]
    masks = [cover(path, width, height) for path in paths]
    state.begin(paths, masks)
    return state, masks


def test_colours_are_the_dominant_ones_of_what_is_seen():
    """A red house three quarters of which are yellow, but these are covered: red; the ground is blue."""
    image = painted(((10, 10, 50, 40), RED), ((10, 10, 50, 32), YELLOW))
    state, _ = begun(image, (10, 10, 50, 40), (10, 10, 50, 32))
    for item, color in zip(state.items, (BLUE, RED, YELLOW), strict=True):
        np.testing.assert_allclose(item.path.fill, color, atol=0.01)
    assert state.error() < 1e-4


def test_a_missing_shape_is_added_and_the_structure_stays():
    """A yellow box on blue ground: one path more, its points and colour fitted; the ground is not touched."""
    image = painted(((20, 15, 41, 33), YELLOW))
    state, masks = begun(image)
    before = state.items[0].path
    assert state.add(3, masks, 4) == 1
    state.descend(60)
    assert state.error() < 2e-4
    np.testing.assert_array_equal(state.items[0].path.contours[0], before.contours[0])
    np.testing.assert_array_equal(state.items[0].path.fill, before.fill)
    added = state.items[1]
    assert added.free
    assert added.path.level == 4
    np.testing.assert_allclose(added.path.fill, YELLOW, atol=0.03)


def test_the_worst_regions_come_first():
    """As many as asked for, not smaller than the smallest, each connected and of one colour of the picture."""
    error = np.zeros((30, 40))
    colors = np.zeros((30, 40), int)
    error[2:12, 2:12] = 0.5
    error[2:12, 20:26] = 0.7
    colors[2:12, 20:26] = 1
    error[2:12, 26:30] = 0.7
    error[20:23, 5:8] = 0.9
    error[28, 38] = 1.0
    error[15] = refine._NO_ERROR / 2
    regions = refine.worst(error, colors, 10, 4)
    assert [int(region.sum()) for region in regions] == [100, 60, 40, 9]
    assert [int(region.sum()) for region in refine.worst(error, colors, 2, 4)] == [100, 60]
    assert refine.worst(np.zeros((5, 5)), colors[:5, :5], 3, 1) == []


def test_a_new_shape_goes_beneath_the_structure_that_it_would_hide():
    """A large yellow box missed by the structure, which has only the small red one on it: red stays in front."""
    image = painted(((8, 8, 56, 40), YELLOW), ((24, 18, 36, 28), RED))
    state, masks = begun(image, (24, 18, 36, 28))
    # All of the yellow box, as if the error did not know of the red one.
    state._place(Path((boxed(8, 8, 56, 40),), np.array(YELLOW), level=4), cover_of(8, 8, 56, 40), masks)
    assert [item.free for item in state.items] == [False, True, False]
    assert state.items[1].path.level == 0
    assert state.error() < 1e-3


def cover_of(left, top, right, bottom, size=(48, 64)):
    return cover(Path((boxed(left, top, right, bottom),), np.zeros(3)), size[1], size[0])


def test_useless_paths_go_and_useful_ones_stay():
    """One of two equal paths, one in the colour of its ground and one that makes things worse are taken out."""
    image = painted(((20, 15, 41, 33), YELLOW))
    state, _ = begun(image)
    useful = Path((boxed(20, 15, 41, 33),), np.array(YELLOW))
    same_color = Path((boxed(2, 2, 10, 10),), state.items[0].path.fill)
    harmful = Path((boxed(50, 30, 60, 40),), np.array(RED))
    state.items += [Item(path, 0, True) for path in (useful, useful, same_color, harmful)]
    state.prune()
    assert len(state.items) == 2
    assert state.error() < 1e-4


def test_touching_paths_of_one_colour_are_joined():
    """Two halves of a box become one path; one of another colour and one far away do not."""
    image = painted(((10, 10, 50, 30), YELLOW))
    state, _ = begun(image)
    near = np.array(YELLOW) - 0.02
    paths = [
        Path((boxed(10, 10, 31, 30),), np.array(YELLOW)),
        Path((boxed(29, 10, 50, 30),), near),
        Path((boxed(12, 28, 20, 40),), np.array(RED)),
        Path((boxed(55, 40, 60, 45),), np.array(YELLOW)),
    ]
    state.items += [Item(path, 0, True) for path in paths]
    state.join()
    assert len(state.items) == 4
    joined = cover(state.items[1].path, 64, 48)
    assert (joined & cover_of(10, 10, 50, 30)).sum() > 0.97 * (joined | cover_of(10, 10, 50, 30)).sum()
    assert (state.items[1].path.fill < YELLOW).all()


def scene():
    """Sky, grass, a house with a door and two windows, a sun."""
    house = (((20, 24, 60, 58), RED), ((26, 30, 34, 38), YELLOW), ((46, 30, 54, 38), YELLOW), ((37, 44, 44, 58), BLUE))
    image = painted(((0, 50, 96, 72), (0.3, 0.6, 0.25)), *house, size=(72, 96), ground=(0.6, 0.8, 0.95))
    y, x = np.mgrid[:72, :96]
    image[(x - 78) ** 2 + (y - 16) ** 2 < 81] = (1, 0.8, 0.1)
    return image


@pytest.fixture(scope="module")
def drawing():
    return paper.draw(scene(), VectorizeParams(engine="paper", paths=16))


def test_the_whole_method_draws_the_picture(drawing):
    """Near to it, within the budget, levels ascending and named, each path in a group, facts about the run."""
    assert 6 <= len(drawing.paths) <= 16
    state = Refinement(scene(), None, 0.5, 8, 0)
    state.items = [Item(path, 0, False) for path in drawing.paths]
    assert state.error() < 1e-3
    levels = [path.level for path in drawing.paths]
    assert levels == sorted(levels)
    assert len(drawing.levels) == 5 > max(levels)
    assert all(path.group for path in drawing.paths)
    assert drawing.meta["engine"] == "paper"
    assert (drawing.meta["simplify"], drawing.meta["masks"]) == ("structural", "merging")


def test_the_same_seed_gives_the_same_drawing(drawing):
    """Bit by bit."""
    again = paper.draw(scene(), VectorizeParams(engine="paper", paths=16))
    for one, other in zip(drawing.paths, again.paths, strict=True):
        np.testing.assert_array_equal(one.fill, other.fill)
        for a, b in zip(one.contours, other.contours, strict=True):
            np.testing.assert_array_equal(a, b)


def test_quality_stops_it_early():
    """A drawing that is good enough gets no more paths."""
    few = paper.draw(scene(), VectorizeParams(engine="paper", paths=64, quality=12.0))
    assert len(few.paths) <= few.meta["structure_paths"]


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (5, 3)])
def test_tiny_pictures(size):
    """One colour: one path at most."""
    drawing = paper.draw(np.full((*size, 3), 0.25, np.float32), VectorizeParams(paths=4))
    assert len(drawing.paths) <= 1


def test_transparent_parts_stay_empty():
    """Nothing is drawn where the picture has nothing, and nothing at all where it is all transparent."""
    image = np.dstack([scene(), np.ones((72, 96), np.float32)])
    image[:, 64:, 3] = 0
    drawing = paper.draw(image, VectorizeParams(paths=12))
    inside = np.any([cover(path, 96, 72) for path in drawing.paths], axis=0)
    assert inside[:, 68:].sum() == 0
    assert inside[:, :60].all()
    image[..., 3] = 0
    assert paper.draw(image, VectorizeParams(paths=12)).paths == ()


def test_white_shapes_do_not_stray_over_what_is_transparent():
    """On white paper nobody would see a white shape beside the picture, but whoever puts it on another one would."""
    image = np.ones((48, 64, 3), np.float32)
    alpha = np.zeros((48, 64), np.float32)
    alpha[10:38, 10:40] = 1
    image[10:38, 10:30] = BLUE
    state = Refinement(image, alpha, 0.5, 4, 0)
    state.begin([Path((boxed(10, 10, 40, 38),), np.zeros(3))], [alpha > 0])
    stray = Path((boxed(28, 12, 56, 36),), np.ones(3))
    state.items.append(Item(stray, 0, True))
    before, error = cover(stray, 64, 48)[alpha == 0].sum(), state.error()
    state.descend(100)
    assert cover(state.items[1].path, 64, 48)[alpha == 0].sum() < 0.1 * before
    assert state.error() < 0.1 * error


def test_drawings_are_shown_and_it_can_be_cancelled():
    """Previews are drawings under way; a wish to stop is heard in every stage."""
    shown = []
    paper.draw(scene(), VectorizeParams(paths=10), Progress(listener=lambda preview: shown.append(preview())))
    assert shown
    assert all(len(preview.paths) <= 10 for preview in shown)
    stages = []

    def report(stage, fraction, text):
        stages.append(stage)

    def stop():
        return "refine" in stages

    with pytest.raises(Cancelled):
        paper.draw(scene(), VectorizeParams(paths=10), Progress(report, stop))
    assert list(dict.fromkeys(stages)) == ["simplify", "masks", "structure", "refine"]


def test_frozen_means_frozen():
    """A free path below a structure path, which moves, leaves that as it is."""
    image = painted(((8, 8, 56, 40), YELLOW), ((24, 18, 36, 28), RED))
    state, _ = begun(image, (24, 18, 36, 28))
    state.items.insert(1, Item(Path((boxed(10, 9, 52, 42),), np.array(RED)), 0, True))
    before = state.items[2].path
    state.descend(80)
    np.testing.assert_array_equal(state.items[2].path.contours[0], before.contours[0])
    assert state.error() < 1e-3
    assert dataclasses.asdict(state.items[1])["free"]
