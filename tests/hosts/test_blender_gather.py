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


def test_textures(blender: Blender) -> None:
    """Generated, packed, from disk, large, missing; an alpha that makes holes; coordinates that a node scales."""
    answer = inside(
        blender,
        """
import os
bpy.ops.mesh.primitive_plane_add()
plane = bpy.context.object

def image(name, side, color):
    made = bpy.data.images.new(name, side, side)
    made.pixels.foreach_set([*color] * (side * side))
    return made

def textured(name, picture, alpha=False, scale=None):
    made, nodes, links, shader = material(name)
    node = nodes.new("ShaderNodeTexImage")
    node.image = picture
    links.new(node.outputs["Color"], shader.inputs["Base Color"])
    if alpha:
        links.new(node.outputs["Alpha"], shader.inputs["Alpha"])
    if scale:
        mapping, place = nodes.new("ShaderNodeMapping"), nodes.new("ShaderNodeTexCoord")
        mapping.inputs["Scale"].default_value = (*scale, 1)
        links.new(place.outputs["UV"], mapping.inputs["Vector"])
        links.new(mapping.outputs["Vector"], node.inputs["Vector"])
    return made

disk = image("disk", 2, (1, 0, 0, 1))
disk.filepath_raw = os.path.join(given["folder"], "disk.png")
disk.file_format = "PNG"
disk.save()
disk = bpy.data.images.load(disk.filepath_raw)
packed = bpy.data.images.load(disk.filepath_raw)
packed.pack()
missing = bpy.data.images.load(disk.filepath_raw)
missing.filepath = "//nowhere.png"
missing.source = "FILE"
missing.reload()
pictures = {"generated": image("generated", 4, (0, 1, 0, 0.25)), "disk": disk, "packed": packed, "missing": missing}
pictures["large"] = bpy.data.images.new("large", 3000, 1500)
for name, picture in pictures.items():
    plane.data.materials.append(textured(name, picture, alpha=name == "generated", scale=(3, 3)))
scene = read()
looks = {m["name"]: [m["texture"], m["cutoff"]] for m in scene.materials}
answer([
    looks,
    {m: [t.kind, len(t.data), t.width, t.height, t.data[:4].hex()] for m, (number, _) in looks.items()
     if number is not None for t in [scene.textures[number]]},
    scene.notes,
    max(scene.parts[0].uv),
])
""",
        folder=str(blender.folder),
    )
    looks, textures, notes, furthest = answer
    png = "89504e47"
    assert looks["missing"] == [None, None]
    assert looks["generated"][1] == 0.5
    assert textures["generated"][:4] == ["srgb", 4 * 4 * 16, 4, 4]
    assert (textures["disk"][0], textures["disk"][4]) == ("file", png)
    assert (textures["packed"][0], textures["packed"][4]) == ("file", png)
    assert textures["large"][:4] == ["srgb", 1000 * 500 * 16, 1000, 500]
    assert len(notes) == 1
    assert "missing" in notes[0]
    assert furthest == 3.0


def test_cut_outs_and_glow(blender: Blender) -> None:
    """Leaves as they are made by a mix with transparency; pictures without light, as glTF brings them; glowing ones."""
    answer = inside(
        blender,
        """
bpy.ops.mesh.primitive_plane_add()
plane = bpy.context.object
picture = bpy.data.images.new("leaf", 4, 4)

def made(name, build):
    material_, nodes, links, shader = material(name)
    node = nodes.new("ShaderNodeTexImage")
    node.image = picture
    end = next(n for n in nodes if n.type == "OUTPUT_MATERIAL")
    build(nodes, links, shader, node, end)
    plane.data.materials.append(material_)

def leaf(nodes, links, shader, node, end):
    mix, clear = nodes.new("ShaderNodeMixShader"), nodes.new("ShaderNodeBsdfTransparent")
    links.new(node.outputs["Color"], shader.inputs["Base Color"])
    links.new(node.outputs["Alpha"], mix.inputs["Fac"])
    links.new(clear.outputs[0], mix.inputs[1])
    links.new(shader.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], end.inputs["Surface"])

def unlit(nodes, links, shader, node, end):
    mix, clear, glow = (nodes.new("ShaderNode" + kind) for kind in ("MixShader", "BsdfTransparent", "Emission"))
    links.new(nodes.new("ShaderNodeLightPath").outputs["Is Camera Ray"], mix.inputs["Fac"])
    links.new(node.outputs["Color"], glow.inputs["Color"])
    links.new(clear.outputs[0], mix.inputs[1])
    links.new(glow.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], end.inputs["Surface"])

def lamp(nodes, links, shader, node, end):
    shader.inputs["Base Color"].default_value = (0, 0, 0, 1)
    socket = shader.inputs.get("Emission Color") or shader.inputs["Emission"]
    shader.inputs["Emission Strength"].default_value = 3
    links.new(node.outputs["Color"], socket)

def sticker(nodes, links, shader, node, end):
    mix, clear, glow = (nodes.new("ShaderNode" + kind) for kind in ("MixShader", "BsdfTransparent", "Emission"))
    links.new(node.outputs["Alpha"], mix.inputs["Fac"])
    links.new(node.outputs["Color"], glow.inputs["Color"])
    links.new(clear.outputs[0], mix.inputs[1])
    links.new(glow.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], end.inputs["Surface"])

for build in (leaf, unlit, lamp, sticker):
    made(build.__name__, build)
scene = read()
keys = ("texture", "cutoff", "emission", "emission_texture")
answer([{m["name"]: [m[key] for key in keys] + [close(m["color"])] for m in scene.materials}, scene.notes])
""",
    )
    materials, notes = answer
    black = [0, 0, 0, 1]
    assert materials["leaf"] == [0, 0.5, [0, 0, 0], None, [1, 1, 1, 1]]
    assert materials["unlit"] == [None, None, [1, 1, 1], 0, black]
    assert materials["sticker"] == [0, 0.5, [1, 1, 1], 0, black]
    assert materials["lamp"] == [None, None, [3, 3, 3], 0, black]
    assert notes == []


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
