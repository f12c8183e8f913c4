"""What vectorization makes: filled closed cubic paths, back to front, in groups, in levels."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Gradient:
    """A fill whose colour changes along a line or away from a point; before the first and after the last stop it stays.

    Attributes:
        kind: "linear" or "radial".
        geometry: px: (x1, y1, x2, y2), from offset 0 to offset 1; or (cx, cy, r).
        offsets: (S,) float, from 0 to 1, ascending.
        colors: (S, 4) float, straight RGBA, sRGB in [0, 1].
    """

    kind: str
    geometry: tuple[float, ...]
    offsets: np.ndarray
    colors: np.ndarray


@dataclasses.dataclass(frozen=True)
class Path:
    """One filled shape.

    Attributes:
        contours: closed outlines, each (3 n, 2) float, px: for each of n cubics its first knot and its two handles;
            the next cubic's knot ends it, and the first one's the last. Holes are contours, too (nonzero winding).
        fill: (3,) float, sRGB in [0, 1]; or a gradient.
        opacity: from 0 to 1.
        level: 0 for the coarsest level.
        group: the names of the groups that it is in, the outer one first; within its level's layer.
        label: what people read, e.g. "dark blue, lower left".
    """

    contours: tuple[np.ndarray, ...]
    fill: np.ndarray | Gradient
    opacity: float = 1.0
    level: int = 0
    group: tuple[str, ...] = ()
    label: str = ""

    @property
    def segments(self) -> int:
        """How many cubics it has."""
        return sum(len(contour) // 3 for contour in self.contours)

    @property
    def alpha(self) -> float:
        """Its opacity and its fill's, which is the mean of a gradient's stops."""
        return self.opacity * (float(self.fill.colors[:, 3].mean()) if isinstance(self.fill, Gradient) else 1.0)


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A layered drawing.

    Attributes:
        width, height: of the picture it was fitted to, px; the canvas is from 0 to these, x right, y down.
        paths: back to front; levels ascend.
        levels: what the layers are called, the coarsest first.
        meta: how it was made, of plain JSON types.
    """

    width: int
    height: int
    paths: tuple[Path, ...]
    levels: tuple[str, ...]
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)
