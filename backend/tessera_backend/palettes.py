"""Palette files to colours and back, for all jobs: hex lists, GIMP, Adobe, JASC, and pictures of palettes.

What a file is, its bytes say, not its name. Files are input from strangers: whatever is wrong with one ends as
InvalidInput.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from tessera_protocol.errors import TesseraError, error

from . import colour, images

MOST_COLORS = 256
KINDS = "a list of hex colours, .gpl, .ase, JASC .pal, or a picture of at most 256 colours"
# More is no palette.
_MOST_BYTES = 1 << 20
_MOST_PIXELS = 4_000_000
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


def read(source: bytes | Path) -> np.ndarray:
    """The different colours of a palette file, in its order: uint8 (K, 3), sRGB, K from 1 to 256.

    Args:
        source: a file, or the path of one: hex colours (RRGGBB with or without #, also AARRGGBB as Paint.NET writes),
            GIMP's and Krita's .gpl, Adobe's .ase (CMYK without a profile), JASC's .pal, or a picture, whose
            transparent pixels don't count.
    Raises:
        InvalidInput: "unreadable-input"; "unusable-input" for no colours; "too-large" for too many.
    """
    data = _bytes(source)
    try:
        colors = _reader(data)(data)
    except (ValueError, IndexError, struct.error) as damage:
        raise _unreadable(f"The palette is damaged: {damage}.") from damage
    found = list(dict.fromkeys(map(tuple, colors.tolist())))
    if not found:
        raise error("unusable-input", "The palette has no colours.", field="palette", allowed=KINDS)
    if len(found) > MOST_COLORS:
        raise error(
            "too-large",
            f"The palette has {len(found)} different colours.",
            field="palette",
            given=len(found),
            allowed=f"at most {MOST_COLORS}",
            remedy="Take a picture of the palette, one patch a colour, saved without loss (PNG, not JPEG).",
        )
    return np.array(found, np.uint8)


def to_hex(colors: np.ndarray) -> str:
    """A hex list as on lospec.com: one RRGGBB a line, of uint8 (K, 3)."""
    return "".join("{:02x}{:02x}{:02x}\n".format(*color) for color in colors.tolist())


def to_gpl(colors: np.ndarray, name: str) -> str:
    """A palette of GIMP, Krita and Inkscape, of uint8 (K, 3)."""
    title = " ".join(name.split())
    rows = ["{:3d} {:3d} {:3d}\t#{:02x}{:02x}{:02x}".format(*color, *color) for color in colors.tolist()]
    return "\n".join(["GIMP Palette", f"Name: {title}", "Columns: 8", "#", *rows, ""])


def _bytes(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as problem:
        raise _unreadable(f"{source.name} can't be read: {problem.strerror}.") from problem


def _reader(data: bytes) -> Callable[[bytes], np.ndarray]:
    if data.startswith(b"ASEF"):
        return _adobe
    if data[4:6] == b"\xe0\xa5":
        raise _unreadable("This is a drawing of Aseprite, not a palette.", "Export its palette there as .gpl or .png.")
    if data[:4] == b"RIFF" and data[8:12] == b"PAL ":
        raise _unreadable("This is a palette of Windows (RIFF), which isn't read.", "Save it as .gpl or JASC .pal.")
    if data.startswith(_PICTURES):
        return _picture
    text = data.lstrip(b"\xef\xbb\xbf \r\n\t")
    if len(data) > _MOST_BYTES or b"\0" in data[:4096]:
        raise _unreadable("The file is no palette.")
    if text.startswith(b"GIMP Palette"):
        return _gimp
    return _jasc if text.startswith(b"JASC-PAL") else _hex


def _hex(data: bytes) -> np.ndarray:
    words = [line.split(";")[0] for line in _text(data).splitlines()]
    colors = []
    for word in re.split(r"[\s,]+", " ".join(words).strip()):
        match = re.fullmatch(r"(?:#|0x)?(?:[0-9a-fA-F]{2})?([0-9a-fA-F]{6})", word)
        if word and match is None:
            raise _unreadable(f"The palette has {word[:20]!r}, which is not a colour of the form #rrggbb.")
        if match is not None:
            colors.append(list(bytes.fromhex(match[1])))
    return _array(colors)


def _gimp(data: bytes) -> np.ndarray:
    return _rows(line for line in _text(data).splitlines()[1:] if not re.match(r"\s*(#|Name:|Columns:|$)", line))


def _jasc(data: bytes) -> np.ndarray:
    lines = [line for line in _text(data).split("\n") if line.strip()]
    return _rows(lines[3 : 3 + int(lines[2])])


def _rows(lines: Iterable[str]) -> np.ndarray:
    """Of lines that begin with three numbers."""
    return _array([[int(number) for number in line.split()[:3]] for line in lines])


def _array(colors: Sequence[Sequence[int]]) -> np.ndarray:
    if any(len(color) != 3 or not all(0 <= value <= 255 for value in color) for color in colors):
        raise ValueError("a colour is not three numbers from 0 to 255")
    return np.array(colors, np.uint8).reshape(-1, 3)


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")


def _picture(data: bytes) -> np.ndarray:
    """The colours of a picture's opaque pixels, row by row; of long runs the first pixel stands for all."""
    pixels = images.load(data, max_pixels=_MOST_PIXELS)
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    flat = pixels.reshape(-1, pixels.shape[2] if pixels.ndim == 3 else 1)
    if flat.shape[1] in (2, 4):
        flat = flat[flat[:, -1] > 0, :-1]
    rgb = np.repeat(flat, 3, 1) if flat.shape[1] == 1 else flat
    first = np.sort(np.unique(rgb.astype(np.int64) @ (65536, 256, 1), return_index=True)[1])
    found: np.ndarray = rgb[first]
    return found


def _adobe(data: bytes) -> np.ndarray:
    """Adobe Swatch Exchange: big-endian blocks, of which those of type 1 are colours."""
    (count,), at, colors = struct.unpack_from(">I", data, 8), 12, []
    for _ in range(count):
        kind, length = struct.unpack_from(">HI", data, at)
        if kind == 1:
            (letters,) = struct.unpack_from(">H", data, at + 6)
            colors.append(_swatch(data, at + 8 + 2 * letters))
        at += 6 + length
    return np.rint(np.clip(np.array(colors).reshape(-1, 3), 0, 1) * 255).astype(np.uint8)


def _swatch(data: bytes, at: int) -> np.ndarray:
    """sRGB (3,) of a model's name and its floats."""
    model = data[at : at + 4]
    sizes = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Gray": 1}
    if model not in sizes:
        raise ValueError(f"it has a colour of the kind {model!r}")
    values = np.array(struct.unpack_from(f">{sizes[model]}f", data, at + 4))
    if not np.isfinite(values).all():
        raise ValueError("a colour is no number")
    if model == b"CMYK":
        return (1 - values[:3]) * (1 - values[3])
    if model == b"LAB ":
        return colour.srgb(values * (100, 1, 1))
    return np.broadcast_to(values, 3)


def _unreadable(problem: str, remedy: str = "Take another file.") -> TesseraError:
    return error("unreadable-input", problem, field="palette", allowed=KINDS, remedy=remedy)
