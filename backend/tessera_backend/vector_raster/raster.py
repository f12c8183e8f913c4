"""The rasterizer: scenes to images, and gradients of images back to scenes. numpy and numba only."""

from __future__ import annotations

import dataclasses

import numpy as np

from tessera_protocol.errors import error

from ..compiled import get_num_threads
from . import adjoint, blend, flatten, queries, spans, trace
from .checks import check
from .scene import SOLID, Scene

# Storage grows by a quarter more than it takes: scenes change little from one step to the next.
SLACK = 1.25
# Paths are dealt out to that many workers, at most.
CHUNKS = 64


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


def opaque_paths(scene: Scene) -> np.ndarray:
    """bool (P,): whose colours and opacity let nothing through."""
    solid = np.asarray(scene.paint.kind) == SOLID
    alpha = scene.paint.colors[..., 3]
    return (np.asarray(scene.opacity) >= 1) & np.where(solid, alpha[:, 0] >= 1, (alpha >= 1).all(1))


class Raster:
    """Renders scenes of one size, and keeps its buffers between calls. Not for two threads at a time.

    Fills are exact for straight edges: the integral of the winding number over each pixel, of which the fill rule is
    taken. Where edges of opposite or of several windings meet in one pixel, that is an approximation, and so is a
    stroke's coverage near joins. Gradients have their colour at the pixel's centre. Work and memory grow with the
    perimeters of paths and with the pixels that show; results don't depend on the number of threads.

    Args:
        width, height: px.
        channels: 3, RGB on an opaque ground, or 4, premultiplied RGBA.
        tolerance: px, how far a cubic's segments may be off it.
        dtype: of images and gradients: np.float32, or np.float64 for tests.
        segments: per cubic, instead of as many as the tolerance takes; finite differences need a fixed number.
    Attributes:
        scene: what was rendered last.
    Raises:
        TesseraError: a value is out of range.
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
        if min(width, height) < 1:
            raise error("out-of-range", f"A canvas of {width} x {height} px has no pixels.", field="width")
        if channels not in (3, 4):
            raise error("out-of-range", f"{channels} channels.", field="channels", given=channels, allowed="3 or 4")
        if not tolerance > 0:
            raise error("out-of-range", f"Tolerance is {tolerance}.", field="tolerance", allowed="more than 0")
        self.width, self.height, self.tolerance, self.segments = width, height, tolerance, segments
        self.dtype = np.dtype(dtype)
        self._channels = (0,) * channels
        self._bands = -(-height // trace.BAND)
        self._bases = np.zeros((self._bands + 1, 4), np.int64)
        self._spans: spans.Spans | None = None
        self._buffers: dict[str, np.ndarray] = {}
        self.scene: Scene | None = None

    def forward(self, scene: Scene, background: np.ndarray | tuple[float, ...] | None = None) -> np.ndarray:
        """Render.

        Args:
            scene: of the raster's size. Its arrays must stay as they are until `backward`.
            background: a colour, (C,), or an image, (H, C, W); where it is left out, white for RGB and nothing for
                RGBA.
        Returns:
            (H, C, W), the caller's to keep.
        Raises:
            TesseraError: the scene's arrays do not fit each other, or hold what is not finite.
        """
        check(scene, self.width, self.height)
        self.scene, self._background = scene, background
        self._lines = flatten.polylines(scene, self.tolerance, self.segments)
        self._inks = self._inked(scene)
        return self._paint(self._inks)

    def backward(self, upstream: np.ndarray) -> Gradients:
        """Gradients of a loss.

        Args:
            upstream: (H, C, W), dL/dimage of what `forward` returned last.
        """
        scene, found, lines, inks = self._rendered(), self._spans, self._lines, self._inks
        paths, stops = inks.alpha.shape
        image = self._buffer("upstream", self._shape)
        image[:] = upstream
        sums = self._buffer("sums", (self._bands, paths, stops + 1, 6), np.float64)
        uncover = self._buffer("uncover", (len(found.pieces),), np.float64)
        adjoint.unblend(found, inks, self._slots, image, self._buffers["below"], uncover, sums, self._channels)
        total = np.empty(sums.shape[1:])
        adjoint.settle(found, lines.boxes, sums, total)
        moved, widths = self._buffer("moved", lines.vertices.shape, np.float64), np.empty(paths)
        adjoint.move(lines, found, uncover, min(CHUNKS, paths), moved, widths)
        points = np.empty((len(scene.points), 2))
        flatten.gather(moved, np.asarray(scene.contours, np.int64), lines.cubics, points)
        return self._gradients(points, total, widths)

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
        # What opaque paths hide would show then: all of it is needed.
        inks = self._inks._replace(opaque=np.zeros_like(self._inks.opaque))
        image = self._paint(inks)
        through = np.ones((self.height, self.width), self.dtype)
        rises = np.zeros(len(inks.kind))
        wanted = np.ascontiguousarray(np.broadcast_to(target, self._shape), self.dtype)
        below = self._buffers["below"]
        queries.removal(self._spans, inks, self._slots, image, below, wanted, through, rises, self._channels)
        self._paint(self._inks)
        return rises

    def memory(self) -> int:
        """Bytes of the buffers that are kept; images that were handed out are not among them."""
        held = [*self._buffers.values()]
        if self._spans is not None:
            held += [*self._spans, *self._lines, *self._inks]
        return sum(values.nbytes for values in held)

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.height, len(self._channels), self.width

    def _rendered(self) -> Scene:
        if self.scene is None:
            raise error("internal-error", "Nothing was rendered yet: call forward first.")
        return self.scene

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: type | None = None) -> np.ndarray:
        """Memory that is kept; what it holds is left over from its last use."""
        size = int(np.prod(shape))
        kept = self._buffers.get(name)
        if kept is None or len(kept) < size:
            kept = self._buffers[name] = np.empty(int(SLACK * size), dtype or self.dtype)
        return kept[:size].reshape(shape)

    def _inked(self, scene: Scene) -> blend.Inks:
        """The scene's paint, in the kernels' form."""
        paint = scene.paint
        colors = np.array(paint.colors, self.dtype)
        alpha = np.asarray(paint.colors[..., 3] * np.asarray(scene.opacity)[:, None], self.dtype)
        kind = np.ascontiguousarray(paint.kind, np.int8)
        colors[..., 3] = 1
        return blend.Inks(
            kind,
            np.ascontiguousarray(paint.geometry, np.float64),
            np.ascontiguousarray(paint.offsets, np.float64),
            np.ascontiguousarray(colors[..., : len(self._channels)]),
            alpha,
            opaque_paths(scene),
        )

    def _paint(self, inks: blend.Inks) -> np.ndarray:
        """Find what shows, and blend it over the background."""
        found = self._span(inks.opaque)
        self._slots = np.concatenate([[0], np.cumsum(found.counts[:-1, 1])])
        below = self._buffer("below", (int(found.counts[:, 1].sum()) * len(self._channels),))
        image = np.empty(self._shape, self.dtype)
        ground = self._background
        if ground is None:
            ground = 1.0 if len(self._channels) == 3 else 0.0
        ground = np.asarray(ground)
        image[:] = ground[:, None] if ground.ndim == 1 else ground
        blend.blend(found, inks, self._slots, image, below, self._channels)
        return image

    def _span(self, opaque: np.ndarray) -> spans.Spans:
        """What shows of each path; storage is reused while it is large enough, and grows where it is not."""
        while True:
            pieces, _, records, crossings = self._bases[-1]
            found = self._spans
            paths = len(opaque)
            kept = (0, 0, 0) if found is None else (len(found.pieces), len(found.rows), len(found.crossings))
            if found is None or kept[0] < pieces or kept[1] < records or kept[2] < crossings:
                found = spans.Spans(
                    np.empty(pieces, spans.PIECE),
                    np.empty((records, 3), np.int64),
                    np.empty(crossings, spans.CROSSING),
                    np.empty((self._bands, paths, 4), np.int64),
                    self._bases,
                    np.zeros((self._bands, 4), np.int64),
                )
            if found.ranges.shape[1] != paths:
                found = found._replace(ranges=np.empty((self._bands, paths, 4), np.int64))
            spans.span(self._lines, opaque, self.width, min(self._bands, get_num_threads()), found)
            self._spans = found
            room = np.diff(self._bases, axis=0)
            if (found.counts <= room)[:, [0, 2, 3]].all():
                return found
            self._bases[1:] = np.cumsum(np.maximum(room, (SLACK * found.counts).astype(np.int64) + 16), axis=0)

    def _gradients(self, points: np.ndarray, total: np.ndarray, widths: np.ndarray) -> Gradients:
        """Sums of the kernels, in the form of the scene."""
        scene, opaque = self._rendered(), self._inks.opaque
        stops, alpha = total[:, :-1], total[:, :-1, adjoint.ALPHA]
        colors = np.zeros((*stops.shape[:2], 4))
        colors[..., :3] = stops[..., :3]
        colors[..., 3] = alpha * np.asarray(scene.opacity)[:, None]
        opacity = (alpha * scene.paint.colors[..., 3]).sum(1)
        colors[opaque, :, 3] = 0
        opacity[opaque] = 0
        found = points, total[:, -1, :4], stops[..., adjoint.OFFSET], colors, opacity, widths
        return Gradients(*(np.ascontiguousarray(slopes, self.dtype) for slopes in found))
