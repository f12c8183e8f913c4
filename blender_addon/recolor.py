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
    """Draw a result in the colours of its swatches. In Edit Mode its attributes can't be reached: nothing happens."""
    labels = object.data.attributes.get(LABEL) if object.type == "MESH" else None
    if _paused or labels is None or object.mode == "EDIT":
        return
    values = array("i", bytes(4 * len(labels.data)))
    labels.data.foreach_get("value", values)
    paint(object.data, values, [tuple(swatch.color) for swatch in object.tessera.swatches])
    object.data.update()


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
