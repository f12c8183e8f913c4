"""What the extension reads from a picture's header, against a real decoder."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from . import drawings

sys.path.insert(0, str(Path(__file__).parents[2] / "inkscape_extension"))

from tessera_inkscape import pixels

ORIENTATION = 0x0112


def encoded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    drawings.picture(37, 23).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [encoded("PNG"), encoded("JPEG"), encoded("JPEG", progressive=True), encoded("GIF"), encoded("BMP")],
    ids=["png", "jpeg", "progressive", "gif", "bmp"],
)
def test_natural_size(data: bytes) -> None:
    """The size in the header; a side that the drawing gives is kept, and the other follows it."""
    assert pixels.natural_size(data) == (37, 23)
    assert pixels.natural_size(data, width=74.0) == (74, 46)
    assert pixels.natural_size(data, height=46.0) == (74, 46)


@pytest.mark.parametrize("data", [b"", b"RIFF", encoded("PNG")[:20], encoded("JPEG")[:30]])
def test_no_size(data: bytes) -> None:
    """Other files and stumps have none."""
    assert pixels.natural_size(data) == (0, 0)


def test_a_png_is_not_turned() -> None:
    """Inkscape ignores a PNG's orientation, so it is taken out; nothing else of the file is."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    note = PngImagePlugin.PngInfo()
    note.add_text("Title", "kept")

    with Image.open(io.BytesIO(pixels.as_shown(encoded("PNG", exif=exif, pnginfo=note)))) as image:
        assert image.getexif().get(ORIENTATION) is None
        assert image.info["Title"] == "kept"
        assert image.tobytes() == drawings.picture(37, 23).tobytes()


def test_a_jpeg_is_left_alone() -> None:
    """Inkscape turns a JPEG as its EXIF says, and so does the backend."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded("JPEG", exif=exif)
    assert pixels.as_shown(data) is data
    assert pixels.as_shown(encoded("PNG")) == encoded("PNG")
