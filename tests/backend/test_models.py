"""Files of weights: what goes in comes out, and what is wrong with them is said."""

import pytest
import torch

from tessera_backend import models
from tessera_protocol.errors import InvalidInput

META = {"kind": "test", "architecture": {"width": 4}, "data": ["a", "b"], "steps": 7}


def test_what_is_saved_is_loaded(tmp_path):
    """Tensors to float16's precision, whole numbers as they are, and the description as it was."""
    tensors = {"weight": torch.linspace(-3, 3, 12).reshape(3, 4).T, "count": torch.arange(5)}
    models.save(tmp_path / "w.safetensors", tensors, META)
    loaded = models.load(tmp_path / "w.safetensors", "test")
    assert loaded.meta == META
    assert loaded.file == "w.safetensors"
    assert len(loaded.sha256) == 64
    assert loaded.tensors["weight"].dtype == torch.float32
    torch.testing.assert_close(loaded.tensors["weight"], tensors["weight"], atol=2e-3, rtol=0)
    assert torch.equal(loaded.tensors["count"], tensors["count"])


def test_no_halves_are_left_behind(tmp_path):
    """A file that can't be written is an error, not half a file."""
    with pytest.raises(InvalidInput) as caught:
        models.save(tmp_path / "nowhere" / "w.safetensors", {"a": torch.ones(1)}, META)
    assert caught.value.failure.code == "unusable-input"


@pytest.mark.parametrize("content", [None, b"", b"not a safetensors file at all", b"\xff" * 100])
def test_a_bad_file_is_named(tmp_path, content):
    """Missing, empty and foreign files are the user's to mend, and the message says which."""
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        models.load(path)
    assert caught.value.failure.code == "unreadable-input"
    assert "w.safetensors" in caught.value.failure.problem


def test_another_engines_weights_are_refused(tmp_path):
    """Both kinds are named."""
    models.save(tmp_path / "w.safetensors", {"a": torch.ones(1)}, META)
    with pytest.raises(InvalidInput) as caught:
        models.load(tmp_path / "w.safetensors", "stipple-local")
    assert caught.value.failure.code == "unusable-input"
    assert (caught.value.failure.given, caught.value.failure.allowed) == ("test", "stipple-local")
