"""What the add-on reads of Blender's document, as the backend understands it; in both Blenders."""

from __future__ import annotations

from typing import Any

import pytest

from .blender import Blender

# Reads the selection; `clean()` first empties the scene.
HEAD = """
import math
from tessera import gather

def clean():
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.delete()

def material(name):
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes = made.node_tree.nodes
    return made, nodes, made.node_tree.links, next(n for n in nodes if n.type == "BSDF_PRINCIPLED")

def read():
    scene = bpy.context.selected_objects
    return gather.gather(scene, bpy.context.evaluated_depsgraph_get(), bpy.path.abspath)

def close(values):
    return [round(value, 3) for value in values]

clean()
"""


def inside(blender: Blender, script: str, **given: object) -> Any:
    """What a script answers that begins with `HEAD`."""
    return blender.run(HEAD + script, **given)


def test_all_kinds_of_surfaces(blender: Blender) -> None:
    """Text, curve, surface, metaball and an instanced collection: each once, in place."""
    answer = inside(
        blender,
        """
bpy.ops.object.text_add(location=(0, 0, 5))
bpy.ops.curve.primitive_bezier_circle_add()
bpy.context.object.data.bevel_depth = 0.1
bpy.ops.surface.primitive_nurbs_surface_sphere_add()
bpy.ops.object.metaball_add(type="BALL")
bpy.ops.object.light_add()
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
inner = bpy.data.objects.new("inner", cube.data)
crate = bpy.data.collections.new("Crate")
crate.objects.link(inner)
bpy.ops.object.collection_instance_add(collection="Crate", location=(30, 0, 0))
bpy.ops.object.select_all(action="SELECT")
cube.select_set(False)
scene = read()
answer({part.name: [len(part.triangles) // 3, close(part.matrix[3::4])] for part in scene.parts})
""",
    )
    assert set(answer) > {"Text", "SurfSphere", "Mball", "inner"}
    assert len(answer) == 5
    assert "Cube" not in answer
    assert answer["inner"] == [12, [30, 0, 0, 1]]
    assert answer["Text"][1] == [0, 0, 5, 1]
    assert all(triangles > 0 for triangles, _ in answer.values())


def test_what_geometry_nodes_instance(blender: Blender) -> None:
    """A cube on each corner of a plane, with the material that the nodes give, and the plane itself."""
    answer = inside(
        blender,
        """
bpy.ops.mesh.primitive_plane_add(location=(0, 0, 3))
plane = bpy.context.object
tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
if hasattr(tree, "interface"):
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
else:
    tree.inputs.new("NodeSocketGeometry", "Geometry")
    tree.outputs.new("NodeSocketGeometry", "Geometry")
kinds = ("InstanceOnPoints", "MeshCube", "SetMaterial", "JoinGeometry")
scatter, cube, paint, join = (tree.nodes.new("GeometryNode" + kind) for kind in kinds)
start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
green, _, _, shader = material("green")
shader.inputs["Base Color"].default_value = (0, 1, 0, 1)
paint.inputs["Material"].default_value = green
tree.links.new(start.outputs[0], scatter.inputs["Points"])
tree.links.new(cube.outputs[0], paint.inputs["Geometry"])
tree.links.new(paint.outputs[0], scatter.inputs["Instance"])
tree.links.new(scatter.outputs[0], join.inputs[0])
tree.links.new(start.outputs[0], join.inputs[0])
tree.links.new(join.outputs[0], end.inputs[0])
plane.modifiers.new("scatter", "NODES").node_group = tree
scene = read()
def color(part):
    numbers = {part.materials[slot] for slot in part.slots or [0]} if part.materials else {None}
    return [scene.materials[number]["color"] for number in numbers if number is not None]
answer(sorted([len(p.triangles) // 3, close(p.matrix[3::4]), color(p)] for p in scene.parts))
""",
    )
    green = [[0, 1, 0, 1]]
    corners = [[x, y, 3, 1] for x in (-1, 1) for y in (-1, 1)]
    assert answer == [[2, [0, 0, 3, 1], []], *([12, corner, green] for corner in corners)]


def test_modifiers_and_pose_count(blender: Blender) -> None:
    """A mirrored, subdivided cube that a bone moves is read as the viewport shows it."""
    answer = inside(
        blender,
        """
bpy.ops.object.armature_add()
rig = bpy.context.object
bpy.ops.mesh.primitive_cube_add(location=(3, 0, 0))
cube = bpy.context.object
cube.modifiers.new("sub", "SUBSURF").levels = 2
mod = cube.modifiers.new("pose", "ARMATURE")
mod.object = rig
cube.vertex_groups.new(name="Bone").add(range(8), 1.0, "REPLACE")
rig.pose.bones["Bone"].location = (0, 10, 0)
rig.select_set(True)
scene = read()
answer([len(scene.parts), scene.triangles, *map(close, scene.bounds())])
""",
    )
    parts, triangles, low, high = answer
    assert (parts, triangles) == (1, 192)
    # A bone's y is up.
    assert (low[2] + high[2]) / 2 == pytest.approx(10, abs=0.01)
    assert (low[0] + high[0]) / 2 == pytest.approx(3, abs=0.01)


