"""The add-on in Blender's window: its timer, its panel, undo, and what an artist does meanwhile."""

from __future__ import annotations

import pytest

from .blender import Blender

pytestmark = pytest.mark.host("blender window")

HEAD = """
import subprocess
from tessera import panel, runs

wrong, drawn = [], set()

def watched(cls):
    draw = cls.draw
    def watch(self, context):
        try:
            draw(self, context)
            drawn.add(cls.__name__ + (" running" if runs.running() else ""))
        except Exception as exc:
            wrong.append(repr(exc))
    cls.draw = watch

for cls in panel.CLASSES:
    watched(cls)

def view():
    window = bpy.context.window_manager.windows[0]
    space = area()
    region = next(region for region in space.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=window, area=space, region=region)

def call(operator, *arguments, **options):
    with view():
        return operator(*arguments, **options)

def names():
    return sorted(object.name for object in bpy.data.objects)

def area():
    return next(a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D")

def open_sidebar(panel):
    area().spaces[0].show_region_ui = True
    yield 0.5
    # Blender 3.4 has no other way to a tab of the sidebar.
    subprocess.run(["xdotool", "mousemove", "1044", "250", "click", "1"], check=True)
    yield from until(lambda: panel in drawn)

def prepare():
    call(bpy.ops.object.select_all, action="SELECT")
    call(bpy.ops.object.delete)
    call(bpy.ops.mesh.primitive_ico_sphere_add, subdivisions=4)
    call(bpy.ops.ed.undo_push, message="one")
    bpy.context.scene.tessera.side = 24
"""


def test_voxify_in_the_window(blender_window: Blender) -> None:
    """The operator returns at once, the timer brings the result, the panel draws all along; undo and redo are safe."""
    answer = blender_window.window(
        HEAD
        + """
def steps():
    prepare()
    yield from open_sidebar("TESSERA_PT_palette")
    call(bpy.ops.object.location_clear)
    call(bpy.ops.ed.undo_push, message="two")
    before = names()
    call(bpy.ops.tessera.voxify)
    running = [runs.running(), names() == before]
    yield from until(lambda: not runs.running())
    after = names()
    yield 0.3
    history = []
    for operator in (bpy.ops.ed.undo, bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.redo):
        call(operator)
        history.append(names())
        yield 0.1
    answer([running, before, after, history, sorted(drawn), wrong, runs.state.failure is None])
"""
    )
    running, before, after, history, drawn, wrong, well = answer  # type: ignore[misc]
    assert running == [True, True]
    assert (before, after) == (["Icosphere"], ["Icosphere", "Icosphere voxels"])
    assert history == [before, before, before, after]
    assert "TESSERA_PT_main running" in drawn
    assert wrong == []
    assert well


def test_pictures_come_while_it_runs_and_can_be_kept(blender_window: Blender) -> None:
    """Engine voxify shows how the voxels look by now in the panel; "Keep This" ends it long before its last step."""
    answer = blender_window.window(
        HEAD
        + """
import json
from tessera import preview

def steps():
    prepare()
    yield from open_sidebar("TESSERA_PT_palette")
    settings = bpy.context.scene.tessera
    settings.engine, settings.iterations = "voxify", 5000
    call(bpy.ops.tessera.voxify)
    seen = set()
    yield from until(lambda: seen.add(preview.icon()) or len(seen - {0}) > 2)
    screenshot("preview")
    picture = runs.follower.requests[0].picture
    call(bpy.ops.tessera.keep)
    yield from until(lambda: not runs.running())
    made = next(object for object in bpy.data.objects if object.name == "Icosphere voxels")
    answer([list(picture.shape), json.loads(made.tessera.meta), len(made.data.polygons), wrong])
"""
    )
    shape, meta, faces, wrong = answer  # type: ignore[misc]
    assert shape[2] == 4
    assert meta["engine"] == "voxify"
    assert 0 < meta["steps"] < 5000
    assert faces > 6
    assert wrong == []


