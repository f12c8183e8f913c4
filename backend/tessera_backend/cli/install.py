"""`tessera install` and `tessera uninstall`: plugins into their programs and out again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tessera_backend.install import Report

_target = click.option(
    "--extensions-dir", type=click.Path(path_type=Path), help="The program's folder of extensions [default: found]."
)


@click.command("install")
@click.argument("host")
@_target
@click.option("--offline", is_flag=True, help="Fetch no libraries for other Python versions than this one.")
def install_command(host: str, extensions_dir: Path | None, offline: bool) -> None:
    """Install the plugin for HOST (inkscape, blender) with all it needs."""
    from tessera_backend import install

    report = install.install(host, extensions_dir, offline=offline)
    _say("installed into", report)
    if report.works:
        click.echo(f"Tried with the program's Python {', '.join(report.pythons)}: works.")
        click.echo(install.HOSTS[host].NEXT)
    else:
        sys.exit(1)


@click.command("uninstall")
@click.argument("host")
@_target
def uninstall_command(host: str, extensions_dir: Path | None) -> None:
    """Take the plugin for HOST away; documents made with it stay as they are."""
    from tessera_backend import install

    _say("removed from", install.uninstall(host, extensions_dir))


def _say(done: str, report: Report) -> None:
    for folder in report.folders:
        click.echo(f"Tessera {report.version} for {report.host.capitalize()} {done} {folder}")
    for note in report.notes:
        click.echo(note)
