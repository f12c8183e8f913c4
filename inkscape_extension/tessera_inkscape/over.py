"""New layers right over a picture's own: where they go, what clips and masks them, and what they say of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inkex import BaseElement, Layer, SvgDocumentElement, Transform
from lxml import etree

from .clips import Wrap
from .gather import Source
from .geometry import own_transform

SVG = "{http://www.w3.org/2000/svg}"
RUN = "{urn:tessera:run}run"
# What of a run people are told.
_TOLD = ("engine", "seed", "device", "weights")


def layer_over(svg: SvgDocumentElement, source: Source, label: str, name: str, content_to_root: Transform) -> Layer:
    """A new, empty layer right over the one that shows a picture.

    Args:
        name: what its id begins with.
        content_to_root: from the coordinates that its content is to have to the document's user units.
    """
    below = _own_layer(source.shown_by)
    parent = below.getparent()
    layer = Layer.new(label)
    layer.set("id", svg.get_unique_id(name))
    set_transform(layer, -_to_root(parent) @ content_to_root)
    parent.insert(parent.index(below) + 1, layer)
    return layer


def wrapped(layer: BaseElement, group: BaseElement, wraps: Sequence[Wrap], content_to_root: Transform) -> BaseElement:
    """A group within `group`, in the same coordinates, which is clipped and masked as the image is.

    Args:
        layer: the new layer that `group` is, or is in. What clips its own place clips its content already.
    """
    around = set(layer.iterancestors())
    for wrap in wraps:
        if wrap.step.element not in around:
            outer = etree.SubElement(group, f"{SVG}g", {wrap.attribute: wrap.reference})
            set_transform(outer, -content_to_root @ wrap.step.to_root)
            group = etree.SubElement(outer, f"{SVG}g")
            set_transform(group, -wrap.step.to_root @ content_to_root)
    return group


def describe(layer: BaseElement, run: Mapping[str, Any], what: str, more: str = "") -> None:
    """Keep what made the layer: for people in its description (Object Properties), for programs in its metadata.

    Args:
        run: the metadata, plain JSON.
        what: such as "40 dots".
        more: sentences that follow, with a space before them.
    """
    known = ", ".join(f"{key} {run[key]}" for key in _TOLD if run.get(key) not in (None, ""))
    etree.SubElement(layer, f"{SVG}desc").text = f"{what} by Tessera: {known}.{more}"
    metadata = etree.SubElement(layer, f"{SVG}metadata")
    etree.SubElement(metadata, RUN, nsmap={None: "urn:tessera:run"}).text = json.dumps(run, sort_keys=True)


def set_transform(element: BaseElement, transform: Transform) -> None:
    """Its transform attribute; none for one that does nothing."""
    values = tuple(transform.to_hexad())
    if any(abs(value - same) > 1e-12 for value, same in zip(values, (1, 0, 0, 1, 0, 0))):
        # Written past inkex, which keeps six digits: too few far from the origin.
        element.attrib["transform"] = f"matrix({','.join(f'{value:.12g}' for value in values)})"


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
