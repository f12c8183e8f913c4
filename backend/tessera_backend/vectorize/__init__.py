"""Layered vectorization: an image becomes filled curves in layers (after Wang et al., CVPR 2025)."""

from __future__ import annotations

import numpy as np

from tessera_protocol import schema
from tessera_protocol.jobs import VectorizeParams

from ..pixels import check_image
from ..progress import SILENT, Progress
from .drawing import Drawing, Gradient, Path

__all__ = ["Drawing", "Gradient", "Path", "vectorize", "warm"]


def vectorize(
    image: np.ndarray,
    params: VectorizeParams = VectorizeParams(),  # noqa: B008 - frozen
    progress: Progress = SILENT,
    *,
    device: str = "cpu",
) -> Drawing:
    """Turn a picture into layered shapes.

    Args:
        image: (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float in
            [0, 1], sRGB; straight alpha. What is transparent stays so.
        params: every field is described where it is declared.
        progress: told of each stage; offers previews; may raise Cancelled.
        device: where networks run, as torch names it; shapes are fitted on the CPU.
    Returns:
        The drawing, with labels, groups and metadata. The same arguments on the same machine give the same one.
    Raises:
        InvalidInput: "unusable-input" for a picture of another kind, or one that is transparent everywhere;
            "out-of-range" for parameters outside of what they declare.
        Cancelled: as `progress` wishes.
    """
    from .pipeline import run

    params = schema.check(VectorizeParams, schema.changed(params))
    return run(check_image(image), params, progress, device)


def warm() -> None:
    """Compile every kernel, or load it from the cache, on a picture of a few pixels."""
    y, x = np.mgrid[:24, :32]
    disk = (x - 16) ** 2 + (y - 12) ** 2 < 64
    image = np.where(disk[..., None], [200, 40, 40], [240, 240, 8 * (x + y).max() // 60]).astype(np.uint8)
    shown = np.dstack([image, np.where(y < 20, 255, 0).astype(np.uint8)])
    for picture in (image, shown):
        vectorize(picture, VectorizeParams(paths=3, engine="best"))
