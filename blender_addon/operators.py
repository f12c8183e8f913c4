"""What the panel's buttons do."""

import json
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from tessera_protocol.errors import TesseraError
from tessera_protocol.jobs import VoxelizeParams

from . import kept, palettes, properties, repaint, runs, textures, voxify
from .frames import Animation


class Guarded(bpy.types.Operator):
    """An operator whose errors are told, in the panel and as a report; subclasses write `work`."""

    bl_options = {"REGISTER"}  # noqa: RUF012 - as Blender wants it

    def execute(self, context: Any) -> set[str]:
        """Do the work; "CANCELLED" where it can't be done."""
        runs.state.failure = None
        try:
            self.work(context)
        except TesseraError as exc:
            runs.state.fail(exc.failure)
        failure = runs.state.failure
        if failure is not None:
            self.report({"ERROR"}, str(failure))
            return {"CANCELLED"}
        return {"FINISHED"}

    def work(self, context: Any) -> None:
        """Raises TesseraError with what the artist reads."""
        raise NotImplementedError


class TESSERA_OT_voxify(Guarded):
    """Make voxels of the selected objects; of a selected result, make it anew"""

    bl_idname = "tessera.voxify"
    bl_label = "Voxify"

    wait: BoolProperty(name="Wait", description="End when the voxels are there, for scripts", options={"SKIP_SAVE"})

    def work(self, context: Any) -> None:
        voxify.begin(context)
        _go(self.wait)


class TESSERA_OT_voxify_frames(Guarded):
    """Make a sequence of meshes of the selected objects, one a frame"""

    bl_idname = "tessera.voxify_frames"
    bl_label = "Voxify Frames"

    wait: BoolProperty(name="Wait", description="End when the voxels are there, for scripts", options={"SKIP_SAVE"})

    def work(self, context: Any) -> None:
        runs.state.begin()
        runs.state.sequence = Animation(context)
        _go(self.wait)


class TESSERA_OT_sheet_write(Guarded):
    """Make a picture of the six views of the selected voxels, to be painted in the Image Editor"""

    bl_idname = "tessera.sheet_write"
    bl_label = "Write Sheet"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    def work(self, context: Any) -> None:
        repaint.write(context)


class TESSERA_OT_sheet_voxify(Guarded):
    """Change the selected voxels as their sheet was painted; what was left alone stays as it is"""

    bl_idname = "tessera.sheet_voxify"
    bl_label = "Voxify from Sheet"

    wait: BoolProperty(name="Wait", description="End when the voxels are there, for scripts", options={"SKIP_SAVE"})

    def work(self, context: Any) -> None:
        repaint.begin(context)
        _go(self.wait)


class TESSERA_OT_show_palette(bpy.types.Operator):
    """Show the palette's colours in this view's Solid shading"""

    bl_idname = "tessera.show_palette"
    bl_label = "Show Palette Colours"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Where there is a 3D view."""
        return context.space_data is not None and context.space_data.type == "VIEW_3D"

    def execute(self, context: Any) -> set[str]:
        context.space_data.shading.color_type = "VERTEX"
        return {"FINISHED"}


class TESSERA_OT_fetch(Guarded):
    """Get voxels that were still on their way when Blender was closed, or crashed"""

    bl_idname = "tessera.fetch"
    bl_label = "Fetch Results"

    wait: BoolProperty(name="Wait", description="End when the voxels are there, for scripts", options={"SKIP_SAVE"})

    def work(self, context: Any) -> None:
        runs.state.begin()
        for left in kept.left(runs.follower.job_ids):
            voxify.fetch(left)
        runs.state.left = []
        _go(self.wait)


class TESSERA_OT_cancel(bpy.types.Operator):
    """Stop what runs; the document stays as it is"""

    bl_idname = "tessera.cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        runs.cancel()
        return {"FINISHED"}


class TESSERA_OT_keep(bpy.types.Operator):
    """End now, with the voxels as they are"""

    bl_idname = "tessera.keep"
    bl_label = "Keep This"

    def execute(self, context: Any) -> set[str]:
        runs.follower.keep()
        return {"FINISHED"}


class PaletteOperator(Guarded):
    """One that changes the palette, in one undo step."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012


