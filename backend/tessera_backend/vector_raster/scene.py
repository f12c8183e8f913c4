"""A scene as flat arrays, which kernels can read: paths back to front, each with its contours and its paint."""

from __future__ import annotations

import dataclasses

import numpy as np

SOLID, LINEAR, RADIAL = 0, 1, 2


@dataclasses.dataclass
class Paint:
    """What paths are filled with. Colours are straight RGBA, sRGB in [0, 1], and blend as they are, as in SVG.

    Attributes:
        kind: int8 (P,), SOLID, LINEAR or RADIAL. A solid path has the colour of its first stop.
        geometry: float (P, 4), px: linear x1, y1, x2, y2, from offset 0 to offset 1; radial cx, cy, r and nothing.
        offsets: float (P, S), from 0 to 1, ascending; what is outside of them has the nearest stop's colour.
        colors: float (P, S, 4).
    """

    kind: np.ndarray
    geometry: np.ndarray
    offsets: np.ndarray
    colors: np.ndarray

    @staticmethod
    def solid(colors: np.ndarray) -> Paint:
        """Of colours (P, 3) or (P, 4)."""
        count = len(colors)
        rgba = np.ones((count, 1, 4), np.float64)
        rgba[:, 0, : colors.shape[1]] = colors
        return Paint(np.full(count, SOLID, np.int8), np.zeros((count, 4)), np.zeros((count, 1)), rgba)


@dataclasses.dataclass
class Scene:
    """Paths back to front on a canvas; pixel (0, 0) covers the square from 0 to 1.

    Attributes:
        width, height: px.
        points: float (M, 2), px, x right, y down: for each cubic its first knot and two handles. The next cubic of
            the contour begins where it ends, and the last one ends where the first begins.
        contours: int64 (K + 1,): contour k owns points[contours[k]:contours[k + 1]], a multiple of 3.
        paths: int64 (P + 1,): path p owns the contours from paths[p] to paths[p + 1]; a hole is a contour.
        paint: of each path.
        opacity: float (P,), from 0 to 1.
        even_odd: bool (P,): the fill rule; False is nonzero winding.
        stroke: float (P,), px: 0 fills the path; more strokes its contours with a line of that width instead.
    """

    width: int
    height: int
    points: np.ndarray
    contours: np.ndarray
    paths: np.ndarray
    paint: Paint
    opacity: np.ndarray
    even_odd: np.ndarray
    stroke: np.ndarray
