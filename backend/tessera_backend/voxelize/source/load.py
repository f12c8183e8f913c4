"""Mesh files: glTF, OBJ, PLY and STL, through trimesh.

glTF and OBJ have y up, and are turned; PLY and STL are taken as they are, as Blender's readers do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tessera_protocol.errors import TesseraError, error

from ... import images
from ..mesh import Material, Mesh, check_count, checked
from . import linked, materials

KINDS = (".glb", ".gltf", ".obj", ".ply", ".stl")
_Y_UP = (".glb", ".gltf", ".obj")


def load(path: Path) -> tuple[Mesh, list[str]]:
    """The mesh in a file, z up, all its objects placed as the scene says.

    Returns:
        the mesh, checked, and what an artist should be told of it: textures that are missing or damaged, for one. Files
            that it names are read only from its own folder, and from folders in that; see `linked`.
    Raises:
        InvalidInput: "unreadable-input" for what is missing, damaged or of another kind; "unusable-input" for what
            has no faces, or faces without size; "too-large".
    """
    kind = path.suffix.lower()
    _openable(path, kind)
    palette, folder = materials.Reader(linear=kind in (".glb", ".gltf")), linked.Folder(path)
    try:
        # Pillow would raise at what `materials` refuses in words.
        with images.our_limits():
            parts = _parts(_scene(path, folder), kind, palette)
            notes = folder.notes + linked.damaged_inside(path) + palette.notes
    except TesseraError:
        raise
    except MemoryError as problem:
        raise error(
            "too-large",
            f"{path.name} does not fit in this machine's memory.",
            field="mesh",
            remedy="Decimate the mesh, or close other programs.",
        ) from problem
    except Exception as problem:  # trimesh raises whatever its readers stumble over
        reason = str(problem).strip().rstrip(".").split("\n")[0] or type(problem).__name__
        raise _unreadable(path, f"is damaged or cut off ({reason[:200]})", "Export it again, as .glb.") from problem
    if not parts:
        raise error(
            "unusable-input",
            f"{path.name} has no faces.",
            field="mesh",
            given=str(path),
            remedy="Export an object with faces; points and lines alone make no voxels.",
        )
    return checked(_joined(parts)), notes


def _openable(path: Path, kind: str) -> None:
    if path.is_dir():
        raise _unreadable(path, "is a folder", "Name a file in it.")
    if kind not in KINDS:
        raise _unreadable(path, f"ends in {kind or 'nothing'}, which is not read here", "Export the mesh as .glb.")
    if not path.is_file():
        found = "is not a file" if path.exists() else "does not exist"
        raise _unreadable(path, found, f"Name a {', '.join(KINDS[:-1])} or {KINDS[-1]} file.")
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as problem:
        raise _unreadable(path, f"can't be read ({problem.strerror})", "Check its permissions.") from problem
    if not size:
        raise _unreadable(path, "is empty (0 bytes)", "Export the mesh again.")
    if size > linked.MOST_BYTES:
        raise error(
            "too-large",
            f"{path.name} has {size / 1e9:.3g} GB.",
            field="mesh",
            given=size,
            allowed=f"at most {linked.MOST_BYTES} bytes",
            remedy="Decimate the mesh, or export its parts one by one.",
        )


def _unreadable(path: Path, what: str, remedy: str) -> TesseraError:
    allowed = ", ".join(KINDS)
    problem = f"The mesh file {path} {what}."
    return error("unreadable-input", problem, field="mesh", given=str(path), allowed=allowed, remedy=remedy)


def _scene(path: Path, folder: linked.Folder) -> Any:
    import trimesh

    # As they are in the file: merging corners would mix their colours and texture coordinates.
    return trimesh.load_scene(str(path), process=False, resolver=folder)


def _parts(scene: Any, kind: str, palette: materials.Reader) -> list[Mesh]:
    """One mesh for each object of the scene, placed."""
    import trimesh

    placed = [scene.graph[node] for node in scene.graph.nodes_geometry]
    shapes = [(scene.geometry[name], transform) for transform, name in placed]
    solid = [
        (shape, transform) for shape, transform in shapes if isinstance(shape, trimesh.Trimesh) and len(shape.faces)
    ]
    # Of a few triangles, a scene can place very many.
    check_count(sum(len(shape.faces) for shape, _ in solid))
    return [_part(shape, np.asarray(transform, np.float64), kind, palette) for shape, transform in solid]


def _part(geometry: Any, transform: np.ndarray, kind: str, palette: materials.Reader) -> Mesh:
    faces = np.asarray(geometry.faces)
    corners = np.asarray(geometry.vertices, np.float64) @ transform[:3, :3].T + transform[:3, 3]
    if kind in _Y_UP:
        corners = np.stack([corners[:, 0], -corners[:, 2], corners[:, 1]], 1)
    look = palette.look(geometry.visual, faces)
    return Mesh.of(corners[faces], uv=look.uv, colors=look.colors, materials=(look.material,))


def _joined(parts: list[Mesh]) -> Mesh:
    """One mesh of many, with each material once."""
    numbers: dict[int, int] = {}
    every: list[Material] = []
    for part in parts:
        only = part.materials[0]
        if id(only) not in numbers:
            numbers[id(only)] = len(every)
            every.append(only)
    which = [np.full(len(part), numbers[id(part.materials[0])], np.int32) for part in parts]
    return Mesh(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.uv for part in parts]),
        np.concatenate([part.colors for part in parts]),
        np.concatenate(which),
        tuple(every),
    )
