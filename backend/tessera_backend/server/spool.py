"""Jobs on disk: an SQLite index and one folder of buffers per job. What survives a restart, and nothing else does."""

from __future__ import annotations

import dataclasses
import json
import mmap
import shutil
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tessera_protocol.errors import Failure, TesseraError, error
from tessera_protocol.messages import Buffer, Submit

WAITING = ("queued", "running")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    client TEXT NOT NULL,
    session TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    submitted REAL NOT NULL,
    finished REAL,
    bytes INTEGER NOT NULL DEFAULT 0,
    meta TEXT,
    outputs TEXT,
    failure TEXT
)
"""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One job as the index has it; `request` is the parameters and the description of the inputs."""

    job_id: str
    job: str
    client: str
    session: str
    request: dict[str, Any]
    state: str
    submitted: float
    finished: float | None
    bytes: int
    meta: dict[str, Any]
    outputs: list[dict[str, Any]]
    failure: Failure | None


class Spool:
    """The one owner of a spool folder, which it locks.

    Args:
        folder: made when missing.
    Raises:
        sqlite3.OperationalError: another backend owns the folder.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._index = sqlite3.connect(folder / "index.sqlite", isolation_level=None, timeout=1.0)
        self._index.row_factory = sqlite3.Row
        # EXCLUSIVE keeps the lock for as long as this process lives, also through kill -9: two backends can't share.
        self._index.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._index.execute("PRAGMA journal_mode=WAL")
        self._index.execute("PRAGMA synchronous=NORMAL")
        self._index.execute(_SCHEMA)

    def recover(self) -> int:
        """After a start: jobs that waited or ran have failed. Returns how many."""
        lost = [row["job_id"] for row in self._index.execute("SELECT job_id FROM jobs WHERE state IN (?, ?)", WAITING)]
        for job_id in lost:
            self.fail(
                job_id,
                Failure(
                    "backend-restarted",
                    "The backend was stopped, or crashed, before the job was done.",
                    remedy="Run it again.",
                ),
            )
        return len(lost)

    def add(self, message: Submit, client: str, session: str) -> None:
        """Record a job as queued; its inputs follow by `keep_inputs`.

        Raises:
            Refused: "no-space".
        """
        try:
            self._insert(message, client, session)
        except sqlite3.OperationalError as exc:
            raise _no_space(exc) from exc

    def keep_inputs(self, message: Submit) -> None:
        """Write a job's input buffers, for the worker to read.

        Raises:
            Refused: "no-space".
        """
        folder = self.folder(message.job_id)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            for name, buffer in message.buffers.items():
                (folder / f"in-{name}").write_bytes(buffer.data)
        except OSError as exc:
            raise _no_space(exc) from exc

    def find(self, job_id: str) -> Entry | None:
        """The entry of a job, or None."""
        row = self._index.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        return _entry(row) if row else None

    def get(self, job_id: str) -> Entry:
        """The entry of a job.

        Raises:
            Refused: "no-such-job".
        """
        entry = self.find(job_id)
        if entry is None:
            raise error(
                "no-such-job",
                f"The backend has no job {job_id[:40]}.",
                field="job_id",
                given=job_id[:40],
                remedy="It was acknowledged, or kept longer than the backend allows; tessera jobs lists what is there.",
            )
        return entry

    def all(self) -> list[Entry]:
        """Every entry, newest first."""
        return [_entry(row) for row in self._index.execute("SELECT * FROM jobs ORDER BY submitted DESC")]

    def running(self, job_id: str) -> None:
        """A worker took the job."""
        self._index.execute("UPDATE jobs SET state = 'running' WHERE job_id = ?", (job_id,))

    def finish(self, job_id: str, meta: Mapping[str, Any], outputs: list[dict[str, Any]]) -> None:
        """The worker has written the outputs into the job's folder."""
        folder = self.folder(job_id)
        self._drop_inputs(job_id)
        size = sum((folder / f"out-{output['name']}").stat().st_size for output in outputs)
        self._end(job_id, "done", size, meta=json.dumps(meta), outputs=json.dumps(outputs))

    def fail(self, job_id: str, failure: Failure) -> None:
        """The job ended without a result; "cancelled" is one of the reasons."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)
        state = "cancelled" if failure.code == "cancelled" else "failed"
        self._end(job_id, state, 0, failure=json.dumps(dataclasses.asdict(failure)))

    def inputs(self, entry: Entry) -> list[dict[str, Any]]:
        """Descriptions of the inputs, each with the `path` of its file."""
        folder = self.folder(entry.job_id)
        return [{**buffer, "path": str(folder / f"in-{buffer['name']}")} for buffer in entry.request["buffers"]]

    def outputs(self, entry: Entry) -> dict[str, Buffer]:
        """The result's buffers, mapped from disk."""
        folder = self.folder(entry.job_id)
        return {o["name"]: buffer_of(o, read_mapped(folder / f"out-{o['name']}")) for o in entry.outputs}

    def forget(self, job_id: str) -> None:
        """Delete a job and its files."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)
        self._index.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

    def sweep(self, keep_days: float, keep_bytes: int) -> list[str]:
        """Forget finished jobs that are too old, then the oldest until the rest fits; returns their ids."""
        gone, total = [], 0
        oldest = time.time() - keep_days * 86400
        for entry in sorted(self.all(), key=lambda e: -(e.finished or 0)):
            if entry.state in WAITING:
                continue
            total += entry.bytes
            if (entry.finished or 0) < oldest or total > keep_bytes:
                self.forget(entry.job_id)
                gone.append(entry.job_id)
        return gone

    def folder(self, job_id: str) -> Path:
        """Where a job's buffers lie."""
        return self._folder / job_id

    def close(self) -> None:
        """Release the folder."""
        self._index.close()

    def _insert(self, message: Submit, client: str, session: str) -> None:
        self._index.execute(
            "INSERT INTO jobs (job_id, job, client, session, request, state, submitted)"
            " VALUES (?, ?, ?, ?, ?, 'queued', ?)",
            (message.job_id, message.job, client, session, json.dumps(request_of(message)), time.time()),
        )

    def _end(self, job_id: str, state: str, size: int, **columns: str) -> None:
        names = "".join(f", {name} = ?" for name in columns)
        self._index.execute(
            f"UPDATE jobs SET state = ?, finished = ?, bytes = ?{names} WHERE job_id = ?",
            (state, time.time(), size, *columns.values(), job_id),
        )

    def _drop_inputs(self, job_id: str) -> None:
        for path in self.folder(job_id).glob("in-*"):
            path.unlink(missing_ok=True)


