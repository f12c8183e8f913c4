"""The working raster: how fine it is, which part of the page it covers, and the densities on it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from tessera_protocol.errors import TesseraError, error
from tessera_protocol.jobs import StippleParams

from .. import colour
from ..progress import SILENT, Progress
from . import clip as clipping
from . import density, edges, inks, plates
from .page import Box, Layout

# Few dots see detail too; the most is seconds of work and a quarter of a gigabyte.
LEAST_PIXELS = 512 * 512
MOST_PIXELS = 8_000_000
# Share of the dots from which on an ink that the picture chose is worth a pen.
WORTH = 0.01
# A picture whose own resolution is this near to the one wanted is worked on as it is.
AS_IS = 1.5


@dataclasses.dataclass(frozen=True)
class Working:
    """What dots are placed on.

    Attributes:
        densities: float32 (P, H, W), of each plate; not all 0. With one ink [0, 1], dark is 1; with several the sum of
            the dots' areas over the paper's, which may be a little more.
        inks: of the plates.
        frame: what the raster covers, mm on the page.
    """

    densities: np.ndarray
    inks: tuple[inks.Ink, ...]
    frame: Box

    @property
    def raster(self) -> tuple[int, int]:
        """Height and width."""
        return self.densities.shape[1], self.densities.shape[2]

    @property
    def area(self) -> float:
        """Of the frame, mm^2."""
        return self.frame.width * self.frame.height

    def to_page(self, sites: np.ndarray) -> np.ndarray:
        """Pixels of the raster, (N, 2), as float64 mm on the page."""
        return sites * self._pitch() + (self.frame.left, self.frame.top)

    def preview(self, sites: Sequence[np.ndarray], page: tuple[float, float]) -> dict[str, np.ndarray]:
        """Sites on the raster, (N, 2) each of the first plates, as the buffers of a preview (docs/protocol.md)."""
        preview = {"positions": (self.to_page(np.concatenate(sites)) / page).astype(np.float32)}
        if len(self.inks) > 1:
            preview["plates"] = np.repeat(np.arange(len(sites), dtype=np.uint8), [len(some) for some in sites])
            colors = np.array([colour.parsed(ink.color) for ink in self.inks])
            preview["inks"] = np.rint(colors * 255).astype(np.uint8)
        return preview

    def on_ink(self, positions: np.ndarray, plates: np.ndarray) -> np.ndarray:
        """Whether dots of these plates, (N,), find density at positions, (N, 2) mm on the page; bool (N,)."""
        height, width = self.raster
        x, y = np.floor((positions - (self.frame.left, self.frame.top)) / self._pitch()).astype(np.int64).T
        there = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        there[there] = self.densities[plates[there], y[there], x[there]] > 0
        return there

    def _pitch(self) -> np.ndarray:
        """Width and height of a pixel, mm."""
        height, width = self.raster
        return np.array([self.frame.width / width, self.frame.height / height])


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Where dots may be, besides on the picture.

    Attributes:
        clip, protect: inside and outside of which dots stay, as `clip.check_clip` returns them, or None.
        mask: a picture as `pixels.check_image` returns it, which is laid over the image, or None.
    """

    clip: np.ndarray | None = None
    protect: np.ndarray | None = None
    mask: np.ndarray | None = None