def test_materials(blender: Blender) -> None:
    """Colours through ramps, mixes, groups and shaders; glow; what is unknown is told, with the viewport's colour."""
    answer = inside(
        blender,
        """
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object

plain, _, _, shader = material("plain")
shader.inputs["Base Color"].default_value = (0.1, 0.2, 0.3, 1)

ramp, nodes, links, shader = material("ramp")
node = nodes.new("ShaderNodeValToRGB")
node.inputs["Fac"].default_value = 1.0
node.color_ramp.elements[1].color = (1, 0.5, 0, 1)
links.new(node.outputs["Color"], shader.inputs["Base Color"])

mixed, nodes, links, shader = material("mixed")
node = nodes.new("ShaderNodeMixRGB")
node.inputs["Fac"].default_value = 0.5
node.inputs["Color1"].default_value = (1, 0, 0, 1)
node.inputs["Color2"].default_value = (0, 0, 1, 1)
links.new(node.outputs["Color"], shader.inputs["Base Color"])

glow, nodes, links, shader = material("glow")
light = nodes.new("ShaderNodeEmission")
light.inputs["Color"].default_value = (0, 1, 0, 1)
light.inputs["Strength"].default_value = 2
end = next(n for n in nodes if n.type == "OUTPUT_MATERIAL")
links.new(light.outputs[0], end.inputs["Surface"])

noise, nodes, links, shader = material("noise")
noise.diffuse_color = (0.5, 0.25, 0.125, 1)
links.new(nodes.new("ShaderNodeTexNoise").outputs["Color"], shader.inputs["Base Color"])

glass, _, _, shader = material("glass")
shader.inputs["Base Color"].default_value = (0.4, 0.5, 0.6, 1)
shader.inputs["Alpha"].default_value = 0.2

tree = bpy.data.node_groups.new("tint", "ShaderNodeTree")
if hasattr(tree, "interface"):
    tree.interface.new_socket("Tint", in_out="INPUT", socket_type="NodeSocketColor")
    tree.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
else:
    tree.inputs.new("NodeSocketColor", "Tint")
    tree.outputs.new("NodeSocketColor", "Color")
way = tree.nodes.new("NodeReroute")
tree.links.new(tree.nodes.new("NodeGroupInput").outputs[0], way.inputs[0])
tree.links.new(way.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
grouped, nodes, links, shader = material("grouped")
node = nodes.new("ShaderNodeGroup")
node.node_tree = tree
node.inputs[0].default_value = (0.7, 0.6, 0.5, 1)
links.new(node.outputs[0], shader.inputs["Base Color"])

for made in (plain, ramp, mixed, glow, noise, glass, grouped):
    cube.data.materials.append(made)
scene = read()
answer([{m["name"]: [close(m["color"]), close(m["emission"]), m["cutoff"]] for m in scene.materials}, scene.notes])
""",
    )
    materials, notes = answer
    black = [0, 0, 0]
    assert materials["plain"] == [[0.1, 0.2, 0.3, 1], black, None]
    assert materials["ramp"] == [[1, 0.5, 0, 1], black, None]
    assert materials["mixed"] == [[0.5, 0, 0.5, 1], black, None]
    assert materials["glow"] == [[0, 0, 0, 1], [0, 2, 0], None]
    assert materials["noise"] == [[0.5, 0.25, 0.125, 1], black, None]
    assert materials["glass"] == [[0.4, 0.5, 0.6, 1], black, None]
    assert materials["grouped"] == [[0.7, 0.6, 0.5, 1], black, None]
    assert len(notes) == 1
    assert "noise" in notes[0]


def test_colours_of_vertices(blender: Blender) -> None:
    """The active ones of a mesh without a material; those that a material asks for; white where another does not."""
    answer = inside(
        blender,
        """
bpy.ops.mesh.primitive_plane_add()
plane = bpy.context.object
layer = plane.data.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
layer.data.foreach_set("color", [0.25, 0.5, 0.75, 1.0] * 4)
first = read().parts[0]
painted, nodes, links, shader = material("painted")
node = nodes.new("ShaderNodeVertexColor")
node.layer_name = "paint"
links.new(node.outputs["Color"], shader.inputs["Base Color"])
plane.data.materials.append(painted)
second = read().parts[0]
plane.data.materials[0] = material("plain")[0]
third = read().parts[0]
answer([close(first.colors or []), close(second.colors or []), third.colors is None, first.loops is not None])
""",
    )
    assert answer == [[0.25, 0.5, 0.75, 1.0] * 4, [0.25, 0.5, 0.75, 1.0] * 4, True, True]


def test_what_has_no_surface_is_refused(blender: Blender) -> None:
    """Nothing selected, a lamp, a mesh without faces: each says what to select."""
    answer = inside(
        blender,
        """
from tessera_protocol.errors import TesseraError
said = []
def tell():
    try:
        read()
        said.append("fine")
    except TesseraError as exc:
        said.append(str(exc))
tell()
bpy.ops.object.light_add()
tell()
clean()
mesh = bpy.data.objects.new("edges", bpy.data.meshes.new("edges"))
mesh.data.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])
bpy.context.collection.objects.link(mesh)
mesh.select_set(True)
tell()
answer(said)
""",
    )
    assert answer[0].startswith("Nothing is selected.")
    assert "no surface" in answer[1]
    assert "(edges)" in answer[2]
