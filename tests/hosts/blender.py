"""Driving Blender from tests: a script runs inside the program or in bpy, with the real add-on, and answers in JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import textwrap
from pathlib import Path

from tessera_protocol import paths
from tessera_protocol.errors import TesseraError
from tests.conftest import BackendProcess

INSIDE = Path(__file__).with_name("inside_blender.py")
SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Blender:
    """A Blender with isolated folders of its own.

    Attributes:
        command: what runs a Python file in it; the file's path and arguments follow.
        addon: the installed add-on's folder, SCRIPTS/addons/tessera.
        home: TESSERA_HOME, where a backend's connection file is or is not.
        folder: for scripts, answers and pictures.
        display: of the X server, for `window`; "" without one.
        enabled: the module that is enabled before a script: "tessera", or the extension's name; "" for none.
    """

    command: tuple[str, ...]
    addon: Path
    home: Path
    folder: Path
    display: str = ""
    enabled: str = "tessera"

    @property
    def environment(self) -> dict[str, str]:
        user = self.folder / "blender"
        return {
            # The checkout on PYTHONPATH would hide what is missing in the installed add-on.
            **paths.clean_environment(),
            "BLENDER_USER_RESOURCES": str(user),
            "BLENDER_USER_CONFIG": str(user / "config"),
            "BLENDER_USER_DATAFILES": str(user / "datafiles"),
            "BLENDER_USER_EXTENSIONS": str(user / "extensions"),
            "BLENDER_USER_SCRIPTS": str(self.addon.parent.parent),
            "TESSERA_HOME": str(self.home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, script: str | Path, **given: object) -> object:
        """Run a script in it, without a window; see `inside_blender` for what it finds there.

        Args:
            script: its text, or its file.
            given: JSON values, the script's `given`.
        Returns:
            what the script passed to `answer`, or None.
        Raises:
            AssertionError: it raised or did not end; with all that was printed.
        """
        return self._answer(self.command, script, given, window=False)

    def window(self, script: str | Path, **given: object) -> object:
        """Run a script in its window, on the virtual screen; the script defines `steps()`. Else like `run`."""
        assert self.display, "bpy has no window"
        command = ("blender", "--factory-startup", "--window-geometry", "0", "0", "1280", "900", "--python")
        return self._answer(command, script, given, window=True)

    def _answer(self, command: tuple[str, ...], script: str | Path, given: dict[str, object], window: bool) -> object:
        if not isinstance(script, Path):
            text, script = textwrap.dedent(script), self.folder / "script.py"
            script.write_text(text, encoding="utf-8")
        answer, order = self.folder / "answer.json", self.folder / "order.json"
        answer.unlink(missing_ok=True)
        asked = {"script": str(script), "given": given, "answer": str(answer), "window": window}
        order.write_text(json.dumps({**asked, "enabled": self.enabled}), encoding="utf-8")
        environment = {**self.environment, "LIBGL_ALWAYS_SOFTWARE": "1"}
        if window:
            environment["DISPLAY"] = self.display
        code, said = _finished([*command, str(INSIDE), "--", str(order)], environment)
        assert code == 0, f"the script in Blender ended with {code}:\n{said}"
        return json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else None


def stop_backend(home: Path) -> None:
    """End the backend that an add-on started, if it did."""
    with contextlib.suppress(TesseraError), BackendProcess(home).client() as client:
        client.stop()


def _finished(command: list[str], environment: dict[str, str]) -> tuple[int | str, str]:
    """(exit code, what was printed); a program that does not end is killed, with its children."""
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=os.name == "posix",
    ) as process:
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            return f"no end within {SECONDS} s", said
        return process.returncode, said
