"""Reads SVG files of filled closed paths: what `svg.to_svg` writes, and what tracers such as VTracer and potrace do."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ET
from typing import Any
from xml.parsers import expat

import numpy as np

from tessera_protocol.errors import TesseraError, error

from ..curves.nesting import nonzero
from ..drawing import Drawing, Gradient, Path
from .pathread import read_path
from .write import NAMESPACE

_SVG = "http://www.w3.org/2000/svg"
_INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_GRADIENTS = (f"{{{_SVG}}}linearGradient", f"{{{_SVG}}}radialGradient")
# Elements that draw something, but no filled path.
_OTHERS = ("circle", "ellipse", "image", "line", "polygon", "polyline", "rect", "text", "use")
_NAMED = {"black": "#000", "white": "#fff", "red": "#f00", "lime": "#0f0", "blue": "#00f", "gray": "#808080"}
_INHERITED = {"fill": "black", "fill-opacity": "1", "fill-rule": "nonzero", "stroke": "none"}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def parse(svg: bytes) -> Drawing:
    """A drawing from an SVG file. What `to_svg` wrote comes back with the same numbers.

    Inkscape's layers become levels; a file without any has one. Lengths are those of the viewBox, from its corner.

    Raises:
        InvalidInput: "unreadable-input" for what is no SVG, damaged, or has entities; "unusable-input" for what a
            drawing cannot say: strokes, other shapes than paths, arcs, translucent groups, patterns.
    """
    root = _tree(svg)
    if root.tag != f"{{{_SVG}}}svg":
        raise error("unreadable-input", "This is no SVG file: its outermost element is another one.")
    x, y, width, height = _view(root)
    reader = _Reader({element.get("id"): element for element in root.iter() if element.get("id")})
    reader.children(root, _State(np.array([[1.0, 0, -x], [0, 1.0, -y]]), dict(_INHERITED)))
    levels = tuple(reader.levels) or ("drawing",)
    run = root.find(f".//{{{NAMESPACE}}}run")
    try:
        meta = json.loads(run.text or "{}") if run is not None else {}
    except ValueError as exc:
        raise error("unreadable-input", f"The metadata of this SVG is damaged: {exc}.") from exc
    return Drawing(round(width), round(height), tuple(reader.paths), levels, meta)


@dataclasses.dataclass(frozen=True)
class _State:
    """What an element takes from those around it: transform (2, 3), inherited properties, names of groups."""

    transform: np.ndarray
    style: dict[str, str]
    group: tuple[str, ...] = ()
    in_layer: bool = False


class _Reader:
    """Collects paths and levels."""

    def __init__(self, by_id: dict[str | None, ET.Element]) -> None:
        self.paths: list[Path] = []
        self.levels: list[str] = []
        self._by_id = by_id

    def children(self, parent: ET.Element, state: _State) -> None:
        for element in parent:
            kind = element.tag.removeprefix(f"{{{_SVG}}}")
            if kind == "g":
                self._group(element, state)
            elif kind == "path":
                self._path(element, state)
            elif kind in _OTHERS:
                raise _unusable(f"a <{kind}>", "Convert it to a path first.")

    def _group(self, element: ET.Element, state: _State) -> None:
        inner = _entered(element, state)
        if _share(_properties(element).get("opacity", "1")) < 1:
            raise _unusable("a group that is translucent as a whole")
        label = element.get(f"{_INKSCAPE}label") or element.get("id")
        if element.get(f"{_INKSCAPE}groupmode") == "layer" and not state.in_layer:
            self.levels.append(re.sub(r"^\d+ ", "", label or "layer"))
            inner = dataclasses.replace(inner, in_layer=True)
        elif label:
            inner = dataclasses.replace(inner, group=(*state.group, label))
        self.children(element, inner)

    def _path(self, element: ET.Element, state: _State) -> None:
        own = _entered(element, state)
        style = own.style
        if style["stroke"] != "none":
            raise _unusable("a stroke", "Convert it to a path first.")
        contours = tuple(_moved(contour, own.transform) for contour in read_path(element.get("d", "")))
        if not contours or style["fill"] == "none":
            return
        if style["fill-rule"] == "evenodd":
            contours = nonzero(contours)
        if not self.levels:
            self.levels.append("drawing")
        opacity = _share(style["fill-opacity"]) * _share(_properties(element).get("opacity", "1"))
        fill = self._fill(style["fill"], own.transform)
        label = element.get(f"{_INKSCAPE}label", "")
        self.paths.append(Path(contours, fill, opacity, len(self.levels) - 1, state.group, label))

    def _fill(self, text: str, transform: np.ndarray) -> np.ndarray | Gradient:
        reference = re.match(r"url\(\s*[\"']?#([^\"')]+)", text)
        if not reference:
            return _color(text)
        element = self._by_id.get(reference.group(1).strip())
        if element is None or element.tag not in _GRADIENTS:
            raise _unusable(f"the paint {text}", "Fills may be colours and gradients.")
        return self._gradient(element, transform)

    def _gradient(self, element: ET.Element, transform: np.ndarray) -> Gradient:
        if element.get("gradientUnits") != "userSpaceOnUse" or element.get("spreadMethod", "pad") != "pad":
            raise _unusable("a gradient that repeats, or is measured in shares of its path")
        linear = element.tag == _GRADIENTS[0]
        names = ("x1", "y1", "x2", "y2") if linear else ("cx", "cy", "r")
        numbers = [_length(element.get(name, "0")) for name in names]
        to_root = _chain(transform, _matrix(element.get("gradientTransform", "")))
        (a, b), (c, d) = to_root[:, :2]
        if not np.allclose([a, abs(b)], [d, abs(c)] if a * d > 0 else [-d, abs(c)], rtol=1e-6):
            raise _unusable("a gradient that is stretched or skewed")
        points = np.array(numbers[: 4 if linear else 2]).reshape(-1, 2)
        geometry = _moved(points, to_root).ravel().tolist()
        if not linear:
            scale = np.sqrt(abs(np.linalg.det(to_root[:, :2])))
            geometry.append(float(numbers[2] * scale))
        linked = element.get("href") or element.get(_XLINK)
        stops = list(element) or list(self._by_id.get((linked or "").lstrip("#"), element))
        rows = [_stop(stop) for stop in stops if stop.tag == f"{{{_SVG}}}stop"]
        if not rows:
            raise _unusable("a gradient without stops")
        return Gradient(
            "linear" if linear else "radial",
            tuple(geometry),
            np.array([offset for offset, _ in rows]),
            np.array([rgba for _, rgba in rows]),
        )


def _tree(svg: bytes) -> ET.Element:
    """The elements, namespaces as in ElementTree; a file that declares entities is refused: it may be a bomb."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")

    def name(raw: str) -> str:
        return f"{{{raw}" if "}" in raw else raw

    def refuse(*_: Any) -> None:
        raise error("unreadable-input", "This SVG declares entities, which are not read.", remedy="Save it plainly.")

    parser.StartElementHandler = lambda tag, attributes: builder.start(
        name(tag), {name(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda tag: builder.end(name(tag))
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(svg, True)
    except expat.ExpatError as exc:
        raise error("unreadable-input", f"This is no SVG file, or a damaged one: {exc}.") from exc
    return builder.close()


def _entered(element: ET.Element, state: _State) -> _State:
    own = {key: value for key, value in _properties(element).items() if key in _INHERITED and value != "inherit"}
    transform = _chain(state.transform, _matrix(element.get("transform", "")))
    return dataclasses.replace(state, transform=transform, style=state.style | own)


def _properties(element: ET.Element) -> dict[str, str]:
    """Presentation attributes, and above them the style."""
    pairs = (item.split(":", 1) for item in element.get("style", "").split(";") if ":" in item)
    return dict(element.attrib) | {key.strip(): value.strip() for key, value in pairs}


def _view(root: ET.Element) -> tuple[float, float, float, float]:
    box = [float(number) for number in re.findall(_NUMBER, root.get("viewBox", ""))]
    if len(box) != 4:
        box = [0.0, 0.0, _length(root.get("width", "0")), _length(root.get("height", "0"))]
    if min(box[2:]) <= 0:
        raise error("unreadable-input", "This SVG has no size: neither a viewBox nor a width and a height.")
    return box[0], box[1], box[2], box[3]


def _matrix(text: str) -> np.ndarray:
    """(2, 3) of a transform attribute."""
    matrix = _IDENTITY
    for kind, body in re.findall(r"(\w+)\s*\(([^)]*)\)", text):
        v = [float(number) for number in re.findall(_NUMBER, body)]
        if kind == "matrix" and len(v) == 6:
            step = np.array([v[::2], v[1::2]])
        elif kind == "translate" and len(v) in (1, 2):
            step = np.array([[1.0, 0, v[0]], [0, 1.0, v[1] if len(v) == 2 else 0]])
        elif kind == "scale" and len(v) in (1, 2):
            step = np.array([[v[0], 0, 0], [0, v[-1], 0]])
        else:
            raise _unusable(f"the transform {kind}", "Translations, scales and matrices are read.")
        matrix = _chain(matrix, step)
    return matrix


def _chain(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    return outer @ np.vstack([inner, [0, 0, 1]])


def _moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    return points if np.array_equal(transform, _IDENTITY) else points @ transform[:, :2].T + transform[:, 2]


def _stop(element: ET.Element) -> tuple[float, np.ndarray]:
    style = _properties(element)
    alpha = _share(style.get("stop-opacity", "1"))
    return _share(style.get("offset", "0")), np.append(_color(style.get("stop-color", "black")), alpha)


def _color(text: str) -> np.ndarray:
    """(3,) float from 0 to 1."""
    text = _NAMED.get(text.strip().lower(), text.strip())
    if re.fullmatch("#(?:[0-9a-fA-F]{3}){1,2}", text):
        digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
        return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    levels = re.fullmatch(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", text)
    if not levels:
        raise _unusable(f"the colour {text}", "Write it as #rrggbb.")
    return np.array([int(level) for level in levels.groups()]) / 255


def _share(text: str) -> float:
    number = _length(text)
    return min(max(number / 100 if text.strip().endswith("%") else number, 0.0), 1.0)


def _length(text: str) -> float:
    match = re.match(rf"\s*({_NUMBER})", text)
    if not match:
        raise error("unreadable-input", f"{text!r} in this SVG is no number.")
    return float(match.group(1))


def _unusable(what: str, remedy: str | None = None) -> TesseraError:
    return error("unusable-input", f"This SVG has {what}, which a drawing of filled paths cannot have.", remedy=remedy)
