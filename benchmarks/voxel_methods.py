"""Every voxelizer behind one call: a mesh, voxels along its longest side and colours in, labels out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

import report
import tessera_backend
import voxel_peers
from tessera_backend import voxelize
from tessera_backend.voxelize.mesh import Mesh
from tessera_protocol.errors import TesseraError
from tessera_protocol.jobs import VoxelizeParams
from voxel_peers import Made, Make

OURS = "Tessera"


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to make voxels, ours or not.

    Attributes:
        name: as the tables call it.
        version: what was run; another one is measured anew.
        make: (mesh, side, colours) -> voxels.
        prepare: (mesh, side), what is done before the clock runs: another program starts.
    """

    name: str
    version: str
    make: Make
    prepare: Callable[[Mesh, int], object] = lambda mesh, side: None


def every(blender: str, device: str) -> list[Method]:
    """All that can be run here; `blender` is a command, or empty for none."""
    ours = [
        _ours("surface crisp", VoxelizeParams(), device),
        _ours("surface faithful", VoxelizeParams(crispness=0.0), device),
    ]
    if _there():
        ours += [
            _ours("voxify", VoxelizeParams(engine="voxify"), device),
            _ours("voxify radiance", VoxelizeParams(engine="voxify", init="radiance"), device),
        ]
    theirs = report.versions(["trimesh"])
    peers = [
        Method("trimesh filled", f"{theirs}, {sources()}", voxel_peers.trimesh_voxels(True)),
        Method("trimesh surface", f"{theirs}, {sources()}", voxel_peers.trimesh_voxels(False)),
    ]
    if blender:
        version = f"Blender {voxel_peers.blender_version(blender)}, {sources()}"
        squares = voxel_peers.Squares(blender)
        peers.append(Method("Blender Blocks", version, voxel_peers.blender_blocks(squares), squares))
    return [*peers, *ours]


def _ours(name: str, params: VoxelizeParams, device: str) -> Method:
    def make(mesh: Mesh, side: int, colors: int) -> Made:
        made = voxelize.voxelize(mesh, dataclasses.replace(params, side=side, colors=colors), device=device)
        return Made(made.labels, made.palette)

    return Method(f"{OURS} {name}", f"{report.versions(['tessera'])}, sources {sources()}, {device}", make)


def blob() -> Mesh:
    """A tetrahedron of many colours, to load what is compiled."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = corners[[[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]]
    colors = np.ones((4, 3, 4), np.float32)
    colors[..., :3] = np.linspace(0, 1, 36, dtype=np.float32).reshape(4, 3, 3)
    return Mesh.of(faces, colors=colors)


def _there() -> bool:
    """Whether engine voxify is."""
    try:
        voxelize.voxelize(blob(), VoxelizeParams(engine="voxify", side=8, iterations=10))
    except TesseraError:
        return False
    return True


def sources() -> str:
    """A hash of the code that makes voxels, and of what measures them."""
    found = hashlib.sha256()
    here, there = Path(__file__).parent, Path(tessera_backend.__path__[0])
    benchmark = [here / f"voxel_{name}.py" for name in ("blender", "judge", "methods", "peers", "worker")]
    for path in [*sorted((there / "voxelize").rglob("*.py")), there / "colour.py", *benchmark]:
        found.update(path.read_bytes())
    return report.digest(found.digest())
