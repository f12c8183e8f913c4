"""The connection file: where the backend listens and the keys to speak with it, readable by its owner alone."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import sys
import tempfile
from pathlib import Path

from . import PROTOCOL_VERSION
from .errors import error


@dataclasses.dataclass(frozen=True)
class Connection:
    """What a client needs to reach a backend; keys are Z85 text."""

    endpoint: str
    server_key: str
    client_public: str
    client_secret: str
    pid: int
    version: str
    tessera: int = PROTOCOL_VERSION

    def alive(self) -> bool | None:
        """Whether the backend's process exists; None where that can't be asked without harm (Windows)."""
        if sys.platform == "win32":
            return None
        try:
            # One that this very program started, and that ended, stays there until it is waited for.
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return False
        except ChildProcessError:
            pass
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def write(path: Path, connection: Connection) -> None:
    """Put the file in place, whole, for the owner's eyes only.

    Raises:
        Unreachable: "start-failed": the folder can't be written, or belongs to somebody else, who could swap the file.
    """
    remedy = "Set TESSERA_HOME to a folder of your own."
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "getuid") and path.parent.stat().st_uid != os.getuid():
            raise error("start-failed", f"The folder {path.parent} belongs to another user.", remedy=remedy)
        # mkstemp makes the file with mode 0600 from the start: there is no moment in which others can read it.
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(connection), file)
        os.replace(draft, path)
    except OSError as exc:
        problem = f"The connection file {path} can't be written: {exc.strerror}."
        raise error("start-failed", problem, remedy=remedy) from exc


def read(path: Path) -> Connection:
    """The connection in a file.

    Raises:
        Unreachable: "no-backend", when there is no file, or its process is gone.
        Refused: "version-mismatch".
        InvalidInput: "unreadable-input", when the file is damaged, or open to other users.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise error(
                "unreadable-input",
                f"The connection file {path} can be read by other users.",
                remedy="Delete it and start the backend again: tessera serve.",
            )
    except FileNotFoundError:
        raise error("no-backend", "No Tessera backend is running.", remedy="Start one: tessera serve.") from None
    except (OSError, ValueError) as exc:
        raise error(
            "unreadable-input",
            f"The connection file {path} can't be read: {exc}.",
            remedy="Delete it, then: tessera serve.",
        ) from exc
    if not isinstance(data, dict) or data.get("tessera") != PROTOCOL_VERSION:
        raise error(
            "version-mismatch",
            f"The running backend speaks another protocol version than this client ({PROTOCOL_VERSION}).",
            allowed=str(PROTOCOL_VERSION),
            remedy="Update the add-on or the backend, then restart the backend: tessera stop.",
        )
    try:
        connection = Connection(**data)
    except TypeError:
        raise error(
            "unreadable-input",
            f"The connection file {path} is incomplete.",
            remedy="Delete it, then: tessera serve.",
        ) from None
    if connection.alive() is False:
        raise error(
            "no-backend",
            f"No Tessera backend is running (the connection file is stale: process {connection.pid} is gone).",
            remedy="Start one: tessera serve.",
        )
    return connection


def remove(path: Path, pid: int) -> None:
    """Take the file away if it is still the one of process `pid`."""
    try:
        if json.loads(path.read_text(encoding="utf-8")).get("pid") == pid:
            path.unlink()
    except (OSError, ValueError):
        # Gone, or replaced by somebody else's: then it isn't ours to remove.
        return
