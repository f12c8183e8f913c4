"""The size that a picture's own header states: needed only for an <image> that says no width and height."""

from __future__ import annotations

import struct

# JPEG's start-of-frame markers; C4, C8 and CC lie among them and mean other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


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
