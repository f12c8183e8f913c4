"""Cubics to polylines, and gradients of their vertices back to control points. Compiled; arguments are trusted."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..compiled import njit
from .scene import Scene
from .stroke import DIAGONAL

# Beyond that a cubic is larger than any canvas it is drawn on.
MOST_SEGMENTS = 64


class Polylines(NamedTuple):
    """Closed polylines of a scene.

    Attributes:
        vertices: float64 (V, 2), px.
        cubics: int64 (Q + 1,): cubic q owns vertices[cubics[q]:cubics[q + 1]], its first knot included.
        contours: int64 (K + 1,): contour k owns vertices[contours[k]:contours[k + 1]].
        paths: int64 (P + 1,): path p owns the contours from paths[p] to paths[p + 1].
        before: int64 (V,), of each vertex the one before it: edge v goes from before[v] to v.
        boxes: int64 (P, 4): columns and rows x0, y0, x1, y1 of the canvas that path p may touch, ends excluded.
        turning: float64 (P,): the sign of the winding number within the path, 1 or -1.
        half: float64 (P,): half the stroke's width, px; 0 for what is filled.
        even_odd: bool (P,).
    """

    vertices: np.ndarray
    cubics: np.ndarray
    contours: np.ndarray
    paths: np.ndarray
    before: np.ndarray
    boxes: np.ndarray
    turning: np.ndarray
    half: np.ndarray
    even_odd: np.ndarray


def polylines(scene: Scene, tolerance: float, segments: int | None = None) -> Polylines:
    """A scene's curves, within `tolerance` px, or with that many segments a cubic."""
    points = np.ascontiguousarray(scene.points, np.float64)
    contours = np.ascontiguousarray(scene.contours, np.int64)
    cubics = np.arange(len(points) // 3 + 1) * (segments or 1)
    if segments is None:
        subdivide(points, contours, tolerance, cubics)
    vertices = np.empty((cubics[-1], 2))
    flatten(points, contours, cubics, vertices)
    paths = len(scene.paths) - 1
    lines = Polylines(
        vertices,
        cubics,
        cubics[contours // 3],
        np.ascontiguousarray(scene.paths, np.int64),
        np.empty(len(vertices), np.int64),
        np.empty((paths, 4), np.int64),
        np.empty(paths),
        0.5 * np.asarray(scene.stroke, np.float64),
        np.ascontiguousarray(scene.even_odd, bool),
    )
    bound(lines, scene.width, scene.height)
    return lines


@njit(cache=True)
def subdivide(points: np.ndarray, contours: np.ndarray, tolerance: float, cubics: np.ndarray) -> None:
    """Choose each cubic's number of segments, uniform in t, and count vertices into `cubics`, int64 (Q + 1,).

    Wang's bound: n >= sqrt(d (d - 1) / 8 * M / tolerance) for degree d and largest second difference M of the control
    points.
    """
    cubics[0] = 0
    for k in range(contours.shape[0] - 1):
        begin, end = contours[k], contours[k + 1]
        for i in range(begin, end, 3):
            after = i + 3 if i + 3 < end else begin
            bend = 0.0
            for j in range(2):
                far = points[after] if j == 1 else points[i + 2]
                x = points[i + j, 0] - 2 * points[i + j + 1, 0] + far[0]
                y = points[i + j, 1] - 2 * points[i + j + 1, 1] + far[1]
                bend = max(bend, x * x + y * y)
            count = math.ceil(math.sqrt(0.75 * math.sqrt(bend) / tolerance))
            cubics[i // 3 + 1] = cubics[i // 3] + min(max(int(count), 1), MOST_SEGMENTS)


@njit(cache=True)
def flatten(points: np.ndarray, contours: np.ndarray, cubics: np.ndarray, vertices: np.ndarray) -> None:
    """Evaluate cubics at t = j / n, j from 0 to n - 1."""
    for k in range(contours.shape[0] - 1):
        begin, end = contours[k], contours[k + 1]
        for i in range(begin, end, 3):
            after = i + 3 if i + 3 < end else begin
            first = cubics[i // 3]
            count = cubics[i // 3 + 1] - first
            for j in range(count):
                t = j / count
                s = 1 - t
                b0, b1, b2, b3 = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
                for axis in range(2):
                    vertices[first + j, axis] = (
                        b0 * points[i, axis]
                        + b1 * points[i + 1, axis]
                        + b2 * points[i + 2, axis]
                        + b3 * points[after, axis]
                    )


@njit(cache=True)
def gather(slopes: np.ndarray, contours: np.ndarray, cubics: np.ndarray, points: np.ndarray) -> None:
    """The transpose of `flatten`: slopes (V, 2) of vertices, summed into those of control points (M, 2)."""
    points[:] = 0
    for k in range(contours.shape[0] - 1):
        begin, end = contours[k], contours[k + 1]
        for i in range(begin, end, 3):
            after = i + 3 if i + 3 < end else begin
            first = cubics[i // 3]
            count = cubics[i // 3 + 1] - first
            for j in range(count):
                t = j / count
                s = 1 - t
                b0, b1, b2, b3 = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
                for axis in range(2):
                    slope = slopes[first + j, axis]
                    points[i, axis] += b0 * slope
                    points[i + 1, axis] += b1 * slope
                    points[i + 2, axis] += b2 * slope
                    points[after, axis] += b3 * slope


@njit(cache=True)
def bound(lines: Polylines, width: int, height: int) -> None:
    """Fill in `before`, `boxes` and `turning`."""
    vertices = lines.vertices
    for p in range(lines.boxes.shape[0]):
        x0, y0, x1, y1 = np.inf, np.inf, -np.inf, -np.inf
        area = 0.0
        for k in range(lines.paths[p], lines.paths[p + 1]):
            begin, end = lines.contours[k], lines.contours[k + 1]
            last = end - 1
            for v in range(begin, end):
                x, y = vertices[v, 0], vertices[v, 1]
                x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
                area += vertices[last, 0] * y - x * vertices[last, 1]
                lines.before[v] = last
                last = v
        # Windings count edges that run down as positive: clockwise on the screen is negative.
        lines.turning[p] = -1.0 if area >= 0 else 1.0
        margin = lines.half[p] + DIAGONAL if lines.half[p] > 0 else 0.0
        box = lines.boxes[p]
        box[:] = 0
        if x1 + margin >= 0 and y1 + margin >= 0 and x0 - margin < width and y0 - margin < height:
            box[0] = int(max(math.floor(x0 - margin), 0))
            box[1] = int(max(math.floor(y0 - margin), 0))
            box[2] = int(min(math.floor(x1 + margin) + 1, width))
            box[3] = int(min(math.floor(y1 + margin) + 1, height))