def prepare(
    image: np.ndarray,
    params: StippleParams,
    layout: Layout,
    bounds: Bounds,
    rng: np.random.Generator,
    progress: Progress,
) -> Working:
    """Read the densities from the part of the picture that can carry dots.

    Args:
        image: as `pixels.check_image` returns it.
        params: all about dots, tone, colour and pixels_per_dot is read.
        layout: where the picture lies on the page.
        bounds: where else dots may not be.
        rng: which pixels a palette is chosen from; drawn from for nothing else.
        progress: told every megapixel.
    Raises:
        InvalidInput: "unusable-input" where there is no density at all.
    """
    inked = density.inked(image, params, progress.part(0.0, 0.5))
    if inked is None:
        raise _no_ink(params)
    window = inked.box.within(layout.window)
    if bounds.clip is not None:
        around = clipping.bounds(bounds.clip, layout.page)
        window = window.within(_outwards(layout.window.part(around, layout.frame)))
    if not (window.width and window.height):
        raise _nothing_shows(params, "image" if bounds.clip is None else "clip")
    frame = layout.frame.part(window, layout.window)
    raster = raster_size(window, frame, params.dots * params.pixels_per_dot / inked.share)
    part = progress.part(0.5, 1.0)
    if params.plates == "one":
        densities, used = density.resampled(image, window, raster, params, part)[None], inks.one(params)
    else:
        picture = density.colours(image, window, raster, params, part.part(0.0, 0.6))
        if (picture == (0 if params.invert else 1)).all():
            raise _nothing_shows(params, "image" if bounds.clip is None else "clip")
        densities, used = _separated(picture, params, rng, part.part(0.6, 1.0))
    if params.edges > 0:
        edges.emphasize(densities, params.dots, params.edges)
    whole = Box(0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
    for field, kept in _kept(bounds, whole, window, layout, raster, frame):
        if kept is not None:
            densities *= kept
        if not densities.any():
            raise _nothing_shows(params, field)
    return Working(densities, used, frame)


def _separated(
    picture: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress
) -> tuple[np.ndarray, tuple[inks.Ink, ...]]:
    """Densities and inks of a picture; inks that it chose itself, but that are not worth a pen, are left out."""
    used = inks.several(picture, params, rng)
    densities = plates.separate(picture, used, params, progress.part(0.0, 0.5))
    if not densities.any():
        raise _no_use(used)
    if params.plates == "palette" and not params.palette_colors:
        masses = densities.sum(axis=(1, 2), dtype=np.float64)
        worth = masses >= WORTH * masses.sum()
        if not worth.all():
            used = inks.of_colors([ink.color for ink, keep in zip(used, worth, strict=True) if keep])
            densities = plates.separate(picture, used, params, progress.part(0.5, 1.0))
    return densities, used


def _kept(
    bounds: Bounds, whole: Box, window: Box, layout: Layout, raster: tuple[int, int], frame: Box
) -> Iterator[tuple[str, np.ndarray | None]]:
    """What each of the bounds keeps, (H, W) bool or float32, and first of all the picture itself."""
    yield ("image" if bounds.clip is None else "clip"), None
    if bounds.clip is not None:
        yield "clip", clipping.inside(bounds.clip, layout.page, raster, frame)
    if bounds.protect is not None:
        yield "protect", clipping.outside(bounds.protect, layout.page, raster, frame)
    if bounds.mask is not None:
        own = Box(0.0, 0.0, float(bounds.mask.shape[1]), float(bounds.mask.shape[0]))
        kept = density.tones(bounds.mask, own.part(window, whole), raster, True, SILENT)
        yield "mask", np.where(kept < density.LEAST, np.float32(0), kept)


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


def _no_use(used: tuple[inks.Ink, ...]) -> TesseraError:
    return error(
        "unusable-input",
        "None of the inks brings the paper nearer to a colour of the picture.",
        field="palette",
        given=" ".join(ink.color for ink in used),
        remedy="Take inks like the picture's colours, or leave the palette empty.",
    )


def _nothing_shows(params: StippleParams, field: str) -> TesseraError:
    remedy = {
        "image": "Fit the whole image on the page.",
        "clip": "Let the clip show a dark part of the picture.",
        "protect": "Leave a dark part of the picture unprotected.",
        "mask": "Make the mask white where dots are wanted.",
    }[field]
    if params.white_cutoff > 0:
        remedy = f"Lower the white cut-off. {remedy}"
    return error(
        "unusable-input",
        "The part of the picture that shows asks for no ink, so there is nowhere to put dots.",
        field=field,
        remedy=remedy,
    )
