"""Blender's extension: zips that Blender 4.2 and newer install from disk, one for each platform."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform as machine
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import tessera_protocol
from tessera_protocol.errors import error

from . import vendor, wheels
from .sources import source_folder

# Blender's names, and the tags of wheels that it takes there.
PLATFORMS = {
    "linux-x64": tuple(f"manylinux{tag}_x86_64" for tag in ("_2_28", "_2_26", "_2_17", "2014")),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64",),
    "macos-x64": ("macosx_11_0_x86_64",),
}
# Of Blender 4.2 to 5.0, and of newer ones.
PYTHONS = ("3.11", "3.13")
_LEFT_OUT = {"__pycache__", "lib", "settings.json", "README.md"}


@dataclasses.dataclass(frozen=True)
class Packages:
    """What was built.

    Attributes:
        files: a zip for each platform.
        notes: sentences for the user: what they lack.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def build(folder: Path, platforms: Sequence[str] = (), *, offline: bool = False) -> Packages:
    """Build the extension.

    Args:
        folder: for the zips; made if it is not there.
        platforms: keys of PLATFORMS; default: this machine's.
        offline: fetch nothing: the libraries of this Python are packed, for Blenders with the same one.
    Raises:
        InvalidInput: "out-of-range", an unknown platform; "unusable-input", a folder that can't be written, or
            libraries that can't be had.
    """
    chosen = list(dict.fromkeys(platforms)) or [this_platform()]
    for name in chosen:
        if name not in PLATFORMS:
            raise error(
                "out-of-range",
                f"There is no extension for {name}.",
                field="platform",
                given=name,
                allowed=", ".join(PLATFORMS),
                remedy=f"Choose from: {', '.join(PLATFORMS)}.",
            )
    files, notes = [], []
    for name in chosen:
        with tempfile.TemporaryDirectory() as scratch:
            libraries = Path(scratch)
            notes += _gather(name, libraries, offline)
            files.append(_pack(name, libraries, folder))
    return Packages(tuple(files), tuple(notes))


def this_platform() -> str:
    """Blender's name of this machine's platform."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    kind = machine.machine().lower()
    return f"{system}-{ {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64'}.get(kind, kind) }"


def _gather(platform: str, folder: Path, offline: bool) -> list[str]:
    """Put the wheels for a platform into a folder; notes about what is missing."""
    wheels.of_package(Path(tessera_protocol.__file__).parent, tessera_protocol.__version__, folder)
    pinned = [f"{name}=={importlib.metadata.version(name)}" for name in vendor.PACKAGES]
    problems = {}
    for python in PYTHONS:
        problem = "offline" if offline else wheels.fetch(python, pinned, folder, PLATFORMS[platform])
        if problem and not (platform == this_platform() and python == vendor.own_python() and _repack(folder)):
            problems[python] = problem
    if len(problems) == len(PYTHONS):
        raise error(
            "unusable-input",
            f"The libraries for Blender on {platform} can't be had: {problems[PYTHONS[0]]}.",
            given=platform,
            remedy=f"Try again with network access; without it, Python {' or '.join(PYTHONS)} can pack its own "
            "libraries for its own platform.",
        )
    return [f"{platform}: not for Blenders with Python {python}: {why}." for python, why in problems.items()]


def _repack(folder: Path) -> bool:
    """Take the libraries that run here; whether they could be had."""
    return all(wheels.of_installed(name, folder) is not None for name in vendor.PACKAGES)


def _pack(platform: str, libraries: Path, folder: Path) -> Path:
    source = source_folder("blender")
    target = folder / f"tessera-{tessera_protocol.__version__}-{platform.replace('-', '_')}.zip"
    packed = sorted(libraries.glob("*.whl"))
    manifest = (source / "blender_manifest.toml").read_text(encoding="utf-8")
    names = "".join(f'  "./wheels/{path.name}",\n' for path in packed)
    manifest += f'platforms = ["{platform}"]\nwheels = [\n{names}]\n'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".part")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("blender_manifest.toml", manifest)
            for path in sorted(source.rglob("*")):
                inner = path.relative_to(source)
                if path.is_file() and not _LEFT_OUT & set(inner.parts) and inner.name != "blender_manifest.toml":
                    archive.write(path, inner.as_posix())
            for path in packed:
                archive.write(path, f"wheels/{path.name}")
        os.replace(draft, target)
    except OSError as exc:
        raise error(
            "unusable-input",
            f"{target} can't be written: {exc.strerror or exc}.",
            given=str(target),
            remedy="Check the folder's permissions, or name another one.",
        ) from exc
    return target
