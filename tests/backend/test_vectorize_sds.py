"""Simplification by diffusion, with models so small that the tests make them: random ones, and one that is provable."""

import dataclasses
import itertools
import json
import sys
import types

import numpy as np
import pytest
import torch

from tessera_backend.progress import Progress
from tessera_backend.vectorize import vectorize
from tessera_backend.vectorize.simplify import sds, simplified
from tessera_protocol.errors import Cancelled, InvalidInput
from tessera_protocol.jobs import VectorizeParams

diffusers = pytest.importorskip("diffusers")

BLOCKS = {"norm_num_groups": 4, "layers_per_block": 1, "block_out_channels": (4, 8)}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def plain_unet(channels, side, out=None):
    kinds = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    return diffusers.UNet2DModel(
        sample_size=side, in_channels=channels, out_channels=out or channels, attention_head_dim=4, **kinds, **BLOCKS
    )


def prompted_unet(channels, side):
    kinds = {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
    return diffusers.UNet2DConditionModel(
        sample_size=side,
        in_channels=channels,
        out_channels=channels,
        cross_attention_dim=6,
        attention_head_dim=2,
        **kinds,
        **BLOCKS,
    )


def autoencoder():
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    return diffusers.AutoencoderKL(latent_channels=4, **kinds, **BLOCKS)


def saved(folder, parts, **schedule):
    """A folder as diffusers saves pipelines: an index, and a folder for each part."""
    parts = {**parts, "scheduler": diffusers.DDPMScheduler(**schedule)}
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    index = {name: [type(part).__module__.split(".")[0], type(part).__name__] for name, part in parts.items()}
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "DiffusionPipeline", **index}))
    return str(folder)


