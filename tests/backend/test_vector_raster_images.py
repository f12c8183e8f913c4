"""Images of the kernels: against another renderer, against known areas, and on scenes that are hard to like."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from tessera_backend.compiled import config, get_num_threads, set_num_threads
from tessera_backend.vector_raster import LINEAR, Gradients, Paint, Raster, Scene
from tessera_protocol.errors import TesseraError

from .vector_scenes import blobs, mixed, resvg


def polygon(side: int, *contours: list[tuple[float, float]], color: tuple[float, ...] = (0, 0, 0)) -> Scene:
    """One path of straight sides."""
    points, starts = [], [0]
    for contour in contours:
        corners = np.array(contour, float).reshape(-1, 2)
        after = np.roll(corners, -1, 0)
        points.append(np.stack([corners, (2 * corners + after) / 3, (corners + 2 * after) / 3], 1).reshape(-1, 2))
        starts.append(starts[-1] + 3 * len(corners))
    paint = Paint.solid(np.array([color], float))
    flags = np.zeros(1, bool)
    ends = np.array([0, len(contours)])
    return Scene(side, side, np.concatenate(points), np.array(starts), ends, paint, np.ones(1), flags, np.zeros(1))


def joined(*scenes: Scene) -> Scene:
    """Scenes of solid paths on top of each other."""
    first = scenes[0]
    points, contours, paths = [], [np.zeros(1, int)], [np.zeros(1, int)]
    for scene in scenes:
        contours.append(scene.contours[1:] + contours[-1][-1])
        paths.append(scene.paths[1:] + paths[-1][-1])
        points.append(scene.points)
    return Scene(
        first.width,
        first.height,
        np.concatenate(points),
        np.concatenate(contours),
        np.concatenate(paths),
        Paint.solid(np.concatenate([scene.paint.colors[:, 0] for scene in scenes])),
        np.concatenate([scene.opacity for scene in scenes]),
        np.concatenate([scene.even_odd for scene in scenes]),
        np.concatenate([scene.stroke for scene in scenes]),
    )


def coverage(scene: Scene) -> np.ndarray:
    """float64 (H, W), of a black path on white, with hardly any error of its curves."""
    return 1 - Raster(scene.width, scene.height, tolerance=0.005, dtype=np.float64).forward(scene)[:, 0]


SCENES = {
    "discs": blobs(96, 24, 0),
    "tangles": blobs(96, 16, 1, noise=7),
    "gradients": mixed(96, 12, 2),
    "more gradients": mixed(96, 12, 3),
    "strokes": mixed(96, 8, 4, strokes=True),
    "thick strokes": dataclasses.replace(blobs(96, 6, 5), stroke=np.linspace(4, 20, 6)),
}


@pytest.mark.parametrize("name", SCENES)
def test_another_renderer_draws_the_same(name: str) -> None:
    """resvg's image differs by less than 2/255 in the mean, on white and on nothing."""
    scene = SCENES[name]
    image = Raster(96, 96).forward(scene).transpose(0, 2, 1)
    assert np.abs(image - resvg(scene)[..., :3]).mean() < 2 / 255
    premultiplied = Raster(96, 96, 4, dtype=np.float64).forward(scene).transpose(0, 2, 1)
    theirs = resvg(scene, background=None)
    theirs[..., :3] *= theirs[..., 3:]
    assert np.abs(premultiplied - theirs).mean() < 2 / 255


@pytest.mark.parametrize("width", [0.5, 2.0, 9.0])
def test_strokes_are_what_many_samples_make_of_them(width: float) -> None:
    """A stroke drawn 16 times as large and averaged is the same stroke, up to its joins."""
    small = dataclasses.replace(blobs(32, 1, 7), stroke=np.array([width]))
    large = dataclasses.replace(small, width=512, height=512, points=small.points * 16, stroke=small.stroke * 16)
    for scene in (small, large):
        scene.paint.colors[..., :3] = 0
    averaged = coverage(large).reshape(32, 16, 32, 16).mean((1, 3))
    assert np.abs(coverage(small) - averaged).max() < 0.05
    assert np.abs(coverage(small) - averaged).mean() < 0.001


