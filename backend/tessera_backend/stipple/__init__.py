"""Stippling: a picture becomes dots on a page. `stipple` is the job; `metrics` measures what comes out."""

from __future__ import annotations

import numpy as np

from tessera_protocol import schema
from tessera_protocol.jobs import StippleParams

from ..pixels import check_image
from ..progress import SILENT, Progress
from .clip import check_clip
from .pipeline import Stipples, run
from .working import Bounds

__all__ = ["Stipples", "stipple", "warm"]


def stipple(
    image: np.ndarray,
    params: StippleParams = StippleParams(),  # noqa: B008 - frozen
    progress: Progress = SILENT,
    *,
    clip: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    protect: np.ndarray | None = None,
    device: str = "cpu",
) -> Stipples:
    """Turn a picture into dots whose number and size follow its tones.

    Args:
        image: (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float in
            [0, 1], sRGB, 1 is white, which is paper; straight alpha. What is transparent is paper too.
        params: every field is described where it is declared.
        progress: told of each stage and each step of the relaxation; may raise Cancelled.
        clip: float32 (M, 3), rows of (ring number, x, y), x and y as shares of the page: no dots outside, by
            nonzero winding number.
        mask: a picture of the same kinds as `image`, laid over it and stretched to its size: white keeps dots, black
            keeps them off, grey thins them out.
        protect: an outline in the form of `clip`: no dots inside.
        device: where networks run, as torch names it; engines that are none need no device.
    Returns:
        the dots. The same arguments on the same machine give the same ones, bit for bit.
    Raises:
        InvalidInput: "unusable-input" for a picture or an outline of another kind, or with nowhere to put dots;
            "out-of-range" for parameters outside of what they declare, or a margin too large for the page.
        Cancelled: as `progress` wishes.
    """
    params = schema.check(StippleParams, schema.changed(params))
    bounds = Bounds(
        None if clip is None else check_clip(clip),
        None if protect is None else check_clip(protect, "protect"),
        None if mask is None else check_image(mask, "mask"),
    )
    return run(check_image(image), params, progress, bounds, device)


def warm(device: str = "cpu") -> None:
    """Compile every kernel, or load it from the cache, on a picture of a few pixels; networks on accelerators only.

    On the CPU a network would cost every start two seconds for torch, whether anybody wants it or not.
    """
    image = np.zeros((8, 8), np.uint8)
    clip = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]], np.float32)
    for engine in ("tone", "gbn", "best"):
        params = StippleParams(dots=10, engine=engine, iterations=2, minimum_gap=30.0, order="plotter")
        stipple(image, params, clip=clip)
    if device != "cpu":
        stipple(image, StippleParams(dots=10, engine="diffusion"), device=device)
    stipple(np.eye(8), StippleParams(dots=40, plates="cmyk", iterations=2, edges=0.5, marks="line"))
