"""Guidance by CLIP, with a network so small that the tests make it, and open_clip's functions if it is not there."""

import dataclasses
import hashlib
import json
import logging
import sys
import types

import numpy as np
import pytest
import torch

from tessera_backend.voxelize import direct, voxelize
from tessera_backend.voxelize.finetune.clip import Guidance
from tessera_backend.voxelize.finetune.descent import descend
from tessera_backend.voxelize.finetune.field import around
from tessera_backend.voxelize.finetune.loss import Views
from tessera_backend.voxelize.finetune.targets import of_views
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.render.views import six_views
from tessera_backend.voxelize.shape.hull import coverages, inside
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import VoxelizeParams

from .voxel_meshes import ball, box, mesh

NAME, SIZE = "tiny-test", 32


class Tiny(torch.nn.Module):
    """What guidance asks of a model of open_clip: `visual` with its image's size, mean and spread; `encode_image`."""

    def __init__(self):
        super().__init__()
        self.visual = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 8, 8), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(8 * (SIZE // 8) ** 2, 24)
        )
        self.visual.image_size = (SIZE, SIZE)
        self.visual.image_mean, self.visual.image_std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)

    def encode_image(self, images):
        assert images.shape[1:] == (3, SIZE, SIZE)
        return self.visual(images)


def create_model(name, pretrained):
    assert name == NAME
    model = Tiny()
    model.load_state_dict(torch.load(pretrained, weights_only=True))
    return model


@pytest.fixture(autouse=True)
def open_clip(monkeypatch):
    """A few functions of the package; not a replacement."""
    package = types.ModuleType("open_clip")
    package.list_models = lambda: [NAME, "fetching"]
    package.get_model_config = lambda name: {"text_cfg": {"hf_model_name": "x"} if name == "fetching" else {}}
    package.create_model = create_model
    monkeypatch.setitem(sys.modules, "open_clip", package)


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "tiny.pt"
    torch.save(Tiny().state_dict(), path)
    return str(path)


def figure():
    """A red body with a blue head."""
    parts = [box((-2, -1, 0), (2, 1, 5)), ball((0, 0, 6), 1.3, 12)]
    rgb = [(0.8, 0.1, 0.1, 1.0), (0.1, 0.1, 0.9, 1.0)]
    return mesh(*parts, colors=np.concatenate([np.tile(c, (len(p), 3, 1)) for p, c in zip(parts, rgb, strict=True)]))


def problem():
    shape = figure()
    grid, begin = Grid.fitted(shape, 16), direct.voxelized(shape, 16, 4)
    views = six_views(shape, grid)
    field = around(begin.labels, coverages(views, grid, inside(views, grid)))
    return field, views, begin


def test_gradients_reach_opacities_and_colours(weights):
    """Of many voxels, in every view; none of the network's weights."""
    field, views, _ = problem()
    guide = Guidance(NAME, weights).on(field, views)
    alpha = torch.full((len(field),), 0.7, requires_grad=True)
    rgb = torch.full((len(field), 3), 0.4, requires_grad=True)
    guide(alpha, rgb).backward()
    assert (alpha.grad != 0).float().mean() > 0.2
    assert (rgb.grad != 0).float().mean() > 0.2


def test_voxels_are_more_like_their_own_mesh(weights):
    """Than they are in other colours, or than others are; from -1 to 1."""
    _, views, begin = problem()
    guidance = Guidance(NAME, weights)
    own = guidance.similarity(begin, views)
    swapped = guidance.similarity(dataclasses.replace(begin, palette=255 - begin.palette), views)
    upside_down = guidance.similarity(dataclasses.replace(begin, labels=begin.labels[..., ::-1].copy()), views)
    assert -1 <= max(swapped, upside_down) < own <= 1
    assert own > 0.9