def _no_space(reason: Exception) -> TesseraError:
    return error(
        "no-space",
        f"The backend can't keep the job: {reason}.",
        remedy="Make room on its disk, or restart it with a smaller --keep-bytes, so that it forgets old results.",
    )


def request_of(message: Submit) -> dict[str, Any]:
    """What makes two submits the same request: parameters and the description of the buffers."""
    return {"params": message.params, "buffers": [describe(name, b) for name, b in message.buffers.items()]}


def describe(name: str, buffer: Buffer) -> dict[str, Any]:
    """A buffer without its bytes."""
    return {
        "name": name,
        "dtype": buffer.dtype,
        "shape": list(buffer.shape),
        "media_type": buffer.media_type,
        "size": memoryview(buffer.data).nbytes,
    }


def buffer_of(described: Mapping[str, Any], data: Any) -> Buffer:
    """The inverse of `describe`."""
    return Buffer(data, described["dtype"], tuple(described["shape"]), described["media_type"])


def read_mapped(path: Path) -> memoryview:
    """A file's bytes, mapped rather than read; empty files can't be mapped."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _entry(row: sqlite3.Row) -> Entry:
    values = dict(row)
    failure = json.loads(values["failure"]) if values["failure"] else None
    return Entry(
        **{
            **values,
            "request": json.loads(values["request"]),
            "meta": json.loads(values["meta"] or "{}"),
            "outputs": json.loads(values["outputs"] or "[]"),
            "failure": Failure(**failure) if failure else None,
        }
    )
