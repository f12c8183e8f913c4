"""Gradients of the rasterizer against finite differences, in float64, on tangled random scenes."""

from __future__ import annotations

import numpy as np
import pytest

from tessera_backend.vector_raster import Paint, Raster, Scene

SIDE = 24
STEP = 1e-6


def tangle(seed: int, kinds: int = 3) -> Scene:
    """Self-crossing paths, partly off the canvas, some with holes, of any paint and opacity."""
    random = np.random.default_rng(seed)
    count = 6
    angle = np.arange(12) * (2 * np.pi / 12)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    centers = random.uniform(0, SIDE, (count + 1, 1, 2))
    points = centers + ring * random.uniform(3, 10, (count + 1, 12, 1)) + random.normal(0, 2, (count + 1, 12, 2))
    geometry = random.uniform(0, SIDE, (count, 4))
    geometry[:, 2] = random.uniform(4, SIDE, count)
    colors = random.uniform(0.1, 0.9, (count, 3, 4))
    colors[::2, :, 3] = 1
    opacity = random.uniform(0.3, 0.9, count)
    opacity[::3] = 1
    return Scene(
        SIDE,
        SIDE,
        points.reshape(-1, 2),
        np.arange(count + 2) * 12,
        np.array([0, 1, 3, 4, 5, 6, 7]),
        Paint(
            random.integers(0, kinds, count).astype(np.int8),
            geometry,
            np.sort(random.uniform(0, 1, (count, 3)), axis=1),
            colors,
        ),
        opacity,
        random.random(count) < 0.5,
        np.zeros(count),
    )


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_finite_differences(seed: int, channels: int) -> None:
    """Every derivative is the slope of the rendered image under a random upstream gradient."""
    scene = tangle(seed)
    random = np.random.default_rng(seed)
    raster = Raster(SIDE, SIDE, channels, dtype=np.float64, segments=5)
    upstream = random.normal(size=(SIDE, channels, SIDE))
    raster.forward(scene)
    found = raster.backward(upstream)
    opaque = (scene.opacity == 1) & (scene.paint.colors[..., 3] == 1).all(1)
    for values, slopes in (
        (scene.points, found.points),
        (scene.paint.geometry, found.geometry),
        (scene.paint.offsets, found.offsets),
        (scene.paint.colors, found.colors),
        (scene.opacity, found.opacity),
    ):
        for index in random.permutation(values.size)[:20]:
            at = np.unravel_index(index, values.shape)
            if opaque[at[0] % len(opaque)] and (values is scene.opacity or (values.ndim == 3 and at[2] == 3)):
                continue
            middle = values[at]
            sides = []
            for step in (STEP, -STEP):
                values[at] = middle + step
                sides.append((raster.forward(scene) * upstream).sum())
            values[at] = middle
            assert abs((sides[0] - sides[1]) / (2 * STEP) - slopes[at]) < 1e-5 * (1 + np.abs(slopes).max())
