"""Simplification with a diffusion model: the feature-average effect of score distillation sampling.

Noise is added to the picture and the model predicts it; what the prediction has beyond the noise moves the picture.
Without a prompt to follow, the moves of many noises average what the model takes for interchangeable: details go,
the large parts stay (Wang et al., Layered Image Vectorization via Semantic Simplification, CVPR 2025, section 3.1;
SDS: Poole et al., DreamFusion, ICLR 2023, eq. 3 with w = 1). Constants are those of the authors' code; it squeezes
pictures into a square, which this does not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tessera_protocol.errors import TesseraError, error

from ...progress import SILENT, Progress

STEPS_PER_LEVEL = 20
# Of plain gradient descent: how much of (predicted - added noise) a latent moves by at a step. Published as a rate of
# 0.1 on 2000 times the mean over the 64 x 64 latents of a 512 px picture.
RATE = 0.1 * 2000 / (64 * 64)
# Timesteps are drawn from this part of the schedule, ends included: 50 to 948 of 1000.
TIMESTEPS = (0.05, 0.948)
# The latents' side where a model does not say what it was trained on: Stable Diffusion 1.
_SIDE = 64


@dataclasses.dataclass(frozen=True)
class Model:
    """A diffusion model, latent or of pixels.

    Attributes:
        unet: of diffusers, in evaluation mode.
        vae: of diffusers; None for a model of pixels.
        alphas: float (T,), the cumulative products of the noise schedule.
        prediction: what the unet predicts: "epsilon", "v_prediction" or "sample".
        prompt: (1, tokens, width), what the text encoder makes of the empty prompt; None where none is needed.
        device: of torch.
    """

    unet: Any
    vae: Any
    alphas: Tensor
    prediction: str
    prompt: Tensor | None
    device: str

    @property
    def factor(self) -> int:
        """Pixels per latent along a side."""
        return 1 if self.vae is None else 2 ** (len(self.vae.config.block_out_channels) - 1)

    def encode(self, pixels: Tensor) -> Tensor:
        """Latents (1, C, h, w) of pixels (1, 3, H, W) in [-1, 1]."""
        if self.vae is None:
            return pixels
        encoded = self.vae.encode(pixels)
        latents = encoded.latent_dist.mean if hasattr(encoded, "latent_dist") else encoded.latents
        return latents * getattr(self.vae.config, "scaling_factor", 1.0)

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels (1, 3, H, W) in [-1, 1] of latents."""
        if self.vae is None:
            return latents
        return self.vae.decode(latents / getattr(self.vae.config, "scaling_factor", 1.0)).sample

    def noise(self, noisy: Tensor, timestep: int) -> Tensor:
        """The noise that the model sees in noisy latents."""
        more = () if self.prompt is None else (self.prompt,)
        half = torch.autocast("cuda", torch.float16, enabled=self.device.startswith("cuda"))
        with half:
            # Models that learn the variance, too, have it in the second half of their channels.
            found = self.unet(noisy, timestep, *more).sample[:, : noisy.shape[1]].float()
        signal, spread = self.alphas[timestep].sqrt(), (1 - self.alphas[timestep]).sqrt()
        if self.prediction == "v_prediction":
            return signal * found + spread * noisy
        return (noisy - signal * found) / spread if self.prediction == "sample" else found


def direction(model: Model, latents: Tensor, timestep: int, added: Tensor) -> Tensor:
    """The gradient of SDS at latents: the noise that the model predicts minus the noise that was added."""
    alpha = model.alphas[timestep]
    noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * added
    return model.noise(noisy, timestep) - added


@torch.no_grad()
def simplified(
    image: np.ndarray, levels: int, model: Model, seed: int = 0, progress: Progress = SILENT
) -> list[np.ndarray]:
    """A picture and simpler and simpler ones, 20 steps of SDS apart.

    Args:
        image: float32 (H, W, 3), sRGB in [0, 1].
        levels: how many, the picture itself included.
        model: of `load`.
        seed: of noises and timesteps, which are drawn on the CPU, whatever the device.
        progress: told before each step.
    Returns:
        `levels` pictures like `image`, the finest, which is `image`, first.
    """
    draw = torch.Generator().manual_seed(seed)
    low, high = (round(share * len(model.alphas)) for share in TIMESTEPS)
    latents = model.encode(_fitted(image, model))
    pictures = [np.asarray(image, np.float32)]
    steps = (levels - 1) * STEPS_PER_LEVEL
    for step in range(steps):
        progress("simplify", step / steps, f"Diffusion, step {step + 1} of {steps}")
        timestep = int(torch.randint(low, high + 1, (), generator=draw))
        added = torch.randn(latents.shape, generator=draw).to(latents)
        latents = latents - RATE * direction(model, latents, timestep, added)
        if (step + 1) % STEPS_PER_LEVEL == 0:
            pictures.append(_picture(model.decode(latents), image, model))
    return pictures


def _inner_size(image: np.ndarray, model: Model) -> tuple[int, int]:
    """Height and width at which the picture has as many pixels as the model was trained on."""
    side = getattr(model.unet.config, "sample_size", None) or _SIDE
    rows, columns = side if isinstance(side, (list, tuple)) else (side, side)
    scale = model.factor * (rows * columns / (image.shape[0] * image.shape[1])) ** 0.5
    return max(round(image.shape[0] * scale), 1), max(round(image.shape[1] * scale), 1)


