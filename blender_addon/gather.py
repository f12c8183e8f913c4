"""Selected objects of Blender as a scene: what the viewport shows of them now, with modifiers, poses and instances."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable, Iterable
from typing import Any

from tessera_protocol.errors import error
from tessera_protocol.jobs.voxelize import MOST_TRIANGLES

from .materials import Materials, Need
from .scene import Part, Scene

WHITE = array("f", [1.0] * 4).tobytes()


def gather(objects: Iterable[Any], depsgraph: Any, abspath: Callable[..., str]) -> Scene:
    """The surfaces of objects and of what they instance.

    Args:
        objects: of the document, not evaluated ones; those without a surface are left out.
        depsgraph: evaluated at the frame that is meant.
        abspath: `bpy.path.abspath`.
    Raises:
        InvalidInput: "unusable-input" where there is no surface; "too-large" for too many triangles.
    """
    chosen = set(objects)
    if not chosen:
        raise error(
            "unusable-input", "Nothing is selected.", remedy="Select what is to become voxels, and press Voxify again."
        )
    scene = Scene()
    materials = Materials(scene, abspath)
    # Meshes that are instanced often are read once.
    read: dict[tuple[Any, ...], Part] = {}
    for instance in depsgraph.object_instances:
        # Curves, texts and metaballs come as instances of the mesh that they are drawn as, too.
        if instance.object.type != "MESH":
            continue
        owner = (instance.parent if instance.is_instance else instance.object).original
        if owner not in chosen:
            continue
        part = _part(instance.object, materials, read)
        if part is not None:
            matrix = [value for row in instance.matrix_world for value in row]
            scene.parts.append(dataclasses.replace(part, matrix=matrix))
            _check_size(scene)
    if not scene.parts:
        names = ", ".join(sorted(owner.name for owner in chosen)[:3])
        raise error(
            "unusable-input",
            f"There is no surface in what is selected ({names}).",
            remedy="Select a mesh, text, curve with thickness, metaball or an instance of them, that has faces.",
        )
    return scene


def _check_size(scene: Scene) -> None:
    if scene.triangles > MOST_TRIANGLES:
        raise error(
            "too-large",
            f"The selection has more than {MOST_TRIANGLES} triangles.",
            field="triangles",
            given=scene.triangles,
            allowed=f"up to {MOST_TRIANGLES}",
            remedy="Select less, or take a Decimate modifier: far fewer show in voxels.",
        )


def _part(object: Any, materials: Materials, read: dict[tuple[Any, ...], Part]) -> Part | None:
    """A part that does not know yet where it stands; None for a mesh without faces."""
    slots = tuple(slot.material for slot in object.material_slots if slot.link == "OBJECT")
    key = (object.data.as_pointer(), *(material and material.name_full for material in slots))
    if key not in read:
        mesh = object.to_mesh()
        try:
            if not mesh.polygons:
                return None
            read[key] = _read(mesh, _needs(object, mesh, materials), object.name, materials)
        finally:
            object.to_mesh_clear()
    return read[key]


def _needs(object: Any, mesh: Any, materials: Materials) -> list[Need | None]:
    """Of each slot, what its material is; None for an empty one."""
    own = list(mesh.materials)
    for at, slot in enumerate(object.material_slots):
        if slot.link == "OBJECT" and slot.material is not None:
            own[at : at + 1] = [slot.material]
    return [materials.need(material) if material is not None else None for material in own]


def _read(mesh: Any, needs: list[Need | None], name: str, materials: Materials) -> Part:
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    vertices = _numbers(mesh.vertices, "co", "f", 3 * len(mesh.vertices))
    triangles = _numbers(mesh.loop_triangles, "vertices", "i", 3 * count)
    slots = _numbers(mesh.loop_triangles, "material_index", "i", count) if len(needs) > 1 else None
    if slots is not None:
        # Faces may have numbers of slots that are gone: Blender draws them with the last one.
        last = len(needs) - 1
        slots = slots if max(slots) <= last else array("i", [min(slot, last) for slot in slots])
    used = [need for need in needs if need is not None]
    uv = _uv(mesh, [need for need in used if need.mapped], name, materials)
    colors = _colors(mesh, needs, slots)
    mapped = uv is not None or colors is not None
    return Part(
        name,
        vertices,
        triangles,
        _numbers(mesh.loop_triangles, "loops", "i", 3 * count) if mapped else None,
        slots,
        uv,
        colors,
        materials=[need.number if need is not None else None for need in needs],
    )


def _uv(mesh: Any, needs: list[Need], name: str, materials: Materials) -> array[float] | None:
    """Texture coordinates of loops, as the first material that wants some wants them."""
    if not needs or not mesh.uv_layers:
        return None
    need = needs[0]
    if any((other.uv_map, other.mapping) != (need.uv_map, need.mapping) for other in needs):
        materials.note(f"Materials of {name} map their pictures in different ways: all are mapped as the first is.")
    layer = mesh.uv_layers.get(need.uv_map) or next(layer for layer in mesh.uv_layers if layer.active_render)
    # Blender 3.5 gave layers a plain array of vectors.
    data, key = (layer.uv, "vector") if hasattr(layer, "uv") else (layer.data, "uv")
    values = _numbers(data, key, "f", 2 * len(mesh.loops))
    if need.mapping is not None:
        a, b, c, d, e, f = need.mapping
        us, vs = values[0::2], values[1::2]
        values[0::2] = array("f", [a * u + b * v + c for u, v in zip(us, vs)])
        values[1::2] = array("f", [d * u + e * v + f for u, v in zip(us, vs)])
    return values


def _colors(mesh: Any, needs: list[Need | None], slots: array[int] | None) -> array[float] | None:
    """Linear RGBA of loops: what materials ask for, or without any the active colours; white for those that don't."""
    wanted = [need.attribute if need is not None else "" for need in needs] or [""]
    asked = next((attribute for attribute in wanted if attribute is not None), None)
    if asked is None or not len(mesh.color_attributes):
        return None
    layer = mesh.color_attributes.get(asked)
    if layer is None:
        if asked:
            return None
        layer = mesh.color_attributes[max(0, mesh.color_attributes.render_color_index)]
    values = _numbers(layer.data, "color", "f", 4 * len(layer.data))
    plain = {slot for slot, attribute in enumerate(wanted) if attribute is None}
    if layer.domain == "CORNER" and not plain:
        return values
    data = values.tobytes()
    rows = [data[at : at + 16] for at in range(0, len(data), 16)]
    if layer.domain == "POINT":
        rows = list(map(rows.__getitem__, _numbers(mesh.loops, "vertex_index", "i", len(mesh.loops))))
    if plain and slots is not None:
        for loop in _loops_of(mesh, plain, slots):
            rows[loop] = WHITE
    return array("f", b"".join(rows))


def _loops_of(mesh: Any, chosen: set[int], slots: array[int]) -> Iterable[int]:
    """The loops of triangles with these slots."""
    loops = _numbers(mesh.loop_triangles, "loops", "i", 3 * len(slots))
    for at, slot in enumerate(slots):
        if slot in chosen:
            yield from loops[3 * at : 3 * at + 3]


def _numbers(collection: Any, key: str, kind: str, count: int) -> array[Any]:
    values = array(kind, bytes(4 * count))
    collection.foreach_get(key, values)
    return values
