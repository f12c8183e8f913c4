"""Where a picture's header matters to how Inkscape shows it: its size in pixels, and which way up it is."""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
# A chunk's type, or its type and keyword: the standard way and ImageMagick's.
_PNG_EXIF = (b"eXIf", *(kind + b"Raw profile type exif" for kind in (b"tEXt", b"zTXt", b"iTXt")))
# JPEG's start-of-frame markers; C4, C8 and CC lie among them and mean other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def as_shown(data: bytes) -> bytes:
    """The file that says which way up Inkscape shows it.

    Inkscape (seen with 1.2.2) turns a JPEG as its EXIF orientation asks, but not a PNG, while the backend turns both: a
    PNG goes without its EXIF blocks.
    """
    if not data.startswith(_PNG) or not any(mark in data for mark in _PNG_EXIF):
        return data
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + struct.unpack(">I", data[at : at + 4])[0]
        if not data[at + 4 : end].startswith(_PNG_EXIF):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def natural_size(data: bytes, width: float = 0.0, height: float = 0.0) -> tuple[float, float]:
    """The size in px that an image has in a drawing; a side that is given (above 0) keeps its value.

    (0, 0) when the header is not one of PNG, JPEG, GIF or BMP.
    """
    across, down = _header_size(data)
    if across <= 0 or down <= 0:
        return 0.0, 0.0
    if width > 0:
        return width, width * down / across
    if height > 0:
        return height * across / down, height
    return float(across), float(down)


def _header_size(data: bytes) -> tuple[int, int]:
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if data.startswith(b"GIF8") and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    if data.startswith(b"BM") and len(data) >= 26:
        across, down = struct.unpack("<ii", data[18:26])
        return across, abs(down)
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    return 0, 0


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walks the segments up to the first frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker in _FRAMES:
            down, across = struct.unpack(">HH", data[at + 5 : at + 9])
            return across, down
        at += 2 + size
    return 0, 0
