"""The meshes that voxelizers are measured on: all of a folder."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from report import digest
from tessera_backend.voxelize.source.load import KINDS

# Meshes under CC0-1.0, which a page may show, and who made them. Others stay on sheets that are not published.
SHOWN: Mapping[str, str] = {
    "avocado": "Microsoft, glTF sample assets",
    "flight_helmet": "glTF sample assets, conversion by Gary Hsu",
    "kaykit_knight": "Kay Lousberg, KayKit Adventurers",
    "kenney_alien": "Kenney, Space Kit",
    "kenney_character": "Kenney, Starter Kit 3D Platformer",
    "kenney_truck_red": "Kenney, Starter Kit Racing",
    "quaternius_mech_george": "Quaternius, mech pack",
    "quaternius_trex": "Quaternius, dinosaurs pack",
    "quaternius_viking_boat": "Quaternius, ships pack",
}
# For a quick look.
QUICK = ("fox", "kaykit_knight", "quaternius_viking_boat")


@dataclasses.dataclass(frozen=True)
class Subject:
    """A mesh file."""

    path: Path

    @property
    def name(self) -> str:
        """Without folder and suffix."""
        return self.path.stem

    @functools.cached_property
    def key(self) -> str:
        """A hash of the file; of what it refers to, nothing."""
        return digest(self.path.read_bytes())


def found(folder: Path, names: Sequence[str] = ()) -> list[Subject]:
    """All meshes of a folder, or those of these names."""
    every = [Subject(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in KINDS]
    missing = set(names) - {subject.name for subject in every}
    if missing or not every:
        raise SystemExit(f"{folder} has no mesh {', '.join(sorted(missing))}")
    return [subject for subject in every if not names or subject.name in names]
