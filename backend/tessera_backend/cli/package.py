"""`tessera package`: a plugin as a file that its program installs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("package")
@click.argument("host", type=click.Choice(["blender"]))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=".", help="The folder for the zip [default: this one]."
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    help="linux-x64, windows-x64, macos-arm64 or macos-x64; again for more [default: this machine's].",
)
@click.option("--offline", is_flag=True, help="Fetch nothing: take the libraries of this Python.")
def package_command(host: str, output: Path, platforms: tuple[str, ...], offline: bool) -> None:
    """Make the extension for HOST (blender 4.2 and newer), to be installed from disk."""
    from tessera_backend.install import extension

    made = extension.build(output, platforms, offline=offline)
    for path in made.files:
        click.echo(path)
    for note in made.notes:
        click.echo(note)
    click.echo("In Blender: Edit > Preferences > Get Extensions, the arrow at the top right, Install from Disk.")
