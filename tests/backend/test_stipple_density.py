"""From a picture and a page to a density: kinds of images, tone curve, resampling, clips and layout."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend import pixels
from tessera_backend.progress import SILENT
from tessera_backend.stipple import clip, density, page, working
from tessera_backend.stipple.page import Box
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import StippleParams

GREY = np.random.default_rng(5).integers(0, 256, (40, 60)).astype(np.uint8)


def ink(image, invert=False):
    return density.ink(pixels.check_image(image), invert)


def resampled(image, raster, window=None, **params):
    image = pixels.check_image(image)
    window = window or Box(0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
    return density.resampled(image, window, raster, StippleParams(**params), SILENT)


# -- kinds of images


@pytest.mark.parametrize(
    "same",
    [
        GREY[..., None],
        np.dstack([GREY] * 3),
        np.dstack([GREY, np.full_like(GREY, 255)]),
        np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)]),
        GREY.astype(np.uint16) * 257,
        GREY / 255.0,
        (GREY / 255.0).astype(np.float32),
        GREY[::-1][::-1],
    ],
    ids=["one channel", "RGB", "grey alpha", "RGBA", "16 bit", "float64", "float32", "negative strides"],
)
def test_same_picture_same_ink(same):
    """A picture asks for the same ink however it is stored."""
    np.testing.assert_allclose(ink(same), 1 - GREY / 255.0, atol=1e-6)  # float32


def test_luma_weighs_colors():
    """Rec. 601."""
    colors = np.eye(3, dtype=np.uint8)[None] * 255
    np.testing.assert_allclose(ink(colors)[0], [0.701, 0.413, 0.886], atol=1e-6)


def test_transparency_is_paper():
    """Half-transparent black asks for half the ink; what is transparent for none, also inverted."""
    black = np.zeros((1, 3, 4), np.uint8)
    black[0, :, 3] = [0, 128, 255]
    np.testing.assert_allclose(ink(black)[0], [0, 128 / 255, 1], atol=1e-6)
    white = black.copy()
    white[..., :3] = 255
    assert (ink(white) == 0).all()
    np.testing.assert_allclose(ink(white, invert=True)[0], [0, 128 / 255, 1], atol=1e-6)


def test_invert_is_the_negative():
    """Inverted, a picture asks for what its negative asks for."""
    np.testing.assert_allclose(ink(GREY, invert=True), ink(255 - GREY), atol=1e-6)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.full((3, 3), np.nan), "no numbers"),
        (np.full((3, 3), np.inf), "no numbers"),
        (np.full((3, 3), 255.0), "from 255 to 255"),
        (np.full((3, 3), -0.5), "from -0.5"),
        (np.zeros((3, 3, 5), np.uint8), "shape (3, 3, 5)"),
        (np.zeros((0, 3), np.uint8), "shape (0, 3)"),
        (np.zeros(3, np.uint8), "shape (3,)"),
        (np.zeros((3, 3), np.int64), "int64"),
        (np.zeros((3, 3), complex), "complex128"),
    ],
)
def test_what_is_no_picture_is_refused(image, says):
    """With what it is and what is allowed."""
    with pytest.raises(InvalidInput) as caught:
        pixels.check_image(image)
    failure = caught.value.failure
    assert (failure.code, failure.field) == ("unusable-input", "image")
    assert says in failure.problem
    assert failure.allowed


# -- tone curve


def test_cutoff_and_gamma():
    """Tones under the cut-off stay empty, the cut-off itself and darker ones keep their tone, to the power of gamma."""
    tones = np.array([0.0, 0.19, 0.2, 0.5, 1.0], np.float32)
    np.testing.assert_allclose(density.tone_curve(tones.copy(), 0.2, 1.0), [0, 0, 0.2, 0.5, 1], atol=1e-6)
    np.testing.assert_allclose(density.tone_curve(tones.copy(), 0.2, 2.0), [0, 0, 0.04, 0.25, 1], atol=1e-6)
    np.testing.assert_allclose(density.tone_curve(tones.copy(), 1.0, 1.0), [0, 0, 0, 0, 1])


def test_stretch_uses_the_whole_range():
    """A pale picture's tones span 0 to 1, paper stays paper, and a picture of one tone is left alone."""
    pale = np.linspace(0.3, 0.5, 1000, dtype=np.float32).reshape(20, 50)
    pale[0] = 0
    stretched = pale.copy()
    density.stretch(stretched)
    assert stretched[0].max() == 0
    assert stretched.max() == 1
    assert np.median(stretched[1:]) == pytest.approx(0.5, abs=0.02)
    flat = np.full((3, 3), 0.4, np.float32)
    density.stretch(flat)
    assert (flat == np.float32(0.4)).all()


