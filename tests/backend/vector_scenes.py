"""Random scenes for the rasterizer's tests, and the same scenes as SVG for another renderer."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tessera_backend.vector_raster import LINEAR, RADIAL, SOLID, Paint, Scene

POINTS = 12


def blobs(side: int, count: int, seed: int, noise: float = 0.0, stops: int = 1) -> Scene:
    """Discs of four cubics, which `noise` (px) tangles; opaque, solid, nonzero.

    The last of several paths has two contours.
    """
    rings = count + (count > 1)
    random = np.random.default_rng(seed)
    angle = np.arange(4) * (np.pi / 2)
    out, along = np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([-np.sin(angle), np.cos(angle)], 1)
    bow = 4 / 3 * (np.sqrt(2) - 1)
    ring = np.stack([out, out + bow * along, np.roll(out, -1, 0) - bow * np.roll(along, -1, 0)], 1).reshape(-1, 2)
    centers = random.uniform(0, side, (rings, 1, 2))
    points = centers + ring * random.uniform(0.1, 0.3, (rings, 1, 1)) * side
    points += random.normal(0, 1, points.shape) * noise
    # Colours of eight bits, so that a file holds them exactly.
    colors = np.ones((count, stops, 4))
    colors[..., :3] = random.integers(0, 256, (count, stops, 3)) / 255
    geometry = random.uniform(0, side, (count, 4))
    offsets = np.sort(random.uniform(0, 1, (count, stops)), axis=1)
    return Scene(
        side,
        side,
        points.reshape(-1, 2),
        np.arange(rings + 1) * POINTS,
        np.append(np.arange(count), rings),
        Paint(np.full(count, SOLID, np.int8), geometry, offsets, colors),
        np.ones(count),
        np.zeros(count, bool),
        np.zeros(count),
    )


def mixed(side: int, count: int, seed: int, strokes: bool = False) -> Scene:
    """Tangled paths of any paint, opacity and rule, with three stops; or strokes of them."""
    scene = blobs(side, count, seed, noise=side / 12, stops=3)
    random = np.random.default_rng(seed + 1)
    scene.paint.kind[:] = random.integers(0, 3, count)
    scene.paint.geometry[:, 2] = np.where(
        scene.paint.kind == RADIAL, random.uniform(0.2, 0.8, count) * side, scene.paint.geometry[:, 2]
    )
    scene.paint.colors[::2, :, 3] = random.integers(50, 250, (len(scene.paint.colors[::2]), 3)) / 255
    scene.opacity[:] = random.integers(80, 240, count) / 255
    scene.opacity[1::3] = 1
    scene.even_odd[:] = random.random(count) < 0.5
    if strokes:
        scene.stroke[:] = random.uniform(0.4, side / 10, count)
    return scene


def svg(scene: Scene) -> str:
    """The scene, in user units of a pixel."""
    body = [_svg_path(scene, p) for p in range(len(scene.opacity))]
    size = f'width="{scene.width}" height="{scene.height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(body)}</svg>'


def _svg_path(scene: Scene, p: int) -> str:
    data = ""
    for k in range(scene.paths[p], scene.paths[p + 1]):
        points = scene.points[scene.contours[k] : scene.contours[k + 1]]
        texts = [f"{x:.5f},{y:.5f}" for x, y in np.roll(points, -1, 0)]
        data += f"M{points[0, 0]:.5f},{points[0, 1]:.5f}C{' '.join(texts)}Z"
    paint, fill = _svg_paint(scene.paint, p)
    rule = "evenodd" if scene.even_odd[p] else "nonzero"
    look = f'fill="{fill}" fill-rule="{rule}"'
    if scene.stroke[p] > 0:
        look = f'fill="none" stroke="{fill}" stroke-width="{scene.stroke[p]}" stroke-linejoin="round"'
    return f'{paint}<path d="{data}" {look} opacity="{scene.opacity[p]:.5f}"/>'


def _svg_paint(paint: Paint, p: int) -> tuple[str, str]:
    """The definition, and how a path names it. A gradient of one colour stands for a solid path with alpha."""
    a, b, c, d = paint.geometry[p]
    stops = "".join(
        f'<stop offset="{offset:.6f}" stop-color="rgb({red:.0f},{green:.0f},{blue:.0f})" stop-opacity="{alpha:.6f}"/>'
        for offset, (red, green, blue, alpha) in zip(
            paint.offsets[p] if paint.kind[p] != SOLID else [0],
            paint.colors[p] * [255, 255, 255, 1],
            strict=paint.kind[p] != SOLID,
        )
    )
    name, place = "linearGradient", f'x1="{a}" y1="{b}" x2="{c}" y2="{d}"'
    if paint.kind[p] == RADIAL:
        name, place = "radialGradient", f'cx="{a}" cy="{b}" r="{c}"'
    assert paint.kind[p] in (SOLID, LINEAR, RADIAL)
    return f'<{name} id="g{p}" gradientUnits="userSpaceOnUse" {place}>{stops}</{name}>', f"url(#g{p})"


def resvg(scene: Scene, background: str | None = "white") -> np.ndarray:
    """Another renderer's image: float (H, W, 4), straight RGBA."""
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg(scene), background=background))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), float) / 255
