"""Gradients of the kernels against finite differences, and a descent that must arrive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.vector_raster import Gradients, Paint, Raster, Scene
from tessera_backend.vector_raster.raster import opaque_paths

from .vector_scenes import blobs, mixed

SIDE = 24
STEP = 1e-6
# A kink, or a pixel whose nearest edge changes, may lie within a step; no wrong formula is right elsewhere.
BAD_SHARE = 0.02


def parts(scene: Scene, found: Gradients) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name, values and slopes of all that is differentiable."""
    paint = scene.paint
    return [
        ("points", scene.points, found.points),
        ("geometry", paint.geometry, found.geometry),
        ("offsets", paint.offsets, found.offsets),
        ("colors", paint.colors, found.colors),
        ("opacity", scene.opacity, found.opacity),
        ("stroke", scene.stroke, found.stroke),
    ]


def slope(raster: Raster, scene: Scene, upstream: np.ndarray, values: np.ndarray, at: tuple[int, ...]) -> float:
    """The central difference of sum(upstream * image)."""
    middle, sides = values[at], []
    for step in (STEP, -STEP):
        values[at] = middle + step
        sides.append((raster.forward(scene) * upstream).sum())
    values[at] = middle
    return (sides[0] - sides[1]) / (2 * STEP)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([3, 4]), st.booleans())
def test_finite_differences(seed: int, channels: int, strokes: bool) -> None:
    """On tangled scenes of any paint every derivative is the slope of the image, under random upstream gradients."""
    scene = mixed(SIDE, 5, seed, strokes)
    random = np.random.default_rng(seed)
    raster = Raster(SIDE, SIDE, channels, dtype=np.float64, segments=5)
    upstream = random.normal(size=(SIDE, channels, SIDE))
    raster.forward(scene)
    found = raster.backward(upstream)
    opaque = opaque_paths(scene)
    bad, checked = 0, 0
    for name, values, slopes in parts(scene, found):
        for index in random.permutation(values.size)[:24]:
            at = np.unravel_index(index, values.shape)
            alpha = name == "opacity" or (name == "colors" and at[2] == 3)
            if (alpha and opaque[at[0]]) or (name == "stroke" and not strokes):
                assert slopes[at] == 0
                continue
            difference = abs(slope(raster, scene, upstream, values, at) - slopes[at])
            bad += difference > 1e-6 * (1 + np.abs(slopes).max())
            checked += 1
    assert bad <= BAD_SHARE * checked


def test_single_precision_follows_double() -> None:
    """float32, which the optimizer uses, differs from float64 by rounding only."""
    scene = mixed(64, 20, 5)
    upstream = np.random.default_rng(0).normal(size=(64, 3, 64))
    single, double = Raster(64, 64), Raster(64, 64, dtype=np.float64)
    assert np.abs(single.forward(scene) - double.forward(scene)).max() < 2e-6
    for (name, _, exact), (_, _, rough) in zip(
        parts(scene, double.backward(upstream)), parts(scene, single.backward(upstream)), strict=True
    ):
        assert rough.dtype == np.float32
        assert np.abs(exact - rough).max() <= 1e-4 * (1 + np.abs(exact).max()), name


def test_backward_may_be_asked_twice() -> None:
    """Two losses of one image: nothing that `forward` left is used up."""
    raster, scene = Raster(32, 32), mixed(32, 6, 1)
    upstream = np.random.default_rng(0).normal(size=(32, 3, 32)).astype(np.float32)
    raster.forward(scene)
    first, second = raster.backward(upstream), raster.backward(upstream)
    for (_, _, a), (_, _, b) in zip(parts(scene, first), parts(scene, second), strict=True):
        assert np.array_equal(a, b)


def test_edges_on_the_pixel_grid_can_move() -> None:
    """A square on whole pixels: coverage has a kink there, and the gradient is the one of a square that grows."""
    corners = np.array([[8.0, 8], [16, 8], [16, 16], [8, 16]])
    after = np.roll(corners, -1, 0)
    points = np.stack([corners, corners + (after - corners) / 3, after - (after - corners) / 3], 1).reshape(-1, 2)
    for order in (points, np.roll(points, -1, 0)[::-1]):
        scene = Scene(
            24, 24, order.copy(), np.array([0, 12]), np.array([0, 1]),
            Paint.solid(np.zeros((1, 3))), np.ones(1), np.zeros(1, bool), np.zeros(1),
        )  # fmt: skip
        raster = Raster(24, 24)
        image = raster.forward(scene)
        assert np.allclose(1 - image[:, 0], np.pad(np.ones((8, 8)), 8), atol=1e-6)
        slopes = raster.backward(np.ones((24, 3, 24))).points
        # Each side darkens three channels by its length as it moves outwards.
        outwards = np.sign(np.round(order - 12, 6)) * (np.abs(order - 12) == 4)
        moved = (slopes * outwards).sum()
        assert moved == pytest.approx(-4 * 8 * 3, rel=1e-5)


def test_descent_reaches_a_known_shape() -> None:
    """From a disc elsewhere, of another size and colour, Adam finds the picture of a tangled blob."""
    target_scene, scene = blobs(48, 1, 3), blobs(48, 1, 3)
    target_scene.points[:] += np.random.default_rng(1).normal(0, 1, scene.points.shape)
    scene.points[:] = target_scene.points.mean(0) + [4, -3] + (scene.points - scene.points.mean(0)) * 0.5
    scene.paint.colors[..., :3] = 0.5
    raster = Raster(48, 48)
    target = raster.forward(target_scene)
    values = [scene.points, scene.paint.colors]
    means, squares = [0.0, 0.0], [0.0, 0.0]
    errors = []
    for step in range(1, 401):
        difference = raster.forward(scene) - target
        errors.append(float((difference**2).mean()))
        found = raster.backward(2 * difference / difference.size)
        for i, (slopes, rate) in enumerate(((found.points, 0.6), (found.colors, 0.03))):
            means[i] = 0.9 * means[i] + 0.1 * slopes
            squares[i] = 0.99 * squares[i] + 0.01 * slopes**2
            size = np.sqrt(squares[i] / (1 - 0.99**step)) + 1e-12
            values[i] -= rate * (1 - step / 401) * means[i] / (1 - 0.9**step) / size
    assert errors[0] > 0.01
    assert errors[-1] < 1e-3 * errors[0]
