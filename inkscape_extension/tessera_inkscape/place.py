"""Dots into the document: one Inkscape layer right over the image's own, in true millimetres.

Several plates are sublayers of it. They multiply, as inks do on white paper, but only among themselves: the layer
isolates them from the picture under it.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from inkex import BaseElement, Layer, SvgDocumentElement, Transform
from lxml import etree

from .clips import Wrap
from .gather import Source
from .geometry import Page, root_to_mm
from .over import SVG, describe, layer_over, wrapped

# The same as in the drawings that the backend writes: tools that drop lines of no length keep it, and no pen shows it.
POINT_LENGTH_MM = 0.01


@dataclasses.dataclass(frozen=True)
class Plate:
    """One ink: its name, its colour (#rrggbb), and how many of the dots it has."""

    name: str
    color: str
    dots: int

    @property
    def label(self) -> str:
        """What its layer is called."""
        return self.name if self.color in self.name else f"{self.name} {self.color}"

    def style(self, marks: str) -> str:
        """The style that all its dots share."""
        if marks == "circles":
            return f"fill:{self.color};stroke:none"
        joined = ";stroke-linejoin:round" if marks == "line" else ""
        return f"fill:none;stroke:{self.color};stroke-linecap:round{joined}"


@dataclasses.dataclass(frozen=True)
class Dots:
    """A result, unpacked.

    Attributes:
        positions: x, y, x, y, ... in millimetres of the page; those of a plate follow each other.
        radii: one a dot, mm.
        meta: of the run: engine, weights, device, seed, parameters, plates, ...
    """

    positions: Sequence[float]
    radii: Sequence[float]
    meta: Mapping[str, Any]

    @staticmethod
    def of(positions: memoryview, radii: memoryview, meta: Mapping[str, Any]) -> Dots:
        """From the raw little-endian float32 buffers of a result."""
        return Dots(_floats(positions), _floats(radii), meta)

    @property
    def plates(self) -> Sequence[Plate]:
        """The inks, the lowest first."""
        return [Plate(plate["name"], plate["color"], plate["dots"]) for plate in self.meta["plates"]]

    @property
    def overprinted(self) -> bool:
        """Whether inks show through each other; on black paper, the upper one covers the lower."""
        return not self.meta.get("parameters", {}).get("invert", False)


@dataclasses.dataclass(frozen=True)
class _Space:
    """Where dots are drawn.

    Attributes:
        from_page: millimetres of the page to units.
        mm: units per millimetre.
    """

    from_page: Transform
    mm: float

    @property
    def digits(self) -> int:
        """Decimals of a thousandth of a millimetre, whatever the document's unit is."""
        return min(9, max(0, math.ceil(3.0 - math.log10(self.mm))))

    def points(self, positions: Iterable[float]) -> Iterator[tuple[float, float]]:
        """Positions, in pairs."""
        a, b, c, d, e, f = self.from_page.to_hexad()
        coordinates = iter(positions)
        return ((a * x + c * y + e, b * x + d * y + f) for x, y in zip(coordinates, coordinates))


def place(
    svg: SvgDocumentElement,
    source: Source,
    page: Page,
    dots: Dots,
    marks: str,
    wraps: Sequence[Wrap] = (),
) -> BaseElement:
    """Put the dots over an image.

    Args:
        marks: "circles", "points" or "line".
        wraps: clips and masks that the dots don't know of.
    Returns:
        The new layer.
    """
    content_to_root, mm = _content_space(svg)
    layer = layer_over(svg, source, f"Stipple: {source.name}", "stipple", content_to_root)
    layer.set("style", "isolation:isolate")
    left_out = "".join(f" {count} dots left out: {why}." for why, count in dots.meta.get("dots_left_out", {}).items())
    describe(layer, {"tool": "Tessera", "job": "stipple", **dots.meta}, f"{len(dots.radii)} dots", left_out)
    space = _Space(-content_to_root @ -root_to_mm(svg) @ page.to_drawing, mm)
    first = 0
    for plate in dots.plates:
        if not plate.dots:
            continue
        group = layer if len(dots.plates) == 1 else _sublayer(plate, layer)
        blend = ";mix-blend-mode:multiply" if group is not layer and dots.overprinted else ""
        group.set("style", plate.style(marks) + blend)
        group = wrapped(layer, group, wraps, content_to_root)
        last = first + plate.dots
        _MARKS[marks](group, space, dots.positions[2 * first : 2 * last], dots.radii[first:last])
        first = last
    return layer


def _sublayer(plate: Plate, layer: BaseElement) -> BaseElement:
    """A new layer within a layer, with an id that people can read in other programs."""
    own = Layer.new(plate.label)
    readable = re.sub(r"[^a-z0-9]+", "-", plate.name.lower()).strip("-")
    # As the layer's id is new in the document, so is this one.
    own.set("id", f"{layer.get('id')}-{readable}")
    layer.append(own)
    return own


def _floats(data: memoryview) -> Sequence[float]:
    values = array("f")
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _content_space(svg: SvgDocumentElement) -> tuple[Transform, float]:
    """The space that dots are drawn in: (its way to user units, its units per millimetre).

    User units, unless the document stretches them: there circles would be ellipses, so millimetres are drawn.
    """
    a, b, c, d, _, _ = root_to_mm(svg).to_hexad()
    if abs(a - d) <= 1e-9 * abs(a) and b == c == 0:
        return Transform(), 1.0 / a
    return -root_to_mm(svg), 1.0


def _circles(group: BaseElement, space: _Space, positions: Sequence[float], radii: Sequence[float]) -> None:
    """One element a dot; plain lxml, as a hundred thousand of inkex's would take a minute."""
    digits = space.digits
    for (x, y), radius in zip(space.points(positions), radii):
        circle = {"cx": f"{x:.{digits}f}", "cy": f"{y:.{digits}f}", "r": f"{radius * space.mm:.{digits + 1}f}"}
        etree.SubElement(group, f"{SVG}circle", circle)


def _points(group: BaseElement, space: _Space, positions: Sequence[float], radii: Sequence[float]) -> None:
    """One stroke of no length a dot, as wide as the dot."""
    digits, length = space.digits, POINT_LENGTH_MM * space.mm
    for (x, y), radius in zip(space.points(positions), radii):
        line = f"M{x - length / 2:.{digits}f},{y:.{digits}f}h{length:.{digits + 1}f}"
        width = f"{2.0 * radius * space.mm:.{digits + 1}f}"
        etree.SubElement(group, f"{SVG}path", {"d": line, "stroke-width": width})


def _line(group: BaseElement, space: _Space, positions: Sequence[float], radii: Sequence[float]) -> None:
    """One stroke through all dots in their order, as wide as they are on average."""
    if not radii:
        return
    digits = space.digits
    way = " ".join(f"{x:.{digits}f},{y:.{digits}f}" for x, y in space.points(positions))
    width = f"{2.0 * sum(radii) / len(radii) * space.mm:.{digits + 1}f}"
    etree.SubElement(group, f"{SVG}path", {"d": f"M{way}", "stroke-width": width})


_MARKS = {"circles": _circles, "points": _points, "line": _line}
