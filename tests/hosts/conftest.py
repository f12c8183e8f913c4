"""Real host programs for tests: a display, isolated profiles with the plugins really installed, and who is missing."""

from __future__ import annotations

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
from tests.conftest import BackendProcess

from .inkscape import Inkscape, inkex_folder

REQUIRED = os.environ.get("TESSERA_REQUIRE_HOSTS") == "1"
EXTENSION = Path(__file__).parents[2] / "inkscape_extension"
PROGRAMS = {"inkscape": ("inkscape", "Xvfb")}


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
    own = sys.version_info[:2]
    system = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    # The libraries of this environment do, where Inkscape's Python is of the same version; else they are fetched.
    offline = system.stdout.split() == [str(own[0]), str(own[1])]
    report = install.install("inkscape", extensions, offline=offline)
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
