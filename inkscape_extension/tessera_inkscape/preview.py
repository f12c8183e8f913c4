"""What the progress window shows of a running job, made without numpy or cairo, which Inkscape's Python may lack."""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence

from tessera_protocol.jobs import StippleParams
from tessera_protocol.messages import Buffer

Ink = tuple[int, int, int]

# Share of the paper that dots of one ink and of several cover, as those of a middling picture do.
COVER, COVER_OF_SEVERAL = 0.35, 0.7
WHITE, BLACK = b"\xff\xff\xff", b"\x20\x20\x20"


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The paper that a job's dots lie on.

    Attributes:
        width, height: in any one unit.
        ink: sRGB of the dots, unless a preview brings inks of its own.
        paper: its colour, sRGB.
    """

    width: float
    height: float
    ink: Ink
    paper: bytes = WHITE

    @staticmethod
    def of(width: float, height: float, params: StippleParams) -> Sheet:
        """For the dots of a job: inverted ones of several inks are meant for black paper, as is one light ink."""
        ink = (int(params.color[1:3], 16), int(params.color[3:5], 16), int(params.color[5:7], 16))
        dark = _light(ink) if params.plates == "one" else params.invert
        return Sheet(width, height, ink, BLACK if dark else WHITE)

    def pixels(self, longest: int) -> tuple[int, int]:
        """Width and height of its picture: the longer side as given, the other at least 1."""
        return _fitted(self.width, self.height, longest)


class Preview:
    """How a running job looks now."""

    def pixels(self, longest: int) -> tuple[int, int]:
        """Width and height to show it with: the longer side as given, the other at least 1."""
        raise NotImplementedError

    def rgb(self, longest: int) -> tuple[bytes, int, int]:
        """Its picture: (rows of 3 bytes a pixel, width, height), of about `longest` on its longer side."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Snapshot(Preview):
    """A picture that the job itself made.

    Attributes:
        data: rows of 3 bytes a pixel, sRGB.
        width, height: px.
    """

    data: bytes
    width: int
    height: int

    @staticmethod
    def of(buffers: Mapping[str, Buffer]) -> Snapshot | None:
        """From the buffers of a `progress` message; None where they are none that this version knows."""
        buffer = buffers.get("picture")
        if buffer is None or buffer.dtype != "uint8" or len(buffer.shape) != 3 or buffer.shape[2] != 3:
            return None
        if 0 in buffer.shape:
            return None
        return Snapshot(bytes(buffer.data), buffer.shape[1], buffer.shape[0])

    def pixels(self, longest: int) -> tuple[int, int]:
        return _fitted(self.width, self.height, longest)

    def rgb(self, longest: int) -> tuple[bytes, int, int]:
        """As it came, whatever its size."""
        return self.data, self.width, self.height


