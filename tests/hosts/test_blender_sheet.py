"""Sheets in Blender: the six views as a picture, painted, and voxels made from it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from blender_addon import sheet
from blender_addon.palettes import to_color
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tessera_backend.voxelize.export.sheet import to_sheet
from tessera_backend.voxelize.voxels import Voxels
from tessera_protocol.errors import InvalidInput

from .blender import Blender
from .blender_box import inside

# Paints pixels of a picture, counted from its upper left, in a colour from 0 to 1.
PAINT = """
from tessera import repaint, sheet

def paint(image, places, color):
    width, height = image.size
    values = list(image.pixels)
    for x, y in places:
        at = 4 * ((height - 1 - y) * width + x)
        values[at:at + 4] = color
    image.pixels.foreach_set(values)
    image.update()

def grid():
    return sheet.Grid.of_text(active().tessera.grid)

def changed(before, after):
    x, y, z = before.shape
    return [[n // (y * z), n // z % y, n % z] for n, (a, b) in enumerate(zip(before.labels, after.labels)) if a != b]

def said(operator, **options):
    try:
        return list(operator(**options))
    except RuntimeError as exc:
        return str(exc)
"""


def _grid(labels: np.ndarray, palette: np.ndarray) -> sheet.Grid:
    colors = tuple(to_color(tuple(color / 255)) for color in palette)
    return sheet.Grid(labels.shape, labels.tobytes(), colors, tuple(range(len(colors))))


@given(st.tuples(*[st.integers(1, 6)] * 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_the_sheet_is_the_backends(shape: tuple[int, int, int], zoom: int, seed: int) -> None:
    """Any voxels, at any zoom: pixel by pixel, as pixels and as a PNG."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, shape).astype(np.uint8)
    palette = random.integers(0, 256, (3, 3)).astype(np.uint8)
    grid = _grid(labels, palette)
    assert sheet.Grid.of_text(grid.to_text()) == grid

    data = sheet.pixels(grid, grid.palette, zoom)

    expected = np.asarray(Image.open(io.BytesIO(to_sheet(Voxels(labels, palette, np.zeros(3), np.ones(3)), zoom))))
    height, width, _ = expected.shape
    assert (width, height) == tuple(zoom * side for side in sheet.extent(shape))
    np.testing.assert_array_equal(np.frombuffer(data, np.uint8).reshape(expected.shape), expected)
    np.testing.assert_array_equal(Image.open(io.BytesIO(sheet.png(data, width, height))), expected)


def test_what_a_swatch_changed_is_no_wish() -> None:
    """The job gets its own colours where the sheet was left alone, and the painted ones elsewhere."""
    labels = np.array([[[1, 2]]], np.uint8)
    grid = _grid(labels, np.array([[255, 0, 0], [0, 0, 255]], np.uint8))
    swatches = ["#00ff00", "#0000ff"]
    width, height = sheet.extent(grid.shape)
    painted = bytearray(sheet.pixels(grid, grid.shown(swatches)))
    original = bytearray(sheet.pixels(grid, grid.palette))
    blue = bytes(painted).index(b"\0\0\xff\xff")
    for data in (painted, original):
        data[blue : blue + 4] = b"\x10\x20\x30\xff"
    assert sheet.wanted(bytes(painted), width, height, grid, swatches) == bytes(original)
    assert sheet.after(grid, swatches, ["#ff0000", "#0000ff", "#102030"]) == [*swatches, "#102030"]
    merged = grid.renumbered([1, 1])
    assert merged.shown(["#ffffff", "#000000"]) == ["#000000", "#000000"]


@pytest.mark.parametrize("text", ["", "{}", '{"shape": [1, 1, 1], "labels": "", "palette": [], "numbers": []}'])
def test_voxels_without_labels_say_what_to_do(text: str) -> None:
    """Of another version, or damaged."""
    with pytest.raises(InvalidInput, match="Voxify Again"):
        sheet.Grid.of_text(text)


def test_a_painted_sheet_changes_the_voxels_there_alone(blender: Blender) -> None:
    """In the same object, in one undo step; a swatch that was changed stays so; the palette gets the new colour."""
    answer = inside(
        blender,
        PAINT
        + """
box()
none = said(bpy.ops.tessera.sheet_voxify, wait=True)
voxify()
made = active()
early = said(bpy.ops.tessera.sheet_voxify, wait=True)
red = next(s for s in made.tessera.swatches if s.name_of_color == "#e70000")
red.color = (0, 1, 0)
wrote = said(bpy.ops.tessera.sheet_write)
image = made.tessera.sheet
first = [list(image.size), image.packed_file is not None]
# The front begins below the top, which is 8 voxels deep: these are x 3 and 4, and z 6 and 5.
paint(image, [(2 + x, 12 + y) for x in (3, 4) for y in (1, 2)], (1, 1, 0, 1))
bpy.ops.ed.undo_push(message="painted")
before, there = grid(), inventory()
done = said(bpy.ops.tessera.sheet_voxify, wait=True)
after, name = grid(), active().name
swatches = [s.name_of_color for s in active().tessera.swatches]
seen = colors(active().data)
same = [there == inventory(), json.loads(active().tessera.meta)["sheet"]["edited"]]
bpy.ops.ed.undo()
answer([none, early, wrote, first, done, changed(before, after), same, name, swatches, seen, changed(before, grid())])
""",
    )
    none, early, wrote, first, done, changed, same, name, swatches, seen, undone = answer
    assert "No voxels are selected" in none
    assert "Write Sheet" in early
    assert wrote == done == ["FINISHED"]
    assert first == [[2 * (16 + 8) + 10, 2 * 8 + 8 + 8], True]
    assert sorted(changed) == [[x, 0, z] for x in (3, 4) for z in (5, 6)]
    assert same == [True, 4]
    assert name == "Box voxels"
    assert sorted(swatches) == ["#0000e7", "#00ff00", "#ffff00"]
    assert seen == [[0, 0, 0.8], [0, 1, 0], [1, 1, 0]]
    assert undone == []


def test_a_sheet_from_a_file(blender: Blender) -> None:
    """Painted elsewhere and read from disk, with several pixels a voxel; one of another size is told."""
    answer = inside(
        blender,
        PAINT
        + """
box()
voxify()
settings.sheet_zoom = 3
bpy.ops.tessera.sheet_write()
image = active().tessera.sheet
paint(image, [(3 * 5 + x, 3 * 14 + y) for x in range(3) for y in range(3)], (1, 1, 0, 1))
image.filepath_raw, image.file_format = given["folder"] + "/sheet.png", "PNG"
image.save()
active().tessera.sheet = bpy.data.images.load(image.filepath_raw)
before = grid()
done = said(bpy.ops.tessera.sheet_voxify, wait=True)
where = changed(before, grid())
active().tessera.sheet = bpy.data.images.new("other", 20, 20, alpha=True)
active().tessera.sheet.pixels.foreach_set([0.0] * 1600)
answer([done, where, said(bpy.ops.tessera.sheet_voxify, wait=True)])
""",
        folder=str(blender.folder),
    )
    done, where, said = answer
    assert done == ["FINISHED"]
    assert where == [[3, 0, 5]]
    assert "20 x 20 pixels" in said
