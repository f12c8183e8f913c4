"""SVG path data as cubic contours: lines, quadratics and cubics, absolute and relative; no arcs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from tessera_protocol.errors import error

_TOKEN = re.compile(r"([MmLlHhVvCcSsQqTtZz])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|[\s,]+|(.)", re.DOTALL)
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}
# Decimals that sums of relative steps are rounded to: what was written with fewer comes back exactly.
_DECIMALS = 9


def read_path(data: str) -> tuple[np.ndarray, ...]:
    """The contours of the attribute `d`: each (3 n, 2) float64, n cubics, as in `drawing.Path`; open ones are closed.

    Lines are cubics with handles at a third and two thirds of them. Contours without any length are left out.

    Raises:
        InvalidInput: "unreadable-input": a character, a command or a count of numbers that cannot be there.
    """
    contours = []
    pen = _Pen()
    for command, numbers in _commands(data):
        kind = command.upper()
        if kind in "MZ" and (contour := pen.close()):
            contours.append(contour)
        if kind != "Z":
            pen.draw(kind, numbers, command.islower())
    if contour := pen.close():
        contours.append(contour)
    return tuple(np.round(np.array(contour), _DECIMALS) + 0.0 for contour in contours)


class _Pen:
    """Where drawing is, and what it drew since the last M; points are (x, y) as complex numbers x + iy."""

    def __init__(self) -> None:
        self._at = self._start = self._handle = 0j
        self._last = ""
        self._points: list[complex] = []

    def draw(self, kind: str, numbers: list[float], relative: bool) -> None:
        """One command with the numbers that it takes once."""
        if kind == "H":
            end = complex(numbers[0] + (self._at.real if relative else 0), self._at.imag)
            points = [end]
        elif kind == "V":
            end = complex(self._at.real, numbers[0] + (self._at.imag if relative else 0))
            points = [end]
        else:
            origin = self._at if relative else 0j
            points = [origin + complex(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        if kind == "M":
            self._at = self._start = points[0]
        elif kind in "LHV":
            self._line(points[0])
        elif kind in "CS":
            first = points[-3] if kind == "C" else self._mirrored("CS")
            self._cubic(first, points[-2], points[-1])
            self._handle = points[-2]
        else:
            middle = points[0] if kind == "Q" else self._mirrored("QT")
            end = points[-1]
            self._cubic(self._at + (middle - self._at) * 2 / 3, end + (middle - end) * 2 / 3, end)
            self._handle = middle
        self._last = kind

    def close(self) -> list[tuple[float, float]]:
        """The contour drawn so far, closed by a line if need be; [] if there is none. The pen is at its start then."""
        if abs(self._at - self._start) > 0.5 * 10**-_DECIMALS:
            self._line(self._start)
        points, self._points = self._points, []
        self._at, self._last = self._start, ""
        return [(point.real, point.imag) for point in points]

    def _line(self, end: complex) -> None:
        step = (end - self._at) / 3
        self._cubic(self._at + step, self._at + 2 * step, end)

    def _cubic(self, first: complex, second: complex, end: complex) -> None:
        if not self._at == first == second == end:
            self._points += [self._at, first, second]
        self._at = end

    def _mirrored(self, kinds: str) -> complex:
        """The last curve's handle, mirrored at its end; where no such curve comes before, that end."""
        return 2 * self._at - self._handle if self._last and self._last in kinds else self._at


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """Each command with the numbers that it takes once."""
    command, numbers = "", []  # type: str, list[float]
    for letter, figure, odd in _TOKEN.findall(data):
        if odd:
            raise _unreadable(f"{odd!r} is not known there (arcs are not).")
        if letter:
            if numbers or not (command or letter in "Mm"):
                raise _unreadable(f"{command or letter} lacks numbers or a beginning.")
            command = letter
        elif figure:
            numbers.append(float(figure))
        if command and (letter or figure) and len(numbers) == _TAKES[command.upper()]:
            if figure or command in "Zz":
                yield command, numbers
            numbers = []
            # More numbers behind a move are lines.
            command = {"M": "L", "m": "l"}.get(command, command)
        elif figure and command in ("", "Z", "z"):
            raise _unreadable(f"{figure} follows no command.")
    if numbers:
        raise _unreadable(f"{command} has too few numbers at the end.")


def _unreadable(why: str) -> Exception:
    return error("unreadable-input", f"The outline of a path in this SVG is damaged: {why}")
