"""What shapes are fitted on: the picture as a target, and the rasterizer that draws them beside it."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..progress import SILENT, Progress
from ..vector_raster import Raster
from . import descent, fills
from .palette import snapped_colors
from .shapes import Shapes
from .working import Working

# Coarser than a final picture asks for, px; below what an optimizer notices.
_TOLERANCE = 0.15
# What stands for infinity in decibels: the rounding of 8 bit alone.
_BEST_PSNR = 99.0
# The longer side of previews, px: larger ones are not sent (docs/protocol.md).
_PREVIEW_SIDE = 720


@dataclasses.dataclass(frozen=True)
class Canvas:
    """One picture, and a rasterizer of its size.

    Attributes:
        target: float32 (H, C, W), see `Working.target`.
        background: what shows where no path is.
        palette: float (K, 3), sRGB: shapes have these colours and no others; None: any.
    """

    working: Working
    raster: Raster
    target: np.ndarray
    background: tuple[float, ...]
    palette: np.ndarray | None = None

    @staticmethod
    def of(working: Working, palette: np.ndarray | None = None) -> Canvas:
        """For a picture, and colours to draw it with."""
        target = working.target
        height, channels, width = target.shape
        raster = Raster(width, height, channels=channels, tolerance=_TOLERANCE)
        return Canvas(working, raster, target, (1.0,) * 3 if channels == 3 else (0.0,) * 4, palette)

    @property
    def image(self) -> np.ndarray:
        """float32 (H, W, 3), straight."""
        return self.working.image

    def drawn(self, shapes: Shapes) -> np.ndarray:
        """Rasterize: float32 (H, C, W); valid until the next one."""
        return self.raster.forward(shapes.scene(self.raster.width, self.raster.height), self.background)

    def error(self, shapes: Shapes) -> float:
        """Mean squared difference to the picture."""
        return descent.fidelity(self.target)(self.drawn(shapes))[0]

    def worth(self, shapes: Shapes) -> np.ndarray:
        """By how much the error rises where one of the shapes drawn last goes: float64 (P,), infinite if fixed."""
        return np.where(shapes.fixed, np.inf, self.raster.removal(self.target))

    def fill(self, shapes: Shapes, gradients: bool) -> None:
        """Give shapes, in place, the colours nearest to the pixels they show."""
        self.drawn(shapes)
        shapes.paint = fills.fit(self.image, self.raster.top(), len(shapes), gradients)
        self._snap(shapes)

    def _snap(self, shapes: Shapes) -> None:
        if self.palette is not None:
            shapes.paint.colors[..., :3] = snapped_colors(shapes.paint.colors[:, 0, :3], self.palette)[:, None]

    def descend(
        self,
        shapes: Shapes,
        steps: int,
        *,
        rate: float = descent.POINTS,
        last: float = 0.05,
        progress: Progress = SILENT,
    ) -> list[float]:
        """Move shapes, in place, towards the picture; the losses before each step."""
        watched = progress.showing(lambda image: {"picture": preview(image)})
        self._snap(shapes)
        return descent.descend(
            shapes,
            self.raster,
            descent.fidelity(self.target),
            steps,
            background=self.background,
            rate=rate,
            last=last,
            recolored=self.palette is None,
            progress=watched,
        )


def preview(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3), on white, of a rasterized (H, C, W); of large ones only every second, third, ... pixel."""
    step = -(-max(image.shape[0], image.shape[2]) // _PREVIEW_SIDE)
    rgb = image.transpose(0, 2, 1)[::step, ::step]
    if rgb.shape[2] == 4:
        rgb = rgb[..., :3] + (1 - rgb[..., 3:])
    return (np.clip(rgb, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def psnr(error: float) -> float:
    """Decibels of a mean squared error of values in [0, 1]."""
    return min(_BEST_PSNR, -10 * float(np.log10(max(error, 1e-12))))
