"""Labels that tell what they mean: colours, places, levels; unique; groups that stay together."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vectorize import Drawing, Gradient, Path
from tessera_backend.vectorize.names import color_name, level_names, named, place_name
from tessera_backend.vectorize.svg import to_svg
from tests.backend.test_vectorize_parse import rendered
from tests.backend.test_vectorize_svg import blobs, box


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ("000000", "black"),
        ("ffffff", "white"),
        ("152468", "dark blue"),
        ("faf0b0", "pale yellow"),
        ("8c8277", "warm grey"),
        ("7b4b28", "brown"),
        ("00ff00", "bright green"),
        ("dc143c", "red"),
        ("ffc0cb", "pale pink"),
    ],
)
def test_colors(rgb, name):
    """What people would say."""
    assert color_name(np.array([int(rgb[i : i + 2], 16) for i in (0, 2, 4)]) / 255) == name


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ((0, 0, 1, 1), "whole picture"),
        ((0, 0, 1, 0.2), "along the top"),
        ((0.05, 0.7, 1, 1), "along the bottom"),
        ((0.4, 0, 0.6, 1), "down the middle"),
        ((0.9, 0.1, 1, 0.95), "along the right"),
        ((0.4, 0.4, 0.6, 0.6), "centre"),
        ((0, 0.8, 0.2, 1), "lower left"),
        ((1, 1, 1, 1), "lower right"),
    ],
)
def test_places(box, name):
    """A third of the picture each, and bands that span it."""
    assert place_name(box) == name


def test_levels():
    """One to eight words, all different, the coarsest first."""
    for count in range(1, 9):
        assert len(set(level_names(count))) == len(level_names(count)) == count
        assert count == 1 or level_names(count)[0] == "backdrop"
    assert level_names(5) == ("backdrop", "large shapes", "parts", "details", "fine details")


def scene():
    """A white ground, a red square at the left with two dots on it, a blue one at the right with a dot between them."""
    white, red, blue, black = np.ones(3), np.array([0.85, 0.1, 0.1]), np.array([0.1, 0.3, 0.8]), np.zeros(3)
    paths = (
        Path((box(-4, -4, 104, 104),), white),
        Path((box(5, 30, 40, 70),), red, 1.0, 1),
        Path((box(60, 30, 95, 70),), blue, 1.0, 1),
        Path((box(10, 40, 14, 44),), black, 1.0, 2),
        Path((box(70, 40, 74, 44),), black, 1.0, 2),
        Path((box(20, 40, 24, 44),), black, 1.0, 2),
    )
    return Drawing(100, 100, paths, level_names(3))


def test_labels_and_groups():
    """Colour and place, numbered where two would be called alike; details lie in the group of what they lie on, but
    none alone, and nothing on the backdrop."""
    drawing = named(scene())
    assert [(path.label, path.group) for path in drawing.paths] == [
        ("backdrop", ()),
        ("red, left", ()),
        ("blue, right", ()),
        ("black, left", ("on red, left",)),
        ("black, left 2", ("on red, left",)),
        ("black, right", ()),
    ]


def test_groups_are_no_deeper_than_needed():
    """Of a group that holds all of a layer, or nothing but another one, the name says nothing."""
    before = scene()
    dots = [Path((box(x, 41, x + 1, 42),), np.ones(3), 1.0, 3) for x in (11, 12.5, 21, 22.5)]
    only = named(dataclasses.replace(before, paths=(*before.paths, *dots[:2]), levels=level_names(4)))
    assert [path.group for path in only.paths[-2:]] == [(), ()]
    ground = dataclasses.replace(before.paths[3], contours=(box(62, 60, 92, 68),))
    lone = Path((box(70, 62, 71, 63),), np.ones(3), 1.0, 3)
    paths = (*before.paths[:3], ground, *before.paths[4:], lone, *dots[2:])
    both = named(dataclasses.replace(before, paths=paths, levels=level_names(4)))
    assert {path.group for path in both.paths[-3:]} == {(), ("on black, left",)}


def test_a_group_that_others_part_is_two():
    """What lies between two paths of one group keeps its place, and the names differ."""
    before = scene()
    blue = dataclasses.replace(before.paths[2], contours=(box(38, 30, 95, 70),))
    details = [
        Path((box(*at),), np.zeros(3), 1.0, 2)
        for at in (
            (10, 40, 34, 44),
            (20, 46, 26, 52),
            (30, 41, 70, 48),
            (44, 50, 60, 60),
            (20, 43, 35, 45),
            (11, 50, 15, 54),
        )
    ]
    details[4] = dataclasses.replace(details[4], contours=(box(20, 43, 36, 46),))
    drawing = named(dataclasses.replace(before, paths=(*before.paths[:2], blue, *details)))
    names = [path.group for path in drawing.paths if path.level == 2]
    runs = [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
    assert len(set(runs)) == len(runs)


def test_what_is_named_stays():
    """Given labels and groups are kept; a class comes first; keys become names."""
    before = scene()
    paths = list(before.paths)
    paths[1] = dataclasses.replace(paths[1], label="my square", group=("cat",))
    paths[3] = dataclasses.replace(paths[3], group=("12", "7"))
    paths[4] = dataclasses.replace(paths[4], group=("12",))
    drawing = named(dataclasses.replace(before, paths=tuple(paths)), ["", "", "door", "", "", "eye"])
    by_label = {path.label: path.group for path in drawing.paths}
    assert by_label["my square"] == ("cat",)
    assert "door, blue, right" in by_label
    assert by_label["black, left"] == ("black parts, centre", "black parts, left")
    assert by_label["black, right"] == ("black parts, centre",)
    assert by_label["eye, black, left"] == ("cat",)


def test_gradients_and_translucency():
    """Both ends of a gradient are told, and that one sees through."""
    stops = Gradient("linear", (0, 0, 9, 0), np.array([0.0, 1.0]), np.array([[0, 0, 0, 1.0], [1, 1, 1, 1]]))
    glow = dataclasses.replace(stops, colors=np.array([[1, 1, 1, 0.9], [1, 1, 1, 0]]))
    paths = (
        Path((box(0, 0, 9, 8),), stops),
        Path((box(3, 3, 6, 6),), np.zeros(3), 0.5),
        Path((box(0, 0, 2, 2),), glow),
    )
    drawing = named(Drawing(9, 9, paths, ("all",)))
    assert [path.label for path in drawing.paths] == [
        "black to white, whole picture",
        "translucent black, centre",
        "translucent white, upper left",
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_names_change_no_pixel(seed):
    """Labels are unique, a group made here comes once a layer and has two paths or more, and it renders the same."""
    before = blobs(seed, count=14)
    bare = dataclasses.replace(
        before,
        paths=tuple(dataclasses.replace(path, label="", group=(), level=i // 5) for i, path in enumerate(before.paths)),
        levels=level_names(3),
    )
    after = named(bare)
    labels = [path.label for path in after.paths]
    assert len(set(labels)) == len(labels)
    assert all(labels)
    for level in range(3):
        groups = [path.group for path in after.paths if path.level == level]
        for name in {name for group in groups for name in group}:
            at = [i for i, group in enumerate(groups) if name in group]
            assert len(at) > 1
            assert at == list(range(at[0], at[-1] + 1))
    assert rendered(to_svg(after)) == rendered(to_svg(bare))
