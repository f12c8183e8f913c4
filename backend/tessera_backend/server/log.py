"""The log: one JSON object a line, in a file that turns over; warnings also to stderr for who watches."""

from __future__ import annotations

import json
import logging
import logging.handlers
from pathlib import Path
from typing import Any

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Time, level, logger, message, and whatever `extra` held."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_file(folder: Path, name: str) -> Path:
    """Where a process of the backend logs; each has its own file, since files are not shared safely."""
    return folder / f"{name}.jsonl"


def set_up(folder: Path, name: str, level: int = logging.INFO) -> Path:
    """Start logging to `folder`/`name`.jsonl (5 files of 2 MB); returns the file."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = log_file(folder, name)
    to_file = logging.handlers.RotatingFileHandler(path, maxBytes=2_000_000, backupCount=4, encoding="utf-8")
    to_file.setFormatter(JsonLines())
    to_stderr = logging.StreamHandler()
    to_stderr.setLevel(logging.WARNING)
    to_stderr.setFormatter(logging.Formatter("tessera: %(message)s"))
    root = logging.getLogger()
    root.setLevel(level)
    root.addHandler(to_file)
    root.addHandler(to_stderr)
    return path
