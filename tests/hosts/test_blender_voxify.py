"""Voxify in Blender, from the selection to the object that an artist gets; in both Blenders, through a real backend."""

from __future__ import annotations

import pytest

from tessera_protocol import schema
from tessera_protocol.jobs import VoxelizeParams

from .blender import Blender
from .blender_box import inside


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


def test_what_is_selected_counts(blender: Blender) -> None:
    """A result that is active still, while something else is selected, is left alone."""
    answer = inside(
        blender,
        """
box("One")
settings.hide_source = False
voxify()
first = active()
first.select_set(False)
bpy.data.objects["One"].select_set(True)
voxify()
answer([first.name, active().name, sorted(o.name for o in bpy.data.collections["Voxels"].objects)])
""",
    )
    assert answer == ["One voxels", "One voxels.001", ["One voxels", "One voxels.001"]]


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


def test_a_run_that_is_kept_early(blender: Blender) -> None:
    """Engine voxify sends pictures, and ends with the voxels as they are when it is asked to."""
    answer = inside(
        blender,
        """
import time
box()
settings.engine, settings.iterations = "voxify", 5000
bpy.ops.tessera.voxify()
while not runs.follower.requests[0].picture:
    runs.tick()
    time.sleep(0.01)
picture = runs.follower.requests[0].picture
bpy.ops.tessera.keep()
runs.finish()
answer([picture.dtype, list(picture.shape), json.loads(active().tessera.meta)["steps"], colors(active().data)])
""",
    )
    dtype, shape, steps, colors = answer
    assert (dtype, shape[2]) == ("uint8", 4)
    assert 0 < steps < 5000
    assert len(colors) == 2