def test_stretch_comes_before_the_cutoff():
    """A picture that is paler than the cut-off is usable once its contrast is stretched."""
    pale = np.tile(np.linspace(0.9, 1.0, 50), (50, 1))
    params = StippleParams(autocontrast=True, white_cutoff=0.5)
    assert density.inked(pale, params, SILENT) is not None
    assert density.inked(pale, StippleParams(white_cutoff=0.5), SILENT) is None


# -- resampling


def test_own_size_is_exact():
    """Nothing is resampled without need."""
    np.testing.assert_array_equal(resampled(GREY, (40, 60)), ink(GREY))


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_shrinking_averages(factor):
    """By a whole factor, each pixel is the mean of its block."""
    image = np.random.default_rng(factor).random((12 * factor, 8 * factor))
    blocks = (1 - image).reshape(12, factor, 8, factor).mean(axis=(1, 3))
    np.testing.assert_allclose(resampled(image, (12, 8)), blocks, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    raster=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    share=st.floats(0.02, 1),
    seed=st.integers(0, 99),
)
def test_resampling_adds_no_ink_to_paper(size, raster, share, seed):
    """At any scale tones stay within the picture's range, and a pixel with ink covers some of the picture's ink."""
    rng = np.random.default_rng(seed)
    image = np.where(rng.random(size) < share, rng.random(size) * 0.9, 1.0)
    made = resampled(image, raster)
    assert made.shape == raster
    assert 0 <= made.min() <= made.max() <= (1 - image).max() + 1e-5
    for row, column in np.argwhere(made > 0):
        top, bottom = row * size[0] / raster[0], (row + 1) * size[0] / raster[0]
        left, right = column * size[1] / raster[1], (column + 1) * size[1] / raster[1]
        part = image[int(top + 1e-6) : int(np.ceil(bottom - 1e-6)), int(left + 1e-6) : int(np.ceil(right - 1e-6))]
        assert (part < 1).any()


def test_strips_and_blocks_leave_no_seams(monkeypatch):
    """Read in small strips, a picture gives the same density as in one."""
    image = np.random.default_rng(2).random((101, 67))
    whole = [resampled(image, raster) for raster in ((101, 67), (33, 22), (10, 7))]
    monkeypatch.setattr(density, "_STRIP_PIXELS", 100)
    for raster, expected in zip(((101, 67), (33, 22), (10, 7)), whole, strict=True):
        np.testing.assert_array_equal(resampled(image, raster), expected)


def test_inked_box():
    """The box holds all ink and nothing else."""
    image = np.full((30, 50), 255, np.uint8)
    image[7, 9], image[20, 33] = 0, 200
    found = density.inked(image, StippleParams(), SILENT)
    assert found.box == Box(9, 7, 34, 21)
    assert found.share == pytest.approx(2 / (25 * 14))
    assert density.inked(image, StippleParams(white_cutoff=0.5), SILENT).box == Box(9, 7, 10, 8)


# -- clips


def rings(*outlines):
    return np.array([(k, x, y) for k, ring in enumerate(outlines) for x, y in ring], np.float32)


def square(low, high):
    return [(low, low), (high, low), (high, high), (low, high)]


def inside(outline, side=100):
    return clip.inside(clip.check_clip(outline), (50.0, 50.0), (side, side), Box(0, 0, 50, 50))


def test_clip_of_a_square():
    """Pixels wholly inside count, those that touch the right and lower side do not; the direction does not matter."""
    expected = np.zeros((100, 100), bool)
    expected[25:74, 25:74] = True
    for ring in (square(0.25, 0.75), square(0.25, 0.75)[::-1]):
        np.testing.assert_array_equal(inside(rings(ring)), expected)


def test_clip_winding():
    """A ring inside another is a hole if it runs the other way, and none if it runs the same way."""
    outer, inner = square(0.1, 0.9), square(0.4, 0.6)
    assert inside(rings(outer, inner))[50, 50]
    assert not inside(rings(outer, inner[::-1]))[50, 50]
    assert inside(rings(outer, inner[::-1]))[20, 50]
    assert not inside(rings(outer))[5, 50]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)), min_size=3, max_size=8))
