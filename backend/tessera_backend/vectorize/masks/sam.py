"""Masks by Segment Anything (Kirillov et al., ICCV 2023), with the settings of Wang et al., CVPR 2025.

A checkpoint is read, never fetched. Its sizes are read off the weights, so each of the published models works, and
so does any other of the same architecture.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tessera_protocol.errors import TesseraError, error

from ...progress import SILENT, Progress

# Of the automatic mask generator, as published with the method.
SETTINGS: dict[str, Any] = {
    "points_per_side": 32,
    "pred_iou_thresh": 0.86,
    "stability_score_thresh": 0.85,
    "crop_n_layers": 1,
    "crop_n_points_downscale_factor": 2,
    "box_nms_thresh": 0.7,
}
# Pieces with fewer pixels are no parts.
SMALLEST = 100
# What the published models have in common, and their weights do not tell.
_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_DECODER_HEADS = 8


def masks(
    pictures: Sequence[np.ndarray], model: Any, progress: Progress = SILENT, **settings: Any
) -> list[list[np.ndarray]]:
    """What the automatic mask generator finds in each picture.

    Args:
        pictures: float32 (H, W, 3), sRGB in [0, 1], the finest first.
        model: of `load`; it serves all pictures.
        progress: told before each picture.
        settings: of the generator, instead of `SETTINGS`.
    Returns:
        for each picture, the coarsest first, masks, bool (H, W); they may overlap, have holes and several pieces.
    """
    generator = _package().SamAutomaticMaskGenerator(model, **{**SETTINGS, **settings})
    found = []
    for done, picture in enumerate(reversed(pictures)):
        progress("masks", done / len(pictures), f"Segment Anything, picture {done + 1} of {len(pictures)}")
        made = generator.generate((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
        found.append([part["segmentation"] for part in made])
    return found


def load(checkpoint: str, device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """Read a model.

    Args:
        checkpoint: a .pth file of weights.
    Returns:
        the model, in evaluation mode on `device`; and facts for the metadata: "file" and its "sha256".
    Raises:
        InvalidInput: "unusable-input" without the package segment-anything; "unreadable-input" for a file that is
            missing, damaged, or of another model.
    """
    _package()
    path = Path(checkpoint).expanduser()
    try:
        with path.open("rb") as file:
            sha = hashlib.file_digest(file, "sha256").hexdigest()
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as exc:
        raise _unreadable(path, exc.strerror or "it is no file") from exc
    except Exception as exc:  # what is no pickle can make the reader of pickles raise anything
        raise _unreadable(path, "it is damaged, or no file of weights") from exc
    try:
        model = _built(weights)
        model.load_state_dict(weights)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as exc:
        raise _unreadable(path, "its weights are not those of Segment Anything") from exc
    return model.eval().requires_grad_(False).to(device), {"file": path.name, "sha256": sha}


def _built(weights: dict[str, Tensor]) -> Any:
    """A model of the sizes that its weights have."""
    from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    width, _, patch, _ = weights["image_encoder.patch_embed.proj.weight"].shape
    cells = weights["image_encoder.pos_embed"].shape[1]
    prompt = weights["prompt_encoder.no_mask_embed.weight"].shape[1]
    decoder = "mask_decoder.transformer.layers"
    transformer = TwoWayTransformer(
        depth=_blocks(weights, decoder),
        embedding_dim=prompt,
        num_heads=_DECODER_HEADS,
        mlp_dim=len(weights[f"{decoder}.0.mlp.lin1.weight"]),
    )
    return Sam(
        image_encoder=_encoder(weights, width, patch, cells),
        prompt_encoder=PromptEncoder(
            embed_dim=prompt,
            image_embedding_size=(cells, cells),
            input_image_size=(cells * patch, cells * patch),
            mask_in_chans=len(weights["prompt_encoder.mask_downscaling.3.weight"]),
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=prompt,
            transformer=transformer,
            num_multimask_outputs=len(weights["mask_decoder.mask_tokens.weight"]) - 1,
            iou_head_depth=_blocks(weights, "mask_decoder.iou_prediction_head.layers"),
            iou_head_hidden_dim=len(weights["mask_decoder.iou_prediction_head.layers.0.weight"]),
        ),
        pixel_mean=list(_MEAN),
        pixel_std=list(_DEVIATION),
    )


def _encoder(weights: dict[str, Tensor], width: int, patch: int, cells: int) -> Any:
    from segment_anything.modeling import ImageEncoderViT

    blocks = "image_encoder.blocks"
    depth = _blocks(weights, blocks)
    # Positions relative to each other: 2 n - 1 of them, for windows of n cells or, in global blocks, for all.
    reach = [(len(weights[f"{blocks}.{i}.attn.rel_pos_h"]) + 1) // 2 for i in range(depth)]
    windows = [n for n in reach if n != cells]
    return ImageEncoderViT(
        img_size=cells * patch,
        patch_size=patch,
        embed_dim=width,
        depth=depth,
        num_heads=width // weights[f"{blocks}.0.attn.rel_pos_h"].shape[1],
        mlp_ratio=len(weights[f"{blocks}.0.mlp.lin1.weight"]) / width,
        out_chans=len(weights["image_encoder.neck.0.weight"]),
        norm_layer=functools.partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=windows[0] if windows else 0,
        global_attn_indexes=tuple(i for i, n in enumerate(reach) if n == cells),
    )


def _blocks(weights: dict[str, Tensor], prefix: str) -> int:
    """How many numbered parts a module has."""
    return len({name[len(prefix) + 1 :].split(".")[0] for name in weights if name.startswith(prefix + ".")})


def _package() -> Any:
    try:
        import segment_anything
    except ImportError as exc:
        raise error(
            "unusable-input",
            f"Segment Anything needs the package {exc.name or 'segment_anything'}, which is not installed.",
            field="masks",
            given="sam",
            allowed="merging",
            remedy="Install it with: pip install 'tessera[pretrained]'. Or choose region merging.",
        ) from exc
    return segment_anything


def _unreadable(path: Path, why: str) -> TesseraError:
    return error(
        "unreadable-input",
        f"The checkpoint {path} can't be read: {why}.",
        field="sam_checkpoint",
        given=str(path),
        allowed="a .pth file of Segment Anything",
        remedy="Name one, or take region merging.",
    )