def test_the_guide_alone_makes_its_loss_fall(weights):
    """From grey mist, without any view to look like: less is left of it, patch for patch."""
    field, views, begin = problem()
    targets = of_views(views, begin.labels, begin.palette)
    guidance = Guidance(NAME, weights, seed=1)

    def measured(solid, label):
        alpha = torch.tensor(solid, dtype=torch.float32)
        rgb = torch.tensor(begin.palette[label] / 255, dtype=torch.float32)
        fresh = guidance.on(field, views)
        return float(torch.stack([fresh(alpha, rgb) for _ in range(20)]).mean())

    class Nothing(Views):
        def loss(self, alpha, rgb, weights, emphasis=None):
            return 0 * alpha.sum()

    wrong = np.zeros((len(field), len(begin.palette)), np.float32)
    wrong[np.arange(len(field)), (field.label + 1) % len(begin.palette)] = 1.0
    found = descend(
        field, Nothing(field.index, targets), begin.palette, 60, logits=wrong, guide=guidance.on(field, views)
    )
    before = measured(field.solid, wrong.argmax(1))
    after = measured(found.solid, found.logits.argmax(1))
    assert after < 0.8 * before
    assert len(found.losses["clip"]) == 2


def test_patches_are_the_meshs_own_where_the_voxels_are_as_fine(weights):
    """A mesh of voxels' own faces: nothing differs but what resizing leaves, and it stands upright."""
    shape = mesh(box((0, 0, 0), (8, 8, 8)), colors=np.full((12, 3, 4), (0.2, 0.6, 0.9, 1.0)))
    grid, begin = Grid.fitted(shape, 8), direct.voxelized(shape, 8, 2)
    views = six_views(shape, grid)
    field = around(begin.labels, coverages(views, grid, inside(views, grid)))
    rgb = torch.tensor(begin.palette[field.label] / 255, dtype=torch.float32)
    lost = Guidance(NAME, weights).on(field, views)(torch.tensor(field.solid, dtype=torch.float32), rgb)
    assert float(lost) < 1e-3


def test_the_job_says_what_guided_it(weights):
    """Model, file and hash; and without weights nothing does."""
    made = voxelize(
        figure(), VoxelizeParams(side=12, engine="voxify", iterations=12, clip_model=NAME, clip_weights=weights)
    )
    meta = made.meta
    assert (meta["guidance"], meta["clip_model"], meta["weights"]) == ("clip", NAME, "tiny.pt")
    with open(weights, "rb") as file:
        assert meta["sha256"] == hashlib.sha256(file.read()).hexdigest()
    assert 0 < meta["clip_similarity"] <= 1
    assert len(meta["losses"]["clip"]) == 2
    plain = voxelize(figure(), VoxelizeParams(side=12, engine="voxify", iterations=12)).meta
    assert plain["weights"] is None
    assert "guidance" not in plain


def test_what_cannot_be_loaded_is_refused_in_words(weights, tmp_path, monkeypatch):
    """Before any work: unknown models, models that fetch, files missing or of something else, the package missing."""
    (tmp_path / "text").write_bytes(b"hello")
    torch.save({"layer": torch.zeros(3)}, tmp_path / "other")
    cases = [("no-such-model", weights, "clip_model"), ("fetching", weights, "clip_model")]
    cases += [(NAME, str(tmp_path / name), "clip_weights") for name in ("missing", ".", "text", "other")]
    for name, file, field in cases:
        with pytest.raises(InvalidInput) as caught:
            voxelize(figure(), VoxelizeParams(side=8, engine="voxify", clip_model=name, clip_weights=file))
        assert caught.value.failure.field == field
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(InvalidInput) as caught:
        Guidance(NAME, weights)
    assert "pip install 'tessera[pretrained]'" in caught.value.failure.remedy


def test_the_real_package_does_the_same(tmp_path, monkeypatch):
    """With a model of three layers and random weights, where open-clip-torch is installed."""
    monkeypatch.delitem(sys.modules, "open_clip")
    package = pytest.importorskip("open_clip")
    vision = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}
    text = {"context_length": 8, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}
    config = {"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}
    (tmp_path / f"{NAME}.json").write_text(json.dumps(config))
    package.add_model_config(tmp_path / f"{NAME}.json")
    logging.disable(logging.WARNING)
    torch.save(package.create_model(NAME).state_dict(), tmp_path / "real.pt")
    logging.disable(logging.NOTSET)
    params = VoxelizeParams(
        side=12, engine="voxify", iterations=12, clip_model=NAME, clip_weights=str(tmp_path / "real.pt")
    )
    assert voxelize(figure(), params).meta["weights"] == "real.pt"