def test_clip_against_angles(ring):
    """For any polygon, pixels inside have a winding number that is not 0, counted by summing angles."""
    mask = inside(rings(ring), side=12)
    corners = np.array(ring, np.float32).astype(float) * 12
    for row, column in np.argwhere(mask):
        ways = corners - (column + 0.5, row + 0.5)
        ways = ways[:, 0] + 1j * ways[:, 1]
        if np.abs(ways).min() > 1e-3:
            turned = np.angle(np.roll(ways, -1) / ways).sum() / (2 * np.pi)
            # A spike thinner than a pixel may cut between the corners that were tested.
            area = abs(np.imag(np.conj(ways) * np.roll(ways, -1))).min()
            assert round(turned) != 0 or area < 24


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros((5, 2)), np.full((4, 3), np.nan), np.full((4, 3), 1e9)])
def test_bad_clips_are_refused(bad):
    with pytest.raises(InvalidInput) as caught:
        clip.check_clip(bad)
    assert caught.value.failure.field == "clip"


# -- page and raster


@settings(max_examples=200, deadline=None)
@given(
    size=st.tuples(st.integers(1, 500), st.integers(1, 500)),
    given_page=st.tuples(st.sampled_from([0.0, 30.0, 210.0]), st.sampled_from([0.0, 40.0, 297.0])),
    margin=st.floats(0, 14),
    fit=st.sampled_from(["contain", "cover", "stretch"]),
    align=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_layout_laws(size, given_page, margin, fit, align):
    """The frame lies inside the margin, shows a part of the picture, and keeps its shape unless told to stretch."""
    params = StippleParams(
        page_width=given_page[0], page_height=given_page[1], margin=margin, fit=fit, align_x=align[0], align_y=align[1]
    )
    try:
        made = page.lay_out(*size, params)
    except InvalidInput as refused:
        assert refused.failure.field in ("page_width", "page_height")  # a long thin picture on a page of its shape
        return
    width, height = made.page
    assert all(g in (0, m) for g, m in zip(given_page, made.page, strict=True))
    near = 1e-6
    assert made.frame.left >= margin - near
    assert made.frame.top >= margin - near
    assert made.frame.right <= width - margin + near
    assert made.frame.bottom <= height - margin + near
    assert made.window.within(Box(0, 0, *size)) == made.window
    if fit != "stretch":
        across, down = made.frame.width / made.window.width, made.frame.height / made.window.height
        assert across == pytest.approx(down, rel=1e-6)
    if fit == "cover" or not all(given_page):
        assert made.frame.width == pytest.approx(width - 2 * margin)
        assert made.frame.height == pytest.approx(height - 2 * margin)


def test_alignment():
    """0 is left and top, 1 right and bottom: of the frame where all is shown, of the picture where some is cut."""
    params = StippleParams(page_width=100.0, page_height=50.0, align_x=1.0)
    assert page.lay_out(10, 10, params).frame == Box(50, 0, 100, 50)
    params = StippleParams(page_width=100.0, page_height=50.0, fit="cover", align_y=1.0)
    assert page.lay_out(10, 10, params).window == Box(0, 5, 10, 10)


@pytest.mark.parametrize("sides", [{}, {"page_width": 100.0}, {"page_height": 80.0}])
def test_too_large_a_margin(sides):
    """Says which margin fits."""
    with pytest.raises(InvalidInput) as caught:
        page.lay_out(10, 10, StippleParams(margin=100.0, **sides))
    assert caught.value.failure.field == "margin"
    assert "less than" in caught.value.failure.allowed


def test_raster_size():
    """About as many pixels as asked for, of the frame's shape; the picture's own where that is near."""
    window, frame = Box(0, 0, 300, 200), Box(0, 0, 150, 100)
    height, width = working.raster_size(window, frame, 1_000_000)
    assert height * width == pytest.approx(1_000_000, rel=0.01)
    assert width / height == pytest.approx(1.5, rel=0.01)
    assert working.raster_size(Box(0, 0, 600, 400), frame, 0) == (400, 600)
    assert np.prod(working.raster_size(window, frame, 1e12)) <= 1.01 * working.MOST_PIXELS
    assert working.raster_size(Box(0, 0, 1, 3000), Box(0, 0, 0.01, 30), 1e6)[1] >= 1
