"""Palette files, and the colour differences that palettes are chosen by."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.color import deltaE_ciede2000

from tessera_backend import palettes
from tessera_backend.colour import ciede2000, ciede2000_table, lab, srgb
from tessera_backend.images import encode_png
from tessera_protocol.errors import TesseraError

COLORS = np.array([[27, 58, 143], [227, 52, 47], [245, 197, 24], [0, 0, 0]], np.uint8)


def swatches(*entries: tuple[bytes, tuple[float, ...]]) -> bytes:
    """An Adobe file of one group and these colours."""
    blocks = [struct.pack(">HIH", 0xC001, 2 + 6, 3) + "ab\0".encode("utf-16-be")]
    for model, values in entries:
        body = struct.pack(">H", 2) + "a\0".encode("utf-16-be") + model + struct.pack(f">{len(values)}fH", *values, 2)
        blocks.append(struct.pack(">HI", 1, len(body)) + body)
    blocks.append(struct.pack(">HI", 0xC002, 0))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


@pytest.mark.parametrize(
    "data",
    [
        b"1b3a8f\ne3342f\nf5c518\n000000\n",
        b"\xef\xbb\xbf#1B3A8F, #E3342F\r\n#f5c518 #000000 #1b3a8f",
        b";paint.net Palette File\n; four\nFF1b3a8f\nFFe3342f\nFFf5c518 ; yellow\nFF000000\n",
        b"GIMP Palette\nName: four\nColumns: 2\n# a comment\n 27  58 143 blue\n227 52 47\n245\t197 24\tsun\n0 0 0\n",
        b"JASC-PAL\r\n0100\r\n4\r\n27 58 143\r\n227 52 47\r\n245 197 24\r\n0 0 0\r\n",
        encode_png(COLORS[None].repeat(8, 1).repeat(8, 0)),
        swatches(*((b"RGB ", tuple(color / 255)) for color in COLORS)),
        palettes.to_hex(COLORS).encode(),
        palettes.to_gpl(COLORS, "four\ncolours").encode(),
    ],
    ids=["hex", "list", "paint.net", "gimp", "jasc", "picture", "adobe", "own hex", "own gpl"],
)
def test_all_kinds_give_the_colors_in_order(data, tmp_path):
    """From bytes as from a file, whatever it is called."""
    assert np.array_equal(palettes.read(data), COLORS)
    (tmp_path / "palette.xyz").write_bytes(data)
    assert np.array_equal(palettes.read(tmp_path / "palette.xyz"), COLORS)


def test_models_of_adobe_become_srgb():
    """CMYK, Lab and grey, each as one would expect of red, red and half."""
    red = lab(np.array([1.0, 0, 0]))
    data = swatches((b"CMYK", (0, 1, 1, 0)), (b"LAB ", (red[0] / 100, red[1], red[2])), (b"Gray", (0.5,)))
    assert palettes.read(data).tolist() == [[255, 0, 0], [128, 128, 128]]


def test_transparent_pixels_are_no_colors():
    """A strip's margin does not count; grey pictures do."""
    strip = np.zeros((4, 8, 4), np.uint8)
    strip[1, :4] = (10, 20, 30, 255)
    assert palettes.read(encode_png(strip)).tolist() == [[10, 20, 30]]
    assert palettes.read(encode_png(np.full((2, 2), 7, np.uint8))).tolist() == [[7, 7, 7]]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unusable-input"),
        (b"GIMP Palette\nName: none\n", "unusable-input"),
        (b"hello world", "unreadable-input"),
        (b"GIMP Palette\n1 2\n", "unreadable-input"),
        (b"GIMP Palette\n1 2 300\n", "unreadable-input"),
        (b"GIMP Palette\none two three\n", "unreadable-input"),
        (b"JASC-PAL\n0100\nmany\n", "unreadable-input"),
        (b"JASC-PAL\n", "unreadable-input"),
        (b"ASEF\0\1\0\0\0\0\0\5", "unreadable-input"),
        (b"ASEF", "unreadable-input"),
        (swatches((b"HSB ", (0, 0, 0))), "unreadable-input"),
        (swatches((b"Gray", (float("nan"),))), "unreadable-input"),
        (b"RIFF\0\0\0\0PAL data", "unreadable-input"),
        (b"\0\0\0\0\xe0\xa5\0\0", "unreadable-input"),
        (b"\x89PNG\r\n", "unreadable-input"),
        (bytes(100), "unreadable-input"),
        (encode_png(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)), "too-large"),
    ],
)
def test_what_is_no_palette_is_refused(data, code):
    """In words, not with a traceback."""
    with pytest.raises(TesseraError) as raised:
        palettes.read(data)
    assert raised.value.failure.code == code
    assert raised.value.failure.problem.endswith((".", "'"))


def test_a_missing_file_is_refused(tmp_path):
    """By name."""
    with pytest.raises(TesseraError, match=r"none\.gpl"):
        palettes.read(tmp_path / "none.gpl")


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"ASEF\0\1\0\0\0\0\0\1", b"GIMP Palette\n", b"JASC-PAL\n", b"BM"])
)
def test_rubbish_is_refused_or_read(tail, head):
    """Never anything but colours or a failure."""
    try:
        found = palettes.read(head + tail)
    except TesseraError:
        return
    assert found.dtype == np.uint8
    assert 1 <= len(found) <= palettes.MOST_COLORS


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 60), st.just(3))))
def test_written_palettes_are_read_again(colors):
    """All different colours, in order."""
    different = np.array(list(dict.fromkeys(map(tuple, colors.tolist()))), np.uint8)
    assert np.array_equal(palettes.read(palettes.to_hex(colors).encode()), different)
    assert np.array_equal(palettes.read(palettes.to_gpl(colors, "").encode()), different)


def test_differences_are_those_of_the_paper():
    """Pairs 1, 4, 7, 17 and 25 of Sharma, Wu and Dalal's table 1."""
    one = [(50, 2.6772, -79.7751), (50, -1.3802, -84.2814), (50, 0, 0), (50, 2.5, 0), (60.2574, -34.0099, 36.2677)]
    two = [(50, 0, -82.7485), (50, 0, -82.7485), (50, -1, 2), (73, 25, -18), (60.4626, -34.1751, 39.4387)]
    found = ciede2000(np.array(one), np.array(two))
    assert found == pytest.approx([2.0425, 1.0, 2.3669, 27.1492, 1.2644], abs=5e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_differences_are_those_of_another_program(seed):
    """scikit-image's, for grey and far colours too; a table has each pair; Lab comes back as sRGB."""
    rgb = np.random.default_rng(seed).random((2, 40, 3))
    rgb[0, 0], rgb[1, 1], rgb[:, 2] = 0.5, 0.5, 1.0
    one, two = lab(rgb)
    assert srgb(one) == pytest.approx(rgb[0], abs=1e-9)
    assert ciede2000(one, two) == pytest.approx(deltaE_ciede2000(one, two), abs=1e-9)
    table = ciede2000_table(one, two[:5])
    assert table == pytest.approx(np.stack([ciede2000(one, np.tile(color, (40, 1))) for color in two[:5]], 1))
