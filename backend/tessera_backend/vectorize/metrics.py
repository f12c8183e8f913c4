"""How near a drawing is to its picture, how well its paths keep to parts, and how large it is.

Images are float (H, W, 3), sRGB in [0, 1]. Drawings are measured as somebody else renders their files.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import os
from collections.abc import Sequence
from pathlib import Path as File

import numpy as np
from PIL import Image
from scipy import ndimage

from .curves.area import cover, top
from .curves.nesting import split_islands
from .drawing import Drawing
from .svg import parse

# The share of a path's area that one mask has to hold (Wang et al. 2025).
VEC_SHARE = 0.85
# Differences of 8 bit rounding are none.
_TINT = 2.5 / 255
_MAGENTA, _GREEN = (1.0, 0.0, 1.0), (0.0, 1.0, 0.0)
# A viewer tells parts apart whose colours differ by so much in CIE Lab, where a gradient misses them by so much, and
# each has so many of the pixels, of no fewer than so many in all.
_UNLIKE, _MISFIT, _PART, _TELLABLE = 25.0, 0.08, 0.15, 30
# Of two means, at most.
_ROUNDS = 20
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


def mixed(drawing: Drawing, image: np.ndarray) -> np.ndarray:
    """Which paths show parts of a picture that a viewer would call different, bool (P,).

    Of the pixels that a path shows, those count whose neighbours show it too. They are unlike parts if all this holds:
    colours that are affine in the position miss the picture there by 0.08 or more, root mean square over pixels and
    channels; the two means that the colours fall into are more than 25 apart in CIE Lab; and each of the two has 15 %
    of the pixels in blocks of 3 x 3, which neither texture nor lines have. Paths that show fewer than 30 pixels are not
    mixed: nobody could tell.
    """
    from skimage.color import rgb2lab

    shown, lab = top(drawing), rgb2lab(np.asarray(image, np.float64))
    pure = (ndimage.maximum_filter(shown, 3) == shown) & (ndimage.minimum_filter(shown, 3) == shown)
    found = np.zeros(len(drawing.paths), bool)
    for p, window in enumerate(ndimage.find_objects(shown + 1, len(found))):
        if window is not None:
            own = (shown[window] == p) & pure[window]
            found[p] = np.count_nonzero(own) >= _TELLABLE and _unlike(own, image[window][own], lab[window][own])
    return found


def _unlike(own: np.ndarray, colors: np.ndarray, lab: np.ndarray) -> bool:
    """Whether pixels, a mask, of these colours (N, 3), are of two parts."""
    basis = np.column_stack([np.ones(len(colors)), *np.nonzero(own)])
    missed = colors - basis @ np.linalg.lstsq(basis, colors, rcond=None)[0]
    if np.sqrt(np.mean(missed**2)) < _MISFIT:
        return False
    first = _first_of_two(lab)
    if first.all() or np.linalg.norm(lab[first].mean(0) - lab[~first].mean(0)) <= _UNLIKE:
        return False
    for half in (first, ~first):
        blocks = np.zeros(own.shape, bool)
        blocks[own] = half
        if np.count_nonzero(ndimage.binary_opening(blocks, np.ones((3, 3)))) < _PART * len(colors):
            return False
    return True


def _first_of_two(lab: np.ndarray) -> np.ndarray:
    """bool (N,), colours that are in the first of two clusters: two means, begun across the widest direction."""
    away = lab - lab.mean(0)
    first = away @ np.linalg.svd(away.T @ away)[0][:, 0] > 0
    for _ in range(_ROUNDS):
        if first.all() or not first.any():
            return np.ones(len(lab), bool)
        near, far = (((lab - lab[half].mean(0)) ** 2).sum(1) for half in (first, ~first))
        if np.array_equal(near < far, first):
            break
        first = near < far
    return first


@dataclasses.dataclass(frozen=True)
class Hidden:
    """A drawing while one of its layers is hidden.

    Attributes:
        bare: share of the opaque picture where no path is.
        error: mean squared error, on white.
        plain: that of what is coarser alone, or of the picture's mean colour where nothing is.
        other: share of the opaque picture that turns into a colour more than 25 away in CIE Lab from what it was.
    """

    bare: float
    error: float
    plain: float
    other: float


def hidden(drawing: Drawing, image: np.ndarray, opaque: np.ndarray | None = None) -> list[Hidden]:
    """What hiding each layer, the coarsest first, does to a drawing.

    A layer that mends what lies below is missed: `error` is above `plain`, or `other` is more than an object's area.

    Args:
        opaque: bool (H, W), None: everywhere.
    """
    from skimage.color import rgb2lab

    inside = np.ones(image.shape[:2], bool) if opaque is None else opaque

    def drawn(levels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        part = dataclasses.replace(drawing, paths=tuple(path for path in drawing.paths if path.level in levels))
        return _rasterized(part, 1, (1.0, 1.0, 1.0)), top(part) >= 0

    every = range(len(drawing.levels))
    lab = rgb2lab(np.clip(drawn(every)[0], 0, 1))
    plain = mse(image, np.broadcast_to(image.mean((0, 1)), image.shape))
    found = []
    for level in every:
        rest, covered = drawn([other for other in every if other != level])
        moved = np.linalg.norm(rgb2lab(np.clip(rest, 0, 1)) - lab, axis=2) > _UNLIKE
        shares = [float(np.mean(where[inside])) for where in (~covered, moved)]
        found.append(Hidden(shares[0], mse(image, rest), plain, shares[1]))
        plain = mse(image, drawn(range(level + 1))[0])
    return found
