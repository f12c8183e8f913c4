"""The drawing while it is worked on: flat arrays that an optimizer can move, one closed outline a path."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..vector_raster import Paint, Scene

# A joint whose handles turn by less than this is smooth, and stays so.
_SMOOTH_COSINE = np.cos(np.radians(30.0))


@dataclasses.dataclass
class Shapes:
    """Paths back to front.

    Attributes:
        points: float64 (M, 2), px, as `vector_raster.Scene` has them.
        starts: int64 (P + 1,): path p owns points[starts[p]:starts[p + 1]].
        smooth: bool (M / 3,): knots whose two handles stay on one line.
        paint: two stops a path.
        node: int64 (P,), the node of the segmentation's tree that a path stands for; -1 for none.
        level: int64 (P,), 0 for the coarsest.
        fixed: bool (P,): outlines that are not moved.
    """

    points: np.ndarray
    starts: np.ndarray
    smooth: np.ndarray
    paint: Paint
    node: np.ndarray
    level: np.ndarray
    fixed: np.ndarray

    @staticmethod
    def of(outlines: list[np.ndarray], node: np.ndarray, level: np.ndarray, fixed: np.ndarray) -> Shapes:
        """From control points (3 n, 2) of each path; grey until they are filled."""
        starts = np.concatenate([[0], np.cumsum([len(outline) for outline in outlines])]).astype(np.int64)
        points = np.concatenate([np.asarray(outline, np.float64) for outline in outlines])
        grey = Paint.solid(np.full((len(outlines), 3), 0.5))
        paint = Paint(grey.kind, grey.geometry, np.tile([0.0, 1.0], (len(outlines), 1)), grey.colors.repeat(2, 1))
        smooth = _smooth_joints(points, starts)
        return Shapes(points, starts, smooth, paint, node.astype(np.int64), level.astype(np.int64), fixed.astype(bool))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> np.ndarray:
        """int64 (P,), points of each path."""
        return np.diff(self.starts)

    def outline(self, path: int) -> np.ndarray:
        """float64 (3 n, 2), a view."""
        return self.points[self.starts[path] : self.starts[path + 1]]

    def scene(self, width: int, height: int) -> Scene:
        """As the rasterizer takes it; arrays are shared."""
        count = len(self)
        opaque, filled = np.ones(count), np.zeros(count)
        each = np.arange(count + 1, dtype=np.int64)
        return Scene(width, height, self.points, self.starts, each, self.paint, opaque, np.zeros(count, bool), filled)

    def copy(self) -> Shapes:
        """One that can be changed alone."""
        return self.taken(np.arange(len(self)))

    def taken(self, paths: np.ndarray) -> Shapes:
        """These paths alone, in this order."""
        at = np.concatenate([np.arange(self.starts[p], self.starts[p + 1]) for p in paths]) if len(paths) else []
        at = np.asarray(at, np.int64)
        paint = Paint(*(getattr(self.paint, field.name)[paths].copy() for field in dataclasses.fields(Paint)))
        starts = np.concatenate([[0], np.cumsum(self.sizes[paths])])
        own = (self.node[paths], self.level[paths], self.fixed[paths])
        return Shapes(self.points[at], starts, self.smooth[at[::3] // 3], paint, *own)

    def joined(self, others: Shapes) -> Shapes:
        """These and, above them, the others."""
        paint = Paint(
            *(
                np.concatenate([getattr(self.paint, field.name), getattr(others.paint, field.name)])
                for field in dataclasses.fields(Paint)
            )
        )
        rest = (np.concatenate([getattr(self, name), getattr(others, name)]) for name in ("node", "level", "fixed"))
        return Shapes(
            np.concatenate([self.points, others.points]),
            np.concatenate([self.starts, self.starts[-1] + others.starts[1:]]),
            np.concatenate([self.smooth, others.smooth]),
            paint,
            *rest,
        )


def neighbours(starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each knot: the index of the handle before it, and of the knot after it; int64 (M / 3,) each."""
    knots = np.arange(0, starts[-1], 3)
    before, after = knots - 1, knots + 3
    before[starts[:-1] // 3] = starts[1:] - 1
    after[starts[1:] // 3 - 1] = starts[:-1]
    return before, after


def _smooth_joints(points: np.ndarray, starts: np.ndarray) -> np.ndarray:
    before, _ = neighbours(starts)
    knots = np.arange(0, len(points), 3)
    arriving, leaving = points[knots] - points[before], points[knots + 1] - points[knots]
    lengths = np.linalg.norm(arriving, axis=1) * np.linalg.norm(leaving, axis=1)
    return (arriving * leaving).sum(1) > _SMOOTH_COSINE * np.maximum(lengths, 1e-12)
