"""Plugins into their programs and out again: `install`, `uninstall`, and what `doctor` asks.

Each host is a module that fulfils `host.Host`, with its folder in `sources.FOLDERS`. Krita joins as one more.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tessera_protocol import __version__
from tessera_protocol.errors import error

from . import blender, inkscape, vendor
from . import folder as folders
from .host import Host
from .sources import source_folder

HOSTS: dict[str, Host] = {"inkscape": inkscape, "blender": blender}
OURS = "tessera"
BACKEND_COMMAND = (sys.executable, "-m", "tessera_backend", "serve", "--idle-exit", "30")


@dataclasses.dataclass(frozen=True)
class Report:
    """What an installation or removal did.

    Attributes:
        host: one of HOSTS.
        version: of the plugin.
        folders: that were written or removed.
        pythons: versions of the host's Python that were seen to load the plugin's libraries.
        notes: sentences for the user: what does not work, and what to do.
    """

    host: str
    version: str
    folders: tuple[Path, ...]
    pythons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether a Python of the host was seen to load it."""
        return bool(self.pythons)


def install(host: str, target: Path | None = None, *, offline: bool = False) -> Report:
    """Put a plugin where its program finds it, with all it needs; an older one of ours is replaced.

    Args:
        host: one of HOSTS.
        target: the program's folder of extensions; default: those of all its installations.
        offline: fetch no libraries for other Python versions than this one.
    Raises:
        InvalidInput: an unknown host; a folder that can't be written or is not ours.
    """
    program, targets = _known(host), _targets(host, target)
    found = {python for path in targets for python in program.interpreters(path)}
    versions = {vendor.version_of(python) for python in found} - {""}
    with tempfile.TemporaryDirectory() as scratch:
        lib = Path(scratch) / "lib"
        notes = vendor.fill(lib, versions, offline=offline)
        for path in targets:
            with folders.replaced(path / OURS, __version__) as draft:
                _fill(draft, source_folder(host), lib)
    if program.program() is None:
        notes.append(f"{program.TITLE} itself was not found here; the plugin is in place for when it is.")
    pythons: list[str] = []
    for path in targets:
        trial = program.try_out(path / OURS, enable=target is None)
        pythons += trial.pythons
        notes += trial.notes
        if program.boxed(path):
            notes.append(_BOXED.format(path, program.TITLE))
    installed = tuple(path / OURS for path in targets)
    return Report(host, __version__, installed, tuple(dict.fromkeys(pythons)), tuple(notes))


def uninstall(host: str, target: Path | None = None) -> Report:
    """Take away what `install` put there, and nothing else.

    Raises:
        InvalidInput: an unknown host.
    """
    program = _known(host)
    removed, notes = [], []
    for path in (path / OURS for path in _targets(host, target)):
        known = folders.manifest(path)
        if known is None:
            notes.append(f"Nothing of Tessera is installed in {path}.")
            continue
        if target is None:
            program.disable(path)
        left = folders.remove(path)
        removed.append(path)
        if left:
            notes.append(f"{path} stays, with what Tessera did not put there: {', '.join(x.name for x in left)}.")
    return Report(host, __version__, tuple(removed), (), tuple(notes))


def installed(host: str, target: Path | None = None) -> str | None:
    """The version of the installed plugin, or None.

    Raises:
        InvalidInput: an unknown host.
    """
    for path in _targets(host, target):
        known = folders.manifest(path / OURS)
        if known is not None:
            return str(known.get("version"))
    return _known(host).extension() if target is None else None


def find_host(host: str) -> tuple[Path, str | None] | None:
    """The host's program and its version (None if it does not say), or None when it is not there.

    Raises:
        InvalidInput: an unknown host.
    """
    program = _known(host)
    executable = program.program()
    return None if executable is None else (executable, program.version(executable))


_BOXED = (
    "{} belongs to {} in a sandbox, which cannot start the backend. Start it yourself (tessera serve), and "
    "let both find the connection file: set TESSERA_CONNECTION_FILE to one path in your home folder for both."
)


def _fill(draft: Path, source: Path, lib: Path) -> None:
    """The plugin's files, its libraries, and how it starts the backend."""
    ignored = shutil.ignore_patterns("__pycache__", "lib", "settings.json")
    shutil.copytree(source, draft, ignore=ignored, dirs_exist_ok=True)
    shutil.copytree(lib, draft / "lib")
    settings = {"backend_command": BACKEND_COMMAND, "backend_python": sys.executable}
    (draft / "settings.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")


def _targets(host: str, target: Path | None) -> list[Path]:
    return [target.expanduser()] if target is not None else _known(host).folders()


def _known(host: str) -> Host:
    if host not in HOSTS:
        raise error(
            "out-of-range",
            f"There is no plugin for {host!r}.",
            field="host",
            given=host,
            allowed=", ".join(HOSTS),
            remedy=f"Choose one of: {', '.join(HOSTS)}.",
        )
    return HOSTS[host]
