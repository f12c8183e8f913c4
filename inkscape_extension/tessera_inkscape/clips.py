"""Clips as outlines that dots stay inside of, as far as that is exact; what is left is put around the dots.

Exact to FLATNESS: clip-paths of shapes, groups and clones of them, on the image or any group around it, also
several at once as long as at most one of them is not convex; clips on clips; clipPathUnits of an image, both.
Not outlines, so the dots are wrapped in groups that carry the original reference instead: masks, text, shapes
with the even-odd rule, shapes with holes next to other shapes in one clip, and second non-convex clips.
Approximate: what is put around the dots in units of an objectBoundingBox takes the box of the dots, not the
image's. (Inkscape itself never writes these units.) Not seen: the clip that a nested <svg> is by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from inkex import AbortExtension, BaseElement, Path, SvgDocumentElement, Transform
from inkex.bezier import cspsubdiv

from .gather import Source, Step, hidden, link, property_of, target
from .geometry import Page, Point, length, own_transform

FLATNESS = 0.02  # mm: a fifth of the finest pen line

Ring = list[Point]
Region = list[Ring]  # the points around which the rings wind a number of times that is not 0

_SHAPES = ("path", "rect", "circle", "ellipse", "polygon", "polyline")
_SILENT = ("title", "desc", "metadata")


class NotAnOutline(Exception):
    """A clip that can't be said exactly in rings; it is wrapped around the dots instead."""


@dataclasses.dataclass(frozen=True)
class Wrap:
    """A clip-path or mask that has to be put around the dots.

    Attributes:
        attribute: "clip-path" or "mask".
        reference: its url(#id).
        step: the element that carries it, and the space it is in.
    """

    attribute: str
    reference: str
    step: Step


@dataclasses.dataclass(frozen=True)
class Clip:
    """Everything that hides parts of an image.

    Attributes:
        region: rings in millimetres of the page; None: nothing is clipped; empty: all is.
        wraps: the rest, outermost first.
    """

    region: Region | None
    wraps: tuple[Wrap, ...]


def rows(region: Region, page: Page) -> list[float]:
    """A region as a job's inputs want it: (ring number, x, y) a vertex, as shares of the page."""
    return [
        value
        for number, ring in enumerate(region)
        for x, y in ring
        for value in (float(number), x / page.width, y / page.height)
    ]


def clip_of(svg: SvgDocumentElement, source: Source, page: Page) -> Clip:
    """What clips and masks leave of an image."""
    to_page = page.from_image @ -source.steps[-1].to_root
    whole = _whole(page)
    region: Region = [whole]
    wraps: list[Wrap] = []
    for step in source.steps:
        reference = property_of(step.element, "clip-path") or ""
        clip = target(svg, reference)
        if clip is not None and clip.TAG == "clipPath":
            try:
                for part in _regions(clip, step, to_page @ step.to_root):
                    region = intersection(region, part)
            except NotAnOutline:
                wraps.append(Wrap("clip-path", reference, step))
        mask = property_of(step.element, "mask") or ""
        if target(svg, mask) is not None:
            wraps.append(Wrap("mask", mask, step))
    return Clip(None if region == [whole] else region, tuple(wraps))


def wraps_of(svg: SvgDocumentElement, source: Source) -> tuple[Wrap, ...]:
    """All clips and masks of an image and of the groups around it, outermost first."""
    wraps = []
    for step in source.steps:
        for attribute in ("clip-path", "mask"):
            reference = property_of(step.element, attribute) or ""
            if target(svg, reference) is not None:
                wraps.append(Wrap(attribute, reference, step))
    return tuple(wraps)


def within(clip: Clip, area: Region, name: str, page: Page) -> Clip:
    """A clip of the image `name` that shows less: only what lies in `area`, too.

    Raises:
        AbortExtension: that can't be said in rings.
    """
    try:
        return dataclasses.replace(
            clip, region=intersection([_whole(page)] if clip.region is None else clip.region, area)
        )
    except NotAnOutline as exc:
        raise AbortExtension(
            f"{name} is clipped, and neither its clip nor the selected shapes are convex, so where both leave room for "
            "dots is not clear. Release the clip, or make the selected shapes one simple shape."
        ) from exc


def _whole(page: Page) -> Ring:
    return [(0.0, 0.0), (page.width, 0.0), (page.width, page.height), (0.0, page.height)]


def _regions(clip: BaseElement, step: Step, to_page: Transform) -> Sequence[Region]:
    """The regions whose intersection a <clipPath> is: itself, and the clips on it."""
    if clip.get("clipPathUnits") == "objectBoundingBox":
        to_page = to_page @ _box_transform(step.element)
    at = to_page @ own_transform(clip)
    shapes = [shape for child in clip for shape in _shapes_of(child, at, 0)]
    regions = [_union(shapes)]
    outer = target(clip.root, property_of(clip, "clip-path") or "")
    if outer is not None and outer is not clip:
        if property_of(outer, "clip-path"):
            raise NotAnOutline("clips nested more than twice")
        if outer.get("clipPathUnits") != clip.get("clipPathUnits"):
            raise NotAnOutline("a clip on a clip in other units")
        regions += [_union([shape for child in outer for shape in _shapes_of(child, to_page, 0)])]
    return regions


