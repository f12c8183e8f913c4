"""The working raster: how fine it is, which part of the page it covers, and the density on it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from tessera_protocol.errors import TesseraError, error
from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import clip as clipping
from . import density
from .page import Box, Layout

# Few dots see detail too; the most is seconds of work and a quarter of a gigabyte.
LEAST_PIXELS = 512 * 512
MOST_PIXELS = 8_000_000
# A picture whose own resolution is this near to the one wanted is worked on as it is.
AS_IS = 1.5


@dataclasses.dataclass(frozen=True)
class Working:
    """What dots are placed on.

    Attributes:
        density: float32 (H, W), [0, 1], dark is 1; not all 0.
        frame: what it covers, mm on the page.
    """

    density: np.ndarray
    frame: Box

    @property
    def raster(self) -> tuple[int, int]:
        """Height and width."""
        return self.density.shape[0], self.density.shape[1]

    def to_page(self, sites: np.ndarray) -> np.ndarray:
        """Pixels of the raster, (N, 2), as float64 mm on the page."""
        return sites * self._pitch() + (self.frame.left, self.frame.top)

    def preview(self, sites: Sequence[np.ndarray], page: tuple[float, float]) -> dict[str, np.ndarray]:
        """Sites on the raster, one array (N, 2) a plate, as the buffers that docs/protocol.md says previews have."""
        return {"positions": (self.to_page(np.concatenate(sites)) / page).astype(np.float32)}

    def on_ink(self, positions: np.ndarray) -> np.ndarray:
        """Whether there is density at positions, (N, 2) mm on the page; bool (N,)."""
        height, width = self.density.shape
        x, y = np.floor((positions - (self.frame.left, self.frame.top)) / self._pitch()).astype(np.int64).T
        there = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        there[there] = self.density[y[there], x[there]] > 0
        return there

    def _pitch(self) -> np.ndarray:
        """Width and height of a pixel, mm."""
        return np.array([self.frame.width / self.density.shape[1], self.frame.height / self.density.shape[0]])


def prepare(
    image: np.ndarray, params: StippleParams, layout: Layout, clip: np.ndarray | None, progress: Progress
) -> Working:
    """Read the density from the part of the picture that can carry dots.

    Args:
        image: as `density.check_image` returns it.
        params: invert, white_cutoff, gamma, dots and pixels_per_dot are read.
        layout: where the picture lies on the page.
        clip: as `clip.check_clip` returns it, or None.
        progress: told every megapixel.
    Raises:
        InvalidInput: "unusable-input" where there is no density at all.
    """
    inked = density.inked(image, params, progress.part(0.0, 0.5))
    if inked is None:
        raise _no_ink(params)
    window = inked.box.within(layout.window)
    if clip is not None:
        bounds = clipping.bounds(clip, layout.page)
        window = window.within(_outwards(layout.window.part(bounds, layout.frame)))
    if not (window.width and window.height):
        raise _nothing_shows(params, clip)
    frame = layout.frame.part(window, layout.window)
    raster = raster_size(window, frame, params.dots * params.pixels_per_dot / inked.share)
    tones = density.resampled(image, window, raster, params, progress.part(0.5, 1.0))
    if clip is not None:
        tones *= clipping.inside(clip, layout.page, raster, frame)
    if not tones.any():
        raise _nothing_shows(params, clip)
    return Working(tones, frame)


def raster_size(window: Box, frame: Box, pixels: float) -> tuple[int, int]:
    """Height and width of a raster of about so many pixels, square on the page.

    Args:
        window: the part of the picture it shows, image pixels.
        frame: the part of the page it covers, mm.
        pixels: how many are wanted, before the limits of this module.
    """
    pixels = min(max(pixels, LEAST_PIXELS), MOST_PIXELS)
    own = window.width * window.height
    whole = all(side == int(side) for side in (window.left, window.top, window.right, window.bottom))
    square = math.isclose(window.width * frame.height, window.height * frame.width, rel_tol=0.005)
    if whole and square and pixels / AS_IS <= own <= min(pixels * AS_IS, MOST_PIXELS):
        return int(window.height), int(window.width)
    pitch = math.sqrt(frame.width * frame.height / pixels)
    height = min(max(1, round(frame.height / pitch)), MOST_PIXELS)
    return height, min(max(1, round(frame.width / pitch)), MOST_PIXELS)


def _outwards(box: Box) -> Box:
    return Box(math.floor(box.left), math.floor(box.top), math.ceil(box.right), math.ceil(box.bottom))


def _no_ink(params: StippleParams) -> TesseraError:
    what = "black or transparent" if params.invert else "white or transparent"
    if params.white_cutoff > 0:
        what, remedy = f"{what}, or under the white cut-off,", "Lower the white cut-off."
    else:
        remedy = "Turn invert off." if params.invert else "Turn invert on to put the dots on the light parts."
    return error(
        "unusable-input",
        f"The picture is {what} everywhere, so there is nowhere to put dots.",
        field="image",
        remedy=remedy,
    )


def _nothing_shows(params: StippleParams, clip: np.ndarray | None) -> TesseraError:
    remedy = "Fit the whole image on the page." if clip is None else "Let the clip show a dark part of the picture."
    if params.white_cutoff > 0:
        remedy = f"Lower the white cut-off. {remedy}"
    return error(
        "unusable-input",
        "The part of the picture that shows asks for no ink, so there is nowhere to put dots.",
        field="image" if clip is None else "clip",
        remedy=remedy,
    )
