"""The engine `diffusion` as an artist meets it: through the job, with the weights that ship."""

import numpy as np
import pytest

from tessera_backend import models
from tessera_backend.stipple import metrics, stipple
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import MODELS, StippleParams


def ramp(side=256):
    return np.tile(1 - ((np.arange(side) + 0.5) / side) ** 2, (side, 1))


def placed(image=None, **changes):
    params = StippleParams(engine="diffusion", **{"dots": 400, **changes})
    return stipple(ramp() if image is None else image, params)


@pytest.mark.parametrize(("model", "calls"), [("student", 0), ("local", 6), ("paper", 3)])
def test_every_model_says_what_it_was(model, calls):
    """The asked number of dots, on the page; the file of weights, its hash and its calls in the metadata."""
    made = placed(model=model, calls=calls)
    assert made.positions.shape == (400, 2)
    assert (made.positions >= 0).all()
    assert (made.positions <= made.page).all()
    assert made.meta["engine"] == "diffusion"
    assert made.meta["weights"] == f"stipple-{model}.safetensors"
    assert made.meta["sha256"] == models.load(models.shipped(f"stipple-{model}")).sha256
    assert made.meta["calls"] == (calls or 4)
    assert made.meta["device"] == "cpu"
    assert made.meta["polish_steps"] == 3


def test_every_model_has_weights_and_a_card():
    """What the schema offers is in the package, small enough, and says how it was made."""
    total = 0
    for model in MODELS:
        path = models.shipped(f"stipple-{model}")
        total += path.stat().st_size
        assert path.stat().st_size <= 16 << 20
        meta = models.load(path).meta
        assert {"kind", "architecture", "recipe", "steps", "data", "version"} <= set(meta)
        card = path.with_suffix(".md").read_text(encoding="utf-8")
        assert "tessera train stipple" in card
        assert "licence" in card.lower()
    assert total <= 60 << 20


def test_few_steps_keep_the_tone():
    """Dots of the student, polished and bare, follow the strips of x squared; polish makes masses more even."""
    density = 1 - ramp()
    bare, polished = (placed(dots=1024, polish=steps).positions / 200.0 for steps in (0, 3))
    for points in (bare, polished):
        np.testing.assert_allclose(metrics.strips(points), np.array([1, 7, 19, 37]) / 64, atol=0.006)
    errors = [metrics.capacity_error(points, density) for points in (bare, polished)]
    assert errors[1] < errors[0] < 0.02


def test_a_seed_repeats_and_another_differs():
    """Bit for bit; another seed is another arrangement."""
    first, again, other = (placed(seed=seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1


def test_plates_are_placed_apart():
    """Colours work with a network, too: each plate by itself."""
    picture = np.zeros((64, 64, 3))
    picture[:, :32], picture[:, 32:] = (1, 0.2, 0.2), (0.2, 0.4, 1)
    made = placed(picture, plates="palette", palette="#ff2020 #2060ff")
    assert made.meta["plates_placed"] == "apart"
    assert np.bincount(made.plates).tolist() == [plate["dots"] for plate in made.meta["plates"]]
    left = made.positions[:, 0] < made.page[0] / 2
    assert (made.plates[left] == 0).mean() > 0.95


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_weights_that_are_none(tmp_path, content):
    """A missing or damaged file is named, with what to do."""
    path = tmp_path / "mine.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match="mine.safetensors") as caught:
        placed(weights=str(path))
    assert caught.value.failure.field == "weights"
    assert caught.value.failure.remedy


def test_weights_of_another_kind():
    """The paper's weights are not the student's."""
    with pytest.raises(InvalidInput, match="stipple-paper") as caught:
        placed(weights=str(models.shipped("stipple-paper")))
    assert caught.value.failure.code == "unusable-input"