def _shapes_of(element: BaseElement, outer: Transform, depth: int) -> list[Region]:
    """Each shape in a clip as rings in mm of the page."""
    if not isinstance(element, BaseElement) or hidden(element) or element.TAG in _SILENT:
        return []
    if property_of(element, "clip-path") not in (None, "none") or depth > 16:
        raise NotAnOutline("a clip on a part of a clip")
    at = outer @ own_transform(element)
    if element.TAG in ("g", "a"):
        return [shape for child in element for shape in _shapes_of(child, at, depth + 1)]
    if element.TAG == "use":
        used = target(element.root, link(element))
        moved = at @ Transform((1, 0, 0, 1, length(element.get("x"), 0.0), length(element.get("y"), 0.0)))
        return [] if used is None else _shapes_of(used, moved, depth + 1)
    if element.TAG not in _SHAPES:
        raise NotAnOutline(f"a clip with a {element.TAG}")
    outline = rings(element.get_path(), at)
    if property_of(element, "clip-rule") == "evenodd" and not (len(outline) == 1 and _convex(outline[0])):
        raise NotAnOutline("the even-odd rule")
    return [outline] if outline else []


def rings(path: object, at: Transform) -> Region:
    """A path's subpaths as polygons; fills close what is open."""
    curves = Path(path).transform(at).to_superpath()
    cspsubdiv(curves, FLATNESS)
    outline = [[(float(node[1][0]), float(node[1][1])) for node in curve] for curve in curves]
    return [ring for ring in map(_without_repeats, outline) if len(ring) >= 3]


def _without_repeats(ring: Ring) -> Ring:
    kept = [point for i, point in enumerate(ring) if point != ring[i - 1]]
    return kept if kept else ring[:1]


def _union(shapes: list[Region]) -> Region:
    """All shapes of a clip as one region: each wound so that where two overlap they can't cancel out."""
    if len(shapes) == 1:
        return shapes[0]
    union: Region = []
    for outline in shapes:
        areas = [area(ring) for ring in outline]
        if min(areas) < 0.0 < max(areas):
            raise NotAnOutline("a shape with holes beside other shapes")
        union += [ring if size > 0.0 else ring[::-1] for ring, size in zip(outline, areas)]
    return union


def intersection(one: Region, other: Region) -> Region:
    """The part that two regions share.

    Raises:
        NotAnOutline: neither is one convex ring.

    Cutting rings by a half-plane keeps their winding numbers on its inner side, so one region may be of any
    shape as long as the other one is convex.
    """
    if len(other) != 1 or not _convex(other[0]):
        one, other = other, one
    if len(other) != 1 or not _convex(other[0]):
        raise NotAnOutline("two clips that are not convex")
    cutter = other[0] if area(other[0]) > 0.0 else other[0][::-1]
    for i, corner in enumerate(cutter):
        one = [_cut(ring, cutter[i - 1], corner) for ring in one]
    return [ring for ring in one if len(ring) >= 3]


def _cut(ring: Ring, a: Point, b: Point) -> Ring:
    """The part of a ring to the inner side of the line from a to b (Sutherland and Hodgman 1974)."""
    kept: Ring = []
    sides = [(b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) for x, y in ring]
    for i, (point, side) in enumerate(zip(ring, sides)):
        before, previous = ring[i - 1], sides[i - 1]
        if (side < 0.0) != (previous < 0.0):
            t = previous / (previous - side)
            kept.append((before[0] + t * (point[0] - before[0]), before[1] + t * (point[1] - before[1])))
        if side >= 0.0:
            kept.append(point)
    return kept


def area(ring: Ring) -> float:
    """Twice the signed area."""
    return sum(ring[i - 1][0] * y - x * ring[i - 1][1] for i, (x, y) in enumerate(ring))


def _convex(ring: Ring) -> bool:
    """Whether a ring turns one way only, and once around."""
    turns, across = [], 0
    for i in range(len(ring)):
        (ax, ay), (bx, by), (cx, cy) = ring[i - 2], ring[i - 1], ring[i]
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
        # A ring that goes once around changes from left-going to right-going exactly twice.
        across += ((bx, by) > (ax, ay)) != ((cx, cy) > (bx, by))
    # Flattened curves turn back by rounding: a millionth of a square millimetre is nothing.
    return across <= 2 and (min(turns) >= -1e-6 or max(turns) <= 1e-6)


def _box_transform(element: BaseElement) -> Transform:
    """From shares of an image's bounding box to its own user space."""
    x, y, width, height = (length(element.get(name), 0.0) for name in ("x", "y", "width", "height"))
    if element.TAG != "image" or width <= 0.0 or height <= 0.0:
        raise NotAnOutline("the bounding box of a group")
    return Transform((width, 0, 0, height, x, y))
