"""Reading picture files: every mode, profile and kind of damage. Each file is made here, with Pillow."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tessera_backend import images
from tessera_protocol.errors import InvalidInput

RAMP = np.arange(0, 240, 4, dtype=np.uint8).reshape(6, 10)
COLORS = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=-1)
ALPHA = RAMP[:, ::-1].copy()


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def failure(source, **options):
    with pytest.raises(InvalidInput) as caught:
        images.load(source, **options)
    return caught.value.failure


# -- modes


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        (RAMP, "PNG"),
        (np.dstack([RAMP, ALPHA]), "PNG"),
        (COLORS, "PNG"),
        (np.dstack([COLORS, ALPHA]), "PNG"),
        (RAMP.astype(np.uint16) * 257 + 3, "PNG"),
        (RAMP.astype(np.uint16) * 257 + 3, "TIFF"),
        (COLORS, "TIFF"),
        (COLORS, "BMP"),
        (COLORS, "PPM"),
        (RAMP, "PPM"),
    ],
    ids=lambda v: v if isinstance(v, str) else f"{v.dtype}{v.shape[2:]}",
)
def test_lossless_kinds_come_back_bit_for_bit(pixels, kind):
    """Grey, grey with alpha, RGB, RGBA and 16 bit grey are returned exactly as they were stored."""
    loaded = images.load(encoded(Image.fromarray(pixels), kind))
    assert loaded.dtype == pixels.dtype
    np.testing.assert_array_equal(loaded, pixels)


def test_bilevel_is_black_and_white():
    """Mode 1 becomes 0 and 255."""
    picture = Image.fromarray(RAMP).point(lambda v: 255 * (v > 100), "1")
    np.testing.assert_array_equal(images.load(encoded(picture)), np.where(RAMP > 100, 255, 0))


def test_palette_is_resolved():
    """A palette picture becomes RGB; with a transparent entry, RGBA with alpha 0 there."""
    picture = Image.fromarray(RAMP // 80, "P")
    picture.putpalette([10, 20, 30, 200, 100, 50, 255, 255, 255])
    table = np.array([[10, 20, 30], [200, 100, 50], [255, 255, 255]], np.uint8)
    np.testing.assert_array_equal(images.load(encoded(picture)), table[RAMP // 80])

    clear = images.load(encoded(picture, transparency=1))
    np.testing.assert_array_equal(clear[..., 3], np.where(RAMP // 80 == 1, 0, 255))
    np.testing.assert_array_equal(clear[..., :3], table[RAMP // 80])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_clear_grey_becomes_alpha(dtype):
    """A grey PNG with a transparent value gets an alpha channel of its own depth."""
    pixels = RAMP.astype(dtype)
    loaded = images.load(encoded(Image.fromarray(pixels), transparency=40))
    assert loaded.dtype == dtype
    np.testing.assert_array_equal(loaded[..., 0], pixels)
    np.testing.assert_array_equal(loaded[..., 1] == 0, pixels == 40)


def test_one_clear_color_becomes_alpha():
    """An RGB PNG with a transparent colour becomes RGBA."""
    loaded = images.load(encoded(Image.fromarray(COLORS), transparency=tuple(int(v) for v in COLORS[2, 3])))
    assert loaded.shape == (6, 10, 4)
    assert (loaded[..., 3] == 0).sum() == 1
    assert loaded[2, 3, 3] == 0


def test_16_bit_grey_of_either_byte_order():
    """Big-endian TIFFs come back in the machine's own byte order."""
    pixels = np.array([[0, 1, 256], [513, 40000, 65535]], np.uint16)
    swapped = Image.frombytes("I;16B", (3, 2), pixels.astype(">u2").tobytes())
    loaded = images.load(encoded(swapped, "TIFF"))
    assert loaded.dtype == np.uint16
    np.testing.assert_array_equal(loaded, pixels)


def test_32_bit_whole_numbers():
    """Within 16 bits they are kept, beyond they are stretched from least to greatest."""
    low = np.array([[0, 300], [20000, 65535]], np.int32)
    high = np.array([[-100_000, 0], [0, 300_000]], np.int32)
    np.testing.assert_array_equal(images.load(encoded(Image.fromarray(low), "TIFF")), low)
    np.testing.assert_array_equal(images.load(encoded(Image.fromarray(high), "TIFF")), [[0, 16384], [16384, 65535]])


def test_floats():
    """In [0, 1] they are scaled, beyond they are stretched; one value does not divide by zero."""
    unit = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    np.testing.assert_array_equal(images.load(encoded(Image.fromarray(unit), "TIFF")), [[0, 16384], [32768, 65535]])
    wide = images.load(encoded(Image.fromarray(unit * 8 - 3), "TIFF"))
    np.testing.assert_array_equal(wide, [[0, 16384], [32768, 65535]])
    assert (images.load(encoded(Image.fromarray(np.full((2, 2), 7.0, np.float32)), "TIFF")) == 0).all()


