"""Engine `paper`: Layered Image Vectorization via Semantic Simplification (Wang et al., CVPR 2025), as published.

Simpler and simpler pictures; their parts; these in layers; a shape for each, fitted to its mask; colours; and shapes
for what is still wrong.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import VectorizeParams

from ...progress import SILENT, Progress
from ..canvas import psnr
from ..curves.outlines import backdrop
from ..drawing import Drawing
from ..masks import masks
from ..names import level_names
from ..simplify import simplified
from . import layers, refine, structure
from .layers import Part
from .refine import Item, Refinement

# Of the paths, those for the structure: 102 of 256 in the authors' code; 0.6 leaves a little more error.
STRUCTURE_SHARE = 0.4


def draw(image: np.ndarray, params: VectorizeParams, progress: Progress = SILENT, device: str = "cpu") -> Drawing:
    """Vectorize a picture.

    Args:
        image: float32 (H, W, 3), or (H, W, 4) with straight alpha; sRGB in [0, 1].
        params: all that is about shapes, curves and method is read; fills are solid, as published.
        progress: told regularly; shown drawings.
        device: of torch, for learned simplification and masks.
    Returns:
        a drawing of at most `params.paths` paths; fewer where `params.quality` is reached, or nothing is left to draw.
        Groups are numbers of parts.
    Raises:
        InvalidInput: a model can't be read or used.
    """
    rgb, alpha = _on_white(np.asarray(image, np.float32))
    opaque = np.ones(rgb.shape[:2], np.bool_) if alpha is None else alpha >= 0.5
    if not opaque.any():
        return Drawing(rgb.shape[1], rgb.shape[0], (), level_names(params.levels), {"engine": "paper"})
    count = max(round(STRUCTURE_SHARE * params.paths), 1)
    pictures, about_pictures = simplified(rgb, params, progress.part(0.0, 0.1), device)
    found, about_masks = masks(pictures, opaque, count, params, progress.part(0.1, 0.2), device)
    parts = layers.arrange(found, opaque, count)
    meta = {"engine": "paper", **about_pictures, **about_masks, "layers": 1 + max(part.layer for part in parts)}
    meta |= _networks(meta, device)
    rng = np.random.default_rng(params.seed)
    paths = structure.shapes(parts, params.tolerance, rng, progress.part(0.2, 0.35))
    if alpha is None:
        paths[0] = dataclasses.replace(paths[0], contours=(backdrop(rgb.shape[1], rgb.shape[0]),))
    state = Refinement(rgb, alpha, params.tolerance, params.smallest, params.seed)
    state.begin(paths, [part.mask for part in parts])
    meta["structure_paths"] = len(state.items)
    _refine(state, parts, params, meta, progress.part(0.35, 1.0))
    return _drawing(state, parts, params, meta)


def _networks(meta: dict[str, Any], device: str) -> dict[str, str]:
    """The weights that were used, by name and hash, and where they ran; nothing where none were."""
    found = [(about.get("model") or about["file"], about["sha256"]) for about in _learned(meta)]
    names, hashes = (", ".join(each) for each in zip(*found, strict=True)) if found else ("", "")
    return {"weights": names, "sha256": hashes, "device": device} if found else {}


def _learned(meta: dict[str, Any]) -> list[dict[str, str]]:
    return [meta[name] for name in ("diffusion", "segment_anything") if name in meta]


def _refine(
    state: Refinement, parts: list[Part], params: VectorizeParams, meta: dict[str, Any], progress: Progress
) -> None:
    """Rounds of Stage II, until paths or errors run out, or the drawing is good enough, or somebody says so."""
    masks = [part.mask for part in parts]
    for done in range(refine.ROUNDS):
        progress("refine", done / refine.ROUNDS, f"Refinement, round {done + 1} of {refine.ROUNDS}")
        progress.show(lambda: _drawing(state, parts, params, meta))
        left = params.paths - len(state.items)
        if left <= 0 or (params.quality and psnr(state.error()) >= params.quality):
            return
        within = progress.part(done / refine.ROUNDS, (done + 1) / refine.ROUNDS)
        last = done == refine.ROUNDS - 1 or progress.enough()
        if not state.add(left if last else int(np.ceil(refine.SHARE * left)), masks, params.levels - 1):
            return
        state.descend(refine.STEPS, within.part(0.0, 0.65))
        if last or progress.enough():
            return
        state.prune()
        state.join()
        state.descend(refine.STEPS_AFTER, within.part(0.65, 1.0))


def _on_white(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The picture on white, (H, W, 3), and its alpha, (H, W); None where it is opaque."""
    if image.shape[2] == 3 or image[..., 3].min() >= 1:
        return np.ascontiguousarray(image[..., :3]), None
    alpha = image[..., 3:]
    return image[..., :3] * alpha + 1 - alpha, alpha[..., 0]


def _drawing(state: Refinement, parts: list[Part], params: VectorizeParams, meta: dict[str, Any]) -> Drawing:
    paths = [dataclasses.replace(item.path, group=_group(item, parts)) for item in state.items]
    return Drawing(state.width, state.height, tuple(paths), level_names(params.levels), meta)


def _group(item: Item, parts: list[Part]) -> tuple[str, ...]:
    """The parts that a path is in, the outermost first: those with parts of their own, and those on the ground."""
    inside = {part.parent for part in parts}
    chain, part = [], item.part
    while part > 0:
        if part in inside or item.free or parts[part].parent == 0:
            chain.append(str(part))
        part = parts[part].parent
    return tuple(reversed(chain)) or ("0",)
