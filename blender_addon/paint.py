"""What a chain of shader nodes comes to, where it is a product: a colour x a picture x an attribute of the mesh."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

Rgba = tuple[float, float, float, float]
# u' = a u + b v + c, v' = d u + e v + f.
Mapping = tuple[float, float, float, float, float, float]

WHITE = (1.0, 1.0, 1.0, 1.0)
# How many steps of a colour ramp its mean is made of.
RAMP_STEPS = 16


@dataclasses.dataclass(frozen=True)
class Paint:
    """A product of what a point's colour is made of.

    Attributes:
        color: linear RGBA.
        image: of `bpy.data.images`, or None.
        alpha: it is the image's alpha that counts.
        uv_map: name of the texture coordinates; "": the mesh's own choice.
        mapping: of the texture coordinates; None: as they are.
        attribute: name of the colour attribute; "": the mesh's own choice; None: there is none.
        exact: whether Blender shows just this.
    """

    color: Rgba = WHITE
    image: Any = None
    alpha: bool = False
    uv_map: str = ""
    mapping: Mapping | None = None
    attribute: str | None = None
    exact: bool = True

    @property
    def plain(self) -> bool:
        """Whether it is the same everywhere."""
        return self.image is None and self.attribute is None

    def times(self, other: Paint) -> Paint:
        """The product; of two pictures or two attributes the first is kept, and it is not exact."""
        mapped = self if self.image is not None else other
        return Paint(
            _each(lambda a, b: a * b, self.color, other.color),
            mapped.image,
            mapped.alpha,
            mapped.uv_map,
            mapped.mapping,
            self.attribute if self.attribute is not None else other.attribute,
            self.exact
            and other.exact
            and (self.image is None or other.image is None)
            and (self.attribute is None or other.attribute is None),
        )

    def mixed(self, other: Paint, share: float) -> Paint:
        """`share` of the other and the rest of this; where that is no product, the larger one, and not exact."""
        if share <= 0.0 or share >= 1.0:
            return self if share <= 0.0 else other
        if self.plain and other.plain:
            color = _each(lambda a, b: a + share * (b - a), self.color, other.color)
            return Paint(color, exact=self.exact and other.exact)
        textured = other if (share >= 0.5 if self.plain == other.plain else self.plain) else self
        return dataclasses.replace(textured, exact=False)


@dataclasses.dataclass(frozen=True)
class Source:
    """What feeds a socket: an output of a node, and the groups that it lies in, the innermost last."""

    node: Any
    output: Any
    groups: tuple[Any, ...]


def source(socket: Any, groups: tuple[Any, ...] = ()) -> Source | None:
    """What feeds a socket, through reroutes and into and out of groups; None: nothing, its own value counts.

    Args:
        groups: the group nodes that the socket lies in.
    """
    while socket is not None and socket.is_linked:
        link = socket.links[0]
        node, output = link.from_node, link.from_socket
        if node.type == "REROUTE":
            socket = node.inputs[0]
        elif node.type == "GROUP" and node.node_tree is not None:
            groups = (*groups, node)
            ends = [inner for inner in node.node_tree.nodes if inner.type == "GROUP_OUTPUT"]
            end = next((inner for inner in ends if inner.is_active_output), None)
            socket = _called(end.inputs, output.identifier) if end is not None else None
        elif node.type == "GROUP_INPUT" and groups:
            socket = _called(groups[-1].inputs, output.identifier)
            groups = groups[:-1]
        else:
            return Source(node, output, groups)
    return Source(None, socket, groups) if socket is not None else None


def paint(socket: Any, groups: tuple[Any, ...] = ()) -> Paint | None:
    """What a colour or number socket comes to; None where that differs from point to point in ways not known here."""
    fed = source(socket, groups)
    if fed is None:
        return None
    if fed.node is None:
        return Paint(_value(fed.output))
    reader = _READERS.get(fed.node.type)
    return reader(fed.node, fed) if reader is not None else None


def number(socket: Any, groups: tuple[Any, ...] = ()) -> float | None:
    """The number that a socket has everywhere, or None."""
    found = paint(socket, groups)
    return found.color[0] if found is not None and found.plain and found.exact else None


def _picture(node: Any, fed: Source) -> Paint | None:
    if node.image is None:
        # Blender draws a picture that is not set in black.
        return Paint((0.0, 0.0, 0.0, 1.0))
    uv_map, mapping = "", None
    vector = source(node.inputs["Vector"], fed.groups)
    if vector is not None and vector.node is not None and vector.node.type == "MAPPING":
        mapping = _mapping(vector.node)
        if mapping is None:
            return None
        vector = source(vector.node.inputs["Vector"], vector.groups)
    if vector is not None and vector.node is not None:
        if vector.node.type == "UVMAP":
            uv_map = vector.node.uv_map
        elif not (vector.node.type == "TEX_COORD" and vector.output.name == "UV"):
            return None
    return Paint(image=node.image, alpha=fed.output.name == "Alpha", uv_map=uv_map, mapping=mapping)


def _mapping(node: Any) -> Mapping | None:
    """Scaled, turned about z and moved."""
    sockets = [node.inputs.get(name) for name in ("Location", "Rotation", "Scale")]
    if node.vector_type != "POINT" or any(socket is None or socket.is_linked for socket in sockets):
        return None
    (x, y, _), (_, _, turn), (width, height, _) = (tuple(socket.default_value) for socket in sockets)
    cos, sin = math.cos(turn), math.sin(turn)
    return (cos * width, -sin * height, x, sin * width, cos * height, y)


def _ramp(node: Any, fed: Source) -> Paint:
    """Of a constant its colour, else the mean of all."""
    at = number(node.inputs["Fac"], fed.groups)
    if at is not None:
        return Paint(tuple(node.color_ramp.evaluate(at)))
    colors = [tuple(node.color_ramp.evaluate(step / (RAMP_STEPS - 1))) for step in range(RAMP_STEPS)]
    return Paint(tuple(sum(values) / RAMP_STEPS for values in zip(*colors)), exact=False)


def _inverted(node: Any, fed: Source) -> Paint | None:
    found, share = paint(node.inputs["Color"], fed.groups), number(node.inputs["Fac"], fed.groups)
    if found is None or not found.plain or share is None:
        return None
    red, green, blue, alpha = found.color
    inverse = dataclasses.replace(found, color=(1.0 - red, 1.0 - green, 1.0 - blue, alpha))
    return found.mixed(inverse, share)


def _mix(node: Any, fed: Source) -> Paint | None:
    if node.type == "MIX":
        if node.data_type != "RGBA":
            return None
        factor, a, b = (_called(node.inputs, name) for name in ("Factor_Float", "A_Color", "B_Color"))
    else:
        factor, a, b = (node.inputs[name] for name in ("Fac", "Color1", "Color2"))
    share, first, second = number(factor, fed.groups), paint(a, fed.groups), paint(b, fed.groups)
    if share is None:
        # Somewhere the one, somewhere the other.
        known = [found for found in (first, second) if found is not None]
        return _inexact(known[0].mixed(known[-1], 0.5)) if known else None
    if first is None or second is None:
        return _inexact(first or second)
    if node.blend_type == "MULTIPLY":
        return first.mixed(first.times(second), share) if share < 1.0 else first.times(second)
    mixed = first.mixed(second, share)
    return mixed if node.blend_type == "MIX" else _inexact(mixed)


def _own(node: Any, _: Source) -> Paint:
    return Paint(_value(node.outputs[0]))


def _attribute(node: Any, _: Source) -> Paint | None:
    if node.type == "VERTEX_COLOR":
        return Paint(attribute=node.layer_name)
    return Paint(attribute=node.attribute_name) if node.attribute_type == "GEOMETRY" else None


def _light_path(_: Any, fed: Source) -> Paint:
    """What the artist sees are camera rays."""
    return Paint(WHITE if fed.output.name == "Is Camera Ray" else (0.0, 0.0, 0.0, 1.0))


def _passed(node: Any, fed: Source) -> Paint | None:
    return _inexact(paint(node.inputs["Color"], fed.groups))


def _pattern(node: Any, fed: Source) -> Paint | None:
    first, second = (paint(node.inputs[name], fed.groups) for name in ("Color1", "Color2"))
    return _inexact(first.mixed(second, 0.5)) if first is not None and second is not None else None


def _inexact(found: Paint | None) -> Paint | None:
    return dataclasses.replace(found, exact=False) if found is not None else None


def _called(sockets: Any, identifier: str) -> Any:
    return next((socket for socket in sockets if socket.identifier == identifier), None)


def _value(socket: Any) -> Rgba:
    """A socket's own colour; of a number, the grey."""
    value = getattr(socket, "default_value", 1.0)
    if isinstance(value, (int, float)):
        return (float(value),) * 3 + (1.0,)
    values = tuple(value)
    return values if len(values) == 4 else (*values[:3], 1.0)


def _each(combine: Any, one: Sequence[float], other: Sequence[float]) -> Any:
    return tuple(map(combine, one, other))


_READERS = {
    "RGB": _own,
    "VALUE": _own,
    "TEX_IMAGE": _picture,
    "VERTEX_COLOR": _attribute,
    "ATTRIBUTE": _attribute,
    "LIGHT_PATH": _light_path,
    "INVERT": _inverted,
    "VALTORGB": _ramp,
    "MIX": _mix,
    "MIX_RGB": _mix,
    # These change a colour a little: it is taken as it was.
    "HUE_SAT": _passed,
    "BRIGHTCONTRAST": _passed,
    "CURVE_RGB": _passed,
    "GAMMA": _passed,
    "AMBIENT_OCCLUSION": _passed,
    # Of patterns the mean.
    "TEX_CHECKER": _pattern,
    "TEX_BRICK": _pattern,
}
