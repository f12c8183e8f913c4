"""A drawing that the backend made, into the document: its layers as sublayers of one, right over the picture."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from inkex import AbortExtension, BaseElement, SvgDocumentElement, Transform
from lxml import etree

from . import gather, geometry, pixels
from .clips import Wrap
from .gather import Picture, Source
from .geometry import Box
from .over import RUN, SVG, describe, layer_over, wrapped

# A drawing has no entities, and whatever came in its place may not open files either.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_blank_text=True)


def place(
    svg: SvgDocumentElement, source: Source, picture: Picture, drawing: bytes, wraps: Sequence[Wrap]
) -> BaseElement:
    """Put a drawing over an image, as large as it, and cut off where the image ends.

    Args:
        drawing: an SVG file whose viewBox is the whole picture.
        wraps: clips and masks of the image.
    Returns:
        The new layer. Its content has the drawing's own coordinates.
    Raises:
        AbortExtension: the drawing can't be read, which a backend of another version may have made.
    """
    try:
        root = etree.fromstring(drawing, _PARSER)
    except etree.XMLSyntaxError as exc:
        raise AbortExtension(f"The drawing of {source.name} can't be read ({exc}). Is the backend up to date?") from exc
    whole = geometry.view_box(root)
    if whole is None:
        raise AbortExtension(f"The drawing of {source.name} has no viewBox. Is the backend up to date?")
    port = gather.viewport(svg, source.image, picture)
    # Fitting changes a picture's sides by parts of a pixel: it is laid where the picture is, not as its own sides say.
    size = pixels.natural_size(picture.data)
    natural = (0.0, 0.0, *size) if min(size) > 0 else whole
    to_image = geometry.fitted(natural, port, geometry.aspect(source.image.get("preserveAspectRatio")))
    to_image = to_image @ geometry.fitted(whole, natural, ("stretch", 0.5, 0.5))
    to_root = source.steps[-1].to_root @ to_image
    layer = layer_over(svg, source, f"Vectorized: {source.name}", "vectorized", to_root)
    _renamed(root, set(svg.xpath("//@id")))
    run = root.find(f".//{RUN}")
    meta = json.loads(run.text or "{}") if run is not None else {}
    describe(layer, meta, f"{len(root.findall(f'.//{SVG}path'))} paths")
    _clip(svg, layer, _shown(whole, port, to_image))
    content = wrapped(layer, layer, wraps, to_root)
    for child in list(root):
        if child.tag == f"{SVG}defs":
            svg.defs.extend(list(child))
        elif child.tag == f"{SVG}g":
            content.append(child)
    return layer


def _renamed(root: etree._Element, taken: set[str]) -> None:
    """Give new ids to what has one that the document has already, and let references follow."""
    new = {}
    for element in root.iter():
        name = element.get("id")
        if name is None:
            continue
        free, count = name, 1
        while free in taken:
            count += 1
            free = f"{name}-{count}"
        taken.add(free)
        new[name] = free
        element.set("id", free)
    for element in root.iter(f"{SVG}path"):
        fill = element.get("fill", "")
        if fill.startswith("url(#"):
            element.set("fill", re.sub(r"#([^)]+)", lambda match: f"#{new.get(match.group(1), match.group(1))}", fill))


def _shown(whole: Box, port: Box, to_image: Transform) -> Box:
    """The part of a drawing, in its coordinates, that lies in the image's viewport."""
    left, top = (-to_image).apply_to_point((port[0], port[1]))
    right, bottom = (-to_image).apply_to_point((port[0] + port[2], port[1] + port[3]))
    x, y = max(float(left), whole[0]), max(float(top), whole[1])
    return x, y, min(float(right), whole[0] + whole[2]) - x, min(float(bottom), whole[1] + whole[3]) - y


def _clip(svg: SvgDocumentElement, layer: BaseElement, box: Box) -> None:
    """Cut a layer off at a box in its content's coordinates: shapes reach over the picture's edge."""
    clip = etree.SubElement(svg.defs, f"{SVG}clipPath", {"id": f"{layer.get('id')}-edge"})
    sides = zip(("x", "y", "width", "height"), box)
    etree.SubElement(clip, f"{SVG}rect", {name: f"{value:.9g}" for name, value in sides})
    layer.set("clip-path", f"url(#{clip.get('id')})")
