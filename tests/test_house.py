"""The house is in order: lint, format, types, arrows, lazy imports, sizes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("protocol", "backend", "inkscape_extension", "blender_addon", "tests", "benchmarks")


def tool(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint() -> None:
    """ruff finds nothing."""
    tool("ruff", "check", ".")


def test_format() -> None:
    """ruff would change nothing."""
    tool("ruff", "format", "--check", ".")


def test_types() -> None:
    """mypy, strict, on the protocol and the server."""
    tool("mypy")


def test_arrows() -> None:
    """import-linter: host -> protocol <- server -> job packages -> shared tools."""
    script = "from importlinter.cli import lint_imports_command as c; c()"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("heavy", ["numpy", "numba", "torch", "zmq", "PIL", "scipy"])
def test_help_loads_nothing_heavy(heavy: str) -> None:
    """`tessera --help` answers at once because it imports next to nothing."""
    script = (
        "import sys; from tessera_backend.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit({heavy!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0


def test_the_stippler_never_loads_torch() -> None:
    """Classical engines run where torch is missing or slow to load."""
    script = (
        "import sys, numpy as np; from tessera_backend.stipple import stipple\n"
        "stipple(np.zeros((8, 8), np.uint8)); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [p for top in OURS for p in sorted((ROOT / top).rglob("*.py"))], ids=str)
def test_files_stay_readable(path: Path) -> None:
    """No file over 400 lines, and each says in its first line what belongs there."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert not text or text.startswith(('"""', "#!", "# coding")), "a module docstring is missing"
