"""Inkscape: where it is, where it looks for extensions, and which Python it runs them with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from . import vendor
from .host import Trial

TITLE = "Inkscape"
NEXT = "Restart Inkscape, then: Extensions > Tessera > Stipple."
FLATPAK = Path(".var/app/org.inkscape.Inkscape/config/inkscape")
SNAP = Path("snap/inkscape/current/.config/inkscape")


def program() -> Path | None:
    """Inkscape's executable."""
    found = shutil.which("inkscape")
    if found:
        return Path(found)
    places: list[Path] = []
    if sys.platform == "darwin":
        places = [Path("/Applications/Inkscape.app/Contents/MacOS/inkscape")]
    elif sys.platform == "win32":
        roots = [os.environ.get(name) for name in ("ProgramFiles", "ProgramW6432", "LOCALAPPDATA")]
        places = [Path(root) / "Inkscape" / "bin" / "inkscape.exe" for root in roots if root]
    return next((place for place in places if place.is_file()), None)


def version(executable: Path) -> str | None:
    """Such as "1.2.2"; None when it can't be had."""
    try:
        done = subprocess.run([str(executable), "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"Inkscape (\d+(?:\.\d+)+)", done.stdout)
    return match.group(1) if match else None


def profiles() -> list[Path]:
    """The profile folders of the Inkscapes of this user, the ordinary one first; it need not exist yet."""
    named = os.environ.get("INKSCAPE_PROFILE_DIR")
    if named:
        return [Path(named)]
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "inkscape"]
    if sys.platform == "darwin":
        return [home / "Library/Application Support/org.inkscape.Inkscape/config/inkscape"]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "inkscape"
    boxed = [home / box for box in (FLATPAK, SNAP) if (home / box).parent.is_dir()]
    # Someone who has only the Flatpak or the Snap needs nothing in the ordinary place.
    return boxed if boxed and program() is None and not config.is_dir() else [config, *boxed]


def folders() -> list[Path]:
    """Where extensions go, one folder a profile."""
    return [profile / "extensions" for profile in profiles()]


def boxed(folder: Path) -> bool:
    """Whether a folder belongs to an Inkscape in a Flatpak or a Snap."""
    return any(str(part) in folder.as_posix() for part in (FLATPAK.parts[2], "snap/inkscape"))


def interpreters(folder: Path) -> list[Path]:
    """The Pythons that Inkscape may run extensions with, the likeliest first; at least the first has to be served.

    Inkscape takes the one that its preferences name, else the one it ships, else `python3` of the PATH.
    """
    found = [_preferred(folder.parent / "preferences.xml")]
    executable = program()
    if executable is not None and sys.platform == "win32":
        found.append(executable.with_name("python.exe"))
    elif executable is not None and sys.platform == "darwin":
        found += sorted(executable.parent.parent.glob("Frameworks/Python.framework/Versions/3.*/bin/python3"))
        found.append(executable.parent.parent / "Resources/bin/python3")
    else:
        # Inkscape puts its own folder before the PATH.
        found += [folder / "python3" for folder in (*_folders(executable), Path("/usr/bin"))]
        # In a virtual environment that one comes first on this PATH, but not on that of the desktop.
        on_path = shutil.which("python3")
        if on_path and not Path(on_path).is_relative_to(sys.prefix):
            found.append(Path(on_path))
    return list(dict.fromkeys(path for path in found if path is not None and path.is_file()))


def try_out(plugin: Path, enable: bool) -> Trial:
    """Let each Python load the libraries; Inkscape finds an extension by itself, so there is nothing to enable."""
    found = interpreters(plugin.parent)
    if not found:
        return Trial((), ("Inkscape's Python was not found, so it could not be tried out.",))
    pythons, notes = [], []
    for python in found:
        version, problem = vendor.probe(python, plugin / "lib")
        if version:
            pythons.append(version)
        if version and problem:
            # As on Windows, where Inkscape's Python is built differently from python.org's.
            notes.append(
                f"{python} cannot load ZeroMQ ({problem}): the plugin works through a helper process of "
                f"{sys.executable}. Installing with network access, or from Python {version}, may do without it."
            )
        elif problem:
            notes.append(f"{python} cannot run the plugin: {problem}.")
    return Trial(tuple(pythons), tuple(notes))


def disable(plugin: Path) -> None:
    """Nothing: Inkscape forgets an extension with its files."""


def extension() -> str | None:
    """None: Inkscape takes extensions from folders alone."""
    return None


def _folders(executable: Path | None) -> list[Path]:
    return [] if executable is None else [executable.resolve().parent]


def _preferred(preferences: Path) -> Path | None:
    try:
        root = ET.parse(preferences).getroot()
    except (OSError, ET.ParseError):
        return None  # A fresh profile has none.
    for group in root.iter():
        if group.get("id") == "extensions" and group.get("python-interpreter"):
            return Path(str(group.get("python-interpreter")))
    return None
