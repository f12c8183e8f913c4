"""Blender: where it is, where it looks for add-ons, and trying and enabling ours inside it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tessera_protocol import paths

from . import vendor
from .host import Trial

TITLE = "Blender"
NEXT = "Restart Blender; Tessera is in the sidebar of the 3D view (key N)."
FLATPAK = Path(".var/app/org.blender.Blender/config/blender")
TRIAL_SECONDS = 120
_BY_HAND = "Start it, open Edit > Preferences > Add-ons, and tick Tessera."
OLDEST = (3, 4)
_VERSION = re.compile(r"\d+\.\d+")

# Run inside Blender. Settings that an older version offers to hand on to this one would be lost by saving first.
SWITCH = """\
import addon_utils, bpy
known = "tessera" in bpy.context.preferences.addons
save = {save} and known != {on} and not bpy.ops.preferences.copy_prev.poll()
twins = [name for name in bpy.context.preferences.addons.keys() if name.endswith(".tessera")]
problems = [f"it has Tessera as an extension, too ({{name}}); remove that or this" for name in twins if {on}]
if problems:
    pass
elif {on}:
    addon_utils.enable("tessera", default_set=save, handle_error=lambda exc: problems.append(repr(exc)))
else:
    addon_utils.disable("tessera", default_set=save)
if save and not problems:
    bpy.ops.wm.save_userpref()
