"""Selected shapes that lie over a picture, as outlines: they keep dots off, or are where alone dots go.

What counts is the area that a shape fills, or would fill: no stroke, no opacity, no clip of its own. Exact to
`clips.FLATNESS` for shapes whose subpaths don't cross each other.
"""

from __future__ import annotations

import copy
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import inkex
from inkex import AbortExtension, BaseElement, SvgDocumentElement, Transform
from inkex.command import INKSCAPE_EXECUTABLE_NAME, CommandNotFound, which

from . import clips, gather
from .clips import Region, Ring
from .geometry import Page, length, own_transform
from .over import RUN, SVG

OUTLINE_SECONDS = 60
_SHAPES = ("path", "rect", "circle", "ellipse", "polygon", "polyline")
_TEXTS = ("text", "flowRoot")


def over(svg: SvgDocumentElement, source: gather.Source, page: Page) -> Region:
    """The area of all selected shapes that are drawn after an image, as rings in mm of its page; empty: there are none.

    Raises:
        AbortExtension: there are texts, and Inkscape can't make paths of them.
    """
    chosen = _drawn_after(svg, source)
    if any(element.TAG in _TEXTS for shape in chosen for element in shape.iter() if isinstance(element, BaseElement)):
        chosen = _as_paths(svg, chosen)
    to_page = page.from_image @ -source.steps[-1].to_root
    region = [ring for shape in chosen for ring in _area_of(shape, to_page @ _around(shape))]
    return [ring for ring in region if _meets(ring, page)]


def _drawn_after(svg: SvgDocumentElement, source: gather.Source) -> list[BaseElement]:
    """The selected elements without pictures, in front of the one that shows the image."""
    chosen = {
        element.get("id")
        for element in svg.selection.values()
        if not gather.shows_pictures(element) and not _is_result(element)
    }
    if not chosen:
        return []
    everything = list(svg.iterdescendants())
    return [shape for shape in everything[everything.index(source.shown_by) + 1 :] if shape.get("id") in chosen]


def _is_result(element: BaseElement) -> bool:
    """Whether an element is, or is in, a layer that an effect of ours made: "Select all" is not meant to protect it."""
    return any(layer.find(f"{SVG}metadata/{RUN}") is not None for layer in (element, *element.iterancestors()))


def _around(shape: BaseElement) -> Transform:
    """From the coordinates that a shape is in to the document's user units."""
    around = Transform()
    for ancestor in shape.iterancestors():
        if ancestor.getparent() is not None:
            around = own_transform(ancestor) @ around
    return around


def _area_of(element: BaseElement, outer: Transform, rule: str = "nonzero", depth: int = 0) -> Region:
    """What an element fills, as rings around which one winds once."""
    if not isinstance(element, BaseElement) or gather.hidden(element) or depth > 16:
        return []
    at = outer @ own_transform(element)
    rule = gather.property_of(element, "fill-rule") or rule
    if element.TAG in gather.CONTAINERS:
        return [ring for child in element for ring in _area_of(child, at, rule, depth + 1)]
    if element.TAG == "use":
        used = gather.target(element.root, gather.link(element))
        moved = at @ Transform((1, 0, 0, 1, length(element.get("x"), 0.0), length(element.get("y"), 0.0)))
        return [] if used is None else _area_of(used, moved, rule, depth + 1)
    return _wound_once(clips.rings(element.get_path(), at), rule == "evenodd") if element.TAG in _SHAPES else []


def _wound_once(rings: Region, evenodd: bool) -> Region:
    """The same area with winding number 1 in it and 0 outside, so that areas can be laid over each other."""
    if len(rings) == 1:
        return [_turned(rings[0], True)]
    kept = []
    for ring in rings:
        around = [other for other in rings if other is not ring and _contains(other, ring[0])]
        outside = sum(1 if clips.area(other) > 0.0 else -1 for other in around)
        inside = outside + (1 if clips.area(ring) > 0.0 else -1)
        filled = [number % 2 == 1 if evenodd else number != 0 for number in (outside, inside)]
        if filled[0] != filled[1]:
            kept.append(_turned(ring, filled[1]))
    return kept


def _turned(ring: Ring, positive: bool) -> Ring:
    return ring if (clips.area(ring) > 0.0) == positive else ring[::-1]


def _contains(ring: Ring, point: tuple[float, float]) -> bool:
    """Whether a ring winds around a point: a ray to the right crosses it an odd number of times."""
    px, py = point
    inside = False
    for i, (x, y) in enumerate(ring):
        x0, y0 = ring[i - 1]
        if (y > py) != (y0 > py) and px < x + (py - y) * (x0 - x) / (y0 - y):
            inside = not inside
    return inside


def _meets(ring: Ring, page: Page) -> bool:
    """Whether a ring's bounding box and the page have something in common."""
    across, down = zip(*ring)
    return max(across) > 0.0 and min(across) < page.width and max(down) > 0.0 and min(down) < page.height


def _as_paths(svg: SvgDocumentElement, shapes: Sequence[BaseElement]) -> list[BaseElement]:
    """The same shapes in a copy of the document, where Inkscape made paths of them: nobody else knows its fonts."""
    names = [shape.get("id") for shape in shapes]
    bare = copy.deepcopy(svg)
    for image in bare.iterfind(".//{*}image"):
        image.attrib.clear()
    with tempfile.TemporaryDirectory(prefix="tessera") as folder:
        before, after = Path(folder, "texts.svg"), Path(folder, "paths.svg")
        bare.getroottree().write(str(before))
        try:
            _run_inkscape(before, f"select-by-id:{','.join(names)};object-to-path;export-filename:{after};export-do")
            outlined = inkex.load_svg(str(after)).getroot()
        except (CommandNotFound, OSError, subprocess.SubprocessError) as exc:
            raise _no_outlines() from exc
    found = [gather.target(outlined, f"#{name}") for name in names]
    if None in found:
        raise _no_outlines()
    return found


def _no_outlines() -> AbortExtension:
    return AbortExtension(
        "The selected texts could not be turned into outlines. Make paths of them yourself: Path > Object to Path."
    )


def _run_inkscape(document: Path, actions: str) -> None:
    """Do something to a document in an Inkscape of its own.

    It would hand the work to the one that runs, which waits for this effect. So it gets another name on the bus, as
    1.2 wants it, and the variable that later versions look for.
    """
    name = f"--app-id-tag=tessera{os.getpid()}"
    subprocess.run(
        [which(INKSCAPE_EXECUTABLE_NAME), name, "--batch-process", f"--actions={actions}", str(document)],
        env={**os.environ, "SELF_CALL": "true"},
        check=True,
        capture_output=True,
        timeout=OUTLINE_SECONDS,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
