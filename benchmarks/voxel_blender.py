"""Blender's Remesh modifier in mode Blocks, run inside of Blender: meshes in, squares out.

    blender -b --factory-startup --python-exit-code 1 --python voxel_blender.py -- FOLDER
    python voxel_blender.py -- FOLDER                  # a Python that has bpy

FOLDER has `NAME.in.npz` with `vertices` (V, 3), `triangles` (T, 3), `shape` (3,): the mesh in voxels, from 0 to shape.
Beside each comes `NAME.out.npz` with `squares` (Q, 4, 3), `seconds`, `wall`, and `megabytes`, the peak of the process.
"""

import resource
import sys
import time
from pathlib import Path

import bpy
import numpy as np


def main() -> None:
    """Every mesh of the folder; the modifier alone is timed, the median of three."""
    folder = Path(sys.argv[sys.argv.index("--") + 1])
    for source in sorted(folder.glob("*.in.npz")):
        with np.load(source) as file:
            subject = _object(file["vertices"], file["triangles"], file["shape"])
        runs = [_squares(subject) for _ in range(3)]
        seconds, wall = np.median([run[1:] for run in runs], 0)
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        place = source.with_name(source.name.replace(".in.", ".out."))
        np.savez(place, squares=runs[0][0], seconds=seconds, wall=wall, megabytes=megabytes)
        bpy.data.objects.remove(subject)
    (folder / "blender.txt").write_text(bpy.app.version_string)


def _object(vertices: np.ndarray, triangles: np.ndarray, shape: np.ndarray) -> "bpy.types.Object":
    """The mesh with the modifier, its blocks unit cubes between whole numbers.

    The modifier centres a block on the middle of the bounding box, loose vertices counted: so along axes with an even
    number of voxels the box has to be one longer.
    """
    box = shape + (shape % 2 == 0)
    mesh = bpy.data.meshes.new("subject")
    mesh.from_pydata([*vertices.tolist(), (0, 0, 0), box.tolist()], [], triangles.tolist())
    subject = bpy.data.objects.new("subject", mesh)
    bpy.context.collection.objects.link(subject)
    remesh = subject.modifiers.new("blocks", "REMESH")
    remesh.mode = "BLOCKS"
    # Its grid has 2^depth blocks along the longest side over `scale`, which is at most .99.
    remesh.octree_depth = int(np.floor(np.log2(box.max()))) + 1
    remesh.scale = box.max() / 2**remesh.octree_depth
    # Else only the largest part remains.
    remesh.use_remove_disconnected = False
    return subject


def _squares(subject: "bpy.types.Object") -> tuple[np.ndarray, float, float]:
    subject.data.update()
    subject.update_tag()
    cpu, wall = time.process_time(), time.perf_counter()
    evaluated = subject.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    corners = np.empty(4 * len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("vertices", corners)
    evaluated.to_mesh_clear()
    return places.reshape(-1, 3)[corners.reshape(-1, 4)], cpu, wall


main()