def test_floats_that_are_no_numbers_are_refused():
    """NaN has no tone; the artist reads why and what to do."""
    pixels = np.array([[0.0, np.nan]], np.float32)
    told = failure(encoded(Image.fromarray(pixels), "TIFF"))
    assert told.code == "unreadable-input"
    assert "no numbers" in told.problem
    assert told.remedy


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_is_not_inverted(kind):
    """White paper is light and full ink dark, in a TIFF and in a JPEG marked as Adobe's (inverted)."""
    paper_and_ink = np.zeros((16, 32, 4), np.uint8)
    paper_and_ink[:, 16:, 3] = 255
    options = {"quality": 95} if kind == "JPEG" else {}
    data = encoded(Image.fromarray(paper_and_ink, "CMYK"), kind, **options)
    assert (b"Adobe" in data) == (kind == "JPEG")
    loaded = images.load(data)
    assert loaded.shape == (16, 32, 3)
    assert loaded[:, :12].min() > 250
    assert loaded[:, 20:].max() < 5


def test_lab():
    """L* 0, 50 and 100 without chroma are sRGB 0, 119 and 255 (CIE L* 50 is a linear 0.184)."""
    lab = np.zeros((1, 3, 3), np.uint8)  # a* and b* are signed in a TIFF
    lab[0, :, 0] = [0, 128, 255]
    loaded = images.load(encoded(Image.fromarray(lab, "LAB"), "TIFF"))
    np.testing.assert_allclose(loaded[0], [[0] * 3, [119] * 3, [255] * 3], atol=2)  # steps of 0.4 in L*


def test_ycbcr():
    """A YCbCr TIFF becomes RGB; both ways round, and blue weighs 1.77, hence 3."""
    data = encoded(Image.fromarray(COLORS).convert("YCbCr"), "TIFF")
    np.testing.assert_allclose(images.load(data).astype(int), COLORS, atol=3)


# -- animation and orientation


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_first_frame(kind):
    """Of an animation or a file of many pages, the first is read."""
    pages = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(pages[0], kind, save_all=True, append_images=pages[1:], **options)
    np.testing.assert_array_equal(images.load(data)[..., :3], np.broadcast_to([255, 0, 0], (8, 8, 3)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(kind, orientation):
    """All eight EXIF orientations end upright, as the corner marks of the picture show; `size` agrees."""
    upright = np.full((32, 48), 255, np.uint8)
    upright[:16, :16], upright[:16, 32:], upright[16:, :16] = 0, 80, 160
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # as Image.Transpose: how such a camera stores it
    stored = Image.fromarray(upright)
    stored = stored.transpose(inverse[orientation]) if orientation > 1 else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    data = encoded(stored, kind, exif=exif, **options)

    loaded = images.load(data)
    grey = loaded[..., 0] if loaded.ndim == 3 else loaded
    assert images.size(data) == (48, 32)
    np.testing.assert_allclose(grey.astype(int), upright, atol=4)  # JPEG at quality 95, on flat 16 px blocks


# -- colour profiles


def icc(space, gamma=1.0):
    """A matrix or grey ICC v2 profile with sRGB's primaries, adapted to D50, and a plain power curve."""

    def xyz(*values):
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    tags = {b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        tags |= {b"rXYZ": xyz(0.43607, 0.22249, 0.01392), b"gXYZ": xyz(0.38515, 0.71687, 0.09708)}
        tags |= {b"bXYZ": xyz(0.14307, 0.06061, 0.71410), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x02400000, b"mntr", space, b"XYZ ").ljust(36, b"\0")
    head += b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def srgb(linear):
    """IEC 61966-2-1, the encoding."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("channels", [3, 4])
def test_linear_rgb_profile_is_converted(channels):
    """Pixels tagged as linear light come out encoded as sRGB; alpha is left alone."""
    pixels = np.dstack([COLORS, ALPHA])[..., :channels]
    loaded = images.load(encoded(Image.fromarray(pixels), icc_profile=icc(b"RGB ")))
    expected = srgb(COLORS / 255) * 255
    np.testing.assert_allclose(loaded[..., :3], expected, atol=2)  # lcms works in 8 bit with an optimised table
    if channels == 4:
        np.testing.assert_array_equal(loaded[..., 3], ALPHA)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_profile_is_converted(dtype):
    """A grey profile's curve is applied to 8 and 16 bit pixels alike."""
    top = np.iinfo(dtype).max
    pixels = (RAMP.astype(np.float64) / 255 * top).astype(dtype)
    loaded = images.load(encoded(Image.fromarray(pixels), icc_profile=icc(b"GRAY")))
    assert loaded.dtype == dtype
    # The curve is a table of 256: exact at its knots but for rounding, between them straight.
    np.testing.assert_allclose(loaded / top * 255, srgb(pixels / top) * 255, atol=1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_profile_is_found_in_each_kind(kind):
    """PNG, JPEG and TIFF all carry the profile somewhere else."""
    flat = Image.new("RGB", (16, 16), (64, 64, 64))
    loaded = images.load(encoded(flat, kind, icc_profile=icc(b"RGB ")))
    np.testing.assert_allclose(loaded, np.full((16, 16, 3), srgb(64 / 255) * 255), atol=2)


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"no profile at all",
        icc(b"RGB ")[:150],
        icc(b"GRAY"),
    ],
    ids=["srgb", "garbage", "cut", "grey profile on colours"],
)
def test_profiles_that_change_nothing(profile):
    """sRGB itself, and profiles that are broken or of another kind of pixels, leave the colours exact."""
    loaded = images.load(encoded(Image.fromarray(COLORS), icc_profile=profile))
    np.testing.assert_array_equal(loaded, COLORS)


# -- limits and damage


def huge_png(width, height):
    """A PNG whose header promises width x height, with hardly any data behind it."""
    data = bytearray(encoded(Image.new("L", (1, 1))))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_too_large_is_told_from_the_header():
    """A 60,000 x 60,000 px file is refused with its numbers and a remedy, before anything is decoded."""
    told = failure(huge_png(60_000, 60_000))
    assert told.code == "too-large"
    assert "60000 x 60000" in told.problem
    assert "3600 million" in told.problem
    assert "250 million" in told.problem
    assert told.given == 3_600_000_000
    assert "Scale it down" in told.remedy
    assert images.size(huge_png(60_000, 60_000)) == (60_000, 60_000)


def test_limit_is_the_callers():
    """`max_pixels` counts inclusively, and Pillow's own limit neither speaks nor is changed."""
    before = Image.MAX_IMAGE_PIXELS
    data = encoded(Image.fromarray(RAMP))
    assert images.load(data, max_pixels=60).shape == (6, 10)
    assert failure(data, max_pixels=59).code == "too-large"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.size(huge_png(10_000, 10_000)) == (10_000, 10_000)  # Pillow alone would warn
        assert failure(huge_png(15_000, 15_000)).code == "unreadable-input"  # and here refuse in its own words
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello, world", "no picture"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x20ftypheic", "HEIC"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
    ],
)
def test_other_kinds(data, says):
    """What is not a picture we read is named where it can be, with the kinds that are and what to do."""
    told = failure(data)
    assert told.code == "unreadable-input"
    assert says in told.problem
    assert "TIFF" in told.allowed
    assert told.remedy
    with pytest.raises(InvalidInput):
        images.size(data)