def test_coverage_is_area() -> None:
    """Triangle, hole and even-odd star: pixels sum to the area, each to its share."""
    triangle = polygon(16, [(2.3, 1.1), (13.7, 4.4), (5.2, 14.9)])
    area = 0.5 * abs((13.7 - 2.3) * (14.9 - 1.1) - (5.2 - 2.3) * (4.4 - 1.1))
    assert coverage(triangle).sum() == pytest.approx(area, abs=1e-9)
    square, hole = [(1.0, 1), (14.5, 1), (14.5, 14.25), (1, 14.25)], [(4.5, 4), (4.5, 9), (9, 9), (9, 4)]
    assert coverage(polygon(16, square, hole)).sum() == pytest.approx(13.5 * 13.25 - 4.5 * 5, abs=1e-9)
    assert coverage(polygon(16, square))[0].max() == 0
    assert coverage(polygon(16, square))[14, 5] == pytest.approx(0.25)
    assert coverage(polygon(16, square))[14, 14] == pytest.approx(0.125)
    twice = polygon(16, square, hole[::-1])
    assert coverage(twice).sum() == pytest.approx(13.5 * 13.25, abs=1e-9)
    assert coverage(dataclasses.replace(twice, even_odd=np.ones(1, bool))).sum() == pytest.approx(156.375, abs=1e-9)


def test_off_the_canvas() -> None:
    """What lies outside has no pixels, what lies across is cut, and gradients come back for all of it."""
    across = polygon(8, [(-5.0, -3), (3.5, -3), (3.5, 20), (-5, 20)])
    assert coverage(across).sum() == pytest.approx(28)
    for dx, dy in ((-100, 0), (100, 0), (0, -100), (0, 100), (1e7, 1e7), (-1e11, 3)):
        raster = Raster(8, 8)
        away = dataclasses.replace(across, points=across.points + np.array([dx, dy]))
        assert (raster.forward(away) == 1).all()
        assert not raster.backward(np.ones((8, 3, 8))).points.any()
    around = polygon(8, [(-50.0, -50), (50, -50), (50, 50), (-50, 50)])
    assert coverage(around).min() == 1
    stroked = dataclasses.replace(across, stroke=np.array([3.0]))
    assert coverage(stroked).sum() == pytest.approx(8 * 3, abs=1e-6)


@pytest.mark.parametrize(
    "contour",
    [
        [],
        [(3.0, 3)],
        [(3.0, 3), (3, 3), (3, 3)],
        [(1.0, 1), (7, 7)],
        [(2.0, 2), (6, 2)],
        [(2.5, 0), (2.5, 8), (2.5, 3)],
    ],
)
@pytest.mark.parametrize("stroke", [0.0, 1.5])
def test_degenerate_contours(contour: list[tuple[float, float]], stroke: float) -> None:
    """Empty, a point, a line to and fro: no area, finite gradients; strokes draw what there is."""
    scene = dataclasses.replace(polygon(8, contour), stroke=np.array([stroke]))
    raster = Raster(8, 8)
    image = raster.forward(scene)
    if stroke == 0:
        assert np.abs(image - 1).max() < 1e-6
    elif contour:
        assert image.min() < 0.6
    for slopes in vars(raster.backward(np.ones((8, 3, 8)))).values():
        assert np.isfinite(slopes).all()


def test_flat_gradients_and_shared_offsets() -> None:
    """A gradient from a point to itself has the last colour; two stops at one offset make a step."""
    scene = polygon(8, [(0.0, 0), (8, 0), (8, 8), (0, 8)])
    colors = np.ones((1, 3, 4))
    colors[0, :, :3] = np.array([0.2, 0.4, 0.8])[:, None]
    paint = Paint(np.array([LINEAR], np.int8), np.array([[4.0, 4, 4, 4]]), np.array([[0, 0.5, 0.5]]), colors)
    assert np.allclose(Raster(8, 8).forward(dataclasses.replace(scene, paint=paint)), 0.8)
    paint.geometry[0] = [0, 0, 8, 0]
    row = Raster(8, 8).forward(dataclasses.replace(scene, paint=paint))[3, 0]
    assert np.allclose(row, [0.225, 0.275, 0.325, 0.375, 0.8, 0.8, 0.8, 0.8])