def _fitted(image: np.ndarray, model: Model) -> Tensor:
    """The picture at the model's size, continued at the right and below to what its halvings need."""
    height, width = _inner_size(image, model)
    pixels = torch.from_numpy(np.asarray(image, np.float32).transpose(2, 0, 1)[None] * 2 - 1)
    pixels = functional.interpolate(pixels, (height, width), mode="bilinear", antialias=True, align_corners=False)
    multiple = model.factor * 2 ** (len(model.unet.config.block_out_channels) - 1)
    more = ((0, 0), (0, 0), (0, -height % multiple), (0, -width % multiple))
    return torch.from_numpy(np.pad(pixels.numpy(), more, mode="symmetric")).to(model.device)


def _picture(pixels: Tensor, like: np.ndarray, model: Model) -> np.ndarray:
    height, width = _inner_size(like, model)
    inner = pixels[:, :, :height, :width].float().cpu()
    sized = functional.interpolate(inner, like.shape[:2], mode="bilinear", antialias=True, align_corners=False)
    return np.ascontiguousarray((sized[0].permute(1, 2, 0).numpy() / 2 + 0.5).clip(0, 1))


def load(name: str, device: str = "cpu") -> tuple[Model, dict[str, Any]]:
    """Read a pipeline that diffusers saved, or that is on its hub.

    Only a hub id, which is "owner/name" and no folder here, is downloaded: naming it asks for it.

    Returns:
        the model, and facts for the metadata: "model" and "sha256" of the unet's weights.
    Raises:
        InvalidInput: "unusable-input" without diffusers, or for a model that needs more than a picture;
            "unreadable-input" for what is neither a folder of a pipeline nor an id.
    """
    diffusers = _package("diffusers")
    local = Path(name).expanduser().is_dir()
    if not local and not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name):
        raise _unreadable(name, "there is no such folder")
    place = str(Path(name).expanduser()) if local else name
    try:
        index = diffusers.DiffusionPipeline.load_config(place, local_files_only=local)
        model = _assembled(diffusers, index, place, local, device)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as exc:
        raise _unreadable(name, str(exc).splitlines()[0] if str(exc) else type(exc).__name__) from exc
    _check(model, name)
    return model, {"model": Path(name).name if local else name, "sha256": _fingerprint(model.unet)}


def _assembled(diffusers: Any, index: dict[str, Any], place: str, local: bool, device: str) -> Model:
    def part(name: str) -> Any:
        package, kind = index[name]
        source = diffusers if package == "diffusers" else _package(package)
        return getattr(source, kind).from_pretrained(place, subfolder=name, local_files_only=local)

    # The scheduler is read for its numbers alone; those of DDPM are all schedulers'.
    schedule = diffusers.DDPMScheduler.from_pretrained(place, subfolder="scheduler", local_files_only=local)
    autoencoder = next((name for name in ("vae", "vqvae") if index.get(name)), None)
    return Model(
        part("unet").eval().requires_grad_(False).to(device),
        part(autoencoder).eval().requires_grad_(False).to(device) if autoencoder else None,
        schedule.alphas_cumprod.to(device),
        schedule.config.prediction_type,
        _empty_prompt(part("tokenizer"), part("text_encoder")).to(device) if index.get("text_encoder") else None,
        device,
    )


def _empty_prompt(tokenizer: Any, text_encoder: Any) -> Tensor:
    tokens = tokenizer("", padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt")
    with torch.no_grad():
        return text_encoder(tokens.input_ids)[0]


def _check(model: Model, name: str) -> None:
    config = model.unet.config
    colours = model.vae.config.in_channels if model.vae is not None else config.in_channels
    needs_prompt = getattr(config, "cross_attention_dim", None) and model.prompt is None
    more = getattr(config, "addition_embed_type", None) or getattr(config, "class_embed_type", None)
    if colours != 3 or needs_prompt or more or (model.vae is not None and config.in_channels != _latent(model)):
        raise error(
            "unusable-input",
            f"{name} is no model that simplification can use: it needs more than a colour picture and an empty prompt.",
            field="diffusion_model",
            given=name,
            allowed="Stable Diffusion 1 or 2, or a model without prompts, of latents or of pixels",
            remedy="Name another, or take the built-in simplification.",
        )


def _latent(model: Model) -> int:
    return int(model.vae.config.latent_channels)


def _fingerprint(unet: Any) -> str:
    sha = hashlib.sha256()
    for name, tensor in sorted(unet.state_dict().items()):
        sha.update(name.encode())
        sha.update(tensor.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def _package(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as exc:
        raise error(
            "unusable-input",
            f"Simplification by diffusion needs the package {name}, which is not installed.",
            field="simplify",
            given="sds",
            allowed="structural",
            remedy="Install it with: pip install 'tessera[pretrained]'. Or choose the built-in simplification.",
        ) from exc


def _unreadable(name: str, why: str) -> TesseraError:
    return error(
        "unreadable-input",
        f"The diffusion model {name} can't be read: {why}.",
        field="diffusion_model",
        given=name,
        allowed="a folder that diffusers saved, or a hub id such as owner/name",
        remedy="Name one, or take the built-in simplification.",
    )
