"""What the add-on reads of pictures: textures, tiles, cut-outs, glow; in both Blenders."""

from __future__ import annotations

from .blender import Blender
from .test_blender_gather import inside


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


def test_tiles(blender: Blender) -> None:
    """Of a picture with several tiles the first is taken, whole, and the artist is told."""
    answer = inside(
        blender,
        """
import os
bpy.ops.mesh.primitive_plane_add()
path = os.path.join(given["folder"], "skin.{}.png")
for number, color in ((1001, (1, 0, 0, 1)), (1002, (0, 1, 0, 1))):
    tile = bpy.data.images.new(str(number), 4, 2)
    tile.pixels.foreach_set([*color] * 8)
    tile.filepath_raw, tile.file_format = path.format(number), "PNG"
    tile.save()
picture = bpy.data.images.load(path.format(1001))
picture.source = "TILED"
picture.filepath = path.format("<UDIM>")
picture.tiles.new(1002)
skin, nodes, links, shader = material("skin")
node = nodes.new("ShaderNodeTexImage")
node.image = picture
links.new(node.outputs["Color"], shader.inputs["Base Color"])
bpy.context.object.data.materials.append(skin)
scene = read()
texture = scene.textures[0]
answer([len(picture.tiles), texture.kind, texture.width, texture.height, texture.data[:16].hex(), scene.notes])
""",
        folder=str(blender.folder),
    )
    tiles, kind, width, height, first, notes = answer
    assert (tiles, kind, width, height) == (2, "srgb", 4, 2)
    assert first == "0000803f0000000000000000" + "0000803f"
    assert len(notes) == 1
    assert "UDIM" in notes[0]


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
