"""What all Tessera effects share: options from a job's schema, settings, a quiet stderr, and errors as messages."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import inkex

from tessera_protocol import hosts, paths, schema
from tessera_protocol.errors import Cancelled, TesseraError
from tessera_protocol.jobs import Job

SETTINGS = Path(__file__).resolve().parent.parent / "settings.json"


class JobEffect(inkex.EffectExtension):
    """An effect whose options are the parameters of a job, and questions of its own.

    Subclasses set `job`, and `own`, a class of `tessera_protocol.hosts`, if they ask anything, and write `work`.
    """

    job: Job
    own: type[Any] = hosts.Nothing

    def add_arguments(self, pars: argparse.ArgumentParser) -> None:
        """One option a parameter that has a control, and the notebook's page."""
        pars.add_argument("--tab", default="")
        for name, spec in {**schema.specs(self.job.params), **schema.specs(self.own)}.items():
            if not spec.from_host:
                pars.add_argument(f"--{name}", type=_READERS.get(spec.kind, str), default=spec.default)

    def parameters(self) -> Any:
        """What the artist chose, checked, as the job's parameter object.

        Raises:
            InvalidInput: a value out of range.
        """
        return self._checked(self.job.params)

    def own_parameters(self) -> Any:
        """What the artist answered to the effect's own questions, as an object of `own`; raises as `parameters`."""
        return self._checked(self.own)

    def _checked(self, params: type[Any]) -> Any:
        given = {
            name: as_hex_color(value) if spec.is_color else value
            for name, spec in schema.specs(params).items()
            if (value := getattr(self.options, name, None)) is not None
        }
        return schema.check(params, given)

    def link_folders(self) -> list[str]:
        """What relative links may be relative to.

        Inkscape (seen with 1.2.2) hands over a copy in the temporary folder, with links made relative to that one;
        the document's own folder is for versions that leave them as they are.
        """
        copy = self.options.input_file
        folders = [os.path.dirname(os.path.abspath(copy))] if isinstance(copy, str) else []
        return [*folders, self.svg_path() or os.path.expanduser("~")]

    def effect(self) -> bool | None:
        """Do the work; False, which leaves the document alone, when the artist cancelled."""
        try:
            self.work()
        except Cancelled:
            return False
        except TesseraError as exc:
            raise inkex.AbortExtension(str(exc)) from exc
        return None

    def has_changed(self, ret: Any) -> bool:
        """Whether to hand the document back."""
        return ret is not False and super().has_changed(ret)

    def work(self) -> None:
        """Change the document, all of it or nothing.

        Raises:
            TesseraError, AbortExtension: with the message that the artist reads.
        """
        raise NotImplementedError


def as_hex_color(text: str) -> str:
    """#rrggbb from what Inkscape's colour button says: a whole number, 0xRRGGBBAA, or #rrggbb(aa)."""
    text = text.strip()
    if text.startswith("#"):
        return text[:7]
    try:
        return f"#{(int(text, 0) >> 8) & 0xFFFFFF:06x}"
    except ValueError:
        return text  # The schema's check says what is wrong with it.


def backend_command() -> list[str] | None:
    """How to start a backend: what the installer wrote beside the extension, or None.

    The backend's Python is made known, too: where Inkscape's can't load ZeroMQ, it holds the connection.
    """
    try:
        settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
        command = [str(word) for word in settings["backend_command"]]
        os.environ.setdefault("TESSERA_BRIDGE", str(settings["backend_python"]))
    except FileNotFoundError:
        return None  # Not installed by `tessera install`: then `tessera serve` has to do.
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise inkex.AbortExtension(
            f"Tessera's settings in {SETTINGS} are damaged ({exc}). Run: tessera install inkscape"
        ) from exc
    return command


def main(effect: type[JobEffect]) -> None:
    """Run an effect as Inkscape's child process.

    Inkscape shows whatever comes on stderr in a dialog that has to be clicked away. So only messages to the artist
    go there: what C libraries write (Gtk, mostly) is dropped, and a bug of ours is logged and told in two sentences.
    """
    # After the import of inkex, which switches warnings on.
    warnings.simplefilter("ignore")
    _keep_stderr_for_python()
    try:
        effect().run()
    except Exception:
        log = paths.state_dir() / "inkscape.log"
        # A full disk must not turn the message into a traceback.
        with contextlib.suppress(OSError):
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
        inkex.errormsg(f"Something went wrong inside Tessera; this is a bug. Please report it, with the end of {log}.")
        sys.exit(1)


def _keep_stderr_for_python() -> None:
    try:
        artist = os.dup(2)
    except OSError:
        return  # There is none: nothing to keep clean.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    sys.stderr = os.fdopen(artist, "w", encoding="utf-8", errors="backslashreplace", buffering=1)


_READERS = {"integer": int, "number": float, "boolean": inkex.Boolean}
