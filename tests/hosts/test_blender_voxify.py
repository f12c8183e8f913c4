"""Voxify in Blender, from the selection to the object that an artist gets; in both Blenders, through a real backend."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest

from tessera_protocol import schema
from tessera_protocol.jobs import VoxelizeParams
from tests.conftest import BackendProcess

from .blender import Blender

# A box of 4 x 2 x 2 that is turned about z: red, with a blue upper half.
HEAD = """
import json, math
from tessera import runs

settings = bpy.context.scene.tessera
settings.side = 16
settings.symmetry = "off"

def box(name="Box"):
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.delete()
    bpy.ops.mesh.primitive_cube_add(location=(10, 0, 1))
    made = bpy.context.object
    made.name, made.scale = name, (2, 1, 1)
    for label, color in (("red", (0.8, 0, 0, 1)), ("blue", (0, 0, 0.8, 1))):
        material = bpy.data.materials.new(label)
        material.use_nodes = True
        shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = color
        made.data.materials.append(material)
    top = max(made.data.polygons, key=lambda face: face.center.z)
    top.material_index = 1
    return made

def voxify(**options):
    try:
        return list(bpy.ops.tessera.voxify(wait=True, **options))
    except RuntimeError as exc:
        return str(exc)

def active():
    return bpy.context.view_layer.objects.active

def inventory():
    return [sorted(block.name for block in getattr(bpy.data, kind))
            for kind in ("objects", "meshes", "materials", "collections", "node_groups")]

def colors(mesh):
    data = mesh.color_attributes["Palette"].data
    values = [0.0] * (4 * len(data))
    data.foreach_get("color", values)
    return sorted({tuple(round(v, 2) for v in values[at:at + 3]) for at in range(0, len(values), 4)})
"""


def inside(blender: Blender, script: str, **given: object) -> Any:
    """What a script answers that begins with `HEAD`."""
    return blender.run(HEAD + script, **given)


def test_each_parameter_has_a_control(blender: Blender) -> None:
    """Made from the schema, with its default and its range; the palette's are made from swatches."""
    answer = inside(
        blender,
        """
found = {}
for name, prop in settings.bl_rna.properties.items():
    if prop.type == "ENUM":
        found[name] = [prop.default, [item.identifier for item in prop.enum_items]]
    elif prop.type in ("INT", "FLOAT"):
        found[name] = [prop.default, [prop.hard_min, prop.hard_max]]
    elif prop.type in ("BOOLEAN", "STRING"):
        found[name] = [prop.default, None]
answer(found)
""",
    )
    for name, spec in schema.specs(VoxelizeParams).items():
        if name in ("palette", "locked"):
            assert name not in answer
            continue
        default, allowed = answer[name]
        assert default == spec.default
        if allowed is not None:
            assert allowed == (list(spec.choices) or [spec.low, spec.high])


def test_voxels_stand_where_the_source_stood(blender: Blender) -> None:
    """One object of one mesh and one material, of the source's size and place, which remembers how it was made."""
    answer = inside(
        blender,
        """
source = box()
bpy.context.view_layer.update()
done = voxify()
made = active()
bpy.context.view_layer.update()
corners = [made.matrix_world @ v.co for v in made.data.vertices]
answer({
    "done": done, "name": made.name, "location": list(made.location),
    "low": [min(c[i] for c in corners) for i in range(3)], "high": [max(c[i] for c in corners) for i in range(3)],
    "collections": [c.name for c in made.users_collection], "materials": [m.name for m in made.data.materials],
    "sources": [s.object.name for s in made.tessera.sources], "meta": json.loads(made.tessera.meta),
    "swatches": sorted(s.name_of_color for s in made.tessera.swatches), "colors": colors(made.data),
    "hidden": source.hide_get(), "selected": [o.name for o in bpy.context.selected_objects],
    "faces": len(made.data.polygons), "valid": not made.data.validate(),
    "outward": sum(f.center.dot(f.normal) > 0 for f in made.data.polygons),
})
""",
    )
    assert answer["done"] == ["FINISHED"]
    assert (answer["name"], answer["collections"]) == ("Box voxels", ["Voxels"])
    assert answer["location"] == pytest.approx([10, 0, 1])
    assert answer["low"] == pytest.approx([8, -1, 0], abs=1e-5)
    assert answer["high"] == pytest.approx([12, 1, 2], abs=1e-5)
    assert answer["materials"] == ["Box voxels palette"]
    assert answer["sources"] == ["Box"]
    assert answer["meta"]["shape"] == [16, 8, 8]
    assert answer["meta"]["parameters"] == {"side": 16, "symmetry": "off"}
    assert answer["swatches"] == ["#0000e7", "#e70000"]
    assert answer["colors"] == [[0, 0, 0.8], [0.8, 0, 0]]
    assert answer["hidden"]
    assert answer["selected"] == ["Box voxels"]
    assert answer["valid"]
    # 640 sides of voxels are open.
    assert 6 <= answer["faces"] <= 40
    assert answer["outward"] == answer["faces"]


