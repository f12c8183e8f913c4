"""Measures of drawings, against closed forms."""

import dataclasses
import sys
import types

import numpy as np
import pytest

from tessera_backend import vector_raster
from tessera_backend.vectorize import Drawing, Path, metrics
from tessera_backend.vectorize.svg import to_svg
from tests.backend.test_vectorize_svg import blobs, box


def test_mse_and_psnr():
    """A tenth everywhere is an MSE of 0.01, 20 dB."""
    image = np.full((8, 9, 3), 0.5)
    assert metrics.mse(image, image + 0.1) == pytest.approx(0.01)
    assert metrics.psnr(image, image + 0.1) == pytest.approx(20)
    assert metrics.psnr(image, image) == float("inf")


@pytest.mark.parametrize("side", [1, 2, 4, 9, 32])
def test_ssim(side):
    """1 for equal images of any size, less for others."""
    image = np.random.default_rng(0).random((side, side, 3))
    assert metrics.ssim(image, image) == pytest.approx(1)
    assert metrics.ssim(image, 1 - image) < 0.5


def test_lpips_is_never_made_up(monkeypatch, tmp_path):
    """None without the package or without its weights; nothing is downloaded."""
    image = np.zeros((16, 16, 3))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    package = types.ModuleType("lpips")
    package.__spec__ = types.SimpleNamespace()
    package.im2tensor = lambda picture: np.moveaxis(picture, 2, 0)[None] / 127.5 - 1
    package.LPIPS = lambda net, verbose: lambda a, b: np.abs(a - b).mean()
    monkeypatch.setitem(sys.modules, "lpips", package)
    assert metrics.lpips(image, image + 1) is None
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    (tmp_path / "hub/checkpoints/alexnet-owt-7be5be79.pth").touch()
    assert metrics.lpips(image, image + 1) == pytest.approx(2)
    monkeypatch.setattr(metrics.importlib.util, "find_spec", lambda name: None)
    assert metrics.lpips(image, image + 1) is None


def test_vec():
    """Over 85 % of a path's own area inside one mask, what lies over it does not matter."""
    masks = np.zeros((2, 20, 20), bool)
    masks[0, :, :10], masks[1, :, 10:] = True, True
    paths = (
        Path((box(0, 0, 20, 20),), np.zeros(3)),  # across both
        Path((box(0, 0, 10, 10),), np.zeros(3)),  # inside one
        Path((box(0, 0, 11, 10),), np.zeros(3)),  # 91 % inside
        Path((box(5, 0, 15, 10),), np.zeros(3)),  # half
        Path((box(30, 30, 40, 40),), np.zeros(3)),  # off the canvas
        Path((box(1, 1, 4, 4), box(12, 12, 15, 15)), np.zeros(3)),  # two islands, each inside one
    )
    drawing = Drawing(20, 20, paths, ("all",))
    assert metrics.vec(drawing, masks) == pytest.approx(4 / 6)
    assert metrics.vec(dataclasses.replace(drawing, paths=()), masks) == 0
    with pytest.raises(ValueError, match="masks are"):
        metrics.vec(drawing, masks[:, :5])


def test_mixed():
    """Two colours in one path are; a gradient, two paths, thin lines, texture and what is near in colour are not."""
    image = np.zeros((40, 200, 3))
    image[:, :40] = np.where(np.arange(40)[:, None] < 20, [0.9, 0.1, 0.1], [0.1, 0.2, 0.9])
    image[:, 40:80] = np.linspace(0, 1, 40)[:, None]
    image[:, 80:120] = 0.2
    image[::6, 80:120] = image[1::6, 80:120] = 1.0
    image[:, 120:160] = np.random.default_rng(0).integers(0, 2, (40, 40, 1))
    image[:, 160:] = np.where(np.arange(40)[:, None] < 20, 0.5, 0.6)
    paths = [Path((box(x, 0, x + 40, 40),), np.zeros(3)) for x in range(0, 200, 40)]
    drawing = Drawing(200, 40, tuple(paths), ("all",))
    assert metrics.mixed(drawing, image).tolist() == [True, False, False, False, False]
    over = Path((box(20, 0, 40, 40),), np.zeros(3))
    assert not metrics.mixed(dataclasses.replace(drawing, paths=(*paths, over)), image).any()
    tiny = Path((box(18, 0, 22, 6),), np.zeros(3))
    assert not metrics.mixed(dataclasses.replace(drawing, paths=(tiny,)), image).any()


def test_hidden():
    """An object on its ground costs its own area; a ground that is painted around it costs all the others'."""
    image = np.ones((20, 20, 3))
    image[5:15, 5:15] = [0.8, 0.1, 0.1]
    white, red = np.ones(3), np.array([0.8, 0.1, 0.1])
    ground, thing = Path((box(0, 0, 20, 20),), white), Path((box(5, 5, 15, 15),), red, level=1)
    back, front = metrics.hidden(Drawing(20, 20, (ground, thing), ("a", "b")), image)
    assert (front.bare, front.other) == (0, 0.25)
    assert front.error == pytest.approx(front.plain)
    assert back.bare == 0.75
    around = Path((box(0, 0, 20, 20), box(5, 5, 15, 15)[np.r_[0, 11:0:-1]]), white, level=1)
    wrong = Drawing(20, 20, (dataclasses.replace(ground, fill=red), around), ("a", "b"))
    assert metrics.hidden(wrong, image)[1].other == 0.75
    half = np.zeros((20, 20), bool)
    half[5:15, 5:10] = True
    assert metrics.hidden(Drawing(20, 20, (ground, thing), ("a", "b")), image, half)[0].bare == 0


def test_size():
    """Islands count, holes don't."""
    ring = (box(0, 0, 9, 9), box(2, 2, 7, 7)[np.r_[0, 11:0:-1]])
    svg = to_svg(Drawing(20, 9, (Path((*ring, box(11, 0, 20, 9)), np.zeros(3)),), ("all",)))
    assert metrics.size(svg) == metrics.Size(len(svg), 2, 12, 6.0)


def test_seams():
    """Shapes that meet show the ground along their border at any scale, unless it lies on the pixels' own; an underlap
    covers it; and what the picture leaves open is no seam."""

    def halves(middle, under=0.0):
        left, right = box(-4, -4, middle + under, 24), box(middle, -4, 24, 24)
        return to_svg(Drawing(20, 20, (Path((left,), np.zeros(3)), Path((right,), np.ones(3))), ("all",)))

    assert metrics.seams(halves(10.1)) == 80
    assert metrics.seams(halves(10.1, under=1)) == 0
    square = to_svg(Drawing(20, 20, (Path((box(4.1, 4.1, 15.3, 15.3),), np.zeros(3)),), ("all",)))
    opaque = np.zeros((20, 20), bool)
    opaque[4:16, 4:16] = True
    assert metrics.seams(square) > 0
    assert metrics.seams(square, opaque=opaque) == 0


@pytest.mark.skipif(not hasattr(vector_raster, "Raster"), reason="the rasterizer is not there")
def test_both_renderers_agree(monkeypatch):
    """Without resvg our own rasterizer measures, and gives nearly the same."""
    svg = to_svg(blobs(2))
    theirs = metrics.rendered(svg, 2, (0.2, 0.4, 0.6))
    monkeypatch.setattr(metrics.importlib.util, "find_spec", lambda name: None)
    ours = metrics.rendered(svg, 2, (0.2, 0.4, 0.6))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).mean() < 2 / 255