def test_paths(tmp_path):
    """A path is read like bytes; a missing file and a folder are told apart, by name."""
    there = tmp_path / "ramp.png"
    there.write_bytes(encoded(Image.fromarray(RAMP)))
    np.testing.assert_array_equal(images.load(there), RAMP)
    assert images.size(there) == (10, 6)

    for path, says in ((tmp_path / "none.png", "does not exist"), (tmp_path, "is not a file")):
        told = failure(path)
        assert told.code == "unreadable-input"
        assert f"{path} {says}" in told.problem
        assert told.given == str(path)


def whole_files():
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8))
    return {kind: encoded(photo, kind) for kind in ("PNG", "GIF", "BMP", "PPM", "WEBP")} | {
        "JPEG": encoded(photo, "JPEG"),
        "progressive": encoded(photo, "JPEG", progressive=True),
        "TIFF": encoded(photo, "TIFF"),
        "TIFF deflate": encoded(photo, "TIFF", compression="tiff_adobe_deflate"),
        "TIFF LZW": encoded(photo, "TIFF", compression="tiff_lzw"),
    }


WHOLE = whole_files()


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_cut_off_files_are_refused(name, share):
    """A picture with its end missing is told as damaged, or as unknown where even the header is cut."""
    told = failure(WHOLE[name][: int(len(WHOLE[name]) * share)])
    assert told.code == "unreadable-input"
    assert told.remedy


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    hits=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
    kept=st.floats(0.2, 1.0),
)
def test_damage_never_escapes(name, hits, kept):
    """Overwritten bytes give a picture or InvalidInput, never another exception or a warning."""
    data = bytearray(WHOLE[name])
    for place, value in hits:
        data[int(place * len(data))] = value
    data = bytes(data[: int(len(data) * kept)])
    for read in (lambda: images.load(data, max_pixels=1_000_000), lambda: images.size(data)):
        with contextlib.suppress(InvalidInput):
            read()


# -- encoding


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 2), (4, 5, 3), (4, 5, 4)])
def test_encode_png_round_trip(shape):
    """What `encode_png` writes, `load` reads back exactly, from any memory layout."""
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(images.load(images.encode_png(pixels)), pixels)
    np.testing.assert_array_equal(images.load(images.encode_png(pixels[::-1, ::2])), pixels[::-1, ::2])


@pytest.mark.parametrize("pixels", [np.zeros((2, 2)), np.zeros((2, 2, 5), np.uint8), np.zeros(4, np.uint8)])
def test_encode_png_refuses(pixels):
    """Floats, five channels or one dimension are the caller's mistake."""
    with pytest.raises(ValueError, match="no PNG"):
        images.encode_png(pixels)
