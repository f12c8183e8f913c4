"""The command line. Commands are imported when called: `tessera --help` loads neither numpy nor zmq."""

from __future__ import annotations

import importlib
import sys
import traceback
from datetime import datetime
from typing import Any

import click

from tessera_backend import __version__
from tessera_protocol import paths
from tessera_protocol.errors import TesseraError

# name -> (module, help): the help stands here so that listing the commands imports none of them.
COMMANDS = {
    "stipple": ("stipple", "Turn a picture into dots."),
    "vectorize": ("vectorize", "Turn a picture into layered shapes."),
    "voxelize": ("voxelize", "Turn a mesh into voxel art."),
    "train": ("train", "Train learned engines anew."),
    "demo": ("demo", "Run the jobs on bundled inputs and show the results on a page."),
    "serve": ("serve", "Run the backend that the plugins speak to."),
    "status": ("backend", "What the running backend is doing."),
    "jobs": ("backend", "List the jobs that the backend knows."),
    "cancel": ("backend", "Cancel a job."),
    "fetch": ("backend", "Get the kept result of a job."),
    "stop": ("backend", "End the running backend."),
    "doctor": ("doctor", "Say what works on this machine, and what to do about what doesn't."),
    "install": ("install", "Install a plugin into its program."),
    "uninstall": ("install", "Take a plugin away again."),
    "package": ("package", "Make a file of a plugin that its program installs."),
}


class _Commands(click.Group):
    """Finds commands by name, and turns Tessera's errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{module}"), f"{name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TesseraError as exc:
            click.echo(f"Error: {exc}", err=True)
            sys.exit(exc.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            click.echo(f"Error: Something went wrong inside Tessera; this is a bug. {_log_bug()}", err=True)
            sys.exit(1)


def _log_bug() -> str:
    """Keep the traceback for a report; returns the sentence that says where."""
    log = paths.state_dir() / "log" / "cli.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"\n{datetime.now().isoformat(timespec='seconds')} {' '.join(sys.argv)}\n")
            traceback.print_exc(file=file)
    except OSError as exc:
        return f"Its log could not be written: {exc}."
    return f"Please report it, with the end of {log}."


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="tessera")
def main() -> None:
    """Discrete art from continuous input: pictures become dots and layered shapes, meshes become voxels.

    The plugins for Inkscape, Blender and Krita do the same work inside those programs.
    """
