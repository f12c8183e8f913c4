"""Where things lie: SVG lengths, viewports and transforms, and the page in millimetres that an image makes.

`Transform`s here map from the inner to the outer coordinates, so `outer @ inner` reads right to left.
"""

from __future__ import annotations

import dataclasses
import math
import re

from inkex import BaseElement, SvgDocumentElement, Transform

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # x, y, width, height

PX_TO_MM = 25.4 / 96.0
# CSS lengths in px. em and ex need a font, which an image has not: 16 px is what browsers assume.
_UNITS = {
    "": 1.0,
    "px": 1.0,
    "mm": 96.0 / 25.4,
    "cm": 960.0 / 25.4,
    "q": 24.0 / 25.4,
    "in": 96.0,
    "pt": 96.0 / 72.0,
    "pc": 16.0,
    "em": 16.0,
    "ex": 8.0,
}
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zA-Z]*|%)\s*$")
_ASPECT = re.compile(r"\s*(?:defer\s+)?(none|x(Min|Mid|Max)Y(Min|Mid|Max))(?:\s+(meet|slice))?\s*$")


def length(text: str | None, whole: float, default: float = 0.0) -> float:
    """An SVG length in user units; `whole` is what 100 % are; `default` for a missing or unreadable one."""
    match = _LENGTH.match(text or "")
    if not match:
        return default
    value, unit = float(match.group(1)), match.group(2).lower()
    if unit == "%":
        return value / 100.0 * whole
    return value * _UNITS[unit] if unit in _UNITS else default


def own_transform(element: BaseElement) -> Transform:
    """The transform attribute, read past inkex, which would write it back with six digits."""
    return Transform(element.attrib.get("transform"))


def view_box(element: BaseElement) -> Box | None:
    """The viewBox, or None where there is none or an unusable one."""
    try:
        numbers = [float(n) for n in re.split(r"[\s,]+", (element.get("viewBox") or "").strip())]
    except ValueError:
        return None
    if len(numbers) != 4 or numbers[2] <= 0 or numbers[3] <= 0:
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def aspect(text: str | None) -> tuple[str, float, float]:
    """preserveAspectRatio as (fit, align across, align down); fit is "stretch", "contain" or "cover".

    Aligning is 0 for Min, 0.5 for Mid, 1 for Max. Unreadable values count as the default, xMidYMid meet.
    """
    match = _ASPECT.match(text or "")
    if not match:
        return "contain", 0.5, 0.5
    if match.group(1) == "none":
        return "stretch", 0.5, 0.5
    share = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
    return "cover" if match.group(4) == "slice" else "contain", share[match.group(2)], share[match.group(3)]


def fitted(view: Box, port: Box, how: tuple[str, float, float]) -> Transform:
    """The transform that lays the box `view` into the box `port`, as preserveAspectRatio says."""
    fit, across, down = how
    sx, sy = port[2] / view[2], port[3] / view[3]
    if fit != "stretch":
        sx = sy = min(sx, sy) if fit == "contain" else max(sx, sy)
    dx = port[0] + across * (port[2] - sx * view[2])
    dy = port[1] + down * (port[3] - sy * view[3])
    return Transform((sx, 0, 0, sy, dx - sx * view[0], dy - sy * view[1]))


def root_to_mm(svg: SvgDocumentElement) -> Transform:
    """From the user units of the document to millimetres of its page.

    A width or height in per cent, or none, means 1 user unit = 1 px, as Inkscape has it.
    """
    view = view_box(svg)
    natural = view or (0.0, 0.0, 100.0, 100.0)
    width = length(svg.get("width"), natural[2], natural[2])
    height = length(svg.get("height"), natural[3], natural[3])
    px = Transform((PX_TO_MM, 0, 0, PX_TO_MM, 0, 0))
    if view is None or width <= 0 or height <= 0:
        return px
    return px @ fitted(view, (0.0, 0.0, width, height), aspect(svg.get("preserveAspectRatio")))


def inner_transform(element: BaseElement, area: tuple[float, float]) -> Transform:
    """From the coordinates of an element's children to its own: what nested <svg> and <symbol> viewports do.

    Args:
        area: width and height that stand for 100 %: the enclosing viewport's.
    """
    if element.TAG not in ("svg", "symbol"):
        return Transform()
    x, y = length(element.get("x"), area[0]), length(element.get("y"), area[1])
    width = length(element.get("width"), area[0], area[0])
    height = length(element.get("height"), area[1], area[1])
    view = view_box(element)
    if view is None:
        return Transform((1, 0, 0, 1, x, y))
    return fitted(view, (x, y, width, height), aspect(element.get("preserveAspectRatio")))


def singular_values(transform: Transform) -> tuple[float, float]:
    """The largest and the smallest factor by which lengths change."""
    a, b, c, d, _, _ = transform.to_hexad()
    mean = (a * a + b * b + c * c + d * d) / 2.0
    spread = math.sqrt(max(0.0, mean * mean - (a * d - b * c) ** 2))
    return math.sqrt(mean + spread), math.sqrt(max(0.0, mean - spread))


@dataclasses.dataclass(frozen=True)
class Page:
    """An image's viewport, seen as the page that the backend fills with dots.

    Attributes:
        width, height: sides in true millimetres, as they measure in the drawing.
        fit, align_x, align_y: how the image lies in it, in the words of the job's parameters.
        from_image: the image's user units to millimetres on this page.
        to_drawing: millimetres on this page to millimetres of the drawing: rigid, but for skewed images.
    """

    width: float
    height: float
    fit: str
    align_x: float
    align_y: float
    from_image: Transform
    to_drawing: Transform

    @staticmethod
    def of(box: Box, image_to_mm: Transform, how: tuple[str, float, float]) -> Page:
        """The page of the viewport `box`, given in the image's user units."""
        a, b, c, d, _, _ = image_to_mm.to_hexad()
        sx, sy = math.hypot(a, b), math.hypot(c, d)
        from_image = Transform((sx, 0, 0, sy, -sx * box[0], -sy * box[1]))
        return Page(sx * box[2], sy * box[3], *how, from_image, image_to_mm @ -from_image)

    @property
    def least_scale(self) -> float:
        """The most by which the way to the drawing shortens a distance: 1 but for skewed images."""
        least = singular_values(self.to_drawing)[1]
        return least if least < 1.0 - 1e-9 else 1.0

    def covering_radius(self, dots: int) -> float:
        """The most (mm) that dots can have whose radius is chosen by the backend: they cover the page."""
        return math.sqrt(self.width * self.height / (math.pi * dots))

    def gap(self, wanted: float, largest_radius: float) -> float:
        """The minimum gap (mm) to ask for, so that `wanted` holds in the drawing.

        Dots stay round there while a skew brings their centres together by the factor `least_scale` at worst.
        """
        if wanted <= 0.0:
            return 0.0
        scale = self.least_scale
        return (wanted + 2.0 * largest_radius * (1.0 - scale)) / scale