@dataclasses.dataclass(frozen=True)
class DotsPreview(Preview):
    """Dots of a running job.

    Attributes:
        sheet: where they lie.
        positions: x, y, x, y, ...; shares of the sheet, y down.
        runs: (ink, number of dots) one after another.
    """

    sheet: Sheet
    positions: Sequence[float]
    runs: Sequence[tuple[Ink, int]]

    @staticmethod
    def of(sheet: Sheet, buffers: Mapping[str, Buffer]) -> DotsPreview | None:
        """From the buffers of a `progress` message; None where they are none that this version knows."""
        buffer = buffers.get("positions")
        if buffer is None or buffer.dtype != "float32" or len(buffer.shape) != 2 or buffer.shape[1] != 2:
            return None
        positions = array("f")
        positions.frombytes(buffer.data)
        if sys.byteorder == "big":
            positions.byteswap()
        return DotsPreview(sheet, positions, _runs(sheet, buffer.shape[0], buffers))

    def pixels(self, longest: int) -> tuple[int, int]:
        return self.sheet.pixels(longest)

    def rgb(self, longest: int) -> tuple[bytes, int, int]:
        """Its picture: (rows of 3 bytes a pixel, width, height).

        Args:
            longest: the most that the longer side may have. It gets fewer where dots of whole pixels look truer so.
        """
        width, height = self.sheet.pixels(longest)
        # The most pixels that a dot may have.
        cover = COVER if len(self.runs) == 1 else COVER_OF_SEVERAL
        most = cover * width * height / max(1, len(self.positions) // 2)
        diameter = 1 + int(2.0 * math.sqrt(most / math.pi))
        while diameter > 1 and _area(diameter) > most:
            diameter -= 1
        scale = math.sqrt(_area(diameter) / most)
        width, height = self.sheet.pixels(max(1, round(longest * min(1.0, scale))))
        canvas = _Canvas(width, height, self.sheet.paper, diameter)
        coordinates = iter(self.positions)
        for ink, count in self.runs:
            canvas.press(bytes(ink), itertools.islice(zip(coordinates, coordinates), count))
        return canvas.rgb(), width, height


class _Canvas:
    """Pixels of 3 bytes, with a margin as wide as a dot for what hangs over the paper's edges."""

    def __init__(self, width: int, height: int, paper: bytes, diameter: int) -> None:
        self._width, self._height, self._margin = width, height, diameter
        self._across = width + 2 * diameter
        self._bytes = bytearray(paper * (self._across * (height + 2 * diameter)))

    def press(self, ink: bytes, places: Iterable[tuple[float, float]]) -> None:
        """Draw discs around places, given as shares of the paper; those off it are left out."""
        canvas, width, height, across = self._bytes, self._width, self._height, self._across
        first = self._margin - (self._margin - 1) / 2.0
        stamp = [
            (3 * (row * across + start), 3 * (row * across + start + length), ink * length)
            for row, (start, length) in enumerate(_disc(self._margin))
        ]
        for x, y in places:
            # Not so of numbers that are none, either.
            if 0.0 <= x < 1.0 and 0.0 <= y < 1.0:
                at = 3 * (int(y * height + first) * across + int(x * width + first))
                for begin, end, row in stamp:
                    canvas[at + begin : at + end] = row

    def rgb(self) -> bytes:
        """The paper's pixels, without the margin."""
        firsts = (3 * (y * self._across + self._margin) for y in range(self._margin, self._margin + self._height))
        return b"".join(self._bytes[at : at + 3 * self._width] for at in firsts)


def _fitted(width: float, height: float, longest: int) -> tuple[int, int]:
    """The same shape with its longer side as given, the other at least 1."""
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _disc(diameter: int) -> list[tuple[int, int]]:
    """The rows of a disc of pixels: (first pixel, how many)."""
    rows = []
    for row in range(diameter):
        height = (row + 0.5) / diameter * 2.0 - 1.0
        half = max(0.5, diameter / 2.0 * math.sqrt(1.0 - height * height))
        start = round(diameter / 2.0 - half)
        rows.append((start, diameter - 2 * start))
    return rows


def _area(diameter: int) -> int:
    """Pixels of a disc."""
    return sum(length for _, length in _disc(diameter))


def _light(ink: Ink) -> bool:
    """Whether white paper would swallow it."""
    return 0.299 * ink[0] + 0.587 * ink[1] + 0.114 * ink[2] > 200.0


def _runs(sheet: Sheet, count: int, buffers: Mapping[str, Buffer]) -> list[tuple[Ink, int]]:
    """How many dots each ink has, in their order; all have the sheet's where the preview does not say."""
    plates, inks = buffers.get("plates"), buffers.get("inks")
    if plates is None or inks is None or plates.dtype != "uint8" or inks.dtype != "uint8":
        return [(sheet.ink, count)]
    colors = [(r, g, b) for r, g, b in zip(*[iter(bytes(inks.data))] * 3)]
    numbers = bytes(plates.data)
    runs = [(plate, len(list(run))) for plate, run in itertools.groupby(numbers)]
    return [(colors[plate] if plate < len(colors) else sheet.ink, length) for plate, length in runs]
