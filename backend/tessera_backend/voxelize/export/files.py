"""Voxels to files, by suffix: one table of what there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tessera_protocol.errors import error

from ... import files
from ..voxels import Voxels
from . import meshes, sheet, sparse, vox

# Per suffix, what makes its files, by name, of voxels and a name without suffix.
_WRITERS: dict[str, Callable[[Voxels, str], dict[str, bytes]]] = {
    ".vox": lambda voxels, name: {f"{name}.vox": vox.to_vox(voxels, name)},
    ".glb": lambda voxels, name: {f"{name}.glb": meshes.to_glb(voxels, name)},
    ".obj": meshes.to_obj,
    ".ply": lambda voxels, name: {f"{name}.ply": meshes.to_ply(voxels)},
    ".png": lambda voxels, name: {f"{name}.png": sheet.to_sheet(voxels)},
    ".npz": lambda voxels, name: {f"{name}.npz": sparse.to_npz(voxels)},
    ".json": lambda voxels, name: {f"{name}.json": sparse.to_json(voxels)},
}
SUFFIXES = tuple(_WRITERS)


def encoded(path: Path, voxels: Voxels) -> dict[str, bytes]:
    """The files that belong to `path`, by name: one, or for .obj three, of which the first is named like it.

    .vox is MagicaVoxel's; .glb and .obj are greedy meshes with a palette texture; .ply has points; .png is a sheet
    of six views (`sheet`); .npz and .json are lists of voxels (`sparse`).

    Raises:
        InvalidInput: "unusable-input" for another suffix, or where there is no voxel.
    """
    files.check_suffix(path, SUFFIXES, f"{path.stem or 'art'}.vox")
    if not voxels.labels.any():
        raise error(
            "unusable-input",
            "There are no voxels to write: the object is empty.",
            field="voxels",
            remedy="Take a higher resolution, or another object.",
        )
    return _WRITERS[path.suffix.lower()](voxels, path.stem)


def write(path: Path, voxels: Voxels) -> list[Path]:
    """Writes what `encoded` gives, beside each other, and returns where.

    Raises:
        InvalidInput: as `encoded`; "unusable-input" where the disk refuses.
    """
    written = []
    for name, data in encoded(path, voxels).items():
        # The suffix is as it was asked for, in capitals too.
        place = path if not written else path.with_name(name)
        files.write(place, data)
        written.append(place)
    return written