def test_a_window_that_is_closed_in_mid_job(blender_window: Blender) -> None:
    """The next one offers the result in its panel, and gets it at a button's press.

    The job takes longer than a window takes to close.
    """
    begun = blender_window.window(
        HEAD
        + """
def steps():
    prepare()
    settings = bpy.context.scene.tessera
    settings.engine, settings.iterations = "voxify", 4000
    call(bpy.ops.tessera.voxify)
    yield from until(lambda: runs.follower.requests[0].running)
    answer(runs.running())
"""
    )
    assert begun is True
    answer = blender_window.window(
        HEAD
        + """
def steps():
    prepare()
    yield from open_sidebar("TESSERA_PT_main")
    screenshot("fetch")
    left = len(runs.state.left)
    call(bpy.ops.tessera.fetch)
    yield from until(lambda: not runs.running())
    answer([left, names(), len(runs.state.left), wrong])
"""
    )
    assert answer == [1, ["Icosphere", "Icosphere voxels"], 0, []]


def test_the_panel_of_sheets(blender_window: Blender) -> None:
    """Drawn without a sheet and with one; Solid view has the palette's colours, where the artist asks for them."""
    answer = blender_window.window(
        HEAD
        + """
panel.unregister()
for cls in (panel.TESSERA_PT_sheet, panel.TESSERA_PT_palette):
    cls.bl_options = set()
panel.register()

def again():
    drawn.clear()
    for region in area().regions:
        region.tag_redraw()

def steps():
    prepare()
    yield from open_sidebar("TESSERA_PT_sheet")
    call(bpy.ops.tessera.voxify)
    yield from until(lambda: not runs.running())
    again()
    yield from until(lambda: "TESSERA_PT_sheet" in drawn)
    call(bpy.ops.tessera.sheet_write)
    call(bpy.ops.tessera.show_palette)
    again()
    yield from until(lambda: "TESSERA_PT_sheet" in drawn)
    screenshot("sheet")
    call(bpy.ops.tessera.sheet_voxify)
    running = runs.running()
    yield from until(lambda: not runs.running())
    answer([wrong, running, area().spaces[0].shading.color_type, names(), runs.state.failure is None])
"""
    )
    assert answer == [[], True, "VERTEX", ["Icosphere", "Icosphere voxels"], True]


def test_a_result_waits_until_edit_mode_is_left(blender_window: Blender) -> None:
    """Undo in Edit Mode knows the mesh alone: voxels that are done then come when the artist is back."""
    answer = blender_window.window(
        HEAD
        + """
def steps():
    prepare()
    call(bpy.ops.tessera.voxify)
    call(bpy.ops.object.mode_set, mode="EDIT")
    yield from until(lambda: not runs.follower.requests)
    yield 0.3
    waiting = [names(), runs.progress()[0]]
    call(bpy.ops.object.mode_set, mode="OBJECT")
    yield from until(lambda: not runs.running())
    answer([waiting, names()])
"""
    )
    (meanwhile, words), afterwards = answer  # type: ignore[misc]
    assert meanwhile == ["Icosphere"]
    assert "leave this mode" in words
    assert afterwards == ["Icosphere", "Icosphere voxels"]


def test_frames_come_in_one_step(blender_window: Blender) -> None:
    """Cancelled half-way nothing is there; else all are, the artist is back at the frame, and one undo removes them."""
    answer = blender_window.window(
        HEAD
        + """
def steps():
    prepare()
    scene = bpy.context.scene
    scene.frame_set(7)
    scene.tessera.frame_first, scene.tessera.frame_last = 1, 4
    call(bpy.ops.ed.undo_push, message="two")
    call(bpy.ops.tessera.voxify_frames)
    yield from until(lambda: runs.state.sequence is not None and runs.state.sequence.fraction > 0.25)
    call(bpy.ops.tessera.cancel)
    yield from until(lambda: not runs.running())
    cancelled = [names(), scene.frame_current]
    call(bpy.ops.tessera.voxify_frames)
    yield from until(lambda: not runs.running())
    done = [names(), bpy.context.scene.frame_current]
    yield 0.2
    call(bpy.ops.ed.undo)
    yield 0.1
    answer([cancelled, done, names(), runs.state.failure is None])
"""
    )
    cancelled, done, undone, well = answer  # type: ignore[misc]
    assert cancelled == [["Icosphere"], 7]
    root = "Icosphere voxels"
    assert done == [["Icosphere", root, *(f"{root} {frame:04}" for frame in range(1, 5))], 7]
    assert undone == ["Icosphere"]
    assert well
