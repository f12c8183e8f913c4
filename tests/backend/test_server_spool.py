"""The spool: what survives, what is forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera_backend.server import spool as spool_module
from tessera_backend.server.spool import Spool, describe
from tessera_protocol.errors import Failure, Refused
from tessera_protocol.messages import Buffer, Submit

ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    kept = Spool(tmp_path / "spool")
    yield kept
    kept.close()


def submit(job_id: str) -> Submit:
    return Submit(job_id, "stipple", {"dots": 10}, {"image": Buffer.array(bytes(6), "uint8", (2, 3))})


def finish(spool: Spool, job_id: str, size: int = 8) -> None:
    outputs = {"positions": Buffer.array(bytes(size), "uint8", (size,)), "nothing": Buffer.array(b"", "uint8", (0,))}
    spool.keep_inputs(submit(job_id))
    for name, buffer in outputs.items():
        (spool.folder(job_id) / f"out-{name}").write_bytes(buffer.data)
    spool.finish(job_id, {"engine": "tone"}, [describe(name, buffer) for name, buffer in outputs.items()])


def test_inputs_wait_on_disk_and_go_when_the_job_is_done(spool: Spool) -> None:
    """A worker reads the inputs from files; a finished job keeps its outputs only."""
    spool.add(submit(ONE), "cli", "s")
    spool.keep_inputs(submit(ONE))
    (described,) = spool.inputs(spool.get(ONE))
    assert Path(described["path"]).read_bytes() == bytes(6)
    assert described["shape"] == [2, 3]
    finish(spool, ONE)
    assert not Path(described["path"]).exists()
    entry = spool.get(ONE)
    assert (entry.state, entry.bytes, entry.meta) == ("done", 8, {"engine": "tone"})
    buffers = spool.outputs(entry)
    assert (bytes(buffers["positions"].data), buffers["nothing"].shape) == (bytes(8), (0,))


def test_a_restart_keeps_results_and_fails_the_rest(tmp_path: Path) -> None:
    """Done stays done; queued and running are reported, never silently lost."""
    first = Spool(tmp_path)
    for job_id in (ONE, TWO):
        first.add(submit(job_id), "cli", "s")
    finish(first, ONE)
    first.running(TWO)
    first.close()
    second = Spool(tmp_path)
    assert second.recover() == 1
    assert second.get(ONE).state == "done"
    failure = second.get(TWO).failure
    assert failure is not None
    assert failure.code == "backend-restarted"
    second.close()


def test_two_backends_cannot_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is told at once, not when both have written."""
    first = Spool(tmp_path)
    first.add(submit(ONE), "cli", "s")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Spool(tmp_path)
    first.close()


def test_sweep_forgets_the_old_and_the_too_many(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By age first; then the oldest until the rest fits; what waits is never swept."""
    ids = [str(i) * 32 for i in range(4)]
    clock = 1000.0
    for job_id in ids:
        monkeypatch.setattr(spool_module.time, "time", lambda now=clock: now)
        spool.add(submit(job_id), "cli", "s")
        clock += 1000
        if job_id != ids[3]:
            finish(spool, job_id, 100)
    monkeypatch.setattr(spool_module.time, "time", lambda: clock)
    assert spool.sweep(keep_days=1.0, keep_bytes=250) == [ids[0]]
    assert spool.sweep(keep_days=2500 / 86400, keep_bytes=250) == [ids[1]]
    assert [entry.job_id for entry in spool.all()] == [ids[3], ids[2]]
    assert not spool.folder(ids[0]).exists()


def test_forget_and_ask(spool: Spool) -> None:
    """A forgotten job is a refusal, not a crash."""
    spool.add(submit(ONE), "cli", "s")
    spool.fail(ONE, Failure("cancelled", "Stopped."))
    assert spool.get(ONE).state == "cancelled"
    spool.forget(ONE)
    with pytest.raises(Refused, match="no job"):
        spool.get(ONE)
