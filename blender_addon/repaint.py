"""A result's sheet as a picture of Blender, and the voxels that an artist painted on it."""

import dataclasses
import json
from array import array
from typing import Any

import bpy

from tessera_protocol import schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import VoxelizeParams
from tessera_protocol.messages import Buffer, Result

from . import place, properties, recolor, runs, sheet, textures, voxify
from .follow import Request

# Marks pictures that `write` made, which it may write anew.
MARK = "tessera_sheet"


def write(context: Any) -> Any:
    """The sheet of the active result, as a picture that is kept in the document; shown where a picture is shown.

    Raises:
        InvalidInput: no voxels are selected, or they don't say what they are made of.
    """
    made = _made(context)
    grid = sheet.Grid.of_text(made.tessera.grid)
    zoom = context.scene.tessera.sheet_zoom
    width, height = (zoom * side for side in sheet.extent(grid.shape))
    image = made.tessera.sheet
    if image is None or not image.get(MARK):
        image = bpy.data.images.new(f"{made.name} sheet", width, height, alpha=True)
        image[MARK] = True
    if tuple(image.size) != (width, height):
        image.scale(width, height)
    shares = array("f", [value / 255 for value in range(256)])
    data = textures.upturned(sheet.pixels(grid, grid.shown(_swatches(made)), zoom), width)
    image.pixels.foreach_set(array("f", [shares[value] for value in data]))
    image.update()
    # Else it would not be saved with the document.
    image.pack()
    made.tessera.sheet = image
    for area in context.screen.areas if context.screen is not None else ():
        if area.type == "IMAGE_EDITOR":
            area.spaces.active.image = image
    return image


def begin(context: Any) -> None:
    """Have the active result made as its sheet is painted, with the parameters that made it.

    Raises:
        TesseraError: there is no sheet, or what the voxels were made of is gone.
    """
    runs.state.begin()
    made = _made(context)
    grid, swatches = sheet.Grid.of_text(made.tessera.grid), _swatches(made)
    data, width, height = _pixels(made.tessera.sheet)
    picture = sheet.png(sheet.wanted(data, width, height, grid, swatches), width, height)
    given = json.loads(made.tessera.meta)["parameters"]
    params = schema.check(VoxelizeParams, {**given, "engine": "voxify"})
    sources = voxify.chosen(context)
    scene = voxify.gathered(context, sources)
    kind = "cubes" if place.CUBES in made.modifiers else "mesh"
    target = dataclasses.replace(voxify.Target.of(context, sources), kind=kind, hide_source=False)
    buffers = {**scene.buffers(), "sheet": Buffer.file(picture, "image/png")}

    def finish(result: Result) -> None:
        done = voxify.finish(target, result, scene.notes)
        properties.fill(done.tessera.swatches, sheet.after(grid, swatches, voxify.colors_of(result)), target.locked)
        recolor.recolor(done)

    def done(result: Result) -> None:
        runs.place(lambda: finish(result), result)

    about = voxify.about(target, scene.notes)
    runs.follower.add(Request(made.name, "voxelize", params, buffers, done, runs.state.fail, about))


def _made(context: Any) -> Any:
    made = properties.active_result(context)
    if made is None or made.type != "MESH":
        raise error(
            "unusable-input",
            "No voxels are selected that a sheet could be of.",
            remedy="Select voxels that Voxify made; not those of an animation.",
        )
    return made


def _swatches(made: Any) -> list[str]:
    return [swatch.name_of_color for swatch in made.tessera.swatches]


def _pixels(image: Any) -> tuple[bytes, int, int]:
    """RGBA of a picture, upper row first, as it is painted, or on disk; width and height.

    Raises:
        InvalidInput: "unusable-input" where it is none that can be a sheet.
    """
    if image is None:
        raise error("unusable-input", "There is no sheet yet.", remedy="Press Write Sheet, and paint in the picture.")
    if image.source == "FILE" and not image.is_dirty and image.packed_file is None:
        image.reload()
    width, height = image.size
    if not (width and height) or image.is_float or image.channels != 4:
        raise error(
            "unusable-input",
            f"{image.name} can't be a sheet: its file is missing, or is not of 8 bits a channel with transparency.",
            remedy="Save it as a PNG of RGBA, 8 bits, or press Write Sheet.",
        )
    data = textures.rgba(image)
    if data[3] >= 128:
        raise error(
            "unusable-input",
            f"{image.name} has no clear ground, so nothing tells the voxels from what is behind them.",
            remedy="Save it with its alpha channel, or press Write Sheet.",
        )
    return data, width, height
