"""The rasterizer: scenes to images, and gradients of images back to scenes. numpy and numba only."""

from __future__ import annotations

import dataclasses

import numpy as np

from tessera_protocol.errors import error

from . import adjoint, blend, flatten, queries, spans, trace
from .scene import SOLID, Scene

# Storage grows by a quarter more than it takes: scenes change little from one step to the next.
SLACK = 1.25


@dataclasses.dataclass
class Gradients:
    """Of a loss, with the shapes of what they belong to in the scene.

    Attributes:
        points: (M, 2).
        geometry: (P, 4); zero for solid paths.
        offsets: (P, S); zero for solid paths.
        colors: (P, S, 4); zero for the alpha of opaque paths.
        opacity: (P,); zero for opaque paths: what they hide is not known.
        stroke: (P,); zero for what is filled.
    """

    points: np.ndarray
    geometry: np.ndarray
    offsets: np.ndarray
    colors: np.ndarray
    opacity: np.ndarray
    stroke: np.ndarray


class Raster:
    """Renders scenes of one size, and keeps its buffers between calls. Not for two threads at a time.

    Coverage is exact for straight edges: the integral of the winding number over the pixel, of which the fill rule is
    taken. Where edges of opposite or of several windings meet in one pixel, that is an approximation.

    Args:
        width, height: px.
        channels: 3, RGB on an opaque ground, or 4, premultiplied RGBA.
        tolerance: px, how far a cubic's segments may be off it.
        dtype: of images and gradients: np.float32, or np.float64 for tests.
        segments: per cubic, instead of as many as the tolerance takes; finite differences need a fixed number.
    """

    def __init__(
        self,
        width: int,
        height: int,
        channels: int = 3,
        tolerance: float = 0.1,
        dtype: type = np.float32,
        segments: int | None = None,
    ) -> None:
        if width < 1 or height < 1:
            raise error("out-of-range", f"A canvas of {width} x {height} px has no pixels.", field="width")
        if channels not in (3, 4):
            raise error("out-of-range", f"{channels} channels.", field="channels", given=channels, allowed="3 or 4")
        self.width, self.height, self.tolerance, self.dtype, self.segments = width, height, tolerance, dtype, segments
        self._channels = (0,) * channels
        stride = (width + 8) // 8 * 8
        mark = np.zeros(height * stride, np.uint8)
        onward = np.empty((height, width + 1), np.int32)
        self._scratch = spans.Scratch(np.zeros(height * stride), mark, mark.view(np.uint64), onward)
        self._bands = -(-height // trace.BAND)
        self._bases = np.zeros((self._bands + 1, 3), np.int64)
        self._spans: spans.Spans | None = None
        self._below = np.empty(0, dtype)
        self._sums = np.empty(0)
        self._scene: Scene | None = None

    def forward(self, scene: Scene, background: np.ndarray | tuple[float, ...] | None = None) -> np.ndarray:
        """Render.

        Args:
            scene: of the raster's size.
            background: a colour (C,) or an image (C, H, W)-like broadcast of shape (H, C, W); white for RGB and
                nothing for RGBA where it is left out.
        Returns:
            (H, C, W), the caller's to keep.
        Raises:
            TesseraError: the scene's arrays do not fit each other, or hold what is not finite.
        """
        lines, inks = self._prepare(scene)
        image = self._ground(background)
        self._paint(lines, inks, image)
        self._scene, self._lines, self._inks, self._image = scene, lines, inks, image
        return image.copy()

    def backward(self, upstream: np.ndarray) -> Gradients:
        """Gradients of a loss.

        Args:
            upstream: (H, C, W), dL/dimage of what `forward` returned last.
        """
        scene = self._rendered()
        lines, inks, found = self._lines, self._inks, self._spans
        paths, stops = inks.alpha.shape
        image = np.array(upstream, self.dtype, order="C")
        shape = (self._bands, paths, stops + 1, 6)
        if self._sums.shape != shape:
            self._sums = np.zeros(shape)
        uncover = np.empty(len(found.x), self.dtype)
        adjoint.unblend(found, inks, self._slots, image, self._below, uncover, self._sums, self._channels)
        total = np.empty(shape[1:])
        adjoint.settle(found, lines.boxes, self._sums, total)
        moved = np.empty_like(lines.vertices)
        adjoint.move(lines, found, uncover, self.width, 8, moved)
        points = np.empty((len(scene.points), 2))
        flatten.gather(moved, np.asarray(scene.contours, np.int64), lines.cubics, points)
        return self._gradients(scene, points, total)

    def top(self) -> np.ndarray:
        """The topmost path that covers at least half of each pixel of the last image: int32 (H, W), -1 for none."""
        self._rendered()
        top = np.empty((self.height, self.width), np.int32)
        queries.topmost(self._spans, top)
        return top

    def removal(self, target: np.ndarray) -> np.ndarray:
        """What each path of the last image is worth.

        Args:
            target: (H, C, W).
        Returns:
            float64 (P,): by how much the sum of squared errors against `target` rises when a path alone is taken
            away; negative where it falls.
        """
        self._rendered()
        # What opaque paths hide would show now: all of it is needed.
        inks = self._inks._replace(opaque=np.zeros_like(self._inks.opaque))
        image = self._background.copy()
        self._paint(self._lines, inks, image)
        through = np.ones((self.height, self.width), self.dtype)
        rises = np.zeros(len(inks.kind))
        wanted = np.ascontiguousarray(target, self.dtype)
        queries.removal(self._spans, inks, self._slots, image, self._below, wanted, through, rises, self._channels)
        self._paint(self._lines, self._inks, self._background.copy())
        return rises

    def _rendered(self) -> Scene:
        if self._scene is None:
            raise error("internal-error", "Nothing was rendered yet: call forward first.")
        return self._scene

    def _ground(self, background: np.ndarray | tuple[float, ...] | None) -> np.ndarray:
        image = np.empty((self.height, len(self._channels), self.width), self.dtype)
        if background is None:
            background = (1.0, 1.0, 1.0) if len(self._channels) == 3 else (0.0, 0.0, 0.0, 0.0)
        ground = np.asarray(background)
        image[:] = ground[:, None] if ground.ndim == 1 else ground
        self._background = image.copy()
        return image

    def _prepare(self, scene: Scene) -> tuple[flatten.Polylines, blend.Inks]:
        """Flatten the scene's curves, and put its paint in the kernels' form."""
        points = np.ascontiguousarray(scene.points, np.float64)
        contours = np.ascontiguousarray(scene.contours, np.int64)
        cubics = np.empty(len(points) // 3 + 1, np.int64)
        if not flatten.subdivide(points, contours, self.tolerance, cubics):
            raise error("unusable-input", "A point of the scene is not a finite number.", field="points")
        if self.segments:
            cubics = np.arange(len(cubics)) * self.segments
        vertices = np.empty((cubics[-1], 2))
        flatten.flatten(points, contours, cubics, vertices)
        paths = len(scene.paths) - 1
        lines = flatten.Polylines(
            vertices,
            cubics,
            cubics[contours // 3],
            np.ascontiguousarray(scene.paths, np.int64),
            np.empty((paths, 4), np.int64),
            np.empty(paths),
            0.5 * np.asarray(scene.stroke, np.float64),
            np.ascontiguousarray(scene.even_odd, bool),
        )
        flatten.bound(lines, self.width, self.height)
        return lines, self._inked(scene)

    def _inked(self, scene: Scene) -> blend.Inks:
        paint = scene.paint
        colors = np.array(paint.colors, self.dtype)
        alpha = np.asarray(paint.colors[..., 3] * np.asarray(scene.opacity)[:, None], self.dtype)
        kind = np.ascontiguousarray(paint.kind, np.int8)
        solid = (kind == SOLID) & (alpha[:, 0] >= 1)
        colors[..., 3] = 1
        return blend.Inks(
            kind,
            np.ascontiguousarray(paint.geometry, np.float64),
            np.ascontiguousarray(paint.offsets, np.float64),
            np.ascontiguousarray(colors[..., : len(self._channels)]),
            alpha,
            solid | (alpha >= 1).all(1),
        )

    def _paint(self, lines: flatten.Polylines, inks: blend.Inks, image: np.ndarray) -> None:
        """Find what shows, and blend it over `image`."""
        paths = len(inks.kind)
        while True:
            found = self._storage(paths)
            spans.span(lines, inks.opaque, self._scratch, found)
            room = np.diff(self._bases, axis=0)
            if (found.counts <= room)[:, [0, 2]].all():
                break
            wanted = np.maximum(room, (SLACK * found.counts).astype(np.int64) + 16)
            self._bases[1:] = np.cumsum(wanted, axis=0)
        self._spans = found
        self._slots = np.concatenate([[0], np.cumsum(found.counts[:-1, 1])])
        needed = int(found.counts[:, 1].sum()) * len(self._channels)
        if needed > len(self._below):
            self._below = np.empty(int(SLACK * needed), self.dtype)
        blend.blend(found, inks, self._slots, image, self._below, self._channels)

    def _storage(self, paths: int) -> spans.Spans:
        """Storage for spans, as `bases` says; reused while it is large enough."""
        pieces, _, records = self._bases[-1]
        kept = self._spans
        if kept is None or len(kept.x) < pieces or len(kept.rows) < records or kept.ranges.shape[1] != paths:
            kept = spans.Spans(
                np.empty(pieces, np.int32),
                np.empty(pieces, np.int32),
                np.empty(pieces, self.dtype),
                np.empty(pieces, self.dtype),
                np.empty((records, 3), np.int64),
                np.empty((self._bands, paths, 2), np.int64),
                self._bases,
                np.zeros((self._bands, 3), np.int64),
            )
        return kept

    def _gradients(self, scene: Scene, points: np.ndarray, total: np.ndarray) -> Gradients:
        """Sums of the kernels, in the form of the scene."""
        paint = scene.paint
        stops, geometry = total[:, :-1], total[:, -1, :4]
        alpha = stops[..., 4]
        colors = np.zeros(paint.colors.shape)
        colors[..., :3] = stops[..., :3]
        colors[..., 3] = alpha * np.asarray(scene.opacity)[:, None]
        opacity = (alpha * paint.colors[..., 3]).sum(1)
        colors[self._inks.opaque, :, 3] = 0
        opacity[self._inks.opaque] = 0
        cast = (np.ascontiguousarray(a, self.dtype) for a in (points, geometry, stops[..., 5], colors, opacity))
        return Gradients(*cast, np.zeros(len(opacity), self.dtype))