print("tessera-switch", int(("tessera" in bpy.context.preferences.addons) == {on}), *problems)
"""


def program() -> Path | None:
    """The Blender that is started first."""
    return next(iter(programs()), None)


def programs() -> list[Path]:
    """All Blenders that are found: several versions live side by side."""
    on_path = shutil.which("blender")
    found = [Path(on_path)] if on_path else []
    if sys.platform == "darwin":
        found += sorted(Path("/Applications").glob("Blender*.app/Contents/MacOS/Blender"), reverse=True)
    elif sys.platform == "win32":
        roots = [os.environ.get(name) for name in ("ProgramFiles", "ProgramW6432")]
        for root in dict.fromkeys(root for root in roots if root):
            found += sorted((Path(root) / "Blender Foundation").glob("Blender*/blender.exe"), reverse=True)
    return [path for path in dict.fromkeys(found) if path.is_file()]


def version(executable: Path) -> str | None:
    """Such as "3.4.1"; None when it can't be had."""
    try:
        done = subprocess.run([str(executable), "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"Blender (\d+(?:\.\d+)+)", done.stdout)
    return match.group(1) if match else None


def folders() -> list[Path]:
    """Where add-ons go: one folder for each version that has been used or is installed.

    Blender from 4.2 on still loads add-ons from there, beside extensions.
    """
    scripts, resources = os.environ.get("BLENDER_USER_SCRIPTS"), os.environ.get("BLENDER_USER_RESOURCES")
    if scripts:
        return [Path(scripts) / "addons"]
    if resources:
        return [Path(resources) / "scripts" / "addons"]
    ordinary, boxes = _roots()
    installed = {_short(version(executable)) for executable in programs()} - {""}
    found = [ordinary / name for name in _served(_used(ordinary) | installed)]
    found += [box / name for box in boxes for name in _served(_used(box))]
    return [path / "scripts" / "addons" for path in found]


def boxed(folder: Path) -> bool:
    """Whether a folder belongs to a Blender in a Flatpak. (The Snap is not confined, and uses the ordinary ones.)"""
    return FLATPAK.parts[2] in folder.as_posix()


def interpreters(folder: Path) -> list[Path]:
    """The Pythons that Blenders bring along; those of Linux distributions use the system's instead."""
    found: list[Path] = []
    for executable in programs():
        home = executable.resolve().parent
        for place in (home, home.parent / "Resources"):
            found += sorted(place.glob("*/python/bin/python*"))
    return [path for path in found if re.fullmatch(r"python(3\.\d+|\.exe)", path.name)]


def try_out(plugin: Path, enable: bool) -> Trial:
    """Load the add-on in each Blender that looks into this folder, and enable it there for good if asked to."""
    found = _blenders(plugin.parent)
    if not found:
        return Trial((), (f"No Blender was found for {plugin.parent}, to try the add-on. {_BY_HAND}",))
    pythons, notes = [], []
    for executable in found:
        python, problem, enabled = _inside(executable, plugin, enable)
        if python:
            pythons.append(python)
        if python and problem:
            notes.append(f"{executable} cannot load ZeroMQ ({problem}): the add-on works through a helper process.")
        elif problem:
            notes.append(f"{executable} cannot run the add-on: {problem}.")
        elif enable and not enabled:
            notes.append(f"{executable} has not been started yet, so the add-on is not enabled. {_BY_HAND}")
    return Trial(tuple(pythons), tuple(notes))


def disable(plugin: Path) -> None:
    """Take the add-on off the list of those that Blender loads at its start."""
    for executable in _blenders(plugin.parent):
        _run(executable, SWITCH.format(on=False, save=True), {})


def extension() -> str | None:
    """The version of the extension, where a Blender has it."""
    for addons in folders():
        for path in sorted(addons.parents[1].glob("extensions/*/tessera/blender_manifest.toml")):
            with contextlib.suppress(OSError, tomllib.TOMLDecodeError):
                return str(tomllib.loads(path.read_text(encoding="utf-8")).get("version"))
    return None


def _inside(executable: Path, plugin: Path, enable: bool) -> tuple[str, str, bool]:
    """(Python's version or "", what is wrong or "", whether it is enabled)."""
    probe = f"import sys; sys.argv = ['', {str(plugin / 'lib')!r}]\n{vendor.PROBE}"
    script = f"{probe}\n{SWITCH.format(on=True, save=enable)}"
    if enable:
        done = _run(executable, script, {})
    else:
        # Somebody's own folder: Blender is told to look there, and forgets it at once.
        done = _run(executable, script, {"BLENDER_USER_SCRIPTS": str(plugin.parent.parent)}, "--factory-startup")
    python, problem = vendor.read_probe(done)
    switched = re.search(r"^tessera-switch (\d) ?(.*)$", done.stdout, re.MULTILINE)
    if switched is None or switched.group(2):
        return "", problem or (switched.group(2) if switched else vendor.last_words(done)), False
    return python, problem, switched.group(1) == "1"


def _run(executable: Path, script: str, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(executable), "-b", *options, "--python-exit-code", "1", "--python-expr", script]
    env = {**paths.clean_environment(), **environment}
    try:
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return subprocess.CompletedProcess(command, 1, "", str(exc))


def _blenders(addons: Path) -> list[Path]:
    """The Blenders that look for add-ons in a folder; all of them, if it is no folder of a certain version."""
    if addons.name != "addons" or boxed(addons):
        return []
    owner = addons.parents[1].name
    found = programs()
    return [path for path in found if _short(version(path)) == owner] if _VERSION.fullmatch(owner) else found


def _roots() -> tuple[Path, list[Path]]:
    """(the folder that holds one for each version, those of Blenders in sandboxes)."""
    home = Path.home()
    if sys.platform == "win32":
        roaming = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
        return roaming / "Blender Foundation" / "Blender", []
    if sys.platform == "darwin":
        return home / "Library/Application Support/Blender", []
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "blender", [home / FLATPAK]


def _used(root: Path) -> set[str]:
    return {path.name for path in root.glob("*") if path.is_dir() and _VERSION.fullmatch(path.name)}


def _served(versions: set[str]) -> list[str]:
    """Those that the add-on is made for, the oldest first."""
    numbers = {name: tuple(int(part) for part in name.split(".")) for name in versions}
    return sorted((name for name in versions if numbers[name] >= OLDEST), key=numbers.__getitem__)


def _short(full: str | None) -> str:
    """ "3.4" of "3.4.1"."""
    return ".".join((full or "").split(".")[:2])
