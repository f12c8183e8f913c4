"""`tessera vectorize`, as a user runs it: drawings, odd files, words and exit codes."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from PIL import Image

from tests.conftest import BackendProcess

from .test_cli import tessera

QUICK = ("--engine", "fast", "--paths", "6", "--resolution", "96")
SVG = "{http://www.w3.org/2000/svg}"


def flag(width: int = 90, height: int = 60) -> np.ndarray:
    """Left half red, right half blue, uint8 (H, W, 3)."""
    halves = np.where(np.arange(width)[:, None] < width / 2, [200, 30, 40], [40, 70, 180])
    return np.broadcast_to(halves, (height, width, 3)).astype(np.uint8)


def assert_flag(drawing: Path) -> None:
    """Red on the left, blue on the right, opaque."""
    data = bytes(resvg_py.svg_to_bytes(svg_string=drawing.read_text()))
    with Image.open(io.BytesIO(data)) as picture:
        shown = np.asarray(picture.convert("RGBA"), float)
    middle = shown[shown.shape[0] // 2]
    for share, color in ((0.2, [200, 30, 40, 255]), (0.8, [40, 70, 180, 255])):
        assert np.abs(middle[int(share * len(middle))] - color).max() < 16


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "flag.png"
    Image.fromarray(flag()).save(path)
    return path


def test_a_picture_becomes_layers(picture: Path) -> None:
    """Exit code 0, one line on stdout, an SVG beside the picture with no more paths than asked for."""
    done = tessera("vectorize", picture, *QUICK, "--seed", "4", "--levels", "3")
    assert done.returncode == 0, done.stderr
    target = picture.with_suffix(".layers.svg")
    found = re.fullmatch(
        rf"{re.escape(str(target))}: (\d+) paths in 3 levels, [\d.]+ dB, engine fast, seed 4, \d+ kB\n", done.stdout
    )
    assert found
    root = ElementTree.parse(target).getroot()
    assert (root.get("width"), root.get("height")) == ("90", "60")
    assert len(root.findall(f".//{SVG}path")) == int(found[1]) <= 6
    assert_flag(target)


def test_here_and_through_the_backend_are_the_same(backend: BackendProcess, picture: Path, tmp_path: Path) -> None:
    """--backend gives the same file, byte for byte, and leaves nothing behind in the backend."""
    here, there = tmp_path / "here.svg", tmp_path / "there.svg"
    for target, more in ((here, []), (there, ["--backend"])):
        done = tessera("vectorize", picture, "-o", target, *QUICK, *more, env=backend.environment)
        assert done.returncode == 0, done.stderr
    assert here.read_bytes() == there.read_bytes()
    with backend.client() as client:
        assert all(job["client"] != "cli" for job in client.jobs())


def _gif(path: Path) -> None:
    first, other = (Image.fromarray(array) for array in (flag(), flag()[:, ::-1]))
    first.save(path, save_all=True, append_images=[other], duration=100)


def _cmyk(path: Path) -> None:
    Image.fromarray(flag()).convert("CMYK").save(path, quality=95)


def _deep(path: Path) -> None:
    """16 bit, written by hand: Pillow writes no 16 bit colour."""
    import struct
    import zlib

    rows = np.dstack([flag().astype(">u2") * 257])
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 90, 60, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    data = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(data))


def _wide(path: Path) -> None:
    Image.fromarray(flag(20_000, 40)).save(path)


@pytest.mark.parametrize(
    ("name", "make"), [("moving.gif", _gif), ("cmyk.jpg", _cmyk), ("deep.png", _deep), ("wide.png", _wide)]
)
def test_odd_files(tmp_path: Path, name: str, make: object) -> None:
    """An animation's first frame, other colour models, deep and very wide pictures become what they show."""
    make(tmp_path / name)  # type: ignore[operator]
    target = tmp_path / "drawing.svg"
    done = tessera("vectorize", tmp_path / name, "-o", target, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert_flag(target)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["empty.png"], "empty.png is empty (0 bytes)"),
        (["words.png"], "words.png"),
        (["cut.png"], "cut.png is damaged or cut off"),
        (["clear.png"], "transparent everywhere: there is nothing to draw"),
        (["missing.png"], "missing.png does not exist"),
        (["flag.png", "--paths", "0"], "Paths is 0, but 1 to 2000 are possible"),
        (["flag.png", "--palette", "red"], "'red', which is not a colour"),
        (["flag.png", "--simplify", "sds"], "The diffusion model's folder or hub id is missing"),
        (["flag.png", "-o", "drawing.png"], "only .svg is possible"),
        (["flag.png", "-o", "no/such/drawing.svg"], "no folder"),
    ],
    ids=str,
)
def test_bad_input_is_exit_code_2_and_one_sentence(
    picture: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """What was wrong and what to do, no traceback, and no file."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "words.png").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:90])
    Image.new("RGBA", (9, 9)).save(tmp_path / "clear.png")
    before = sorted(tmp_path.iterdir())
    done = tessera("vectorize", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before
