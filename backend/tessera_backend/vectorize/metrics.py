"""How near a drawing is to its picture, how well its paths keep to parts, and how large it is.

Images are float (H, W, 3), sRGB in [0, 1]. Drawings are measured as somebody else renders their files.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import os
from pathlib import Path as File

import numpy as np
from PIL import Image
from scipy import ndimage

from .curves.area import cover
from .curves.nesting import split_islands
from .drawing import Drawing
from .svg import parse

# The share of a path's area that one mask has to hold (Wang et al. 2025).
VEC_SHARE = 0.85
# Differences of 8 bit rounding are none.
_TINT = 2.5 / 255
_MAGENTA, _GREEN = (1.0, 0.0, 1.0), (0.0, 1.0, 0.0)
_ALEXNET = "alexnet-owt-*.pth"


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a drawing is.

    Attributes:
        bytes: of its file.
        paths: filled outlines; a compound path counts once for each of its islands.
        segments: cubics, which is as many as nodes.
        nodes_per_path: mean.
    """

    bytes: int
    paths: int
    segments: int
    nodes_per_path: float


def size(svg: bytes) -> Size:
    """Counts what is in an SVG file, ours or a tracer's; raises as `parse`."""
    drawing = split_islands(parse(svg))
    segments = sum(path.segments for path in drawing.paths)
    return Size(len(svg), len(drawing.paths), segments, segments / max(len(drawing.paths), 1))


def mse(image: np.ndarray, other: np.ndarray) -> float:
    """Mean of squared differences over pixels and channels."""
    return float(np.mean((np.asarray(image, np.float64) - other) ** 2))


def psnr(image: np.ndarray, other: np.ndarray) -> float:
    """Peak signal to noise ratio in dB, for a peak of 1; infinite for equal images."""
    error = mse(image, other)
    return float(-10 * np.log10(error)) if error else float("inf")


def ssim(image: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), 7 x 7 windows, mean over channels; smaller windows on tiny images."""
    from skimage.metrics import structural_similarity

    window = min(7, *image.shape[:2])
    window -= 1 - window % 2
    if window < 3:
        return 1.0 if np.array_equal(image, other) else 0.0
    return float(structural_similarity(image, other, win_size=window, channel_axis=2, data_range=1.0))


def lpips(image: np.ndarray, other: np.ndarray) -> float | None:
    """LPIPS with AlexNet (Zhang et al. 2018); None where the package `lpips` or AlexNet's weights are missing.

    Nothing is downloaded: the weights have to lie in torch's cache already.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or File.home() / ".cache"
    home = os.environ.get("TORCH_HOME") or File(cache, "torch")
    if importlib.util.find_spec("lpips") is None or not any(File(home, "hub/checkpoints").glob(_ALEXNET)):
        return None
    import lpips as package

    first, second = (package.im2tensor(np.asarray(picture, np.float32) * 255) for picture in (image, other))
    return float(package.LPIPS(net="alex", verbose=False)(first, second).item())


def vec(drawing: Drawing, masks: np.ndarray) -> float:
    """Vector compactness: the share of paths that have more than 85 % of their area inside one semantic mask.

    A path's area is its own, whatever lies over it, inside the canvas, as the paper's "vector primitives contained in
    semantic masks" says; so a shape that runs on far below others counts against a drawing. Compound paths count once
    for each island. Paths outside of the canvas don't count.

    Args:
        masks: bool (M, height, width) of the drawing; they may overlap.
    Returns:
        from 0 to 1; 0 without any path.
    Raises:
        ValueError: masks of another size.
    Source: Wang et al., Layered Image Vectorization via Semantic Simplification, CVPR 2025; no code of it is public.
    """
    if np.shape(masks)[1:] != (drawing.height, drawing.width):
        raise ValueError(f"masks are {np.shape(masks)[1:]}, the drawing {(drawing.height, drawing.width)}")
    held = np.zeros(0, bool)
    flat = np.asarray(masks, bool).reshape(len(masks), -1)
    for path in split_islands(drawing).paths:
        own = np.flatnonzero(cover(path, drawing.width, drawing.height))
        if len(own):
            held = np.append(held, bool((flat[:, own].mean(1) > VEC_SHARE).any()))
    return float(held.mean()) if len(held) else 0.0


def rendered(svg: bytes, scale: int = 1, background: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """float64 (H, W, 3): an SVG file as resvg renders it or, where `resvg_py` is missing, our rasterizer.

    Raises:
        InvalidInput: our rasterizer cannot read the file, see `parse`.
    """
    if importlib.util.find_spec("resvg_py") is None:
        return _rasterized(parse(svg), scale, background)
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg.decode(), zoom=scale))
    with Image.open(io.BytesIO(png)) as picture:
        rgba = np.asarray(picture.convert("RGBA"), np.float64) / 255
    return rgba[..., :3] * rgba[..., 3:] + np.array(background) * (1 - rgba[..., 3:])


def seams(svg: bytes, scale: int = 4, opaque: np.ndarray | None = None) -> int:
    """How many pixels let the ground shine through where a drawing should cover it.

    Args:
        scale: times as many pixels each way: neighbours that only meet show a hairline at any scale.
        opaque: bool (H, W), where the picture covers the ground; a pixel along the edge of that is spared. None: all.
    """
    differ = np.abs(rendered(svg, scale, _MAGENTA) - rendered(svg, scale, _GREEN)).max(2) > _TINT
    if opaque is not None:
        inner = ndimage.binary_erosion(opaque, np.ones((3, 3)), border_value=1)
        inside = np.kron(inner, np.ones((scale, scale), bool))
        differ &= inside[: differ.shape[0], : differ.shape[1]]
    return int(differ.sum())


def _rasterized(drawing: Drawing, scale: int, background: tuple[float, float, float]) -> np.ndarray:
    from ..vector_raster import Raster
    from .scene import scaled, to_scene

    scene = scaled(to_scene(drawing), scale)
    image = Raster(scene.width, scene.height).forward(scene, background)
    return np.asarray(np.moveaxis(image, 1, 2), np.float64)
