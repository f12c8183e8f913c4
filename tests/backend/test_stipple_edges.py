"""Edge emphasis, masks and protected outlines: where dots gather, and where they must not be."""

import numpy as np
import pytest

from tessera_backend import jobs
from tessera_backend.images import encode_png
from tessera_backend.progress import SILENT
from tessera_backend.stipple import edges, stipple
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import StippleParams
from tessera_protocol.messages import Buffer

GREY = np.full((60, 90), 128, np.uint8)


def emphasized(tones, amount, dots=1000):
    densities = np.asarray(tones, np.float32)[None].copy()
    edges.emphasize(densities, dots, amount)
    return densities[0]


# -- edges


def test_flat_tones_stay():
    """Neither a flat tone nor an even ramp, away from its ends, is changed."""
    flat = np.full((200, 200), 0.4)
    np.testing.assert_allclose(emphasized(flat, 1.0), flat, atol=1e-5)
    ramp = np.tile(np.linspace(0.2, 0.8, 400), (400, 1))
    np.testing.assert_allclose(emphasized(ramp, 1.0, 4000)[:, 100:-100], ramp[:, 100:-100], atol=1e-3)


def test_dots_gather_on_the_darker_side():
    """At a step the darker side gets darker, the lighter one lighter, the more the larger the amount."""
    step = np.full((200, 200), 0.2)
    step[:, 100:] = 0.5
    little, much = emphasized(step, 0.3), emphasized(step, 1.0)
    assert (much[:, 100:105] > little[:, 100:105]).all()
    assert (little[:, 100:105] > 0.51).all()
    assert (much[:, 95:100] < little[:, 95:100]).all()
    assert (little[:, 95:100] < 0.19).all()
    np.testing.assert_allclose(much[:, [10, -10]], step[:, [10, -10]], atol=1e-3)
    assert much.min() >= 0
    assert much.max() <= 1


def test_colours_stay_at_edges():
    """All plates of a pixel are scaled alike."""
    step = np.full((100, 100), 0.2, np.float32)
    step[:, 50:] = 0.4
    densities = np.stack([step, step / 2])
    edges.emphasize(densities, 1000, 1.0)
    np.testing.assert_allclose(densities[1], densities[0] / 2, rtol=1e-5)


def test_faint_contours_become_readable():
    """A disc hardly darker than its ground: with edges, far more dots line its rim than the ground has."""
    y, x = np.mgrid[0:200, 0:200] - 99.5
    picture = np.where(np.hypot(x, y) < 60, 0.55, 0.65)
    contrast = []
    for amount in (0.0, 1.0):
        made = stipple(picture, StippleParams(dots=2000, edges=amount, page_width=200.0))
        radius = np.hypot(*(made.positions - 100).T)
        rim, outside = ((radius > low) & (radius < low + 6) for low in (54, 60))
        contrast.append(rim.sum() / 57 / (outside.sum() / 63))
    assert contrast[1] > 1.3 * contrast[0]


# -- masks


@pytest.mark.parametrize("size", [(60, 90), (8, 12), (301, 450)])
def test_masks_keep_dots_off(size):
    """No dot where the mask is black, whatever its size: it is stretched over the image."""
    mask = np.zeros(size, np.uint8)
    mask[:, : size[1] // 2] = 255
    made = stipple(GREY, StippleParams(dots=400), mask=mask)
    assert made.positions[:, 0].max() <= made.page[0] / 2 + made.page[0] / min(made.meta["raster"])
    assert len(made.positions) == 400


def test_grey_masks_thin_out():
    """Where the mask is a third grey, a third as many dots lie as where it is white; clear parts keep them off."""
    mask = np.full((60, 90, 2), 255, np.uint8)
    mask[:, 30:60, 0] = 85
    mask[:, 60:, 1] = 0
    made = stipple(GREY, StippleParams(dots=1200), mask=mask)
    counts = np.histogram(made.positions[:, 0], bins=3, range=(0, made.page[0]))[0]
    np.testing.assert_allclose(counts, [900, 300, 0], atol=12)


@pytest.mark.parametrize("kind", ["one", "cmyk"])
def test_masks_move_with_the_image(kind):
    """On a page of another shape the mask lies where the image does."""
    mask = np.zeros((60, 90), np.uint8)
    mask[:30, :45] = 255
    params = StippleParams(dots=300, plates=kind, page_width=90.0, page_height=200.0)
    positions = stipple(GREY, params, mask=mask).positions
    assert positions[:, 0].max() < 45.5
    assert 70 <= positions[:, 1].min() < 74
    assert 96 < positions[:, 1].max() <= 100.5


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((5, 5), np.uint8), "Make the mask white"),
        (np.full((5, 5), 2.0), "The mask's floats"),
        (np.zeros((5, 5), np.int32), "The mask is an array of int32"),
    ],
)
def test_unusable_masks_are_named(mask, words):
    """The message is about the mask, not about the picture."""
    with pytest.raises(InvalidInput) as caught:
        stipple(GREY, StippleParams(dots=50), mask=mask)
    assert caught.value.failure.field == "mask"
    assert words in str(caught.value)


def test_masks_travel():
    """As a file through the job; a damaged one is refused by its own name."""
    mask = np.zeros((6, 9), np.uint8)
    mask[3:] = 255
    inputs = {"image": jobs.as_buffer(GREY), "mask": Buffer.file(encode_png(mask))}
    _, made = jobs.run("stipple", {"dots": 200, "iterations": 3}, inputs, SILENT)
    assert jobs.array(made["positions"])[:, 1].min() > 66
    with pytest.raises(InvalidInput) as caught:
        jobs.run("stipple", {"dots": 200}, inputs | {"mask": Buffer.file(b"nonsense")}, SILENT)
    assert caught.value.failure.field == "mask"
    assert caught.value.failure.problem.startswith("The mask ")


# -- protected outlines


def test_dots_stay_out_of_protected_outlines():
    """No dot in a triangle, nor in a frame's border; all dots are there, and in the frame's window, too."""
    triangle = [[0, 0.1, 0.1], [0, 0.4, 0.1], [0, 0.1, 0.8]]
    frame = [[1, 0.6, 0.2], [1, 0.9, 0.2], [1, 0.9, 0.8], [1, 0.6, 0.8]]
    window = [[2, 0.7, 0.4], [2, 0.7, 0.6], [2, 0.8, 0.6], [2, 0.8, 0.4]]
    outline = np.array(triangle + frame + window, np.float32)
    made = stipple(GREY, StippleParams(dots=2000, plates="palette", palette="#444444 #888888"), protect=outline)
    x, y = (made.positions / made.page).T
    assert not ((x > 0.1) & (y > 0.1) & ((x - 0.1) / 0.3 + (y - 0.1) / 0.7 < 1)).any()
    in_frame, in_window = ((abs(x - 0.75) < w) & (abs(y - 0.5) < h) for w, h in ((0.15, 0.3), (0.05, 0.1)))
    assert not (in_frame & ~in_window).any()
    assert in_window.any()
    assert len(made.positions) == 2000


def test_everything_protected():
    """Says so, and that it is about the protected outline."""
    outline = np.array([[0, -1, -1], [0, 2, -1], [0, 2, 2], [0, -1, 2]], np.float32)
    with pytest.raises(InvalidInput) as caught:
        stipple(GREY, StippleParams(dots=50), protect=outline)
    assert caught.value.failure.field == "protect"
