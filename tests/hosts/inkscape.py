"""Driving Inkscape from tests: run an effect in the program or its script alone, and render drawings."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

import numpy as np
from lxml import etree
from PIL import Image

NS = {
    "svg": "http://www.w3.org/2000/svg",
    "inkscape": "http://www.inkscape.org/namespaces/inkscape",
    "run": "urn:tessera:run",
}
LABEL = "{http://www.inkscape.org/namespaces/inkscape}label"
EFFECT_SECONDS = 120
REC_601 = np.array([0.299, 0.587, 0.114])

# The head of scripts that press what is in the extension's window.
WIDGETS = """
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk

def children(widget):
    yield widget
    for child in (widget.get_children() if hasattr(widget, "get_children") else []):
        yield from children(child)
"""


@dataclasses.dataclass(frozen=True)
class Inkscape:
    """Inkscape with an isolated profile.

    Attributes:
        display: of the X server.
        extension: the installed extension's folder, PROFILE/extensions/tessera.
        home: TESSERA_HOME, where a backend's connection file is or is not.
        folder: for what it writes.
    """

    display: str
    extension: Path
    home: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DISPLAY": self.display,
            "INKSCAPE_PROFILE_DIR": str(self.extension.parent.parent),
            "TESSERA_HOME": str(self.home),
            "TESSERA_NO_WINDOW": "1",
            "PYTHONWARNINGS": "",
        }

    def stipple(self, document: Path, *selected: str, **params: object) -> etree._Element:
        """The document after Extensions > Tessera > Stipple, as Inkscape saved it."""
        return self.run("stipple", document, *selected, **params)

    def run(self, effect: str, document: Path, *selected: str, **params: object) -> etree._Element:
        """The document after an effect with these parameters, as Inkscape saved it."""
        self._prefer(effect, params)
        output = self.folder / "output.svg"
        actions = [f"select-by-id:{','.join(selected)}"] if selected else []
        actions += [f"org.tessera.{effect}.noprefs", f"export-filename:{output}", "export-do"]
        command = ["inkscape", "--batch-process", str(document), f"--actions={';'.join(actions)}"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=EFFECT_SECONDS, check=False
        )
        # Its exit code is 0 even if the action was not found: only the output tells.
        assert output.is_file(), done.stderr
        return etree.parse(output).getroot()

    def script(
        self,
        document: Path,
        *selected: str,
        effect: str = "stipple",
        environment: dict[str, str] | None = None,
        **params: object,
    ) -> subprocess.CompletedProcess[str]:
        """The effect's script alone, run as Inkscape would: the new document on stdout, messages on stderr."""
        with self.started(document, *selected, effect=effect, environment=environment, **params) as process:
            out, err = process.communicate(timeout=EFFECT_SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def started(
        self,
        document: Path,
        *selected: str,
        effect: str = "stipple",
        environment: dict[str, str] | None = None,
        **params: object,
    ) -> subprocess.Popen[str]:
        """The effect's script, running."""
        options = [f"--id={name}" for name in selected] + [f"--{name}={value}" for name, value in params.items()]
        env = {**self.environment, "PYTHONPATH": str(inkex_folder()), "PYTHONUNBUFFERED": "1"}
        env |= {"DOCUMENT_PATH": str(document)} | (environment or {})
        command = ["/usr/bin/python3", f"tessera_{effect}.py", *options, str(document)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.extension, env=env, stdout=pipe, stderr=pipe, text=True)

    def render(self, drawing: etree._Element, width: int, base: Path) -> np.ndarray:
        """The drawing as Inkscape draws it on white: float64 (H, W) darkness, 0 white to 1 black; see `colors`."""
        return 1.0 - self.colors(drawing, width, base).astype(np.float64) @ REC_601 / 255.0

    def colors(self, drawing: etree._Element, width: int, base: Path) -> np.ndarray:
        """The drawing as Inkscape draws it on white: uint8 (H, W, 3), sRGB.

        Args:
            width: of the picture, px.
            base: the folder that relative links start from.
        """
        source, target = base / "to-render.svg", self.folder / "rendered.png"
        source.write_bytes(etree.tostring(drawing))
        command = ["inkscape", str(source), "--export-type=png", f"--export-filename={target}"]
        command += [f"--export-width={width}", "--export-background=white", "--export-background-opacity=1"]
        environment = {name: value for name, value in self.environment.items() if name != "DISPLAY"}
        subprocess.run(command, env=environment, capture_output=True, timeout=EFFECT_SECONDS, check=True)
        with Image.open(target) as image:
            return np.asarray(image.convert("RGB"))

    def _prefer(self, effect: str, params: dict[str, object]) -> None:
        """Last used values, which an effect without its dialog takes."""
        values = " ".join(f'org.tessera.{effect}.{name}="{value}"' for name, value in params.items())
        text = (
            '<?xml version="1.0"?><inkscape version="1"'
            ' xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"'
            ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape">'
            f'<group id="extensions" {values}/></inkscape>'
        )
        (self.extension.parent.parent / "preferences.xml").write_text(text, encoding="utf-8")


def inkex_folder() -> Path:
    """Where Inkscape keeps inkex."""
    done = subprocess.run(["inkscape", "--system-data-directory"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()) / "extensions"


def layers(drawing: etree._Element) -> list[str]:
    """The labels of all layers, the lowest first."""
    return [g.get(LABEL) for g in drawing.iterfind(".//svg:g[@inkscape:groupmode='layer']", NS)]


def layer(drawing: etree._Element, label: str) -> etree._Element:
    """The one layer of that name."""
    (found,) = (g for g in drawing.iterfind(".//svg:g", NS) if g.get(LABEL) == label)
    return found


def circles(element: etree._Element) -> np.ndarray:
    """cx, cy, r of all circles in an element, float64 (N, 3)."""
    found = element.iterfind(".//svg:circle", NS)
    return np.array([[float(c.get(name)) for name in ("cx", "cy", "r")] for c in found]).reshape(-1, 3)
