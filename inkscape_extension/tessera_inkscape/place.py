"""Dots into the document: one Inkscape layer right over the image's own, of circles in true millimetres."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from inkex import BaseElement, Layer, SvgDocumentElement, Transform
from lxml import etree

from .clips import Wrap
from .gather import Source
from .geometry import Page, own_transform, root_to_mm

SVG = "{http://www.w3.org/2000/svg}"
RUN = "{urn:tessera:run}run"
# The same as in the drawings that the backend writes: tools that drop lines of no length keep it, and no pen shows it.
POINT_LENGTH_MM = 0.01


@dataclasses.dataclass(frozen=True)
class Dots:
    """A result, unpacked.

    Attributes:
        positions: x, y, x, y, ... in millimetres of the page.
        radii: one a dot, mm.
        meta: of the run: engine, weights, device, seed, parameters, ...
    """

    positions: Sequence[float]
    radii: Sequence[float]
    meta: Mapping[str, Any]

    @staticmethod
    def of(positions: memoryview, radii: memoryview, meta: Mapping[str, Any]) -> Dots:
        """From the raw little-endian float32 buffers of a result."""
        return Dots(_floats(positions), _floats(radii), meta)


@dataclasses.dataclass(frozen=True)
class Marks:
    """How dots are drawn: `kind` is "circles" or "points", `color` #rrggbb."""

    kind: str
    color: str

    @property
    def style(self) -> str:
        """The style that all dots of a layer share."""
        if self.kind == "points":
            return f"fill:none;stroke:{self.color};stroke-linecap:round"
        return f"fill:{self.color};stroke:none"


def place(
    svg: SvgDocumentElement,
    source: Source,
    page: Page,
    dots: Dots,
    marks: Marks,
    wraps: Sequence[Wrap] = (),
) -> BaseElement:
    """Put the dots over an image.

    Args:
        wraps: clips and masks that the dots don't know of.
    Returns:
        The new layer.
    """
    below = _own_layer(source.shown_by)
    parent = below.getparent()
    content_to_root, mm = _content_space(svg)
    layer = Layer.new(f"Stipple: {source.name}")
    layer.set("id", svg.get_unique_id("stipple"))
    layer.set("style", marks.style)
    _set_transform(layer, -_to_root(parent) @ content_to_root)
    _describe(layer, dots)
    parent.insert(parent.index(below) + 1, layer)
    around = set(layer.iterancestors())
    group: BaseElement = layer
    for wrap in wraps:
        # What clips the layer's own place clips the dots already.
        if wrap.step.element not in around:
            group = _wrapped(group, wrap, content_to_root)
    to_content = -content_to_root @ -root_to_mm(svg) @ page.to_drawing
    _draw(group, dots, marks.kind, to_content, mm)
    return layer


def _floats(data: memoryview) -> Sequence[float]:
    values = array("f")
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _own_layer(element: BaseElement) -> BaseElement:
    """The innermost layer that an element is in, or else its outermost group, or itself."""
    outermost = element
    for ancestor in element.iterancestors():
        if ancestor.getparent() is None:
            break
        if ancestor.get("inkscape:groupmode") == "layer":
            return ancestor
        outermost = ancestor
    return outermost


def _to_root(element: BaseElement) -> Transform:
    """From the coordinates of an element's children to the document's user units; layers lie in groups only."""
    to_root = Transform()
    while element.getparent() is not None:
        to_root = own_transform(element) @ to_root
        element = element.getparent()
    return to_root


def _content_space(svg: SvgDocumentElement) -> tuple[Transform, float]:
    """The space that dots are drawn in: (its way to user units, its units per millimetre).

    User units, unless the document stretches them: there circles would be ellipses, so millimetres are drawn.
    """
    a, b, c, d, _, _ = root_to_mm(svg).to_hexad()
    if abs(a - d) <= 1e-9 * abs(a) and b == c == 0:
        return Transform(), 1.0 / a
    return -root_to_mm(svg), 1.0


def _set_transform(element: BaseElement, transform: Transform) -> None:
    values = tuple(transform.to_hexad())
    if any(abs(value - same) > 1e-12 for value, same in zip(values, (1, 0, 0, 1, 0, 0))):
        # Written past inkex, which keeps six digits: too few far from the origin.
        element.attrib["transform"] = f"matrix({','.join(f'{value:.12g}' for value in values)})"


def _wrapped(group: BaseElement, wrap: Wrap, content_to_root: Transform) -> BaseElement:
    """A group within `group`, in the same coordinates, which is clipped or masked as the image is."""
    outer = etree.SubElement(group, f"{SVG}g", {wrap.attribute: wrap.reference})
    _set_transform(outer, -content_to_root @ wrap.step.to_root)
    inner = etree.SubElement(outer, f"{SVG}g")
    _set_transform(inner, -wrap.step.to_root @ content_to_root)
    return inner


def _draw(group: BaseElement, dots: Dots, kind: str, to_content: Transform, mm: float) -> None:
    """One element a dot; plain lxml, as a hundred thousand of inkex's would take a minute."""
    a, b, c, d, e, f = to_content.to_hexad()
    # A thousandth of a millimetre, whatever the document's unit is.
    digits = min(9, max(0, math.ceil(3.0 - math.log10(mm))))
    length = POINT_LENGTH_MM * mm
    coordinates = iter(dots.positions)
    for px, py, radius in zip(coordinates, coordinates, dots.radii):
        x, y = a * px + c * py + e, b * px + d * py + f
        if kind == "points":
            line = f"M{x - length / 2:.{digits}f},{y:.{digits}f}h{length:.{digits + 1}f}"
            width = f"{2.0 * radius * mm:.{digits + 1}f}"
            etree.SubElement(group, f"{SVG}path", {"d": line, "stroke-width": width})
        else:
            circle = {"cx": f"{x:.{digits}f}", "cy": f"{y:.{digits}f}", "r": f"{radius * mm:.{digits + 1}f}"}
            etree.SubElement(group, f"{SVG}circle", circle)


def _describe(layer: BaseElement, dots: Dots) -> None:
    """Keep what made the layer: for people in its description (Object Properties), for programs in its metadata."""
    run = {"tool": "Tessera", "job": "stipple", **dots.meta}
    told = ("engine", "seed", "device", "weights")
    known = ", ".join(f"{key} {dots.meta[key]}" for key in told if dots.meta.get(key) not in (None, ""))
    left_out = "".join(f" {count} dots left out: {why}." for why, count in dots.meta.get("dots_left_out", {}).items())
    etree.SubElement(layer, f"{SVG}desc").text = f"{len(dots.radii)} dots by Tessera: {known}.{left_out}"
    metadata = etree.SubElement(layer, f"{SVG}metadata")
    etree.SubElement(metadata, RUN, nsmap={None: "urn:tessera:run"}).text = json.dumps(run, sort_keys=True)
