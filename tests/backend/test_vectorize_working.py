"""The raster that shapes are fitted to: kinds of pictures, their scale, their transparency."""

from __future__ import annotations

import numpy as np
import pytest

from tessera_backend.progress import SILENT
from tessera_backend.vectorize.working import prepare

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


@pytest.mark.parametrize(
    "image",
    [
        GREY,
        np.dstack([GREY] * 3),
        np.dstack([GREY, np.full_like(GREY, 255)]),
        np.dstack([GREY] * 3 + [np.full_like(GREY, 255)]),
        GREY.astype(np.uint16) * 257,
        GREY / 255,
        (GREY / 255).astype(np.float16),
    ],
    ids=["grey", "RGB", "grey and alpha", "RGBA", "16 bit", "float64", "float16"],
)
def test_all_kinds_of_one_picture_are_the_same(image: np.ndarray) -> None:
    """sRGB from 0 to 1; full alpha is no alpha."""
    prepared = prepare(image, 512, SILENT)
    assert (prepared.image.dtype, prepared.image.shape, prepared.alpha) == (np.float32, (6, 8, 3), None)
    np.testing.assert_allclose(prepared.image, np.dstack([GREY] * 3) / 255, atol=3e-4)
    assert prepared.inside.all()
    assert prepared.target.shape == (6, 3, 8)


@pytest.mark.parametrize(
    ("shape", "raster"), [((300, 100), (64, 21)), ((100, 300), (21, 64)), ((64, 10), (64, 10)), ((400, 100), (64, 16))]
)
def test_only_large_pictures_are_scaled(shape: tuple[int, int], raster: tuple[int, int]) -> None:
    """The longer side becomes the resolution, no side less than a pixel; the mean tone stays."""
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    prepared = prepare(image, 64, SILENT)
    assert prepared.image.shape[:2] == raster
    assert prepared.size == shape[::-1]
    assert abs(float(prepared.image.mean()) - image.mean() / 255) < 0.02


def test_banners_are_not_squeezed() -> None:
    """Beyond 4 : 1 the number of pixels stays, so that something is left of what a long picture shows."""
    assert prepare(np.zeros((60, 20_000), np.uint8), 512, SILENT).image.shape[:2] == (14, 4674)
    assert prepare(np.zeros((900, 3), np.uint8), 64, SILENT).image.shape[:2] == (554, 2)
    assert prepare(np.zeros((1, 9000), np.uint8), 64, SILENT).image.shape[:2] == (1, 3036)


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that is read in strips is the same as one that is read at once."""
    image = np.random.default_rng(1).integers(0, 256, (90, 120, 4), np.uint8)
    whole = prepare(image, 64, SILENT)
    monkeypatch.setattr("tessera_backend.vectorize.working._STRIP_PIXELS", 1000)
    strips = prepare(image, 64, SILENT)
    np.testing.assert_array_equal(whole.rgba, strips.rgba)


def test_transparent_pixels_lend_no_colour() -> None:
    """What a file has beneath its transparency shows neither at the rim, scaled down, nor in the target."""
    image = np.zeros((128, 128, 4), np.uint8)
    image[...] = [255, 0, 255, 0]
    image[20:101, 30:91] = [0, 160, 0, 255]
    prepared = prepare(image, 64, SILENT)
    assert prepared.alpha is not None
    np.testing.assert_allclose(prepared.image, np.broadcast_to([0, 160 / 255, 0], (64, 64, 3)), atol=5e-3)
    assert prepared.target.shape == (64, 4, 64)
    assert (prepared.target[:, 0] < 0.01).all()
    assert abs(np.count_nonzero(prepared.inside) - 81 * 61 / 4) < 60


def test_nothing_at_all() -> None:
    """All transparent: nothing is inside, and nothing is undefined."""
    prepared = prepare(np.zeros((5, 4, 4), np.uint8), 64, SILENT)
    assert not prepared.inside.any()
    assert np.isfinite(prepared.rgba).all()
