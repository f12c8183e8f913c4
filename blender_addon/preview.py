"""The picture of a running job, as an icon that the panel can draw."""

from __future__ import annotations

from array import array
from typing import Any

import bpy.utils.previews

from tessera_protocol.messages import Buffer

_collection: Any = None
_shown: Buffer | None = None
_count = 0


def show(buffer: Buffer | None) -> None:
    """Make this the picture: uint8 (H, W, 4), sRGB, straight alpha, row 0 at the top. Others are ignored."""
    global _shown, _count  # noqa: PLW0603 - one panel, one picture
    if _collection is None or buffer is None or buffer is _shown:
        return
    if buffer.dtype != "uint8" or len(buffer.shape) != 3 or buffer.shape[2] != 4 or 0 in buffer.shape:
        return
    height, width, _ = buffer.shape
    data = bytes(buffer.data)
    rows = [data[4 * width * y : 4 * width * (y + 1)] for y in reversed(range(height))]
    _collection.clear()
    # A name is drawn once: another picture needs another.
    _count += 1
    picture = _collection.new(f"preview {_count}")
    picture.image_size = (width, height)
    picture.image_pixels.foreach_set(array("i", b"".join(rows)))
    _shown = buffer


def icon() -> int:
    """Its number, or 0."""
    return next((picture.icon_id for picture in _collection.values()), 0) if _collection is not None else 0


def clear() -> None:
    """Show none."""
    global _shown  # noqa: PLW0603
    _shown = None
    if _collection is not None:
        _collection.clear()


def register() -> None:
    global _collection  # noqa: PLW0603
    _collection = bpy.utils.previews.new()


def unregister() -> None:
    global _collection  # noqa: PLW0603
    bpy.utils.previews.remove(_collection)
    _collection = None
