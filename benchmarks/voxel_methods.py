"""Every voxelizer behind one call: a mesh, voxels along its longest side and colours in, labels out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
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
ENGINES: Mapping[str, VoxelizeParams] = {
    f"{OURS} surface crisp": VoxelizeParams(),
    f"{OURS} surface faithful": VoxelizeParams(crispness=0.0),
    f"{OURS} voxify crisp": VoxelizeParams(engine="voxify"),
    f"{OURS} voxify faithful": VoxelizeParams(engine="voxify", crispness=0.0),
    f"{OURS} voxify radiance": VoxelizeParams(engine="voxify", init="radiance"),
}


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
    ours = [name for name, params in ENGINES.items() if params.engine != "voxify" or _there()]
    peers = ["trimesh filled", "trimesh surface", *(["Blender Blocks"] if blender else [])]
    return [named(name, blender, device) for name in (*peers, *ours)]


def named(name: str, blender: str, device: str) -> Method:
    """One of them; a process that runs it loads nothing for the others."""
    if name in ENGINES:
        return _ours(name, ENGINES[name], device)
    if name == "Blender Blocks":
        squares = voxel_peers.Squares(blender)
        version = f"Blender {voxel_peers.blender_version(blender)}, {sources()}"
        return Method(name, version, voxel_peers.blender_blocks(squares), squares)
    return Method(
        name, f"{report.versions(['trimesh'])}, {sources()}", voxel_peers.trimesh_voxels(name == "trimesh filled")
    )


def _ours(name: str, params: VoxelizeParams, device: str) -> Method:
    def make(mesh: Mesh, side: int, colors: int) -> Made:
        made = voxelize.voxelize(mesh, dataclasses.replace(params, side=side, colors=colors), device=device)
        return Made(made.labels, made.palette)

    return Method(name, f"{report.versions(['tessera'])}, sources {sources()}, {device}", make)


def _there() -> bool:
    """Whether engine voxify is."""
    corners = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 1]]], np.float32)
    try:
        voxelize.voxelize(Mesh.of(corners), VoxelizeParams(engine="voxify", side=8, iterations=10))
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
