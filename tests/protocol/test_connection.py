"""The connection file: private, whole, and honest about staleness."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tessera_protocol import connection
from tessera_protocol.connection import Connection
from tessera_protocol.errors import InvalidInput, Refused, Unreachable

SAMPLE = Connection("tcp://127.0.0.1:1", "k" * 40, "p" * 40, "s" * 40, os.getpid(), "0.1.0")


def test_round_trip_and_mode(tmp_path: Path) -> None:
    """What was written is read, and nobody else can read it."""
    path = tmp_path / "new" / "connection.json"
    connection.write(path, SAMPLE)
    assert connection.read(path) == SAMPLE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["connection.json"]


def test_open_to_others_is_refused(tmp_path: Path) -> None:
    """A file that others can read has leaked its keys."""
    path = tmp_path / "connection.json"
    connection.write(path, SAMPLE)
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="other users"):
        connection.read(path)


def test_a_dead_process_makes_it_stale(tmp_path: Path) -> None:
    """The process in the file has ended: say so at once, don't wait for a time-out."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = tmp_path / "connection.json"
    connection.write(path, dataclasses.replace(SAMPLE, pid=ended.pid))
    with pytest.raises(Unreachable, match="stale"):
        connection.read(path)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", InvalidInput),
        ("[]", Refused),
        (json.dumps({"tessera": 99}), Refused),
        (json.dumps({"tessera": 1, "endpoint": "tcp://127.0.0.1:1"}), InvalidInput),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, text: str, kind: type[Exception]) -> None:
    """Damaged, of another version, or incomplete: each says so."""
    path = tmp_path / "connection.json"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(kind):
        connection.read(path)


def test_no_file_means_no_backend(tmp_path: Path) -> None:
    """The most common case has the plainest words."""
    with pytest.raises(Unreachable, match="No Tessera backend is running"):
        connection.read(tmp_path / "connection.json")


def test_remove_leaves_a_newer_backends_file(tmp_path: Path) -> None:
    """A backend that ends takes its own file away, not its successor's."""
    path = tmp_path / "connection.json"
    connection.write(path, SAMPLE)
    connection.remove(path, os.getpid() + 1)
    assert path.exists()
    connection.remove(path, os.getpid())
    assert not path.exists()
    connection.remove(path, os.getpid())


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs to give a folder to another user")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """Whoever owns the folder could swap the file."""
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(Unreachable, match="another user"):
        connection.write(tmp_path / "connection.json", SAMPLE)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where the folder should be: the sentence says which, and what to set."""
    (tmp_path / "run").write_text("in the way")
    with pytest.raises(Unreachable, match="can't be written.*TESSERA_HOME"):
        connection.write(tmp_path / "run" / "connection.json", SAMPLE)
