"""What Blender keeps: the artist's settings with the scene, and with each result how it was made, and its palette."""

from collections.abc import Iterable, Sequence
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from tessera_protocol import hosts, schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import VoxelizeParams

from . import palettes, recolor, runs

# These are made from swatches.
PALETTE_FIELDS = ("palette", "locked")


def from_spec(spec: schema.Spec) -> Any:
    """A property of Blender for a parameter."""
    common = {"name": spec.label, "description": spec.help.rstrip(".")}
    if spec.kind == "integer":
        return IntProperty(default=spec.default, min=int(spec.low or 0), max=int(spec.high or 0), **common)
    if spec.kind == "number":
        low, high = float(spec.low or 0), float(spec.high or 0)
        subtype = "FACTOR" if (low, high) == (0.0, 1.0) else "NONE"
        return FloatProperty(default=spec.default, min=low, max=high, subtype=subtype, **common)
    if spec.kind == "boolean":
        return BoolProperty(default=spec.default, **common)
    if spec.kind == "choice":
        # The sidebar is narrow: what is in brackets is for the tooltip.
        items = [(value, label.partition(" (")[0], label) for value, label in spec.choices.items()]
        return EnumProperty(default=spec.default, items=items, **common)
    return StringProperty(default=spec.default, maxlen=int(spec.high or 0), **common)


def controls(params: Any) -> dict[str, schema.Spec]:
    """name -> Spec of the parameters that have a control."""
    return {
        name: spec for name, spec in schema.specs(params).items() if not spec.from_host and name not in PALETTE_FIELDS
    }


def _recolor(swatch: Any, context: Any) -> None:
    """A swatch of a result was changed: it shows at once."""
    if isinstance(swatch.id_data, bpy.types.Object):
        recolor.recolor(swatch.id_data)


class TesseraSwatch(bpy.types.PropertyGroup):
    """A colour of a palette."""

    color: FloatVectorProperty(
        name="Colour",
        description="Changes this colour of the voxels",
        subtype="COLOR_GAMMA",
        min=0,
        max=1,
        update=_recolor,
    )
    locked: BoolProperty(name="Keep", description="The next palette must have this colour")

    @property
    def name_of_color(self) -> str:
        """#rrggbb."""
        return palettes.to_color(tuple(self.color))


class TesseraSource(bpy.types.PropertyGroup):
    """An object that became voxels."""

    object: PointerProperty(type=bpy.types.Object)


class TesseraMade(bpy.types.PropertyGroup):
    """With each result: how it was made. Objects that are none have no sources.

    `meta` is JSON: the run's metadata, with its parameters; `grid` its voxels, as `sheet.Grid` writes them.
    """

    sources: CollectionProperty(type=TesseraSource)
    swatches: CollectionProperty(type=TesseraSwatch)
    meta: StringProperty()
    notes: StringProperty()
    seconds: FloatProperty()
    grid: StringProperty()
    sheet: PointerProperty(
        name="Sheet", type=bpy.types.Image, description="The six views of the voxels, a pixel a voxel, to be painted"
    )


class TesseraSettings(bpy.types.PropertyGroup):
    """With each scene: the parameters of the next run; those of the job are made from its schema below."""

    # Read-only: Blender 3.4 has no other bar that shows how far something is.
    progress: FloatProperty(
        name="Progress", subtype="PERCENTAGE", precision=0, min=0, max=100, get=lambda _: 100 * runs.progress()[1]
    )
    swatches: CollectionProperty(type=TesseraSwatch)
    palette_from: EnumProperty(
        name="Palette",
        items=[
            ("choose", "Choose", "The mesh chooses its colours; those with a lock are among them"),
            ("these", "Use these", "These colours and no others"),
        ],
    )
    pasted: StringProperty(name="Colours", description="Colours such as #1b3a8f e3342f, as Lospec and others show them")
    sheet_zoom: IntProperty(name="Pixels a voxel", description="Of the next sheet", default=1, min=1, max=16)
    frame_first: IntProperty(name="First", description="Frame that the sequence begins with", default=1, min=0)
    frame_last: IntProperty(name="Last", description="Frame that the sequence ends with", default=24, min=0)
    frame_step: IntProperty(name="Step", description="Frames from one mesh to the next", default=1, min=1, max=100)


# Blender reads these when the class is registered.
TesseraSettings.__annotations__ |= {
    name: from_spec(spec)
    for params in (VoxelizeParams, hosts.VoxelizeInBlender)
    for name, spec in controls(params).items()
}

CLASSES = (TesseraSwatch, TesseraSource, TesseraMade, TesseraSettings)


def params_of(settings: Any, swatches: Any) -> VoxelizeParams:
    """The job's parameters, checked.

    Args:
        settings: of the scene.
        swatches: the palette that the artist sees.
    Raises:
        InvalidInput: a palette that can't be.
    """
    given = {name: getattr(settings, name) for name in controls(VoxelizeParams)}
    given |= {name: round(value, 6) for name, value in given.items() if isinstance(value, float)}
    if settings.palette_from == "these":
        if not len(swatches):
            raise error(
                "out-of-range",
                "There are no colours to use.",
                field="palette",
                allowed="2 to 255 colours",
                remedy="Add some, or set Palette to Choose.",
            )
        given["palette"] = " ".join(dict.fromkeys(swatch.name_of_color for swatch in swatches))
    else:
        given["locked"] = " ".join(dict.fromkeys(swatch.name_of_color for swatch in swatches if swatch.locked))
    return schema.check(VoxelizeParams, given)


def fill(swatches: Any, colors: Sequence[str], locked: Iterable[str] = ()) -> None:
    """Make these the palette; those that were locked stay so, and `locked` ones are."""
    locked = {swatch.name_of_color for swatch in swatches if swatch.locked}.union(locked)
    with recolor.paused():
        swatches.clear()
        for color in colors:
            swatch = swatches.add()
            swatch.locked = color in locked
            swatch.color = palettes.to_share(color)


def result_of(object: Any) -> Any:
    """The result that an object is, or is a frame of; None for others."""
    for candidate in (object, object.parent) if object is not None else ():
        if candidate is not None and len(candidate.tessera.sources):
            return candidate
    return None


def active_result(context: Any) -> Any:
    """The result that the artist is at: the active object, if it is selected, too, which box selection leaves open."""
    active = context.active_object
    return result_of(active) if active is not None and active.select_get() else None


def shown_palette(context: Any) -> Any:
    """The swatches that the panel shows: the active result's, else the scene's."""
    result = active_result(context)
    return result.tessera.swatches if result is not None else context.scene.tessera.swatches


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.tessera = PointerProperty(type=TesseraSettings)
    bpy.types.Object.tessera = PointerProperty(type=TesseraMade)


def unregister() -> None:
    del bpy.types.Object.tessera
    del bpy.types.Scene.tessera
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
