"""The drawing while it is worked on: flat arrays that an optimizer can move."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..vector_raster import Paint, Scene

# A joint whose handles turn by less than this is smooth, and stays so.
_SMOOTH_COSINE = np.cos(np.radians(30.0))


@dataclasses.dataclass
class Shapes:
    """Paths back to front.

    Attributes:
        points: float64 (M, 2), px, as `vector_raster.Scene` has them.
        contours, paths: int64 (K + 1,) and (P + 1,), as the scene has them: path p owns the contours from paths[p] to
            paths[p + 1]; the first one is its outline, others are holes.
        smooth: bool (M / 3,): knots whose two handles stay on one line.
        paint: two stops a path.
        level: int64 (P,), 0 for the coarsest.
        fixed: bool (P,): outlines that are not moved.
    """

    points: np.ndarray
    contours: np.ndarray
    paths: np.ndarray
    smooth: np.ndarray
    paint: Paint
    level: np.ndarray
    fixed: np.ndarray

    @staticmethod
    def of(outlines: Sequence[Sequence[np.ndarray]], level: np.ndarray, fixed: np.ndarray) -> Shapes:
        """From each path's contours, control points (3 n, 2); grey until they are filled."""
        every = [np.asarray(contour, np.float64) for outline in outlines for contour in outline]
        contours, points = starts([len(contour) for contour in every]), np.concatenate(every)
        count = len(outlines)
        grey = Paint.solid(np.full((count, 3), 0.5))
        paint = Paint(grey.kind, grey.geometry, np.tile([0.0, 1.0], (count, 1)), grey.colors.repeat(2, 1))
        smooth = _smooth_joints(points, contours)
        own = (level.astype(np.int64), fixed.astype(bool))
        return Shapes(points, contours, starts([len(outline) for outline in outlines]), smooth, paint, *own)

    def __len__(self) -> int:
        return len(self.paths) - 1

    @property
    def sizes(self) -> np.ndarray:
        """int64 (P,), points of each path."""
        return np.diff(self.contours[self.paths])

    def outline(self, path: int) -> np.ndarray:
        """A path's first contour, float64 (3 n, 2), a view."""
        first = self.paths[path]
        return self.points[self.contours[first] : self.contours[first + 1]]

    def scene(self, width: int, height: int) -> Scene:
        """As the rasterizer takes it; arrays are shared."""
        count = len(self)
        rest = (np.ones(count), np.zeros(count, bool), np.zeros(count))
        return Scene(width, height, self.points, self.contours, self.paths, self.paint, *rest)

    def copy(self) -> Shapes:
        """One that can be changed alone."""
        return self.taken(np.arange(len(self)))

    def taken(self, chosen: np.ndarray) -> Shapes:
        """These paths alone, in this order."""
        contours = _ranges(self.paths, chosen)
        points = _ranges(self.contours, contours)
        paint = Paint(*(getattr(self.paint, field.name)[chosen].copy() for field in dataclasses.fields(Paint)))
        return Shapes(
            self.points[points],
            starts(np.diff(self.contours)[contours]),
            starts(np.diff(self.paths)[chosen]),
            self.smooth[points[::3] // 3],
            paint,
            self.level[chosen],
            self.fixed[chosen],
        )

    def joined(self, others: Shapes) -> Shapes:
        """These and, above them, the others."""
        mine, theirs = dataclasses.astuple(self.paint), dataclasses.astuple(others.paint)
        paint = Paint(*(np.concatenate(pair) for pair in zip(mine, theirs, strict=True)))
        each = {
            name: np.concatenate([getattr(self, name), getattr(others, name)])
            for name in ("points", "smooth", "level", "fixed")
        }
        runs = {
            name: np.concatenate([getattr(self, name), getattr(self, name)[-1] + getattr(others, name)[1:]])
            for name in ("contours", "paths")
        }
        return Shapes(paint=paint, **each, **runs)


def starts(sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    """int64 (N + 1,): where each of N runs begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _ranges(bounds: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Indices of the members of chosen runs, int64, run after run."""
    members = [np.arange(bounds[i], bounds[i + 1]) for i in chosen]
    return np.concatenate(members) if members else np.zeros(0, np.int64)


def neighbours(contours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each knot: the index of the handle before it, and of the knot after it; int64 (M / 3,) each."""
    knots = np.arange(0, contours[-1], 3)
    before, after = knots - 1, knots + 3
    before[contours[:-1] // 3] = contours[1:] - 1
    after[contours[1:] // 3 - 1] = contours[:-1]
    return before, after


def _smooth_joints(points: np.ndarray, contours: np.ndarray) -> np.ndarray:
    before, _ = neighbours(contours)
    knots = np.arange(0, len(points), 3)
    arriving, leaving = points[knots] - points[before], points[knots + 1] - points[knots]
    lengths = np.linalg.norm(arriving, axis=1) * np.linalg.norm(leaving, axis=1)
    return (arriving * leaving).sum(1) > _SMOOTH_COSINE * np.maximum(lengths, 1e-12)
