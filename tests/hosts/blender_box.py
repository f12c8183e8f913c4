"""A box to make voxels of, for scripts inside Blender."""

from __future__ import annotations

from typing import Any

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