def test_again_changes_the_same_object(blender: Blender) -> None:
    """With other settings, as cubes and back: one object, where the artist moved it, and nothing left over."""
    answer = inside(
        blender,
        """
box()
settings.hide_source = True
voxify()
first = inventory()
made = active()
made.location.y = 50
seen = []
for kind, side in (("cubes", 8), ("mesh", 16)):
    settings.kind, settings.side = kind, side
    voxify()
    made = active()
    evaluated = made.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    seen.append([made.name, made.location.y, len(made.data.vertices), len(evaluated.polygons), colors(evaluated)])
settings.side = 99
bpy.ops.tessera.use_settings()
answer([first == inventory(), seen, settings.side])
""",
    )
    same, (cubes, mesh), side = answer
    assert same
    # All voxels of 8 x 4 x 4 but the 6 x 2 x 2 inside, six faces each.
    assert cubes == ["Box voxels", 50, 104, 624, [[0, 0, 0.8], [0.8, 0, 0]]]
    assert mesh[:2] == ["Box voxels", 50]
    assert mesh[3] <= 40
    assert side == 16


def test_one_undo_step(blender: Blender) -> None:
    """Undo takes everything away and shows the source; redo brings it back."""
    answer = inside(
        blender,
        """
box()
bpy.ops.ed.undo_push(message="before")
before = inventory()
voxify()
after = inventory()
bpy.ops.ed.undo()
undone, shown = inventory(), not bpy.data.objects["Box"].hide_get()
bpy.ops.ed.redo()
answer([before != after, before == undone, shown, inventory() == after])
""",
    )
    assert answer == [True, True, True, True]


def test_swatches_recolour_at_once(blender: Blender) -> None:
    """A swatch changes the faces that have it; a palette that is pasted is taken on by nearness; locks are kept."""
    answer = inside(
        blender,
        """
box()
voxify()
made = active()
red = next(s for s in made.tessera.swatches if s.name_of_color == "#e70000")
red.color = (0, 1, 0)
live = colors(made.data)
red.locked = True
voxify()
made = active()
kept = sorted((s.name_of_color, s.locked) for s in made.tessera.swatches)
bpy.ops.tessera.palette_paste(text="ff8000 000080 #00c000")
pasted = colors(made.data)
settings.side = 12
voxify()
used = sorted(s.name_of_color for s in active().tessera.swatches)
bpy.ops.tessera.swatch_remove(index=1)
answer([live, kept, pasted, settings.palette_from, used, colors(active().data)])
""",
    )
    live, kept, pasted, palette_from, used, _ = answer
    assert live == [[0, 0, 0.8], [0, 1, 0]]
    assert ["#00ff00", True] in kept
    assert pasted == [[0, 0, 0.22], [1, 0.22, 0]]
    assert palette_from == "these"
    assert set(used) <= {"#ff8000", "#000080", "#00c000"}


def test_palette_files(blender: Blender) -> None:
    """Read from .gpl, written as .hex; other kinds of file say what can be read."""
    gimp = "GIMP Palette\nName: two\n#\n255 0 0 red\n  0 128 255\tsky\n"
    (blender.folder / "two.gpl").write_text(gimp)
    (blender.folder / "two.ase").write_bytes(b"ASEF")
    answer = inside(
        blender,
        """
bpy.ops.object.select_all(action="DESELECT")
bpy.context.view_layer.objects.active = None
bpy.ops.tessera.palette_import(filepath=given["folder"] + "/two.gpl")
bpy.ops.tessera.palette_export(filepath=given["folder"] + "/out.hex")
try:
    bpy.ops.tessera.palette_import(filepath=given["folder"] + "/two.ase")
    said = ""
except RuntimeError as exc:
    said = str(exc)
answer([[s.name_of_color for s in settings.swatches], said])
""",
        folder=str(blender.folder),
    )
    assert answer[0] == ["#ff0000", "#0080ff"]
    assert "two.ase is no palette" in answer[1]
    assert ".gpl" in answer[1]
    assert (blender.folder / "out.hex").read_text() == "ff0000\n0080ff\n"


def test_bad_input_is_told_and_changes_nothing(blender: Blender) -> None:
    """Nothing selected, no faces, no area, no finite corner, a palette of one colour: a sentence each."""
    answer = inside(
        blender,
        """
said = []
def attempt():
    before = inventory()
    said.append([voxify(), inventory() == before, runs.running()])

bpy.ops.object.select_all(action="DESELECT")
bpy.context.view_layer.objects.active = None
attempt()
for corners in ([], [(0, 0, 0)] * 3, [(math.nan, 0, 0)] * 3):
    box()
    mesh = bpy.data.meshes.new("bad")
    mesh.from_pydata(corners, [], [(0, 1, 2)] if corners else [])
    bpy.context.object.data = mesh
    attempt()
box()
bpy.ops.tessera.palette_paste(text="#ff0000")
attempt()
settings.palette_from = "choose"
settings.swatches.clear()
answer([said, voxify()])
""",
    )
    said, afterwards = answer
    words = ["Nothing is selected", "no surface", "", "", "The palette has one colour"]
    for (message, same, running), word in zip(said, words, strict=True):
        assert isinstance(message, str), message
        assert word in message
        assert "bug" not in message
        assert same
        assert not running
    assert afterwards == ["FINISHED"]


