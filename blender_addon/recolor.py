"""Colours of a result: from its palette and the label of each face or point into the attribute that is drawn."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Attributes of results: the number of the colour, and the colour itself.
LABEL, PALETTE = "label", "Palette"

_paused: list[None] = []


@contextmanager
def paused() -> Iterator[None]:
    """Within this, changes of swatches are not drawn."""
    _paused.append(None)
    try:
        yield
    finally:
        _paused.pop()


def recolor(object: Any) -> None:
    """Draw a result, or all frames of one, in its swatches' colours.

    What is in Edit Mode is left as it is: attributes can't be reached there.
    """
    palette = [tuple(swatch.color) for swatch in object.tessera.swatches]
    if _paused or not palette:
        return
    for mesh, layer in _labelled(object):
        paint(mesh, _labels(layer), palette)
        mesh.update()


def relabel(object: Any, numbers: Sequence[int]) -> None:
    """Give all faces or points other colours: instead of colour i, `numbers[i]`."""
    for _, layer in _labelled(object):
        last = len(numbers) - 1
        layer.data.foreach_set("value", array("i", [numbers[min(label, last)] for label in _labels(layer)]))


def _labelled(object: Any) -> Iterator[tuple[Any, Any]]:
    """The meshes of a result with their labels."""
    for each in (object, *object.children):
        layer = each.data.attributes.get(LABEL) if each.type == "MESH" else None
        if layer is not None and each.mode != "EDIT":
            yield each.data, layer


def _labels(layer: Any) -> array[int]:
    values = array("i", bytes(4 * len(layer.data)))
    layer.data.foreach_get("value", values)
    return values


def paint(mesh: Any, labels: Sequence[int], palette: Sequence[tuple[float, ...]]) -> None:
    """Write the attribute that is drawn, and the colour of the material in solid view.

    Args:
        mesh: with faces of four corners, or points alone.
        labels: of faces, or points.
        palette: sRGB from 0 to 1.
    """
    cornered = len(mesh.polygons) > 0
    layer = mesh.color_attributes.get(PALETTE)
    if layer is None:
        layer = mesh.color_attributes.new(PALETTE, "BYTE_COLOR", "CORNER" if cornered else "POINT")
        mesh.color_attributes.active_color_index = mesh.color_attributes.render_color_index = 0
    linear = [(*map(srgb_to_linear, color[:3]), 1.0) for color in palette]
    if cornered:
        labels = _of_corners(mesh, labels)
    rows = [array("f", color).tobytes() for color in linear]
    last = len(rows) - 1
    layer.data.foreach_set("color", array("f", b"".join([rows[min(label, last)] for label in labels])))
    for material in mesh.materials:
        if material is not None:
            material.diffuse_color = [sum(values) / len(linear) for values in zip(*linear)]


def _of_corners(mesh: Any, labels: Sequence[int]) -> list[int]:
    """The label of each corner's face; an artist's edits may have made faces of any number of corners."""
    totals = array("i", bytes(4 * len(labels)))
    mesh.polygons.foreach_get("loop_total", totals)
    return [label for label, total in zip(labels, totals) for _ in range(total)]


def srgb_to_linear(value: float) -> float:
    """IEC 61966-2-1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
