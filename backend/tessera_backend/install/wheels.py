"""Wheels: fetched for another Python or platform, and made of what is installed here."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

DOWNLOAD_SECONDS = 120
# Of the user's machine, not of the package.
_NOT_PACKED = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
_PURE = "Wheel-Version: 1.0\nGenerator: tessera\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def fetch(version: str, requirements: Sequence[str], folder: Path, platforms: Sequence[str] = ()) -> str:
    """Download wheels, without those that they depend on.

    Args:
        version: of Python, such as "3.11".
        requirements: such as "pyzmq==27.0.0".
        folder: where they go.
        platforms: tags of wheels that would do, such as "win_amd64"; default: this machine's.
    Returns:
        "" or pip's last word.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--python-version", version, "--dest", str(folder)]
    command += [f"--platform={platform}" for platform in platforms]
    try:
        done = subprocess.run(
            [*command, *requirements], capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer from the package index within {DOWNLOAD_SECONDS} s"
    if done.returncode == 0:
        return ""
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line or "No module named" in line]
    return errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with exit code {done.returncode}"


def of_package(package: Path, version: str, folder: Path) -> Path:
    """The wheel of a package in pure Python that needs no other; its path in `folder`."""
    sources = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in sources}
    info = f"{package.name}-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = _PURE.encode()
    return _write(folder / f"{package.name}-{version}-py3-none-any.whl", files, info)


def of_installed(name: str, folder: Path) -> Path | None:
    """The wheel that a distribution was installed from, put together again; None if it came otherwise."""
    found = importlib.metadata.distribution(name)
    lines = (found.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in lines if line.startswith("Tag: ")]
    listed = [path for path in found.files or () if ".." not in path.parts and "__pycache__" not in path.parts]
    if not tags or not listed:
        return None
    python, abi, platform = (".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))
    files = {path.as_posix(): path.read_binary() for path in listed if path.name not in _NOT_PACKED}
    (info,) = {path.parts[0] for path in listed if path.parts[0].endswith(".dist-info")}
    return _write(folder / f"{name}-{found.version}-{python}-{abi}-{platform}.whl", files, info)


def _write(target: Path, files: Mapping[str, bytes], info: str) -> Path:
    """A wheel of these files, with the list of them that the format asks for."""
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return target


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
