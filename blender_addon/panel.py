"""The panel in the 3D view's sidebar."""

import textwrap
from typing import Any

import bpy

from tessera_protocol import hosts, schema
from tessera_protocol.jobs import VOXELIZE, VoxelizeParams

from . import preview, properties, runs, voxify

# Those that most artists never touch are in a panel of their own.
METHOD = "Method"
# Characters of a line where the sidebar has its usual width.
COLUMNS = 38
SWATCHES_A_ROW = 8


class TesseraPanel:
    """Where all panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Tessera"


class TESSERA_PT_main(TesseraPanel, bpy.types.Panel):
    """What to make, and how it goes."""

    bl_label = "Voxel Art"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.tessera
        layout.label(text=_source_line(context), icon="OBJECT_DATA")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name, spec in properties.controls(VoxelizeParams).items():
            if spec.page != METHOD or name == "engine":
                column.prop(settings, name)
        for name in schema.specs(hosts.VoxelizeInBlender):
            column.prop(settings, name)
        _button(layout, context)
        _outcome(layout, context)


class TESSERA_PT_palette(TesseraPanel, bpy.types.Panel):
    """The colours of the active result, or those of the next run."""

    bl_label = "Palette"
    bl_parent_id = "TESSERA_PT_main"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.tessera
        swatches = properties.shown_palette(context)
        layout.row().prop(settings, "palette_from", expand=True)
        grid = layout.grid_flow(row_major=True, columns=SWATCHES_A_ROW, even_columns=True, align=True)
        for index, swatch in enumerate(swatches):
            cell = grid.column(align=True)
            cell.prop(swatch, "color", text="")
            row = cell.row(align=True)
            row.prop(swatch, "locked", text="", icon="LOCKED" if swatch.locked else "UNLOCKED", emboss=False)
            row.operator("tessera.swatch_remove", text="", icon="X", emboss=False).index = index
        row = layout.row(align=True)
        row.operator("tessera.swatch_add", text="", icon="ADD")
        row.prop(settings, "pasted", text="")
        row.operator("tessera.palette_paste", text="", icon="PASTEDOWN").text = settings.pasted
        row.operator("tessera.palette_import", text="", icon="FILEBROWSER")
        row.operator("tessera.palette_export", text="", icon="EXPORT")


class TESSERA_PT_method(TesseraPanel, bpy.types.Panel):
    """How it is done."""

    bl_label = "Method"
    bl_parent_id = "TESSERA_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - as Blender wants it

    def draw(self, context: Any) -> None:
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name, spec in properties.controls(VoxelizeParams).items():
            if spec.page == METHOD and name != "engine":
                column.prop(context.scene.tessera, name)


class TESSERA_PT_animation(TesseraPanel, bpy.types.Panel):
    """Frames."""

    bl_label = "Animation"
    bl_parent_id = "TESSERA_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, context.scene.tessera
        row = layout.row(align=True)
        for name in ("frame_first", "frame_last", "frame_step"):
            row.prop(settings, name)
        row = layout.row()
        row.enabled = not runs.running()
        row.operator("tessera.voxify_frames", icon="RENDER_ANIMATION")


CLASSES = (TESSERA_PT_main, TESSERA_PT_palette, TESSERA_PT_method, TESSERA_PT_animation)


def _source_line(context: Any) -> str:
    result = properties.result_of(context.active_object)
    if result is not None:
        return f"Again: {result.name}"
    names = [object.name for object in context.selected_objects]
    if not names:
        return "Select what becomes voxels"
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _button(layout: Any, context: Any) -> None:
    """Voxify; while something runs its progress, and how to end it."""
    if not runs.running():
        row = layout.row()
        row.scale_y = 1.5
        again = properties.result_of(context.active_object) is not None
        row.operator("tessera.voxify", text="Voxify Again" if again else "Voxify", icon="MESH_CUBE")
        return
    words, fraction = runs.progress()
    box = layout.box()
    icon = preview.icon()
    if icon:
        box.template_icon(icon_value=icon, scale=8.0)
    if hasattr(box, "progress"):
        # Blender 4.0.
        box.progress(factor=fraction, text=f"{round(100 * fraction)} %")
    _lines(box, words, "SORTTIME")
    if not hasattr(box, "progress"):
        filled = round(24 * fraction)
        box.label(text=f"{'█' * filled}{'░' * (24 - filled)} {round(100 * fraction)} %")
    row = box.row(align=True)
    if VOXELIZE.stoppable and runs.state.sequence is None and icon:
        row.operator("tessera.keep", icon="CHECKMARK")
    row.operator("tessera.cancel", icon="CANCEL")


def _outcome(layout: Any, context: Any) -> None:
    """What came of the last run."""
    state = runs.state
    if state.failure is not None:
        box = layout.box()
        box.alert = state.failure.code != "cancelled"
        _lines(box, state.failure.problem, "INFO" if state.failure.code == "cancelled" else "ERROR")
        if state.failure.remedy:
            _lines(box, state.failure.remedy, "BLANK1")
    result = properties.result_of(context.active_object)
    if result is not None:
        row = layout.row(align=True)
        row.label(text=voxify.summary_of(result), icon="CHECKMARK")
        row.operator("tessera.use_settings", text="", icon="LOOP_BACK")
        for note in filter(None, result.tessera.notes.split("\n")):
            _lines(layout, note, "INFO")


def _lines(layout: Any, text: str, icon: str) -> None:
    """Text that is as long as it is: labels are cut off."""
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, COLUMNS) or [""]):
        column.label(text=line, icon="BLANK1" if number else icon)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
