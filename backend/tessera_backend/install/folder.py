"""Putting a folder of ours in place whole, knowing it again, and taking away only what is ours."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tessera_protocol.errors import error

# Written last: a folder that has it is complete, and ours.
MANIFEST = "tessera-installed.json"


def manifest(folder: Path) -> dict[str, object] | None:
    """What an installed folder says of itself: "version" and "files"; None if it is not ours."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("files"), list) else None


@contextlib.contextmanager
def replaced(folder: Path, version: str) -> Iterator[Path]:
    """A draft to fill, which takes the folder's place at the end, or vanishes when the block raises.

    Raises:
        InvalidInput: "unusable-input", when something that we did not install is there, or nothing can be written.
    """
    if folder.exists() and manifest(folder) is None:
        raise error(
            "unusable-input",
            f"{folder} exists, but Tessera did not put it there.",
            given=str(folder),
            remedy="Move or rename it, then install again.",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as exc:
        raise _unwritable(folder.parent, exc) from exc
    try:
        # mkdtemp makes it for the owner only; a plugin folder is like any other.
        draft.chmod(0o755)
        yield draft
        files = sorted(path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file())
        text = json.dumps({"version": version, "files": files}, indent=1)
        (draft / MANIFEST).write_text(text, encoding="utf-8")
        _swap(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def remove(folder: Path) -> list[Path]:
    """Take away what was installed.

    Returns:
        What is left in the folder, because it is not ours; then the folder stays, too.
    """
    known = manifest(folder)
    if known is None:
        return []
    files = known["files"]
    assert isinstance(files, list)
    for name in (*files, MANIFEST):
        path = folder / str(name)
        # A manifest that was tampered with must not reach out of the folder.
        if folder.resolve() in path.resolve().parents:
            path.unlink(missing_ok=True)
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(inner.iterdir()):
            inner.rmdir()
    left = sorted(folder.iterdir())
    if not left:
        folder.rmdir()
    return left


def _swap(draft: Path, folder: Path) -> None:
    """Both renames stay on one file system; between them is the only moment without the folder."""
    old = draft.with_name(draft.name + "-old")
    try:
        if folder.exists():
            folder.rename(old)
        try:
            draft.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    except OSError as exc:
        raise _unwritable(folder, exc) from exc
    if old.exists():
        _keep_foreign(old, folder)
        shutil.rmtree(old, ignore_errors=True)


def _keep_foreign(old: Path, folder: Path) -> None:
    """Carry over what the user put into the folder."""
    ours = {MANIFEST, *map(str, (manifest(old) or {"files": []})["files"])}  # type: ignore[call-overload]
    for path in old.rglob("*"):
        name = path.relative_to(old)
        if path.is_file() and name.as_posix() not in ours and "__pycache__" not in name.parts:
            (folder / name.parent).mkdir(parents=True, exist_ok=True)
            if not (folder / name).exists():
                os.replace(path, folder / name)


def _unwritable(path: Path, exc: OSError) -> Exception:
    return error(
        "unusable-input",
        f"{path} can't be written: {exc.strerror or exc}.",
        given=str(path),
        remedy="Close the program that uses it, check the folder's permissions, or name another one.",
    )
