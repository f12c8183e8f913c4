"""Voxels into the document: an object of one mesh and one palette material, or points that cubes stand on."""

from __future__ import annotations

import dataclasses
import json
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from mathutils import Matrix

from tessera_protocol.messages import Result

from . import recolor
from .follow import unpacked

COLLECTION = "Voxels"
CUBES = "Cubes"


@dataclasses.dataclass(frozen=True)
class Voxels:
    """A result, unpacked.

    Attributes:
        positions: x, y, z of corners, or of voxels, world space.
        quads: four corners of each face; none of cubes.
        labels: the number of the colour of each face, or voxel.
        palette: sRGB from 0 to 1.
        meta: of the run.
    """

    positions: array[float]
    quads: array[int] | None
    labels: array[int]
    palette: Sequence[tuple[float, ...]]
    meta: Mapping[str, Any]

    @staticmethod
    def of(result: Result, kind: str) -> Voxels:
        """As `kind`, "mesh" or "cubes".

        Raises:
            Refused: "bad-message" for a result that this version does not know.
        """
        cubes = kind == "cubes"
        rgb = unpacked(result, "palette", "B", 3)
        return Voxels(
            unpacked(result, "points" if cubes else "vertices", "f", 3),
            None if cubes else unpacked(result, "quads", "i", 4),
            array("i", unpacked(result, "point_labels" if cubes else "quad_labels", "B", 1)),
            [tuple(value / 255 for value in rgb[at : at + 3]) for at in range(0, len(rgb), 3)],
            result.meta,
        )


def mesh_of(data: Any, name: str, voxels: Voxels, material: Any) -> Any:
    """A new mesh of voxels, in world space, with their labels and colours.

    Args:
        data: `bpy.data`.
        material: that it gets.
    """
    mesh = data.meshes.new(name)
    mesh.vertices.add(len(voxels.positions) // 3)
    mesh.vertices.foreach_set("co", voxels.positions)
    if voxels.quads is not None:
        count = len(voxels.quads) // 4
        mesh.loops.add(4 * count)
        mesh.loops.foreach_set("vertex_index", voxels.quads)
        mesh.polygons.add(count)
        mesh.polygons.foreach_set("loop_start", array("i", range(0, 4 * count, 4)))
        if not type(mesh.polygons[0]).bl_rna.properties["loop_total"].is_readonly:
            # Blender 4 knows that a face ends where the next begins.
            mesh.polygons.foreach_set("loop_total", array("i", [4]) * count)
    mesh.update(calc_edges=True)
    domain = "POINT" if voxels.quads is None else "FACE"
    mesh.attributes.new(recolor.LABEL, "INT", domain).data.foreach_set("value", voxels.labels)
    mesh.materials.append(material)
    recolor.paint(mesh, voxels.labels, voxels.palette)
    return mesh


def palette_material(data: Any, name: str) -> Any:
    """A new matt material that shows the attribute with the palette's colours."""
    material = data.materials.new(name)
    if material.node_tree is None:
        # From Blender 5.0 on all have nodes.
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 1.0
    # Blender 4.0 gave the socket its longer name.
    (shader.inputs.get("Specular IOR Level") or shader.inputs["Specular"]).default_value = 0.0
    color = nodes.new("ShaderNodeVertexColor")
    color.layer_name = recolor.PALETTE
    color.location = (shader.location.x - 220, shader.location.y)
    links.new(color.outputs["Color"], shader.inputs["Base Color"])
    return material


def put(
    data: Any,
    collection: Any,
    name: str,
    voxels: Voxels,
    anchor: Sequence[float],
    material: Any = None,
    old: Any = None,
) -> Any:
    """Make voxels an object, or the new mesh of an old one, which stays where it is.

    Args:
        data: `bpy.data`.
        collection: that a new object goes to.
        anchor: the point in world space that is the object's origin.
        material: that it gets; None: the old one's, or a new one.
        old: a result.
    Returns:
        The object.
    """
    former = old.data if old is not None else None
    if material is None and former is not None:
        material = next(iter(former.materials), None)
    mesh = mesh_of(data, name, voxels, material or palette_material(data, f"{name} palette"))
    mesh.transform(Matrix.Translation([-value for value in anchor]))
    if old is None:
        old = data.objects.new(name, mesh)
        old.location = anchor
        collection.objects.link(old)
    else:
        old.data = mesh
        if not former.users:
            data.meshes.remove(former)
            mesh.name = name
    _stand_cubes(data, old, None if voxels.quads is not None else voxels.meta["size"])
    return old


def describe(object: Any, result: Result, sources: Sequence[Any], notes: Sequence[str], seconds: float) -> None:
    """Write into a result how it was made."""
    made = object.tessera
    made.meta = json.dumps(result.meta)
    made.notes = "\n".join(notes)
    made.seconds = seconds
    made.sources.clear()
    for source in sources:
        made.sources.add().object = source
    if not sources:
        # Fetched into another document: a result nonetheless.
        made.sources.add()


def voxel_collection(data: Any, scene: Any) -> Any:
    """The scene's collection of results; made where there is none."""
    found = next(
        (child for child in scene.collection.children_recursive if child.name.split(".")[0] == COLLECTION), None
    )
    if found is None:
        found = data.collections.new(COLLECTION)
        scene.collection.children.link(found)
    return found


def _stand_cubes(data: Any, object: Any, size: Sequence[float] | None) -> None:
    """Put cubes on an object's points, or take them away."""
    modifier = object.modifiers.get(CUBES)
    if modifier is not None:
        tree = modifier.node_group
        object.modifiers.remove(modifier)
        if tree is not None and not tree.users:
            data.node_groups.remove(tree)
    if size is not None:
        object.modifiers.new(CUBES, "NODES").node_group = _cube_tree(data, object, size)


def _cube_tree(data: Any, object: Any, size: Sequence[float]) -> Any:
    tree = data.node_groups.new(f"{object.name} cubes", "GeometryNodeTree")
    if hasattr(tree, "interface"):
        for direction in ("INPUT", "OUTPUT"):
            tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    else:
        # Before Blender 4.0.
        tree.inputs.new("NodeSocketGeometry", "Geometry")
        tree.outputs.new("NodeSocketGeometry", "Geometry")
    kinds = (
        "NodeGroupInput",
        "GeometryNodeInstanceOnPoints",
        "GeometryNodeRealizeInstances",
        "GeometryNodeSetMaterial",
    )
    chain = [tree.nodes.new(kind) for kind in (*kinds, "NodeGroupOutput")]
    for at, (node, following) in enumerate(zip(chain, chain[1:])):
        following.location = (220 * (at + 1), 0)
        socket = next(socket for socket in following.inputs if socket.type == "GEOMETRY")
        tree.links.new(node.outputs[0], socket)
    cube = tree.nodes.new("GeometryNodeMeshCube")
    cube.location = (0, -120)
    cube.inputs["Size"].default_value = size
    tree.links.new(cube.outputs["Mesh"], chain[1].inputs["Instance"])
    chain[3].inputs["Material"].default_value = object.data.materials[0]
    return tree
