"""Masks by Segment Anything, with models so small that the tests make them, and torchvision's functions if need be."""

import functools
import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tessera_backend.progress import Progress
from tessera_backend.vectorize import vectorize
from tessera_backend.vectorize.masks import masks, sam
from tessera_protocol.errors import Cancelled, InvalidInput
from tessera_protocol.jobs import VectorizeParams

from . import torchvision_stub

# All that a random model proposes is kept.
LAX = {
    "points_per_side": 4,
    "pred_iou_thresh": -1e9,
    "stability_score_thresh": 0.0,
    "crop_n_layers": 0,
    "box_nms_thresh": 1.0,
}


@pytest.fixture(autouse=True)
def torchvision():
    torch.manual_seed(0)
    with torchvision_stub.importable():
        yield


def tiny(width=16, depth=3, window=3, cells=4):
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    encoder = ImageEncoderViT(
        img_size=16 * cells,
        embed_dim=width,
        depth=depth,
        num_heads=2,
        mlp_ratio=2,
        out_chans=16,
        norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=window,
        global_attn_indexes=(1,),
    )
    prompts = PromptEncoder(16, (cells, cells), (16 * cells, 16 * cells), 8)
    decoder = MaskDecoder(
        transformer_dim=16, transformer=TwoWayTransformer(2, 16, 8, 24), iou_head_depth=3, iou_head_hidden_dim=12
    )
    return Sam(encoder, prompts, decoder, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375])


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "sam_tiny.pth"
    torch.save(tiny().state_dict(), path)
    return str(path)


def picture(seed=0):
    return np.random.default_rng(seed).random((40, 56, 3)).astype(np.float32)


def test_a_checkpoint_says_its_own_sizes(checkpoint):
    """What is built from the weights alone computes what the saved model computes."""
    model, facts = sam.load(checkpoint)
    saved = tiny()
    saved.load_state_dict(torch.load(checkpoint, weights_only=True))
    saved.eval()
    assert [block.window_size for block in model.image_encoder.blocks] == [3, 0, 3]
    with torch.no_grad():
        batch = [{"image": torch.rand(3, 64, 64) * 255, "original_size": (64, 64)}]
        batch[0] |= {"point_coords": torch.full((1, 1, 2), 20.0), "point_labels": torch.ones(1, 1)}
        ours, theirs = model(batch, True)[0], saved(batch, True)[0]
    torch.testing.assert_close(ours["low_res_logits"], theirs["low_res_logits"])
    torch.testing.assert_close(ours["iou_predictions"], theirs["iou_predictions"])
    assert facts["file"] == "sam_tiny.pth"
    assert len(facts["sha256"]) == 64


def test_published_models_are_recognized_by_their_weights():
    """The smallest published one: its sizes come out of the shapes of its weights."""
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        published = sam_model_registry["vit_b"]()
        built = sam._built(published.state_dict())
    assert str(built) == str(published)
    assert {k: v.shape for k, v in built.state_dict().items()} == {
        k: v.shape for k, v in published.state_dict().items()
    }


def test_every_picture_gets_its_masks_the_coarsest_first(checkpoint):
    """Masks of the picture's size; the model is loaded once and asked about each."""
    model, _ = sam.load(checkpoint)
    pictures = [picture(0), picture(1)]
    found = sam.masks(pictures, model, **LAX)
    assert len(found) == 2
    for level, shown in zip(found, reversed(pictures), strict=True):
        alone = sam.masks([shown], model, **LAX)[0]
        assert len(level) == len(alone) > 0
        for mask, again in zip(level, alone, strict=True):
            assert mask.shape == (40, 56)
            assert mask.dtype == np.bool_
            np.testing.assert_array_equal(mask, again)


def test_the_generator_has_the_published_settings(checkpoint, monkeypatch):
    """As in the method's configuration; and the job's masks are pieces without holes, with the model in the facts."""
    import segment_anything

    given = {}

    class Generator:
        def __init__(self, model, **settings):
            given.update(settings)

        def generate(self, image):
            assert image.dtype == np.uint8
            ring = np.zeros(image.shape[:2], bool)
            ring[2:22, 2:22] = True
            ring[8:12, 8:12] = False
            ring[25:38, 30:50] = True
            ring[0, 55] = True
            return [{"segmentation": ring}]

    monkeypatch.setattr(segment_anything, "SamAutomaticMaskGenerator", Generator)
    params = VectorizeParams(masks="sam", sam_checkpoint=checkpoint, levels=2)
    levels, facts = masks([picture(), picture()], np.ones((40, 56), bool), 10, params)
    assert given == {
        "points_per_side": 32,
        "pred_iou_thresh": 0.86,
        "stability_score_thresh": 0.85,
        "crop_n_layers": 1,
        "crop_n_points_downscale_factor": 2,
        "box_nms_thresh": 0.7,
    }
    assert [[int(mask.sum()) for mask in level] for level in levels] == [[400, 260]] * 2
    assert facts["masks"] == "sam"
    assert facts["segment_anything"]["file"] == "sam_tiny.pth"


def test_a_wrong_checkpoint_is_refused_in_words(tmp_path, checkpoint):
    """Missing, a folder, damaged, no weights at all, weights of something else, some weights missing."""
    whole = torch.load(checkpoint, weights_only=True)
    files = {"text": b"hello", "empty": b""}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other")
    torch.save([1, 2], tmp_path / "list")
    torch.save({k: v for k, v in whole.items() if "iou_token" not in k}, tmp_path / "part")
    torch.save(tiny(), tmp_path / "code")  # a pickle that would run code
    for name in ("missing", ".", "text", "empty", "other", "list", "part", "code"):
        with pytest.raises(InvalidInput) as caught:
            sam.load(str(tmp_path / name))
        assert caught.value.failure.code == "unreadable-input", name
        assert caught.value.failure.field == "sam_checkpoint"


def test_a_missing_package_says_what_to_install(checkpoint, monkeypatch):
    """The remedy is a command; also where only torchvision is missing."""
    for name in list(sys.modules):
        if name.startswith("segment_anything"):
            monkeypatch.delitem(sys.modules, name)
    for missing in ("torchvision.ops.boxes", "segment_anything"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            with pytest.raises(InvalidInput) as caught:
                sam.load(checkpoint)
            assert "pip install 'tessera[pretrained]'" in caught.value.failure.remedy
            assert missing.split(".")[0] in caught.value.failure.problem


def test_it_can_be_cancelled_between_pictures(checkpoint):
    """Asked before each picture."""
    model, _ = sam.load(checkpoint)
    asked = []
    progress = Progress(cancelled=lambda: asked.append(1) or len(asked) > 1)
    with pytest.raises(Cancelled):
        sam.masks([picture(), picture()], model, progress, **LAX)


def test_the_run_says_which_weights_were_used(checkpoint, monkeypatch):
    """By name and hash, and the device that they really ran on, as it was asked for."""
    monkeypatch.setattr(sam, "SETTINGS", {**sam.SETTINGS, **LAX})
    params = VectorizeParams(engine="paper", paths=3, levels=2, masks="sam", sam_checkpoint=checkpoint)
    meta = vectorize(picture(), params, device="cpu:0").meta
    assert (meta["weights"], meta["device"], meta["masks"]) == ("sam_tiny.pth", "cpu:0", "sam")
    assert meta["sha256"] == hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest()
