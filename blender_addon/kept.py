"""Jobs on their way, kept on disk: what a Blender that is closed or crashes never took can be fetched later. No bpy."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tessera_protocol import paths


@dataclasses.dataclass(frozen=True)
class Left:
    """A job that no Blender follows.

    Attributes:
        about: what was kept with it.
    """

    job_id: str
    about: Mapping[str, Any]


def keep(job_id: str, about: Mapping[str, Any]) -> None:
    """Write down a job of this Blender, before it is sent; a full disk is no reason not to send it."""
    path = _path(job_id)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"process": os.getpid(), "about": dict(about)}), encoding="utf-8")
        part.replace(path)


def forget(job_id: str) -> None:
    """Its result was taken, or there is none."""
    with contextlib.suppress(OSError):
        _path(job_id).unlink()


def left(following: Collection[str] = ()) -> list[Left]:
    """Jobs that this Blender and those that are no more have left, the oldest first.

    Args:
        following: job ids that this Blender is at.
    """
    found = []
    for path in sorted(_folder().glob("*.json"), key=lambda path: (_age(path), path.name)):
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            process, about = int(fields["process"]), fields["about"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if path.stem not in following and (process == os.getpid() or not _alive(process)):
            found.append(Left(path.stem, about))
    return found


def _folder() -> Path:
    return paths.state_dir() / "blender"


def _path(job_id: str) -> Path:
    return _folder() / f"{job_id}.json"


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _alive(process: int) -> bool:
    if sys.platform == "win32":
        # It can't be asked there without harm. Taking a result twice is better than never.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