def test_cancel_and_keep_what_is_there(blender: Blender) -> None:
    """A job that is cancelled leaves the document as it was, and the next one works."""
    answer = inside(
        blender,
        """
import time
from tessera.follow import INTERVAL
box()
settings.side = 256
before = inventory()
bpy.ops.tessera.voxify()
while not runs.follower.requests or not runs.follower.requests[0].running:
    runs.tick()
    time.sleep(0.01)
words, share = runs.progress()
bpy.ops.tessera.cancel()
runs.finish()
ended = [runs.state.failure.code, inventory() == before, words]
settings.side = 16
answer([ended, voxify()])
""",
    )
    (code, same, words), afterwards = answer
    assert (code, same) == ("cancelled", True)
    assert words.startswith("Box: ")
    assert afterwards == ["FINISHED"]


def test_several_jobs_at_once(blender: Blender) -> None:
    """A second object is asked for while the first runs: both come, each by its own name."""
    answer = inside(
        blender,
        """
first = box("One")
bpy.ops.mesh.primitive_ico_sphere_add(location=(0, 0, 9))
second = bpy.context.object
second.name = "Two"
for source in (first, second):
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = source
    source.select_set(True)
    bpy.ops.tessera.voxify()
count = len(runs.follower.requests)
runs.finish()
answer([count, sorted(o.name for o in bpy.data.collections["Voxels"].objects)])
""",
    )
    assert answer == [2, ["One voxels", "Two voxels"]]


def test_a_backend_is_started(lonely_blender: Blender) -> None:
    """Where none runs, the add-on starts one by itself."""
    answer = inside(lonely_blender, "box()\nbefore = runs.follower.requests\nanswer([before, voxify(), active().name])")
    assert answer == [[], ["FINISHED"], "Box voxels"]


def test_a_backend_that_goes_in_mid_job_is_told(blender: Blender, own_backend: BackendProcess) -> None:
    """The artist reads so soon, the document is as it was, and nothing is left running."""
    process = own_backend.start().process
    assert process is not None
    # Only when it is waited for is it gone.
    threading.Thread(target=process.wait, daemon=True).start()
    answer = inside(
        dataclasses.replace(blender, home=own_backend.home),
        """
import os, signal
box()
settings.side = 256
before = inventory()
bpy.ops.tessera.voxify()
while not runs.follower.requests[0].running:
    runs.tick()
os.kill(given["pid"], signal.SIGKILL)
runs.finish()
answer([runs.state.failure.code, str(runs.state.failure), inventory() == before, runs.running()])
""",
        pid=process.pid,
    )
    code, said, same, running = answer
    assert code == "backend-silent"
    assert "tessera serve" in said
    assert (same, running) == (True, False)


def test_frames_share_grid_and_palette(blender: Blender) -> None:
    """Three frames of a moving box: one object each, seen in its own frame, aligned, with the same colours."""
    answer = inside(
        blender,
        """
source = box()
for frame, x in ((1, 10), (3, 14)):
    source.location.x = x
    source.keyframe_insert("location", frame=frame)
for curve in (source.animation_data.action.fcurves if hasattr(source.animation_data.action, "fcurves")
              else source.animation_data.action.layers[0].strips[0].channelbags[0].fcurves):
    for point in curve.keyframe_points:
        point.interpolation = "LINEAR"
scene = bpy.context.scene
scene.frame_set(2)
settings.frame_first, settings.frame_last = 1, 3
done = list(bpy.ops.tessera.voxify_frames(wait=True))
root = active()
seen = []
for frame in (1, 2, 3, 4):
    scene.frame_set(frame)
    shown = [child for child in root.children if not child.hide_viewport]
    lows = [min((child.matrix_world @ v.co).x for v in child.data.vertices) for child in shown]
    seen.append([[child.name for child in shown], lows, [colors(child.data) for child in shown]])
for swatch in root.tessera.swatches:
    swatch.color = (1, 1, 1)
white = {tuple(map(tuple, colors(child.data))) for child in root.children}
answer([done, root.name, scene.frame_current, seen, root.location[:], sorted(white)])
""",
    )
    done, name, _, seen, location, white = answer
    assert (done, name) == (["FINISHED"], "Box voxels")
    assert [names for names, _, _ in seen] == [[f"Box voxels {at:04}"] for at in (1, 2, 3)] + [["Box voxels 0003"]]
    # The box of all frames has 16 voxels along 8 units.
    assert [low for _, (low,), _ in seen] == pytest.approx([8, 10, 12, 12], abs=0.51)
    assert all(color == [[0, 0, 0.8], [0.8, 0, 0]] for _, _, (color,) in seen)
    assert location[2] == pytest.approx(1)
    assert white == [[[1, 1, 1]]]
