"""Where the plugins' sources are: beside the backend in a checkout, inside the package in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from tessera_protocol.errors import error

FOLDERS = {"blender": "blender_addon", "inkscape": "inkscape_extension"}


def source_folder(host: str) -> Path:
    """The folder of a host's plugin.

    Raises:
        InternalFault: the package was built without it.
    """
    package = Path(__file__).resolve().parent.parent
    for place in (package / "hosts", package.parent.parent):
        folder = place / FOLDERS[host]
        if folder.is_dir():
            return folder
    raise error(
        "internal-error",
        f"The plugin for {host} is missing from this installation of Tessera ({package}).",
        remedy="Install Tessera again: pip install --force-reinstall tessera.",
    )
