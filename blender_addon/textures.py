"""Pictures of Blender as bytes that the backend reads: files as they are, where it knows their kind, else pixels."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from tessera_protocol.errors import error

from . import palettes
from .scene import Texture

if TYPE_CHECKING:
    from collections.abc import Callable

# The longer side of raw pixels: more than voxels can show.
LONGEST = 1024
# What the backend decodes; Blender's names of formats.
FILE_FORMATS = ("PNG", "JPEG", "BMP", "TARGA", "TARGA_RAW", "TIFF", "WEBP")


def read(image: Any, abspath: Callable[..., str], notes: list[str]) -> Texture | None:
    """The picture, or None with a note where its pixels can't be had.

    Args:
        image: of `bpy.data.images`.
        abspath: `bpy.path.abspath`.
        notes: gets sentences on what is not as it looks in Blender.
    """
    if image.source == "TILED":
        notes.append(f"Picture {image.name} has several tiles (UDIM): the first one is used for all.")
    if image.source in ("SEQUENCE", "MOVIE"):
        notes.append(f"Picture {image.name} is a film: one frame of it is used.")
    data = _file(image, abspath)
    if data is not None:
        return Texture(image.name, data)
    # Asked after the file: this loads it.
    width, height = image.size
    if not (width and height):
        notes.append(f"Picture {image.name} is missing: its material is drawn without it.")
        return None
    return _pixels(image, width, height)


def _file(image: Any, abspath: Callable[..., str]) -> bytes | None:
    """The file that the picture is the same as; None where there is none, or not one for the backend."""
    if image.source != "FILE" or image.is_dirty or image.file_format not in FILE_FORMATS:
        return None
    # Of these, `pixels` are linear already, and files would be taken for sRGB.
    if image.is_float or linear(image):
        return None
    if image.packed_file is not None:
        return bytes(image.packed_file.data)
    try:
        return Path(abspath(image.filepath, library=image.library)).read_bytes()
    except OSError:
        return None


def rgba(image: Any) -> bytes:
    """All pixels of a picture of 8 bits, a byte each of R, G, B, A, straight alpha, the upper row first."""
    width, height = image.size
    values = array("f", bytes(16 * width * height))
    image.pixels.foreach_get(values)
    return upturned(bytes([int(255 * value + 0.5) for value in values]), width)


def palette(path: Path) -> list[str]:
    """The colours of a picture file, #rrggbb.

    Raises:
        InvalidInput: "unreadable-input", "too-large".
    """
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as exc:
        raise error("unreadable-input", f"{path.name} could not be read: {exc}") from exc
    try:
        # Asked after its size, it is loaded.
        if 0 in image.size or image.is_float or image.channels != 4:
            raise error("unreadable-input", f"{path.name} is no picture of 8 bits a channel.", remedy="Save it as PNG.")
        return palettes.of_pixels(rgba(image))
    finally:
        bpy.data.images.remove(image)


def upturned(data: bytes, width: int) -> bytes:
    """Rows of RGBA pixels the other way round: Blender's lowest is first."""
    rows = [data[at : at + 4 * width] for at in range(0, len(data), 4 * width)]
    return b"".join(reversed(rows))


def linear(image: Any) -> bool:
    """Whether its numbers are linear light, or no colours at all."""
    return image.is_float or image.colorspace_settings.name.startswith(("Non-Color", "Linear", "Raw", "scene_linear"))


def _pixels(image: Any, width: int, height: int) -> Texture:
    """Every pixel of a small picture, or of a larger one those of a coarser raster."""
    channels = image.channels
    values = array("f", bytes(4 * width * height * channels))
    image.pixels.foreach_get(values)
    step = -(-max(width, height) // LONGEST)
    if step > 1 or channels != 4:
        values = _thinned(values, width, height, channels, step)
        width, height = -(-width // step), -(-height // step)
    kind = "linear" if linear(image) else "srgb"
    return Texture(image.name, values.tobytes(), kind, width, height)


def _thinned(values: array[float], width: int, height: int, channels: int, step: int) -> array[float]:
    """Each `step`-th pixel of each `step`-th row, as RGBA."""
    across = -(-width // step)
    out = array("f", [1.0]) * (4 * across * -(-height // step))
    # Grey, grey and alpha, RGB, RGBA: where each of R, G, B, A comes from; opaque where alpha is not there.
    sources = {1: (0, 0, 0, None), 2: (0, 0, 0, 1), 3: (0, 1, 2, None)}.get(channels, (0, 1, 2, 3))
    for number, y in enumerate(range(0, height, step)):
        row = values[y * width * channels : (y + 1) * width * channels]
        start, end = 4 * number * across, 4 * (number + 1) * across
        for channel, source in enumerate(sources):
            if source is not None:
                out[start + channel : end : 4] = row[source :: channels * step]
    return out
