"""Palettes: lists of #rrggbb, and the files that palette tools write. No bpy."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path

from tessera_protocol.errors import error

SUFFIXES = (".hex", ".gpl", ".pal", ".txt", ".ase")
PICTURE = ".png"
MOST = 255

_HEX = re.compile(r"(?<![0-9a-fA-F#])#?((?:[fF]{2})?[0-9a-fA-F]{6})(?![0-9a-fA-F])")
_NUMBERS = re.compile(r"^\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?!\d)")


def parse(text: str) -> list[str]:
    """The colours of a text, as #rrggbb, each once, in its order.

    Known are lists of hexadecimal colours (Lospec's .hex, one a line or all in one, with or without #), GIMP's .gpl,
    JASC's .pal and paint.net's .txt.

    Raises:
        InvalidInput: "unreadable-input" where there is none; "too-large" for too many.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith((";", "//"))]
    first = lines[0].strip() if lines else ""
    if first.startswith("GIMP Palette") or first == "JASC-PAL":
        found = [match.groups() for line in lines[1:] if (match := _NUMBERS.match(line))]
        colors = [_named([min(255, int(value)) for value in rgb]) for rgb in found]
    else:
        # Eight digits are paint.net's: opacity first.
        colors = ["#" + digits[-6:].lower() for line in lines for digits in _HEX.findall(line)]
    if not colors:
        raise error(
            "unreadable-input",
            "There are no colours in this text.",
            allowed="hexadecimal colours such as 1b3a8f, or a GIMP, JASC or paint.net palette",
            remedy="Paste a list such as #1b3a8f #e3342f #f5c518.",
        )
    return _few(colors)


def of_pixels(data: bytes) -> list[str]:
    """The colours of a picture, as Lospec's .png have them, a pixel each or more: those that are opaque.

    Args:
        data: R, G, B, A, a byte each.
    Raises:
        InvalidInput: as `parse`.
    """
    pixels = dict.fromkeys(data[at : at + 4] for at in range(0, len(data), 4))
    colors = ["#" + pixel[:3].hex() for pixel in pixels if pixel[3] >= 128]
    if not colors:
        raise error("unreadable-input", "The picture is clear everywhere.", remedy="Take one that shows a palette.")
    return _few(colors)


def of_swatches(data: bytes) -> list[str]:
    """The colours of an Adobe Swatch Exchange file, .ase; those in inks plainly, without a profile.

    Raises:
        InvalidInput: as `parse`.
    """
    colors = []
    try:
        signature, _, _, blocks = struct.unpack_from(">4sHHI", data)
        at = 12 if signature == b"ASEF" else len(data) + 1
        for _ in range(blocks):
            kind, length = struct.unpack_from(">HI", data, at)
            if kind == 1:
                (letters,) = struct.unpack_from(">H", data, at + 6)
                colors += _swatch(data, at + 8 + 2 * letters)
            at += 6 + length
    except struct.error as exc:
        raise error(
            "unreadable-input",
            "This is no Adobe Swatch Exchange file, or a damaged one.",
            remedy="Of Aseprite, save the palette as .gpl or .hex; its own .ase are drawings.",
        ) from exc
    if not colors:
        raise error("unreadable-input", "The file has no colours in RGB, grey or CMYK.", remedy="Save it as .gpl.")
    return _few(colors)


def _swatch(data: bytes, at: int) -> list[str]:
    """The colour that a block of a swatch file has; none for what is not known."""
    model = data[at : at + 4]
    if model == b"RGB ":
        return [to_color(struct.unpack_from(">3f", data, at + 4))]
    if model == b"Gray":
        return [to_color(3 * struct.unpack_from(">f", data, at + 4))]
    if model == b"CMYK":
        *inks, black = struct.unpack_from(">4f", data, at + 4)
        return [to_color(tuple((1 - ink) * (1 - black) for ink in inks))]
    return []


def _few(colors: list[str]) -> list[str]:
    """Each once, if there are not too many."""
    colors = list(dict.fromkeys(colors))
    if len(colors) > MOST:
        raise error("too-large", f"The palette has {len(colors)} colours, but at most {MOST} are possible.")
    return colors


def read(path: Path) -> list[str]:
    """The colours of a palette file.

    Raises:
        InvalidInput: as `parse`; "unreadable-input" for other kinds of file.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise error(
            "unreadable-input",
            f"{path.name} is no palette that can be read here.",
            allowed=", ".join((*SUFFIXES, PICTURE)),
            remedy="Save it as .gpl or .hex, as Aseprite, GIMP, Krita and Lospec do.",
        )
    try:
        if path.suffix.lower() == ".ase":
            return of_swatches(path.read_bytes())
        return parse(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as exc:
        raise error("unreadable-input", f"{path.name} could not be read: {exc.strerror}.") from exc


def write(path: Path, colors: Sequence[str]) -> None:
    """Write colours, #rrggbb, as a .hex file: six digits a line.

    Raises:
        InvalidInput: "unusable-input" for none, or where the disk refuses.
    """
    if not colors:
        raise error("unusable-input", "The palette is empty.", remedy="Make voxels first, or add colours.")
    try:
        path.with_suffix(".hex").write_text("".join(color.lstrip("#") + "\n" for color in colors), encoding="utf-8")
    except OSError as exc:
        raise error("unusable-input", f"{path.name} could not be written: {exc.strerror}.") from exc


def to_share(color: str) -> tuple[float, float, float]:
    """sRGB from 0 to 1 of #rrggbb."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def to_color(share: tuple[float, ...]) -> str:
    """#rrggbb of sRGB from 0 to 1."""
    return _named([min(255, max(0, round(255 * value))) for value in share])


def nearest(color: Sequence[float], palette: Sequence[Sequence[float]]) -> int:
    """Which of a palette looks most like a colour: sRGB differences, weighted as the eye weights them about."""
    return min(
        range(len(palette)),
        key=lambda at: sum(w * (a - b) ** 2 for w, a, b in zip((3.0, 6.0, 2.0), color, palette[at])),
    )


def _named(rgb: list[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