def picture(height=24, width=40):
    return np.random.default_rng(1).random((height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("latent", [True, False], ids=["latents", "pixels"])
def test_a_saved_model_gives_levels_of_any_aspect_ratio(tmp_path, latent):
    """Five pictures of the size given, the picture itself first; the same seed gives the same, another one others."""
    parts = {"unet": plain_unet(4, 8), "vae": autoencoder()} if latent else {"unet": plain_unet(3, 16)}
    params = VectorizeParams(simplify="sds", diffusion_model=saved(tmp_path, parts))
    pictures, facts = simplified(picture(), params)
    assert [p.shape for p in pictures] == [(24, 40, 3)] * 5
    np.testing.assert_array_equal(pictures[0], picture())
    assert facts["simplify"] == "sds"
    assert len(facts["diffusion"]["sha256"]) == 64
    again, _ = simplified(picture(), params)
    np.testing.assert_array_equal(pictures[4], again[4])
    other, _ = simplified(picture(), dataclasses.replace(params, seed=1))
    assert not np.array_equal(pictures[4], other[4])


def test_the_gradient_is_predicted_minus_added_noise(tmp_path):
    """Recomputed from the unet itself; and 20 steps of it make the second level."""
    model, _ = sds.load(saved(tmp_path, {"unet": plain_unet(3, 16)}))
    latents, added = torch.randn(2, 1, 3, 16, 16)
    alphas = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    with torch.no_grad():
        noisy = alphas[300] ** 0.5 * latents + (1 - alphas[300]) ** 0.5 * added
        expected = model.unet(noisy, 300).sample - added
        torch.testing.assert_close(sds.direction(model, latents, 300, added), expected, atol=1e-5, rtol=1e-4)

    image = picture(16, 16)
    draw = torch.Generator().manual_seed(7)
    state = torch.from_numpy(image.transpose(2, 0, 1)[None] * 2 - 1)
    for _ in range(20):
        timestep = int(torch.randint(50, 949, (), generator=draw))
        added = torch.randn(state.shape, generator=draw)
        with torch.no_grad():
            state = state - 0.048828125 * sds.direction(model, state, timestep, added)
    level = sds.simplified(image, 2, model, seed=7)[1]
    expected = (state[0].permute(1, 2, 0).numpy() / 2 + 0.5).clip(0, 1)
    np.testing.assert_allclose(level, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["v_prediction", "sample"])
def test_models_that_predict_something_else_mean_the_same_noise(tmp_path, kind):
    """What they predict is turned into the noise that it implies."""
    model, _ = sds.load(saved(tmp_path, {"unet": plain_unet(3, 16)}, prediction_type=kind))
    clean, added = torch.randn(2, 1, 3, 16, 16)
    signal, spread = model.alphas[400].sqrt(), (1 - model.alphas[400]).sqrt()
    right = signal * added - spread * clean if kind == "v_prediction" else clean
    knowing = dataclasses.replace(model, unet=lambda *_: types.SimpleNamespace(sample=right))
    torch.testing.assert_close(knowing.noise(signal * clean + spread * added, 400), added, atol=1e-4, rtol=1e-4)


class SmoothPrior(torch.nn.Module):
    """The best possible denoiser of Gaussian pictures whose power falls with frequency: exact, in Fourier space."""

    def __init__(self, side, alphas):
        super().__init__()
        self.config = types.SimpleNamespace(sample_size=side, block_out_channels=(1,), in_channels=3)
        along = torch.fft.fftfreq(side)
        self.power = 20 / (1 + (16 * torch.hypot(along[:, None], along[None])) ** 4)
        self.alphas = alphas

    def forward(self, noisy, timestep):
        alpha = self.alphas[timestep]
        share = (1 - alpha).sqrt() / (alpha * self.power + 1 - alpha)
        return types.SimpleNamespace(sample=torch.fft.ifft2(torch.fft.fft2(noisy) * share).real)


def test_what_the_prior_does_not_know_is_averaged_away():
    """For a Gaussian prior the mean step shrinks each frequency by how improbable it is: details go, forms stay."""
    alphas = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    model = sds.Model(SmoothPrior(64, alphas), None, alphas, "epsilon", None, "cpu")
    y, x = np.mgrid[:64, :64]
    forms = 0.3 * np.sin(2 * np.pi * x / 64)
    image = (0.5 + (forms + 0.15 * (-1.0) ** (x + y))[..., None] * np.ones(3)).astype(np.float32)
    spectra = [np.abs(np.fft.fft2(p[..., 1])) for p in sds.simplified(image, 5, model)]
    details = [s[32, 32] for s in spectra]
    assert all(coarser < 0.8 * finer for finer, coarser in itertools.pairwise(details))
    assert details[4] < 0.2 * details[0]
    assert spectra[4][0, 1] > 0.75 * spectra[0][0, 1]


class FakeTransformers(types.ModuleType):
    """Stands in for transformers, which tests do not install: an empty prompt is three tokens of zeros, embedded."""

    class Tokenizer:
        model_max_length = 3

        @classmethod
        def from_pretrained(cls, *_, **__):
            return cls()

        def __call__(self, prompt, **_):
            assert prompt == ""
            return types.SimpleNamespace(input_ids=torch.zeros(1, 3, dtype=torch.long))

    class Encoder(torch.nn.Embedding):
        @classmethod
        def from_pretrained(cls, *_, **__):
            torch.manual_seed(3)
            return cls(5, 6)

        def forward(self, tokens):
            return (super().forward(tokens),)


def test_models_with_prompts_get_the_empty_one(tmp_path, monkeypatch):
    """The text encoder is asked once, for "", and every prediction is conditioned on its answer."""
    name = saved(tmp_path, {"unet": prompted_unet(4, 8), "vae": autoencoder()})
    index = json.loads((tmp_path / "model_index.json").read_text())
    index |= {"tokenizer": ["transformers", "Tokenizer"], "text_encoder": ["transformers", "Encoder"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    monkeypatch.setitem(sys.modules, "transformers", FakeTransformers("transformers"))
    model, _ = sds.load(name)
    assert model.prompt.shape == (1, 3, 6)
    assert len(sds.simplified(picture(), 2, model)) == 2
    latents = torch.randn(1, 4, 8, 8)
    with torch.no_grad():
        other = dataclasses.replace(model, prompt=model.prompt + 1)
        assert not torch.equal(model.noise(latents, 100), other.noise(latents, 100))


def test_what_cannot_be_used_is_refused_in_words(tmp_path):
    """No such folder, a folder of something else, a damaged one, a model that wants a prompt but has no words."""
    for name in (str(tmp_path / "nowhere"), "model.safetensors", str(tmp_path)):
        with pytest.raises(InvalidInput) as caught:
            sds.load(name)
        assert caught.value.failure.code == "unreadable-input"
        assert caught.value.failure.field == "diffusion_model"
    folder = tmp_path / "prompted"
    name = saved(folder, {"unet": prompted_unet(4, 8), "vae": autoencoder()})
    with pytest.raises(InvalidInput) as caught:
        sds.load(name)
    assert caught.value.failure.code == "unusable-input"
    next((folder / "unet").glob("*.safetensors")).write_bytes(b"damaged")
    with pytest.raises(InvalidInput) as caught:
        sds.load(name)
    assert caught.value.failure.code == "unreadable-input"


def test_only_an_id_of_the_hub_is_ever_downloaded(tmp_path, monkeypatch):
    """A folder is read with the net switched off; a hub id, which the user has to name, may be fetched."""
    asked = []

    def recorded(place, local_files_only):
        asked.append((place, local_files_only))
        raise OSError("not here")

    monkeypatch.setattr(diffusers.DiffusionPipeline, "load_config", recorded)
    for name in (str(tmp_path), "owner/name"):
        with pytest.raises(InvalidInput):
            sds.load(name)
    assert asked == [(str(tmp_path), True), ("owner/name", False)]


def test_a_missing_package_says_what_to_install(monkeypatch):
    """The remedy is a command."""
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(InvalidInput) as caught:
        simplified(picture(), VectorizeParams(simplify="sds", diffusion_model="owner/name"))
    assert "pip install 'tessera[pretrained]'" in caught.value.failure.remedy


def test_it_can_be_cancelled_between_steps():
    """Asked at each step."""
    alphas = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    model = sds.Model(SmoothPrior(16, alphas), None, alphas, "epsilon", None, "cpu")
    asked = []
    progress = Progress(cancelled=lambda: asked.append(1) or len(asked) > 3)
    with pytest.raises(Cancelled):
        sds.simplified(picture(16, 16), 5, model, progress=progress)
    assert len(asked) == 4


def test_the_run_says_which_weights_were_used(tmp_path):
    """By name and hash, and where they ran; without networks there are none."""
    folder = saved(tmp_path / "tiny-model", {"unet": plain_unet(3, 16)})
    params = VectorizeParams(engine="paper", paths=3, levels=2, simplify="sds", diffusion_model=folder)
    meta = vectorize(picture(), params).meta
    assert (meta["weights"], meta["device"], meta["simplify"]) == ("tiny-model", "cpu", "sds")
    assert meta["sha256"] == meta["diffusion"]["sha256"]
    plain = vectorize(picture(), dataclasses.replace(params, simplify="structural", diffusion_model="")).meta
    assert (plain["weights"], plain["device"], "sha256" in plain) == (None, "cpu", False)
