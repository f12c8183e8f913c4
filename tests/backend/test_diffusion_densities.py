"""What the learned engines learn from: never empty, within range, and the same for the same seed."""

import numpy as np
import pytest

from tessera_backend import images
from tessera_backend.stipple.diffusion.training import densities
from tessera_protocol.errors import InvalidInput


@pytest.fixture
def folder(tmp_path):
    """Two pictures, one of them in a folder below and nearly white."""
    (tmp_path / "below").mkdir()
    dark = np.full((60, 90), 200, np.uint8)
    dark[10:50, 20:70] = 30
    (tmp_path / "a.png").write_bytes(images.encode_png(dark))
    (tmp_path / "below" / "b.png").write_bytes(images.encode_png(np.full((40, 40), 254, np.uint8)))
    return tmp_path


@pytest.mark.parametrize("shape", [(48, 48), (40, 64)])
@pytest.mark.parametrize("pictured", [False, True])
def test_every_density_can_carry_dots(folder, shape, pictured):
    """Right shape, from 0 to 1, and not nearly empty, though one of the pictures is."""
    known = densities.pictures([folder]) if pictured else []
    rng = np.random.default_rng(5)
    for _ in range(40):
        density = densities.draw(rng, known, shape)
        assert density.shape == shape
        assert density.dtype == np.float32
        assert density.min() >= 0
        assert density.max() <= 1
        assert density.mean() >= 0.01


def test_a_seed_repeats(folder):
    """The same seed and folders, the same densities; another seed, others."""
    known = densities.pictures([folder])
    one, two, other = ([densities.draw(rng, known) for _ in range(3)] for rng in map(np.random.default_rng, [1, 1, 2]))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_dark_is_one(folder):
    """Pictures come as densities, in the order of their names."""
    first, second = densities.pictures([folder])
    assert first[30, 40] == 255 - 30
    assert second.max() == 1


def test_a_folder_without_pictures_is_named(tmp_path):
    """Training on nothing but fields must be asked for, not happen."""
    with pytest.raises(InvalidInput) as caught:
        densities.pictures([tmp_path])
    assert caught.value.failure.code == "missing-input"
