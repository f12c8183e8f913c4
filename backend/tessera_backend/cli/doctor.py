"""`tessera doctor`: what works on this machine, and what to do about what doesn't."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from tessera_protocol.errors import TesseraError


class Finding(NamedTuple):
    """One line of the report; `ok` is None for what is optional and absent."""

    subject: str
    ok: bool | None
    what: str
    remedy: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor_command(as_json: bool) -> None:
    """Say what works here. Exit code 1 when something that is needed does not."""
    findings = list(examine())
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = {True: "ok", False: "!!", None: "--"}[finding.ok]
            click.echo(f"[{mark}] {finding.subject}: {finding.what}")
            if finding.remedy and finding.ok is not True:
                click.echo(f"       {finding.remedy}")
    if any(finding.ok is False for finding in findings):
        sys.exit(1)


def examine() -> Iterator[Finding]:
    """All findings, one after another."""
    yield Finding("Python", True, f"{platform.python_version()} on {platform.platform()}")
    yield _memory()
    yield from _packages()
    yield _devices()
    yield _kernels()
    yield from _hosts()
    yield Finding("Weights", True, "none needed: the engines so far are classical")
    yield _backend()


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, AttributeError, OSError):
        return Finding("Memory", None, "unknown on this system")
    gigabytes = total / 2**30
    return Finding("Memory", gigabytes >= 2, f"{gigabytes:.1f} GB", "2 GB are wanted: use small pictures, or add some.")


def _packages() -> Iterator[Finding]:
    for name in ("numpy", "scipy", "numba", "pillow", "pyzmq", "msgpack", "torch"):
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "missing", f"pip install {name}")


def _devices() -> Finding:
    from tessera_backend.devices import devices

    found = devices()
    return Finding("Devices", True, ", ".join(found))


def _kernels() -> Finding:
    from tessera_backend import compiled

    where = os.environ["NUMBA_CACHE_DIR"]
    if compiled.is_warm():
        return Finding("Compiled kernels", True, f"cached in {where}")
    return Finding(
        "Compiled kernels", None, "not yet: the first run compiles them", "Any run does it, once: tessera demo."
    )


def _hosts() -> Iterator[Finding]:
    from tessera_backend import install

    for host in install.HOSTS:
        found = install.find_host(host)
        plugin = install.installed(host)
        title = install.HOSTS[host].TITLE
        if found is None:
            yield Finding(title, None, "not found on this machine")
            continue
        path, version = found
        if plugin is None:
            yield Finding(title, None, f"{version or path}; plugin not installed", f"tessera install {host}")
        elif plugin != importlib.metadata.version("tessera"):
            yield Finding(
                title, False, f"{version or path}; plugin {plugin} is of another release", f"tessera install {host}"
            )
        else:
            yield Finding(title, True, f"{version or path}; plugin {plugin} installed")
    place = shutil.which("krita")
    yield Finding("Krita", None, f"{place}; Tessera has no plugin for it yet" if place else "not found on this machine")


def _backend() -> Finding:
    from tessera_protocol.client import Client

    try:
        with Client("doctor") as client:
            status: dict[str, Any] = client.status()
    except TesseraError as exc:
        ok = None if exc.failure.code == "no-backend" else False
        return Finding("Backend", ok, str(exc.failure.problem), exc.failure.remedy or "")
    return Finding("Backend", True, f"{status['version']} on {status['endpoint']}, {len(status['workers'])} worker(s)")
