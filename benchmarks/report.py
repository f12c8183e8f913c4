"""What every benchmark prints around its numbers: machine, versions, hashes, and Markdown tables."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import resource
import time
from collections.abc import Iterable, Sequence
from pathlib import Path


def machine() -> str:
    """Processor, number of logical cores, system and Python, in one line."""
    software = f"{platform.system()}; Python {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} logical cores; {software}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def load() -> str:
    """How many programs wanted a core, on average over five minutes; of N cores."""
    try:
        return f"{os.getloadavg()[1]:.1f} on {os.cpu_count()} cores"
    except OSError:
        return "not known"


def versions(packages: Iterable[str]) -> str:
    """`numpy 2.4.6, scipy 1.17.1`, for distributions that are installed."""
    return ", ".join(f"{name} {_version(name)}" for name in packages)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed as a distribution)"


def cpu_seconds() -> float:
    """What this process used so far, all threads, and programs that it ran: what else is busy hardly changes it."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def digest(data: bytes) -> str:
    """The first 12 hexadecimal digits of a SHA-256, enough to tell inputs and programs apart."""
    return hashlib.sha256(data).hexdigest()[:12]


def table(head: Sequence[str], rows: Iterable[Sequence[object]], texts: int = 1) -> str:
    """A Markdown table; the first `texts` columns are text, the others are numbers, None is a dash."""
    lines = [
        head,
        [*["---"] * texts, *["---:"] * (len(head) - texts)],
        *([_cell(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def write(path: Path, *parts: str) -> None:
    """Put a page together, write it, and print it."""
    page = "\n\n".join(parts) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    print(page)
    print(f"written to {path}")
