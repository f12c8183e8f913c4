"""Guidance by CLIP (Radford et al. 2021): patches of the voxels' views shall mean what the mesh's do.

Huang et al. 2025, section 3.2: half of the rays form patches; the loss is 1 - cos of their features. Weights are read,
never fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tessera_protocol.errors import TesseraError, error

from ..render.views import View
from ..sides import LOOKS, SIDES, six_pictures, turned
from ..voxels import Voxels
from .descent import Guide
from .field import Field
from .reference import composite, dense

# Patches are a square of so many voxels a side at least: less has no meaning. In the authors' code they are 80 of 1200
# pixels, two or three voxels, and many of them empty.
_LEAST = 8
# A patch is drawn again, so many times at most, until that share of it shows something.
_TRIES, _SHOWN = 12, 0.5
# Of the models as published, where a model does not say.
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Guidance:
    """An image encoder with its weights.

    Args:
        name: of a model that open_clip knows.
        weights: a file of its weights.
        seed: of the places of patches.
        device: of torch.
    Raises:
        InvalidInput: "unusable-input" without the package open-clip-torch; "out-of-range" for an unknown model, or one
            that needs more than one file; "unreadable-input" for weights that are missing, damaged, or of another
            model.
    """

    def __init__(self, name: str, weights: str, seed: int = 0, device: str = "cpu") -> None:
        package = _package()
        _check_name(package, name)
        path = Path(weights).expanduser()
        try:
            with path.open("rb") as file:
                sha = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as problem:
            raise _unreadable(path, problem.strerror or "it is no file") from problem
        try:
            # A whole path is never the name of weights that it would fetch.
            model = package.create_model(name, pretrained=str(path.resolve()))
        except Exception as problem:  # what is no file of weights can make its readers raise anything
            raise _unreadable(path, f"it is damaged, or its weights are not those of {name}") from problem
        self.model = model.eval().requires_grad_(False).to(device)
        self.facts = {"guidance": "clip", "clip_model": name, "weights": path.name, "sha256": sha}
        visual = self.model.visual
        size = getattr(visual, "image_size", 224)
        self._size = (size, size) if isinstance(size, int) else tuple(size)
        mean, deviation = getattr(visual, "image_mean", None), getattr(visual, "image_std", None)
        shape = {"dtype": torch.float32, "device": device}
        self._mean = torch.tensor(mean or _MEAN, **shape)[:, None, None]
        self._deviation = torch.tensor(deviation or _DEVIATION, **shape)[:, None, None]
        self._seed = seed

    def features(self, pictures: Sequence[Tensor]) -> Tensor:
        """Of pictures, float32 (H, W, 3) each, sRGB in [0, 1]: (N, F)."""
        resized = [self._resized(picture) for picture in pictures]
        found: Tensor = self.model.encode_image((torch.stack(resized) - self._mean) / self._deviation)
        return found

    def _resized(self, picture: Tensor) -> Tensor:
        wide = functional.interpolate(picture.movedim(2, 0)[None], self._size, mode="bilinear", antialias=True)
        return wide[0].clamp(0, 1)

    def on(self, field: Field, views: Sequence[View]) -> Guide:
        """A loss of a field's opacities and colours, against the mesh's views; each call draws other patches.

        One patch of each view that shows something; they are as large as makes half of what is seen.
        """
        device = self._mean.device
        shown = [(view, view.coverage()) for view in views if view.hit.any()]
        area = sum(float(cover.sum()) for _, cover in shown) / 2 / max(len(shown), 1)
        side = max(round(area**0.5), _LEAST)
        index = torch.as_tensor(field.index, dtype=torch.long, device=device)
        papers = [_on_white(view, device) for view, _ in shown]
        rng = np.random.default_rng(self._seed)

        def guide(alpha: Tensor, rgb: Tensor) -> Tensor:
            opacity, color = dense(index, alpha, rgb)
            ours, theirs = [], []
            for (view, cover), paper in zip(shown, papers, strict=True):
                u, v = _window(cover, side, rng)
                seen, left, _ = composite(*_column(opacity, color, view.axis, u, v), view.axis, above=view.above)
                ours.append(_upright(seen + left[..., None], view))
                large = [slice(part.start * view.samples, part.stop * view.samples) for part in (u, v)]
                theirs.append(_upright(paper[large[0], large[1]], view))
            with torch.no_grad():
                wanted = self.features(theirs)
            return (1 - functional.cosine_similarity(self.features(ours), wanted)).mean()

        return guide

    def similarity(self, voxels: Voxels, views: Sequence[View]) -> float:
        """Mean cosine of the features of six views of voxels and of their mesh, each on white; from -1 to 1.

        Args:
            views: of the mesh, on the voxels' grid; those that show nothing do not count.
        """
        device, pictures = self._mean.device, dict(zip(SIDES, six_pictures(voxels), strict=True))
        shown = [view for view in views if view.hit.any()]
        theirs = [_upright(_on_white(view, device), view) for view in shown]
        ours = []
        for view in shown:
            picture = pictures[_side(view)]
            white = np.where(picture[..., 3:] > 0, picture[..., :3] / np.float32(255), np.float32(1))
            ours.append(torch.as_tensor(white, device=device))
        with torch.no_grad():
            return float(functional.cosine_similarity(self.features(ours), self.features(theirs)).mean())


def _window(cover: np.ndarray, side: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """A square of a view, (U, V) in voxels, of which much is covered; of several the fullest."""
    sides = [min(side, whole) for whole in cover.shape]
    best, most = (slice(0, sides[0]), slice(0, sides[1])), -1.0
    for _ in range(_TRIES):
        low = [int(rng.integers(0, whole - part + 1)) for whole, part in zip(cover.shape, sides, strict=True)]
        window = (slice(low[0], low[0] + sides[0]), slice(low[1], low[1] + sides[1]))
        share = float(cover[window].mean())
        if share > most:
            best, most = window, share
        if share >= _SHOWN:
            break
    return best


def _column(opacity: Tensor, color: Tensor, axis: int, u: slice, v: slice) -> tuple[Tensor, Tensor]:
    """The part of a grid that is behind a window."""
    parts = [u, v]
    parts.insert(axis, slice(None))
    where = tuple(parts)
    return opacity[where], color[where]


def _on_white(view: View, device: torch.device) -> Tensor:
    hit = view.hit[..., None]
    return torch.as_tensor(np.where(hit, view.color, 1).astype(np.float32), device=device)


def _upright(values: Tensor, view: View) -> Tensor:
    """Values (U, V, ...) as a picture (H, W, ...): networks know things that stand."""
    flipped = [axis for axis, back in enumerate(turned(_side(view))) if back]
    return values.transpose(0, 1).flip(flipped)


def _side(view: View) -> str:
    return next(side for side, looks in LOOKS.items() if looks == (view.axis, view.above))


def _package() -> Any:
    try:
        import open_clip
    except ImportError as problem:
        raise error(
            "unusable-input",
            f"Guidance by CLIP needs the package {problem.name or 'open_clip'}, which is not installed.",
            field="clip_weights",
            allowed="nothing, without it",
            remedy="Install it with: pip install 'tessera[pretrained]'. Or leave the CLIP weights empty.",
        ) from problem
    return open_clip


def _check_name(package: Any, name: str) -> None:
    """Only models that one file of weights is enough for: others would be fetched."""
    whole = name in package.list_models() and "hf_model_name" not in package.get_model_config(name).get("text_cfg", {})
    if not whole:
        raise error(
            "out-of-range",
            f"The CLIP model {name} is none that open_clip makes without fetching anything.",
            field="clip_model",
            given=name,
            allowed="names of open_clip, such as ViT-B-32",
            remedy="Take the name of the model that the weights are of.",
        )


def _unreadable(path: Path, why: str) -> TesseraError:
    return error(
        "unreadable-input",
        f"The CLIP weights {path} can't be read: {why}.",
        field="clip_weights",
        given=str(path),
        allowed="a file of weights that open_clip reads",
        remedy="Name one, and the model that it is of; or leave it empty: then nothing guides.",
    )
