"""The torch side of the rasterizer: kernels, reference and torch operations agree, and the door is guarded."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch

from tessera_backend.vector_raster import Scene, autograd, gpu, reference
from tessera_backend.vector_raster.autograd import render
from tessera_protocol.errors import TesseraError

from .vector_scenes import blobs, mixed

SIDE = 32
NAMES = ("points", "colors", "geometry", "offsets", "opacity", "stroke")


def tensors(scene: Scene, dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    """Leaves for all that is differentiable."""
    paint = scene.paint
    values = scene.points, paint.colors, paint.geometry, paint.offsets, scene.opacity, scene.stroke
    return {n: torch.tensor(v, dtype=dtype, requires_grad=True) for n, v in zip(NAMES, values, strict=True)}


def drawn(scene: Scene, leaves: dict[str, torch.Tensor], **options: Any) -> torch.Tensor:
    """`render` of a scene of numpy arrays."""
    leaves = dict(leaves)
    return render(
        leaves.pop("points"),
        scene.contours,
        scene.paths,
        leaves.pop("colors"),
        width=scene.width,
        height=scene.height,
        kind=scene.paint.kind,
        even_odd=scene.even_odd,
        **leaves,
        **options,
    )


@pytest.fixture(params=["kernels", "torch operations"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How "tessera" renders: on the CPU, or (tried out on the CPU) on an accelerator."""
    if request.param == "torch operations":
        monkeypatch.setattr(reference, "render", gpu.render)
        return "reference"
    return "tessera"


@pytest.mark.parametrize("strokes", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_reference(
    seed: int, strokes: bool, way: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Image and all gradients, under random upstream gradients, on a random ground, to rounding."""
    scene, channels = mixed(SIDE, 7, seed, strokes), 3 + seed % 2
    torch.manual_seed(seed)
    upstream, ground = (torch.randn(SIDE, SIDE, channels, dtype=torch.float64) for _ in range(2))
    ours = tensors(scene)
    image = drawn(scene, ours, channels=channels, background=ground, raster=way)
    image.backward(upstream)
    monkeypatch.undo()
    theirs = tensors(scene)
    wanted = drawn(scene, theirs, channels=channels, background=ground, raster="reference")
    wanted.backward(upstream)
    assert torch.allclose(image, wanted, atol=1e-12)
    for name in NAMES:
        a, b = ours[name].grad, theirs[name].grad
        assert torch.allclose(a, b, atol=1e-10 * (1 + float(b.abs().max()))), name


def test_the_reference_passes_gradcheck() -> None:
    """What kernels are measured by is right itself."""
    scene = mixed(10, 2, 4)
    scene.opacity[:] = 0.6
    leaves = tensors(scene)

    def function(*values: torch.Tensor) -> torch.Tensor:
        return drawn(scene, dict(zip(NAMES, values, strict=True)), segments=3, raster="reference")

    assert torch.autograd.gradcheck(function, [leaves[name] for name in NAMES[:5]] + [leaves["stroke"].detach()])


def test_single_precision_and_defaults() -> None:
    """float32 in, float32 out; colours alone are solid and opaque, on white."""
    scene = blobs(SIDE, 5, 0)
    points = torch.tensor(scene.points, dtype=torch.float32, requires_grad=True)
    colors = torch.tensor(scene.paint.colors[:, 0, :3], dtype=torch.float32, requires_grad=True)
    image = render(points, scene.contours, scene.paths, colors, width=SIDE, height=SIDE)
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == torch.float32
    exact = drawn(scene, tensors(scene), raster="reference")
    assert torch.allclose(image.double(), exact, atol=1e-5)
    image.square().mean().backward()
    assert float(points.grad.abs().max()) > 0
    assert colors.grad.shape == (5, 3)


def test_two_images_before_either_backward() -> None:
    """Each image keeps what its own gradients need."""
    first, second = mixed(SIDE, 4, 0), mixed(SIDE, 4, 1)
    alone = tensors(first)
    drawn(first, alone).sum().backward()
    leaves = tensors(first)
    image = drawn(first, leaves)
    drawn(second, tensors(second))
    image.sum().backward()
    assert torch.equal(leaves["points"].grad, alone["points"].grad)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_accelerators(device: str) -> None:
    """The same picture and gradients on the device, to single precision."""
    if not getattr(torch.backends, device).is_available() if device == "mps" else not torch.cuda.is_available():
        pytest.skip(f"no {device} on this machine")
    scene = mixed(SIDE, 7, 2)
    leaves, wanted = tensors(scene, torch.float32), tensors(scene)
    there = {name: value.detach().to(device).requires_grad_() for name, value in leaves.items()}
    image = drawn(scene, there)
    exact = drawn(scene, wanted)
    assert image.device.type == device
    assert torch.allclose(image.cpu().double(), exact, atol=1e-3)
    image.sum().backward()
    exact.sum().backward()
    worst = (there["points"].grad.cpu().double() - wanted["points"].grad).abs().max()
    assert worst < 1e-2 * wanted["points"].grad.abs().max()


@pytest.mark.parametrize("seed", range(2))
def test_parity_with_diffvg(seed: int) -> None:
    """diffvg's samples scatter around our image and our gradients."""
    if importlib.util.find_spec("pydiffvg") is None:
        pytest.skip("pydiffvg is not installed: it has to be built from source")
    scene = blobs(64, 6, seed)
    ours, theirs = tensors(scene, torch.float32), tensors(scene, torch.float32)
    image = drawn(scene, ours)
    peer = drawn(scene, theirs, raster="diffvg")
    assert (image - peer).abs().mean() < 2 / 255
    image.square().mean().backward()
    peer.square().mean().backward()
    a, b = ours["points"].grad.flatten(), theirs["points"].grad.flatten()
    assert torch.nn.functional.cosine_similarity(a, b, dim=0) > 0.9


def test_diffvg_where_it_is_missing() -> None:
    """A sentence, not an ImportError."""
    if importlib.util.find_spec("pydiffvg") is not None:
        pytest.skip("pydiffvg is installed")
    scene = blobs(8, 1, 0)
    with pytest.raises(TesseraError, match="pydiffvg is not installed"):
        drawn(scene, tensors(scene), raster="diffvg")


def wrong(**changes: Any) -> dict[str, Any]:
    return changes


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("raster", wrong(raster="cairo")),
        ("channels", wrong(channels=2)),
        ("opacity", wrong(opacity=torch.ones(1, dtype=torch.float32))),
        ("geometry", wrong(geometry=torch.ones(2, 4, dtype=torch.float64))),
        ("background", wrong(background=torch.ones(4, dtype=torch.float64))),
        ("points", wrong(points=torch.full((12, 2), torch.nan, dtype=torch.float64))),
        ("points", wrong(points=torch.zeros(12, 2, dtype=torch.int64))),
    ],
)
def test_wrong_arguments_are_named(field: str, changes: dict[str, Any]) -> None:
    scene = blobs(8, 1, 0)
    leaves: dict[str, Any] = {**tensors(scene), **changes}
    with pytest.raises(TesseraError) as caught:
        drawn(scene, leaves)
    assert caught.value.failure.field == field


def test_no_gradient_is_asked_for() -> None:
    """Without leaves there is an image and no graph."""
    scene = blobs(16, 2, 0)
    leaves = {name: value.detach() for name, value in tensors(scene).items()}
    image = drawn(scene, leaves)
    assert not image.requires_grad
    assert image.min() < 0.99
    assert set(autograd.RASTERS) == {"tessera", "reference", "diffvg"}
    assert np.isfinite(image.numpy()).all()
