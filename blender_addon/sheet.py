"""Sheets: the six views of voxels as a picture to paint in, laid out as docs/conventions.md says. No bpy."""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
import zlib
from array import array
from collections.abc import Sequence

from tessera_protocol.errors import error

Color = tuple[float, ...]

GAP = 2  # voxels between views, and round the sheet
CLEAR = bytes(4)
# Row and column of each view, and per view: the axis that runs down, to the right and away from the eye, and which of
# these run the other way; as in the backend's voxelize/sides.py.
_VIEWS = (
    ((1, 0), (2, 0, 1), (True, False, False)),  # front
    ((1, 1), (2, 1, 0), (True, False, True)),  # right
    ((1, 2), (2, 0, 1), (True, True, True)),  # back
    ((1, 3), (2, 1, 0), (True, True, False)),  # left
    ((0, 0), (1, 0, 2), (True, False, True)),  # top
    ((2, 0), (1, 0, 2), (False, False, False)),  # bottom
)


@dataclasses.dataclass(frozen=True)
class Grid:
    """The voxels of a result, kept with it as text: a mesh alone does not say what it is of.

    Attributes:
        shape: X, Y, Z.
        labels: a byte each, z fastest; 0 where nothing is.
        palette: #rrggbb of labels 1 and so on, as the run made them.
        numbers: of the palette's colours, in the palette that the artist sees now.
    """

    shape: tuple[int, ...]
    labels: bytes
    palette: tuple[str, ...]
    numbers: tuple[int, ...]

    def to_text(self) -> str:
        """As JSON, the labels compressed."""
        fields = dataclasses.asdict(self)
        return json.dumps(fields | {"labels": base64.b64encode(zlib.compress(self.labels)).decode()})

    @staticmethod
    def of_text(text: str) -> Grid:
        """What `to_text` made.

        Raises:
            InvalidInput: "unusable-input" where there is none, or a damaged one.
        """
        try:
            fields = json.loads(text)
            labels = zlib.decompress(base64.b64decode(fields["labels"]))
            shape, palette, numbers = (tuple(fields[name]) for name in ("shape", "palette", "numbers"))
            x, y, z = shape
            if len(labels) != x * y * z:
                raise ValueError
        except (ValueError, KeyError, TypeError, zlib.error) as exc:
            raise error(
                "unusable-input",
                "These voxels don't say what they are made of: another version made them, or they are a sequence.",
                remedy="Press Voxify Again, and then write the sheet.",
            ) from exc
        return Grid(shape, labels, palette, numbers)

    def renumbered(self, numbers: Sequence[int]) -> Grid:
        """The same, where colour i of the artist's palette became `numbers[i]` of another."""
        last = len(numbers) - 1
        return dataclasses.replace(self, numbers=tuple(numbers[min(number, last)] for number in self.numbers))

    def shown(self, swatches: Sequence[str]) -> list[str]:
        """The palette as the artist sees it: #rrggbb of each label."""
        last = len(swatches) - 1
        return [swatches[min(number, last)] for number in self.numbers]


def extent(shape: Sequence[int]) -> tuple[int, int]:
    """Width and height of a sheet, voxels."""
    x, y, z = shape
    return 2 * (x + y) + 5 * GAP, 2 * y + z + 4 * GAP


def pixels(grid: Grid, colors: Sequence[str], zoom: int = 1) -> bytes:
    """The sheet: RGBA, a byte each, upper row first.

    Args:
        colors: #rrggbb of each label.
        zoom: pixels a voxel.
    """
    table = [CLEAR, *(bytes.fromhex(color[1:]) + b"\xff" for color in colors)]
    x, y, z = grid.shape
    width, height = extent(grid.shape)
    columns = (GAP, 2 * GAP + x, 3 * GAP + x + y, 4 * GAP + 2 * x + y)
    starts = (GAP, 2 * GAP + y, 3 * GAP + y + z)
    rows = [[CLEAR] * width for _ in range(height)]
    for (row, column), axes, backwards in _VIEWS:
        for number, seen in enumerate(_first_labels(grid, axes, backwards)):
            left = columns[column]
            rows[starts[row] + number][left : left + len(seen)] = [table[label] for label in seen]
    return b"".join(b"".join(pixel * zoom for pixel in row) * zoom for row in rows)


def _first_labels(grid: Grid, axes: Sequence[int], backwards: Sequence[bool]) -> list[bytearray]:
    """Rows of the labels that a view sees first."""
    steps = (grid.shape[1] * grid.shape[2], grid.shape[2], 1)
    down, right, away = (
        [place * steps[axis] for place in range(grid.shape[axis])[:: -1 if back else 1]]
        for axis, back in zip(axes, backwards)
    )
    labels = grid.labels
    return [bytearray(next((n for d in away if (n := labels[r + c + d])), 0) for c in right) for r in down]


def wanted(edited: bytes, width: int, height: int, grid: Grid, swatches: Sequence[str]) -> bytes:
    """A painted sheet as the job compares it: with the run's own colours where the artist left the pixels alone.

    So what a swatch recoloured is no wish of the sheet. Sheets of other sizes stay as they are, for the job to refuse.
    """
    shown = grid.shown(swatches)
    zoom = width // extent(grid.shape)[0]
    if tuple(shown) == grid.palette or (width, height) != tuple(zoom * side for side in extent(grid.shape)):
        return edited
    now, before, was = (
        array("I", data) for data in (edited, pixels(grid, shown, zoom), pixels(grid, grid.palette, zoom))
    )
    return array("I", [old if one == same else one for one, same, old in zip(now, before, was)]).tobytes()


def after(grid: Grid, swatches: Sequence[str], colors: Sequence[str]) -> list[str]:
    """The palette of a result that a sheet made: what swatches changed stays changed, new colours are as painted."""
    kept = grid.shown(swatches) if tuple(colors[: len(grid.palette)]) == grid.palette else []
    return [*kept, *colors[len(kept) :]]


def png(data: bytes, width: int, height: int) -> bytes:
    """RGBA pixels, upper row first, as a PNG file."""
    rows = b"".join(b"\0" + data[4 * width * y : 4 * width * (y + 1)] for y in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    packed = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