class TESSERA_OT_palette_paste(PaletteOperator):
    """Take the colours of the field beside this, or, where it is empty, of the clipboard"""

    bl_idname = "tessera.palette_paste"
    bl_label = "Paste Palette"

    text: StringProperty(name="Colours", options={"SKIP_SAVE"})

    def work(self, context: Any) -> None:
        colors = palettes.parse(self.text or context.window_manager.clipboard)
        voxify.take_palette(context, colors)
        context.scene.tessera.palette_from = "these"


class TESSERA_OT_palette_import(PaletteOperator):
    """Read a palette file: .hex, .gpl, .pal, .txt, .ase, or .png with a pixel a colour"""

    bl_idname = "tessera.palette_import"
    bl_label = "Import Palette"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(
        default=";".join(f"*{suffix}" for suffix in (*palettes.SUFFIXES, palettes.PICTURE)), options={"HIDDEN"}
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def work(self, context: Any) -> None:
        path = Path(bpy.path.abspath(self.filepath))
        picture = path.suffix.lower() == palettes.PICTURE
        voxify.take_palette(context, textures.palette(path) if picture else palettes.read(path))
        context.scene.tessera.palette_from = "these"


class TESSERA_OT_palette_export(Guarded):
    """Write the palette as a .hex file, which Aseprite, Lospec and others read"""

    bl_idname = "tessera.palette_export"
    bl_label = "Export Palette"

    filepath: StringProperty(subtype="FILE_PATH", default="palette.hex", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.hex", options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def work(self, context: Any) -> None:
        colors = [swatch.name_of_color for swatch in properties.shown_palette(context)]
        palettes.write(Path(bpy.path.abspath(self.filepath)), colors)


class TESSERA_OT_swatch_add(PaletteOperator):
    """Add a colour"""

    bl_idname = "tessera.swatch_add"
    bl_label = "Add Colour"

    def work(self, context: Any) -> None:
        colors = [swatch.name_of_color for swatch in properties.shown_palette(context)]
        voxify.take_palette(context, [*colors, "#808080"])


class TESSERA_OT_swatch_remove(PaletteOperator):
    """Take this colour away; voxels that have it get the nearest one"""

    bl_idname = "tessera.swatch_remove"
    bl_label = "Remove Colour"

    index: IntProperty(options={"SKIP_SAVE"})

    def work(self, context: Any) -> None:
        colors = [swatch.name_of_color for swatch in properties.shown_palette(context)]
        if len(colors) > 1:
            del colors[self.index]
            voxify.take_palette(context, colors)


class TESSERA_OT_use_settings(PaletteOperator):
    """Set everything above as it was when the active result was made"""

    bl_idname = "tessera.use_settings"
    bl_label = "Use Its Settings"

    def work(self, context: Any) -> None:
        result = properties.active_result(context)
        if result is not None:
            made = json.loads(result.tessera.meta or "{}").get("parameters", {})
            for name, spec in properties.controls(VoxelizeParams).items():
                setattr(context.scene.tessera, name, made.get(name, spec.default))


CLASSES = (
    TESSERA_OT_voxify,
    TESSERA_OT_voxify_frames,
    TESSERA_OT_sheet_write,
    TESSERA_OT_sheet_voxify,
    TESSERA_OT_show_palette,
    TESSERA_OT_fetch,
    TESSERA_OT_cancel,
    TESSERA_OT_keep,
    TESSERA_OT_palette_paste,
    TESSERA_OT_palette_import,
    TESSERA_OT_palette_export,
    TESSERA_OT_swatch_add,
    TESSERA_OT_swatch_remove,
    TESSERA_OT_use_settings,
)


def _go(wait: bool) -> None:
    if wait:
        runs.finish()
    else:
        runs.watch()


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
