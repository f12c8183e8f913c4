"""Pictures that are translucent: drawings are as translucent as they are, over any ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.progress import SILENT, Progress
from tessera_backend.vectorize import Drawing, Gradient, fills, metrics, vectorize
from tessera_backend.vectorize.svg import to_svg
from tessera_backend.vectorize.translucent import StandIn
from tessera_backend.vectorize.working import prepare
from tessera_protocol.jobs import VectorizeParams

from .test_vectorize_job import ENGINES, flag

GROUNDS = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.6, 0.2))


def drawn(rgba: np.ndarray, progress: Progress = SILENT, **params: Any) -> Drawing:
    return vectorize(rgba, VectorizeParams(**{"paths": 16, "engine": "fast", **params}), progress)


def worst(rgba: np.ndarray, drawing: Drawing) -> float:
    """PSNR over the ground on which it is least, dB, as resvg draws it."""
    picture = rgba / 255
    alpha = picture[..., 3:]
    found = []
    for ground in GROUNDS:
        over = picture[..., :3] * alpha + np.array(ground) * (1 - alpha)
        found.append(metrics.psnr(metrics.rendered(to_svg(drawing), background=ground), over))
    return min(found)


def veiled(alpha: int) -> np.ndarray:
    return np.dstack([flag(), np.full((48, 64), alpha, np.uint8)])


def glass() -> np.ndarray:
    """A grey frame with panes of half transparent blue, the one with an opaque dot on it; clear around it."""
    rgba = np.zeros((64, 80, 4), np.uint8)
    rgba[6:58, 6:74] = [60, 60, 70, 255]
    rgba[14:50, 12:36] = rgba[14:50, 44:68] = [120, 190, 230, 110]
    rgba[24:36, 50:62] = [220, 40, 40, 255]
    return rgba


def shadow() -> np.ndarray:
    """An orange disc above its shadow, which fades away from its middle."""
    y, x = np.mgrid[:64, :64] + 0.5
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[..., 3] = 170 * np.clip(1 - np.hypot(x - 36, y - 36) / 26, 0, 1)
    rgba[np.hypot(x - 28, y - 28) < 16] = [250, 130, 20, 255]
    return rgba


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("alpha", [20, 100, 128, 200])
def test_all_of_one_opacity(engine: str, alpha: int) -> None:
    """The drawing is as translucent as the picture, all over; one that is nearly clear, too."""
    rgba = veiled(alpha)
    drawing = drawn(rgba, engine=engine)
    assert worst(rgba, drawing) > 26
    assert 3 <= len(drawing.paths) <= 16
    black, white = (metrics.rendered(to_svg(drawing), background=ground) for ground in GROUNDS[:2])
    assert np.median(1 - (white - black)) == pytest.approx(alpha / 255, abs=0.01)


@pytest.mark.parametrize("engine", ENGINES)
def test_glass_and_what_is_on_it(engine: str) -> None:
    """Panes are translucent, nothing lies below them, and the frame and the dot are opaque."""
    rgba = glass()
    drawing = drawn(rgba, engine=engine)
    assert worst(rgba, drawing) > 28
    assert len(drawing.paths) <= 6
    assert sorted(round(path.opacity, 1) for path in drawing.paths)[:2] == [0.4, 0.4]
    assert [path.opacity for path in drawing.paths if path.opacity > 0.9] == [1.0] * (len(drawing.paths) - 2)


@pytest.mark.parametrize(("engine", "least"), [("fast", 30), ("best", 30), ("paper", 24)])
def test_soft_shadows_stay_soft(engine: str, least: float) -> None:
    """Through stops of gradients; the disc above stays one opaque shape, whole, and the drawing keeps to its budget."""
    rgba = shadow()
    drawing = drawn(rgba, engine=engine)
    assert worst(rgba, drawing) > least
    assert len(drawing.paths) <= 16
    discs = [path for path in drawing.paths if path.opacity == 1 and not isinstance(path.fill, Gradient)]
    assert any(np.abs(disc.fill - [250 / 255, 130 / 255, 20 / 255]).max() < 0.05 for disc in discs)
    if engine != "paper":
        assert any(isinstance(path.fill, Gradient) and np.ptp(path.fill.colors[:, 3]) > 0.2 for path in drawing.paths)


def test_a_fade_is_one_gradient() -> None:
    """From clear to opaque in one colour."""
    rgba = np.zeros((40, 90, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = [20, 120, 60], np.linspace(0, 255, 90)
    drawing = drawn(rgba)
    assert len(drawing.paths) == 1
    assert worst(rgba, drawing) > 40


def test_without_gradients_there_are_none() -> None:
    """Bands of one opacity each."""
    drawing = drawn(shadow(), gradients=False)
    assert not any(isinstance(path.fill, Gradient) for path in drawing.paths)
    assert len({round(path.opacity, 2) for path in drawing.paths}) > 3


def test_rims_are_not_translucent() -> None:
    """Anti-aliased shapes on nothing are drawn as opaque ones."""
    y, x = np.mgrid[:64, :64] + 0.5
    cover = np.clip(22.5 - np.hypot(x - 32, y - 32), 0, 1)
    rgba = np.dstack([np.full((64, 64), v) for v in (200, 60, 30)] + [255 * cover]).astype(np.uint8)
    assert prepare(rgba, 512, SILENT).solid is None
    assert [path.opacity for path in drawn(rgba).paths] == [1.0]


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 250), st.integers(1, 12), st.integers(1, 12))
def test_small_ones(alpha: int, height: int, width: int) -> None:
    """However few pixels: something is drawn, and it is as translucent."""
    rgba = np.full((height, width, 4), [200, 100, 50, alpha], np.uint8)
    if alpha / 255 < 1 / 48:
        return
    drawing = drawn(rgba)
    assert len(drawing.paths) == 1
    assert drawing.paths[0].opacity == pytest.approx(alpha / 255, abs=0.05)


def test_previews_are_of_the_picture() -> None:
    """And not of what stands in for it: on white, shapes are as light as they are in the picture."""
    shown: list[np.ndarray] = []
    drawn(veiled(128), Progress(listener=lambda make: shown.append(make()["picture"])))
    white = 127 + 0.5 * flag()
    assert shown[-1].shape == (48, 64, 3)
    assert np.abs(shown[len(shown) // 2] - white).mean() < 6


def test_the_ground_of_the_stand_in_contrasts() -> None:
    """A black shadow and a white glow are both plain to see in what engines draw."""
    for grey in (0, 255):
        y, x = np.mgrid[:40, :40]
        alpha = np.clip(255 - 9 * np.hypot(x - 20, y - 20), 0, 255)
        rgba = np.dstack([np.full((40, 40), grey)] * 3 + [alpha]).astype(np.uint8)
        shown = StandIn(prepare(rgba, 64, SILENT)).working
        assert np.ptp(shown.image, axis=(0, 1)).max() > 0.7


def test_fills_of_what_is_translucent() -> None:
    """A shadow's gradient is black at both ends, and clear at one."""
    x = np.linspace(0, 0.8, 50)
    rgba = np.zeros((20, 50, 4), np.float32)
    rgba[..., 3] = x
    paint = fills.fit(rgba, np.zeros((20, 50), np.int32), 1)
    assert np.sort(paint.colors[0, :, 3]) == pytest.approx([0, 0.8], abs=0.03)
    assert paint.colors[0, :, :3] == pytest.approx(np.zeros((2, 3)))
    rgba[..., 0] = x
    assert fills.fit(rgba, np.zeros((20, 50), np.int32), 1).colors[0, :, 0] == pytest.approx([1, 1], abs=0.02)


def test_a_glow_is_few_shapes() -> None:
    """One round gradient draws it as well as the sectors that regions with straight ones are."""
    y, x = np.mgrid[:80, :80] + 0.5
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = [255, 220, 90], 230 * np.clip(1 - np.hypot(x - 40, y - 40) / 36, 0, 1)
    drawing = drawn(rgba, paths=32)
    assert len(drawing.paths) <= 2
    assert worst(rgba, drawing) > 45


def test_a_glow_around_a_disc() -> None:
    """No shape of it keeps a colour of the stand-in, whatever lies beside it: over no ground anything is far off."""
    y, x = np.mgrid[:200, :200] + 0.5
    away = np.hypot(x - 100, y - 100)
    rgba = np.zeros((200, 200, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = [255, 200, 60], 255 * np.clip(1 - (away - 40) / 50, 0, 1) ** 1.5
    rgba[away < 40] = [220, 90, 20, 255]
    assert worst(rgba, drawn(rgba, paths=48, engine="best")) > 37
