"""Inkscape's dialogs (.inx files), made from the jobs' parameters: `python -m tessera_backend.install.inx`."""

from __future__ import annotations

import dataclasses
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tessera_protocol import schema
from tessera_protocol.hosts import Nothing, StippleInInkscape
from tessera_protocol.jobs import STIPPLE, VECTORIZE, Job
from tessera_protocol.schema import Spec

NAMESPACE = "http://www.inkscape.org/namespace/inkscape/extension"


@dataclasses.dataclass(frozen=True)
class Effect:
    """One entry of the menu Extensions > Tessera.

    Attributes:
        job: whose parameters the dialog shows.
        script: the effect's file; its .inx has the same name.
        own: what the dialog asks beside them, declared in `tessera_protocol.hosts`.
        tip: one line, for the status bar.
        guidance: paragraphs of the dialog's last page.
    """

    job: Job
    script: str
    own: type[Any]
    tip: str
    guidance: tuple[str, ...]

    @property
    def inx(self) -> str:
        """The name of the .inx file."""
        return Path(self.script).with_suffix(".inx").name

    @property
    def controls(self) -> dict[str, Spec]:
        """Everything that the dialog asks: name -> Spec."""
        specs = schema.specs(self.job.params) | schema.specs(self.own)
        return {name: spec for name, spec in specs.items() if not spec.from_host}


EFFECTS = (
    Effect(
        STIPPLE,
        "tessera_stipple.py",
        StippleInInkscape,
        "Turn pictures into dots, right over them",
        (
            "Select one or more pictures, embedded or linked, alone or in groups; with nothing selected, the only "
            "picture of the document is taken. Each gets a layer of dots right over it, in true millimetres, inside "
            "its clips. The picture itself stays as it is.",
            "Shapes, texts and groups of them that are selected, too, and lie over a picture keep their area clear of "
            "dots, or are where alone dots go: Selected shapes says which.",
            "To stipple a drawing, make a picture of it first: Edit > Make a Bitmap Copy.",
            "The work is done by the Tessera backend on this computer, which starts by itself. "
            "A window shows how far it is and has a Cancel button. One undo takes all dots away.",
        ),
    ),
    Effect(
        VECTORIZE,
        "tessera_vectorize.py",
        Nothing,
        "Turn pictures into layers of paths, right over them",
        (
            "Select one or more pictures, embedded or linked, alone or in groups; with nothing selected, the only "
            "picture of the document is taken. Each gets a layer right over it, of its place and size and inside its "
            "clips, with a sublayer for each level: hide one, and what is left is still a picture. The picture itself "
            "stays as it is.",
            "Paths are called after their colour and place, and lie in groups called after what they are on: see "
            "Object > Layers and Objects.",
            "To vectorize a drawing, make a picture of it first: Edit > Make a Bitmap Copy.",
            "The work is done by the Tessera backend on this computer, which starts by itself. A window shows how the "
            "drawing grows, and has a Cancel button. One undo takes all paths away.",
        ),
    ),
)


def render(effect: Effect) -> str:
    """The text of an effect's .inx file."""
    # "none": Inkscape's own translations know other meanings of our words.
    root = ET.Element("inkscape-extension", xmlns=NAMESPACE, translationdomain="none")
    _text(root, "name", effect.job.title)
    _text(root, "id", f"org.tessera.{effect.job.name}")
    notebook = ET.SubElement(root, "param", name="tab", type="notebook")
    pages: dict[str, ET.Element] = {}
    for name, spec in effect.controls.items():
        if spec.page not in pages:
            pages[spec.page] = _page(notebook, spec.page)
        _control(pages[spec.page], name, spec)
    guidance = _page(notebook, "Help")
    for paragraph in effect.guidance:
        _text(guidance, "label", paragraph)
    # Without a live preview: it would run the whole job at each turn of a control.
    declared = ET.SubElement(root, "effect", {"needs-live-preview": "false"})
    _text(declared, "object-type", "all")
    ET.SubElement(ET.SubElement(declared, "effects-menu"), "submenu", name="Tessera")
    _text(declared, "menu-tip", effect.tip)
    script = ET.SubElement(root, "script")
    command = _text(script, "command", effect.script)
    command.attrib |= {"location": "inx", "interpreter": "python"}
    ET.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    note = "<!-- Made from the job's parameters by: python -m tessera_backend.install.inx -->\n"
    return head + note + ET.tostring(root, encoding="unicode") + "\n"


def write(folder: Path) -> list[Path]:
    """Write the .inx files of all effects into a folder."""
    written = []
    for effect in EFFECTS:
        path = folder / effect.inx
        path.write_text(render(effect), encoding="utf-8", newline="\n")
        written.append(path)
    return written


def _control(page: ET.Element, name: str, spec: Spec) -> None:
    """The <param> of one parameter."""
    label = f"{spec.label} ({spec.unit})" if spec.unit else spec.label
    param = ET.SubElement(page, "param", {"name": name, "gui-text": label, "gui-description": spec.help})
    if spec.kind == "choice":
        param.attrib |= {"type": "optiongroup", "appearance": "combo"}
        # Inkscape takes the first one for the default.
        for value in sorted(spec.choices, key=lambda value: value != spec.default):
            _text(param, "option", spec.choices[value]).set("value", value)
        return
    if spec.kind == "boolean":
        param.set("type", "bool")
        param.text = "true" if spec.default else "false"
    elif spec.kind in ("integer", "number"):
        param.attrib |= {"type": "int" if spec.kind == "integer" else "float"}
        param.attrib |= {"min": f"{spec.low:.12g}", "max": f"{spec.high:.12g}"}
        if spec.kind == "number":
            # Shares of one need a digit more than millimetres do.
            param.set("precision", "3" if (spec.high or 0) <= 1 else "2")
        param.text = f"{spec.default:.12g}"
    elif spec.is_color:
        param.attrib |= {"type": "color", "appearance": "colorbutton"}
        param.text = f"0x{spec.default[1:]}ff"
    else:
        param.attrib |= {"type": "string", "max_length": f"{spec.high:g}"}
        param.text = spec.default


def _page(notebook: ET.Element, title: str) -> ET.Element:
    return ET.SubElement(notebook, "page", {"name": title.lower().replace(" ", "_"), "gui-text": title})


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = text
    return element


def main() -> None:
    """Write them where the extension's sources are."""
    from .sources import source_folder

    for path in write(source_folder("inkscape")):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
