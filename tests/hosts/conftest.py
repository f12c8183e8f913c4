"""Real host programs for tests: a display, isolated profiles with the plugins really installed, and who is missing."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tessera_backend import install
from tessera_backend.install import blender as blender_installer
from tessera_backend.install import vendor
from tests.conftest import BackendProcess

from .blender import Blender, stop_backend
from .inkscape import Inkscape, inkex_folder

REQUIRED = os.environ.get("TESSERA_REQUIRE_HOSTS") == "1"
EXTENSION = Path(__file__).parents[2] / "inkscape_extension"
BPY = os.environ.get("TESSERA_BPY") or "TESSERA_BPY (a Python that has bpy)"
PROGRAMS = {
    "inkscape": ("inkscape", "Xvfb"),
    "blender": ("blender",),
    "blender window": ("blender", "Xvfb", "import", "xdotool"),
    "bpy": (BPY,),
}
BLENDERS = [
    pytest.param("blender34", marks=pytest.mark.host("blender"), id="blender"),
    pytest.param("bpy_python", marks=pytest.mark.host("bpy"), id="bpy"),
]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked host("...") needs that program: without it, it is skipped, or fails where hosts are required."""
    for marker in item.iter_markers("host"):
        missing = [program for program in PROGRAMS[marker.args[0]] if shutil.which(program) is None]
        if missing:
            reason = f"{' and '.join(missing)} not found"
            if REQUIRED:
                pytest.fail(f"{reason}, but TESSERA_REQUIRE_HOSTS=1", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual screen; Xvfb itself chooses a free number and says so when it is ready."""
    read, write = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            # Blocks until Xvfb is ready; ends with "" when it dies instead.
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Inkscape profile into which the real installer put the extension; the folder of the extension."""
    extensions = tmp_path_factory.mktemp("inkscape profile") / "extensions"
    report = install.install("inkscape", extensions, offline=_is_ours("/usr/bin/python3"))
    assert report.works, report.notes
    return report.folders[0]


@pytest.fixture
def inkscape(display: str, extension: Path, backend: BackendProcess, tmp_path: Path) -> Inkscape:
    """The real Inkscape, with the extension and a running backend."""
    return Inkscape(display, extension, backend.home, tmp_path)


@pytest.fixture
def lonely_inkscape(display: str, extension: Path, tmp_path: Path) -> Inkscape:
    """The real Inkscape with the extension, where no backend runs."""
    return Inkscape(display, extension, tmp_path / "home", tmp_path)


@pytest.fixture(scope="session")
def addon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The add-on as the real installer put it into a folder of scripts; its folder. Tests leave it as it is."""
    addons = tmp_path_factory.mktemp("blender scripts") / "addons"
    report = install.install("blender", addons, offline=own_libraries_do())
    assert report.works or not shutil.which("blender"), report.notes
    return report.folders[0]


@pytest.fixture
def blender34(addon: Path, backend: BackendProcess, tmp_path: Path) -> Blender:
    """The system's Blender (3.4 on Debian 12) without a window, with the add-on and a running backend."""
    command = ("blender", "-b", "--factory-startup", "--python-exit-code", "1", "--python")
    return Blender(command, addon, backend.home, tmp_path)


@pytest.fixture
def bpy_python(addon: Path, backend: BackendProcess, tmp_path: Path) -> Blender:
    """A newer Blender as the module bpy, with the add-on and a running backend."""
    return Blender((BPY,), addon, backend.home, tmp_path)


@pytest.fixture(params=BLENDERS)
def blender(request: pytest.FixtureRequest) -> Blender:
    """Both Blenders, one after another."""
    found: Blender = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def lonely_blender(blender: Blender, tmp_path: Path) -> Iterator[Blender]:
    """Both Blenders, where no backend runs; one that the add-on starts is ended after the test."""
    home = tmp_path / "home"
    yield dataclasses.replace(blender, home=home)
    stop_backend(home)


@pytest.fixture
def blender_window(blender34: Blender, display: str) -> Blender:
    """The system's Blender with a window, with the add-on and a running backend."""
    return dataclasses.replace(blender34, display=display)


def own_libraries_do() -> bool:
    """Whether the libraries of this environment serve the Blenders here; those for other Pythons have to be fetched."""
    bpy = [BPY] if os.environ.get("TESSERA_BPY") else []
    # A Linux distribution's Blender runs the system's Python.
    return all(map(_is_ours, [*bpy, *(blender_installer.interpreters(Path()) or ["/usr/bin/python3"])]))


def _is_ours(python: str | Path) -> bool:
    return vendor.version_of(Path(python)) == vendor.own_python()


@pytest.fixture(scope="session")
def parts() -> SimpleNamespace:
    """The extension's modules, on the inkex that this Inkscape brings."""
    sys.path[:0] = [str(EXTENSION)]
    sys.path.append(str(inkex_folder()))
    with warnings.catch_warnings():
        # inkex 1.2 imports deprecated parts of itself, and says so.
        warnings.simplefilter("ignore")
        import inkex

        import tessera_stipple
        from tessera_inkscape import clips, gather, geometry, masks, place, shapes
    return SimpleNamespace(
        inkex=inkex,
        clips=clips,
        gather=gather,
        geometry=geometry,
        masks=masks,
        place=place,
        shapes=shapes,
        stipple=tessera_stipple,
    )
