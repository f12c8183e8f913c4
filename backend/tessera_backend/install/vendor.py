"""What a plugin brings along for its host's Python: tessera_protocol, pyzmq and msgpack.

pyzmq and msgpack are compiled: one wheel per Python version (from 3.12 on pyzmq's serves them all). Wheels of one
release unpack into one folder without collision, as the compiled files carry their Python's name. A Python too old
for the release that runs here gets another release, in a folder of its own that only that Python looks into.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from . import wheels

COMMON_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
PACKAGES = ("pyzmq", "msgpack")
_UNUSED = shutil.ignore_patterns("__pycache__", "tests", "*.pyi", "*.pxd", "RECORD", "INSTALLER", "REQUESTED")

# Run by the host's own Python, or inside the host.
PROBE = """\
import sys
here = sys.argv[1]
sys.path[:0] = [f"{here}/cp{sys.version_info[0]}{sys.version_info[1]}", here]
import msgpack, tessera_protocol.client
try:
    import zmq
    zmq.Context().term()
    problem = ""
except ImportError as exc:
    problem = str(exc)
print("tessera-probe %d.%d" % sys.version_info[:2], problem)
"""


def own_python() -> str:
    """This Python's version, as "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def fill(lib: Path, extra: Iterable[str] = (), *, offline: bool = False) -> list[str]:
    """Make the folder that a plugin puts on its sys.path.

    Args:
        lib: made here; must not exist.
        extra: Python versions to serve besides the common ones, such as "3.14".
        offline: take nothing from the network: only this Python's version is served.
    Returns:
        Notes for the user: which Pythons are not served, and why.
    """
    lib.mkdir(parents=True)
    copy_package("tessera_protocol", lib)
    copy_package("zmq", lib, "pyzmq")
    copy_package("msgpack", lib, "msgpack")
    if offline:
        return [f"Offline: the plugin works with Python {own_python()} only."]
    notes = []
    for version in sorted({*COMMON_PYTHONS, *extra} - {own_python()}, key=_numbers):
        problem = download(version, lib)
        if problem:
            notes.append(f"No pyzmq and msgpack for Python {version}: {problem}")
    return notes


def copy_package(module: str, lib: Path, distribution: str = "") -> None:
    """Copy an importable package, with the libraries that its wheel put beside it and its licence."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"{module} is a dependency of this package"
    assert spec.submodule_search_locations is not None
    source = Path(next(iter(spec.submodule_search_locations)))
    shutil.copytree(source, lib / module, ignore=_UNUSED)
    if not distribution:
        return
    version = importlib.metadata.version(distribution)
    for beside in (f"{distribution}.libs", f"{distribution}-{version}.dist-info"):
        if (source.parent / beside).is_dir():
            shutil.copytree(source.parent / beside, lib / beside, ignore=_UNUSED)


def download(version: str, lib: Path) -> str:
    """Add the wheels for a Python version; "" or why there are none."""
    pinned = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    with tempfile.TemporaryDirectory() as folder:
        problem = wheels.fetch(version, pinned, Path(folder))
        if not problem:
            _unpack(Path(folder), lib)
            return ""
    with tempfile.TemporaryDirectory() as folder:
        if not (problem := wheels.fetch(version, PACKAGES, Path(folder))):
            _unpack(Path(folder), lib / f"cp{version.replace('.', '')}")
        return problem


def probe(python: Path, lib: Path) -> tuple[str, str]:
    """Let a Python load what is in `lib`.

    Returns:
        (its version, ""), or (its version, why it can't load ZeroMQ), or ("", why it can't load anything).
    """
    try:
        done = subprocess.run(
            [str(python), "-I", "-B", "-c", PROBE, str(lib)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return "", str(exc)
    return read_probe(done)


def read_probe(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """What `probe` returns, from what a run of PROBE left."""
    said = re.search(r"^tessera-probe (\S+) ?(.*)$", done.stdout, re.MULTILINE)
    return (said.group(1), said.group(2)) if said else ("", last_words(done))


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a program which failed wrote to stderr."""
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def version_of(python: Path) -> str:
    """A Python's version, such as "3.11"; "" when it does not run."""
    try:
        done = subprocess.run(
            [str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _unpack(folder: Path, lib: Path) -> None:
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            # Wheels come from the index that also serves this Python's packages; extract() refuses paths outside.
            archive.extractall(lib, [name for name in archive.namelist() if "/tests/" not in name])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
