"""Any tracer's SVG, read as a drawing: one path for each closed outline, with the holes in it.

Programs differ in what they put into a `<path>`: VTracer one shape, potrace all shapes of one colour. An artist moves
outlines, so everybody's are counted alike: holes belong to what they are cut from, islands are paths of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from skimage.measure import points_in_poly

from tessera_backend.vectorize.drawing import Drawing, Path

Floats = NDArray[np.float64]

_NUMBER = re.compile(r"[-+]?(?:\d*\.\d+|\d+\.?)(?:[eE][-+]?\d+)?")
_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*(?:[eE][-+]?\d[^A-Za-z]*)*)")
_TRANSFORM = re.compile(r"(\w+)\s*\(([^)]*)\)")
# Numbers that a command takes, of those that occur.
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4}
_CONTAINERS = {"svg", "g", "a"}
_WITHOUT_INK = {"defs", "metadata", "title", "desc", "style", "namedview"}
# An outline smaller than this covers nothing, px^2.
_NOTHING = 1e-6


def read(svg: bytes | str, width: int, height: int) -> Drawing:
    """The drawing's outlines; colours, levels and groups are left out.

    Raises:
        ValueError: it has a shape, a transformation or a command of path data that none of our tracers write.
    """
    paths = []
    for data, transform, even_odd in _elements(ElementTree.fromstring(svg), np.eye(3)):
        contours = [contour @ transform[:2, :2].T + transform[:2, 2] for contour in parse_path(data)]
        paths += [Path(tuple(outline), fill=np.zeros(3)) for outline in _apart(contours, even_odd)]
    return Drawing(width, height, tuple(paths), ("all",))


def count(svg: str) -> int:
    """How many paths `read` would give: read only where an element has several contours."""
    found = 0
    for data, _, even_odd in _elements(ElementTree.fromstring(svg), np.eye(3)):
        single = data.upper().count("M") == 1
        found += 1 if single else len(_apart(parse_path(data), even_odd))
    return found


def _elements(parent: ElementTree.Element, transform: Floats) -> Iterator[tuple[str, Floats, bool]]:
    """Path data, the way to pixels, and whether holes are by the even-odd rule."""
    for element in parent:
        name = element.tag.rpartition("}")[2]
        if name in _WITHOUT_INK:
            continue
        inner = transform @ _matrix(element.get("transform", ""))
        if name in _CONTAINERS:
            yield from _elements(element, inner)
        elif name == "path":
            rule = element.get("fill-rule", "") + element.get("style", "")
            yield element.get("d", ""), inner, "evenodd" in rule
        else:
            raise ValueError(f"<{name}> is not counted: only <path> in groups is.")


def _matrix(text: str) -> Floats:
    matrix = np.eye(3)
    for name, numbers in _TRANSFORM.findall(text):
        values = [float(value) for value in _NUMBER.findall(numbers)]
        step = np.eye(3)
        if name == "translate":
            step[: len(values), 2] = values
        elif name == "scale":
            step[0, 0], step[1, 1] = values[0], values[-1]
        elif name == "matrix":
            step[:2] = np.reshape(values, (3, 2)).T
        else:
            raise ValueError(f"{name}() is not read: only translate, scale and matrix are.")
        matrix = matrix @ step
    return matrix


def parse_path(data: str) -> list[Floats]:
    """Each contour as (3 n, 2): knot, handle, handle for each of n cubics; lines are cubics, too."""
    contours: list[Floats] = []
    points: list[complex] = []
    start = here = 0j
    for letter, text in _COMMAND.findall(data):
        command = letter.upper()
        if command == "Z":
            contours += _closed(points)
            points, here = [start], start
            continue
        if command not in _TAKES:
            raise ValueError(f"Path data has the command {letter}, which is not read.")
        numbers = np.array(_NUMBER.findall(text), float).reshape(-1, _TAKES[command])
        for row, values in enumerate(numbers):
            if command == "M" and row == 0:
                contours += _closed(points)
                start = here = _point(values, here if letter == "m" else 0j)
                points = [here]
                continue
            handles, here = _step(command, values, here, letter.islower(), points)
            points += [*handles, here]
    return contours + _closed(points)


def _step(
    command: str, values: Floats, here: complex, relative: bool, points: Sequence[complex]
) -> tuple[tuple[complex, complex], complex]:
    """The handles and the end of one segment."""
    origin = here if relative else 0j
    if command == "C":
        first, second, end = (_point(pair, origin) for pair in values.reshape(3, 2))
        return (first, second), end
    if command == "S":
        mirrored = 2 * here - points[-2] if len(points) > 3 else here
        second, end = (_point(pair, origin) for pair in values.reshape(2, 2))
        return (mirrored, second), end
    if command == "H":
        end = complex(origin.real + values[0], here.imag)
    elif command == "V":
        end = complex(here.real, origin.imag + values[0])
    else:
        end = _point(values, origin)
    return ((2 * here + end) / 3, (here + 2 * end) / 3), end


def _point(pair: Floats, origin: complex) -> complex:
    return origin + complex(pair[0], pair[1])


def _closed(points: Sequence[complex]) -> list[Floats]:
    """The contour that these points close, none where there is no area."""
    if len(points) < 4:
        return []
    ring = list(points)
    if abs(ring[0] - ring[-1]) > 1e-9:
        ring += [(2 * ring[-1] + ring[0]) / 3, (ring[-1] + 2 * ring[0]) / 3, ring[0]]
    contour = np.array(ring[:-1])
    return [np.column_stack([contour.real, contour.imag])]


def _apart(contours: Sequence[Floats], even_odd: bool) -> list[list[Floats]]:
    """The outlines of one element, each with its holes behind it."""
    polygons = [flatten(contour) for contour in contours]
    areas = [area(polygon) for polygon in polygons]
    kept = [i for i, area in enumerate(areas) if abs(area) > _NOTHING]
    around = {i: [j for j in kept if j != i and _inside(polygons[i], polygons[j])] for i in kept}
    if even_odd:
        holes = {i for i in kept if len(around[i]) % 2}
    else:
        holes = {i for i in kept if around[i] and not sum(np.sign(areas[j]) for j in [i, *around[i]])}
    shapes = {i: [contours[i]] for i in kept if i not in holes}
    for i in holes:
        owners = [j for j in around[i] if j in shapes]
        shapes[min(owners, key=lambda j: abs(areas[j]))].append(contours[i])
    return list(shapes.values())


def flatten(contour: Floats, pieces: int = 8) -> Floats:
    """The contour as a polygon, (n pieces, 2)."""
    knots, first, second = contour[0::3], contour[1::3], contour[2::3]
    t = np.arange(pieces)[:, None] / pieces
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    controls = np.stack([knots, first, second, np.roll(knots, -1, 0)])
    return np.einsum("cto,cnd->ntd", weights, controls).reshape(-1, 2)


def _inside(polygon: Floats, other: Floats) -> bool:
    """Whether most of the polygon's corners lie in the other one: they may touch."""
    low, high = other.min(0), other.max(0)
    if (polygon.max(0) <= low).any() or (polygon.min(0) >= high).any():
        return False
    return bool(points_in_poly(polygon, other).mean() > 0.5)


def area(polygon: Floats) -> float:
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
