"""Six views of voxels in one picture, to be edited by hand and read back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tessera_protocol.errors import error

from ... import images
from ..sides import SIDES, six_pictures, view_shape
from ..voxels import Voxels
from .meshes import GENERATOR, about

# The box unfolded: sides that meet in an edge lie beside each other, with a gap between.
#     top
#     front   right   back   left
#     bottom
_CELLS = {"front": (1, 0), "right": (1, 1), "back": (1, 2), "left": (1, 3), "top": (0, 0), "bottom": (2, 0)}
GAP = 2  # voxels between views, and round the sheet
MOST_ZOOM = 64


def layout(shape: tuple[int, int, int]) -> tuple[dict[str, tuple[int, int]], tuple[int, int]]:
    """Where views begin, (row, column) in voxels from the sheet's top left, and the sheet's height and width."""
    x, y, z = shape
    columns = np.cumsum([GAP, x + GAP, y + GAP, x + GAP, y + GAP])
    rows = np.cumsum([GAP, y + GAP, z + GAP, y + GAP])
    corners = {side: (int(rows[row]), int(columns[column])) for side, (row, column) in _CELLS.items()}
    return corners, (int(rows[-1]), int(columns[-1]))


def to_sheet(voxels: Voxels, zoom: int = 1) -> bytes:
    """A PNG of the six views on a transparent ground, `zoom` pixels a voxel; how it was made in a text chunk."""
    corners, extent = layout(voxels.labels.shape)
    sheet = np.zeros((*extent, 4), np.uint8)
    for side, view in zip(SIDES, six_pictures(voxels), strict=True):
        row, column = corners[side]
        sheet[row : row + view.shape[0], column : column + view.shape[1]] = view
    text = PngInfo()
    text.add_text("Software", GENERATOR)
    text.add_itxt("tessera", json.dumps(about(voxels) | {"zoom": zoom}))
    file = io.BytesIO()
    Image.fromarray(sheet.repeat(zoom, 0).repeat(zoom, 1)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def read_sheet(source: bytes | Path, shape: tuple[int, int, int]) -> list[np.ndarray]:
    """The six views of a sheet, as an artist may have changed them.

    Any whole zoom will do; of each voxel's pixels the most frequent counts. What is less than half opaque is nothing.

    Args:
        source: a picture with alpha, of the size that `to_sheet` writes for this grid, times a whole number.
        shape: of the grid (X, Y, Z).
    Returns:
        uint8 (height, width, 4) each in the order of `SIDES`, alpha 0 or 255, colour 0 where alpha is.
    Raises:
        InvalidInput: "unreadable-input"; "unusable-input" for other sizes, no alpha, or six empty views.
    """
    picture = images.load(source)
    corners, (height, width) = layout(shape)
    zoom = picture.shape[1] // width
    if zoom < 1 or zoom > MOST_ZOOM or picture.shape[:2] != (height * zoom, width * zoom):
        raise error(
            "unusable-input",
            f"The sheet has {picture.shape[1]} x {picture.shape[0]} pixels, which does not fit a grid of "
            f"{' x '.join(map(str, shape))} voxels.",
            field="sheet",
            given=f"{picture.shape[1]} x {picture.shape[0]}",
            allowed=f"{width} x {height}, or 2 to {MOST_ZOOM} times that",
            remedy="Keep the size of the sheet that was exported, and the resolution that it was made with.",
        )
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (2, 4):
        raise error(
            "unusable-input",
            "The sheet has no transparency, so nothing tells the object from what is behind it.",
            field="sheet",
            remedy="Save it as a PNG with an alpha channel.",
        )
    if picture.shape[2] == 2:
        picture = picture[..., [0, 0, 0, 1]]
    voxels = _most_frequent(picture, zoom)
    views = []
    for side in SIDES:
        (row, column), (tall, wide) = corners[side], view_shape(shape, side)
        views.append(voxels[row : row + tall, column : column + wide].copy())
    if not any(view[..., 3].any() for view in views):
        raise error("unusable-input", "All six views of the sheet are empty.", field="sheet", remedy="Draw something.")
    return views


def _most_frequent(picture: np.ndarray, zoom: int) -> np.ndarray:
    """uint8 (H / zoom, W / zoom, 4): the colour that most pixels of each block have, clear or opaque."""
    opaque = picture[..., 3] >= 128
    pixels = np.where(opaque[..., None], picture, 0).astype(np.uint8)
    pixels[..., 3] = np.where(opaque, 255, 0)
    height, width = (side // zoom for side in picture.shape[:2])
    codes = np.ascontiguousarray(pixels).view("<u4")[..., 0]
    blocks = codes.reshape(height, zoom, width, zoom).swapaxes(1, 2).reshape(-1, zoom * zoom)
    ordered = np.sort(blocks, axis=1)
    steps = np.arange(zoom * zoom)
    begins = np.ones(ordered.shape, bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    runs = steps - np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
    longest = np.take_along_axis(ordered, runs.argmax(1)[:, None], 1)
    return np.ascontiguousarray(longest.astype("<u4")).view(np.uint8).reshape(height, width, 4)
