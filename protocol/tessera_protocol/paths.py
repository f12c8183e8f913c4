"""Where Tessera keeps its files, by platform (TESSERA_HOME: all below one folder), and what programs inherit."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def cache_dir() -> Path:
    """What can be made again: compiled kernels."""
    return _base("cache", "XDG_CACHE_HOME", "~/.cache", "~/Library/Caches", "Cache")


def state_dir() -> Path:
    """What must survive a restart: the result spool, its index, the log."""
    return _base("state", "XDG_STATE_HOME", "~/.local/state", "~/Library/Application Support", "State")


def runtime_dir() -> Path:
    """What lives as long as the login: the connection file."""
    fallback = Path(tempfile.gettempdir()) / f"tessera-{_user()}"
    return _base("run", "XDG_RUNTIME_DIR", str(fallback), str(fallback), "Run")


def connection_file() -> Path:
    """The connection file that clients read unless told otherwise (TESSERA_CONNECTION_FILE)."""
    named = os.environ.get("TESSERA_CONNECTION_FILE")
    return Path(named) if named else runtime_dir() / "connection.json"


def clean_environment() -> dict[str, str]:
    """The environment for programs of another Python: what a host set for its own would mislead them."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _base(home: str, xdg: str, linux: str, macos: str, windows: str) -> Path:
    root = os.environ.get("TESSERA_HOME")
    if root:
        return Path(root) / home
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        return Path(local) / "Tessera" / windows
    if sys.platform == "darwin":
        return Path(macos).expanduser() / "Tessera"
    return Path(os.environ.get(xdg) or Path(linux).expanduser()) / "tessera"


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
