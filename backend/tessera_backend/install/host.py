"""What the installer asks of a host's module, such as `inkscape`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol


@dataclasses.dataclass(frozen=True)
class Trial:
    """What came of trying an installed plugin.

    Attributes:
        pythons: versions of the host's Pythons that were seen to load it.
        notes: sentences for the user: what does not work, and what to do.
    """

    pythons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Host(Protocol):
    """A module that knows one host program.

    Attributes:
        TITLE: the program's name, as in "Inkscape".
        NEXT: the sentence that tells the user where the plugin is to be found.
    """

    TITLE: str
    NEXT: str

    def program(self) -> Path | None:
        """The program's executable."""

    def version(self, executable: Path) -> str | None:
        """Such as "1.2.2"; None when it can't be had."""

    def folders(self) -> list[Path]:
        """Where plugins go, one folder for each profile or version of this user's, none of which need exist yet."""

    def boxed(self, folder: Path) -> bool:
        """Whether one of these folders belongs to a program in a sandbox."""

    def interpreters(self, folder: Path) -> list[Path]:
        """The Pythons whose versions the plugin's libraries have to serve, as far as they are files of their own."""

    def try_out(self, plugin: Path, enable: bool) -> Trial:
        """Let the program, or its Python, load an installed plugin.

        Args:
            plugin: its folder.
            enable: switch it on in the user's own preferences, too, where the program asks for that.
        """

    def disable(self, plugin: Path) -> None:
        """Undo what `try_out` did to the user's preferences, as far as this can be done."""

    def extension(self) -> str | None:
        """The version of a plugin that the program installed by itself, from a file of `tessera package`, or None."""
