"""The panel in the 3D view's sidebar."""

import textwrap
from typing import Any

import bpy

from tessera_protocol import hosts, schema
from tessera_protocol.jobs import VOXELIZE, VoxelizeParams

from . import preview, properties, runs, voxify

# What most artists set; the other parameters are in a panel of their own.
MAIN = ("side", "colors", "crispness", "thin", "symmetry", "outline", "engine")
# Pixels of a character, about, and of what stands beside text, in Blender's own size.
LETTER, BESIDE = 7.0, 70.0
SWATCHES_A_ROW = 4


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
        row = layout.row(align=True)
        row.label(text=_source_line(context), icon="OBJECT_DATA")
        if properties.active_result(context) is not None:
            row.operator("tessera.use_settings", text="", icon="LOOP_BACK")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in MAIN:
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
        grid = layout.grid_flow(row_major=True, columns=SWATCHES_A_ROW, even_columns=True)
        for index, swatch in enumerate(swatches):
            cell = grid.row(align=True)
            cell.prop(swatch, "color", text="")
            if settings.palette_from == "choose":
                cell.prop(swatch, "locked", text="", icon="LOCKED" if swatch.locked else "UNLOCKED")
            else:
                cell.operator("tessera.swatch_remove", text="", icon="X").index = index
        shading = context.space_data.shading
        if properties.active_result(context) is not None and (shading.type, shading.color_type) == (
            "SOLID",
            "MATERIAL",
        ):
            layout.operator("tessera.show_palette", icon="HIDE_OFF")
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
        for name in properties.controls(VoxelizeParams):
            if name not in MAIN:
                column.prop(context.scene.tessera, name)


class TESSERA_PT_sheet(TesseraPanel, bpy.types.Panel):
    """The six views, painted."""

    bl_label = "Sheet"
    bl_parent_id = "TESSERA_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: Any) -> None:
        layout = self.layout
        made = properties.active_result(context)
        if made is None or made.type != "MESH":
            _lines(layout, context, "Select voxels to paint them on a sheet of their six views", "INFO")
            return
        column = layout.column(align=True)
        column.prop(context.scene.tessera, "sheet_zoom")
        column.operator("tessera.sheet_write", icon="IMAGE_DATA")
        layout.template_ID(made.tessera, "sheet", open="image.open")
        row = layout.row()
        row.enabled = made.tessera.sheet is not None and not runs.running()
        row.operator("tessera.sheet_voxify", icon="MESH_CUBE")


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


CLASSES = (TESSERA_PT_main, TESSERA_PT_palette, TESSERA_PT_sheet, TESSERA_PT_method, TESSERA_PT_animation)


def _source_line(context: Any) -> str:
    result = properties.active_result(context)
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
        again = properties.active_result(context) is not None
        row.operator("tessera.voxify", text="Voxify Again" if again else "Voxify", icon="MESH_CUBE")
        if runs.state.left:
            count = len(runs.state.left)
            text = "Fetch a Result" if count == 1 else f"Fetch {count} Results"
            layout.operator("tessera.fetch", text=text, icon="IMPORT")
        return
    words, _ = runs.progress()
    box = layout.box()
    icon = preview.icon()
    if icon:
        box.template_icon(icon_value=icon, scale=8.0)
    _lines(box, context, words, "SORTTIME")
    box.prop(context.scene.tessera, "progress", text="", slider=True)
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
        _lines(box, context, state.failure.problem, "INFO" if state.failure.code == "cancelled" else "ERROR")
        if state.failure.remedy:
            _lines(box, context, state.failure.remedy, "BLANK1")
    result = properties.active_result(context)
    if result is not None:
        _lines(layout, context, voxify.summary_of(result), "CHECKMARK")
        for note in filter(None, result.tessera.notes.split("\n")):
            _lines(layout, context, note, "INFO")


def _lines(layout: Any, context: Any, text: str, icon: str) -> None:
    """Text that is as long as it is: labels are cut off."""
    column = layout.column(align=True)
    letters = int((context.region.width / context.preferences.system.ui_scale - BESIDE) / LETTER)
    for number, line in enumerate(textwrap.wrap(text, max(16, letters)) or [""]):
        column.label(text=line, icon="BLANK1" if number else icon)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