def test_no_paths() -> None:
    """Nothing on a picture is the picture."""
    scene = Scene(
        5, 3, np.zeros((0, 2)), np.zeros(1, int), np.zeros(1, int),
        Paint.solid(np.zeros((0, 3))), np.zeros(0), np.zeros(0, bool), np.zeros(0),
    )  # fmt: skip
    raster = Raster(5, 3)
    ground = np.random.default_rng(0).random((3, 3, 5)).astype(np.float32)
    assert np.array_equal(raster.forward(scene, ground), ground)
    assert raster.backward(ground).points.shape == (0, 2)
    assert (raster.top() == -1).all()
    assert raster.removal(ground).shape == (0,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("points", np.full((12, 2), np.nan)),
        ("points", np.full((12, 2), 1e13)),
        ("points", np.zeros((12, 3))),
        ("opacity", np.array([np.inf])),
        ("stroke", np.zeros(3)),
        ("contours", np.array([0, 11])),
        ("contours", np.array([0, 9])),
        ("paths", np.array([0, 5])),
        ("width", 9),
    ],
)
def test_unfit_scenes_are_refused(field: str, value: object) -> None:
    """With the name of what is wrong; the raster works on afterwards."""
    raster, scene = Raster(8, 8), blobs(8, 1, 0)
    before = raster.forward(scene)
    with pytest.raises(TesseraError) as caught:
        raster.forward(dataclasses.replace(scene, **{field: value}))
    assert caught.value.failure.field == field
    assert np.array_equal(raster.forward(scene), before)


def test_unfit_canvases_are_refused() -> None:
    """No pixels, two channels, no tolerance; and gradients of nothing."""
    for arguments in ((0, 8), (8, 8, 2), (8, 8, 3, 0.0)):
        with pytest.raises(TesseraError):
            Raster(*arguments)
    with pytest.raises(TesseraError):
        Raster(8, 8).backward(np.zeros((8, 3, 8)))


def everything(scene: Scene) -> list[np.ndarray]:
    """All that a raster tells of a scene."""
    raster = Raster(scene.width, scene.height)
    image = raster.forward(scene)
    found: Gradients = raster.backward(image - 0.3)
    return [image, *vars(found).values(), raster.top(), raster.removal(image * 0.9)]


def test_threads_change_nothing() -> None:
    """Bit for bit, whatever the number of threads."""
    scene, before = mixed(100, 30, 0), get_num_threads()
    results = []
    try:
        for threads in {1, before, config.NUMBA_NUM_THREADS}:
            set_num_threads(threads)
            results += [everything(scene), everything(scene)]
    finally:
        set_num_threads(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_hidden_paths_leave_no_pieces() -> None:
    """Under an opaque sheet nothing is stored, whatever is there, and gradients of it are zero."""
    sheet, below = polygon(64, [(-4.0, -4), (68, -4), (68, 68), (-4, 68)]), blobs(64, 40, 0)
    alone, both = Raster(64, 64), Raster(64, 64)
    assert np.array_equal(alone.forward(sheet), both.forward(joined(below, sheet)))
    assert alone._spans.counts[:, 0].sum() == both._spans.counts[:, 0].sum() == 64
    assert not both.backward(np.ones((64, 3, 64))).points.any()


def test_top() -> None:
    """The topmost path over half of a pixel, opaque or not."""
    below, above = (
        polygon(8, [(0.0, 0), (8, 0), (8, 8), (0, 8)]),
        polygon(8, [(2.0, 2), (5.4, 2), (5.4, 6.6), (2, 6.6)]),
    )
    scene = joined(below, dataclasses.replace(above, opacity=np.array([0.1])))
    raster = Raster(8, 8)
    raster.forward(scene)
    wanted = np.zeros((8, 8), int)
    wanted[2:7, 2:5] = 1
    assert np.array_equal(raster.top(), wanted)


@pytest.mark.parametrize("strokes", [False, True])
def test_removal_is_what_rendering_without_the_path_shows(strokes: bool) -> None:
    """Each path taken away in turn, its opacity set to nothing."""
    scene = mixed(40, 8, 3, strokes)
    raster = Raster(40, 40, dtype=np.float64)
    target = np.random.default_rng(0).random((40, 3, 40))
    image = raster.forward(scene)
    rises = raster.removal(target)
    slopes = raster.backward(image).points
    for p in range(8):
        opacity = scene.opacity.copy()
        opacity[p] = 0
        without = Raster(40, 40, dtype=np.float64).forward(dataclasses.replace(scene, opacity=opacity))
        rise = ((without - target) ** 2).sum() - ((image - target) ** 2).sum()
        assert rises[p] == pytest.approx(rise, abs=1e-9)
    # It leaves the raster as it was.
    raster.forward(scene)
    assert np.array_equal(raster.backward(image).points, slopes)


def test_torch_is_not_loaded() -> None:
    """The package and its kernels need numpy and numba alone."""
    script = (
        "import sys, numpy as np; from tessera_backend.vector_raster import Gradients, Paint, Raster, Scene\n"
        "z = np.zeros; s = Scene(4, 4, z((3, 2)), np.array([0, 3]), np.array([0, 1]), Paint.solid(z((1, 3))),"
        " np.ones(1), z(1, bool), z(1))\n"
        "Raster(4, 4).forward(s); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
