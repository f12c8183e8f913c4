"""Cubic contours as compact SVG path data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

# How far from their chord a line's handles may be, in units of the last digit: rounding moves them by sqrt(1/2).
_STRAIGHT = 0.75


def path_data(contours: tuple[np.ndarray, ...], digits: int) -> str:
    """The attribute `d`: an absolute M and relative commands for each contour; "" if nothing of it is left.

    Points are rounded to `digits` decimals before they are subtracted, so that rounding does not add up. Curves
    that come back to where they were are left out; those whose handles lie on their chord, as near as that rounding,
    become lines.
    """
    return "".join(_contour(np.rint(np.asarray(c, np.float64) * 10**digits).astype(np.int64), digits) for c in contours)


def number(value: float, digits: int) -> str:
    """With at most `digits` decimals, without any zero that says nothing."""
    return _decimal(round(float(value) * 10**digits), digits)


def _contour(points: np.ndarray, digits: int) -> str:
    """Of int64 (3 n, 2) points, in units of the last digit."""
    knots = points[::3]
    # int64 (n, 4, 2): each cubic's knot, handles and end.
    cubics = np.stack([knots, points[1::3], points[2::3], np.roll(knots, -1, 0)], 1)
    cubics = cubics[(cubics != cubics[:, :1]).any((1, 2))]
    if len(cubics) == 0:
        return ""
    straight = _straight(cubics)
    if straight[-1] and len(cubics) > 1:
        # z draws that line.
        cubics, straight = cubics[:-1], straight[:-1]
    steps = (cubics[:, 1:] - cubics[:, :1]).tolist()
    # What `s` takes for its first handle: the last curve's second one, mirrored at the knot between.
    mirrored = (cubics[:-1, 3] - cubics[:-1, 2]).tolist()
    tokens, letter = ["M", *_numbers(cubics[0, 0].tolist(), digits)], ""
    for i, (first, second, end) in enumerate(steps):
        smooth = i > 0 and not straight[i - 1] and first == mirrored[i - 1]
        command, values = _command(first, second, end, bool(straight[i]), smooth)
        tokens += [command] * (command != letter) + _numbers(values, digits)
        letter = command
    return _joined(tokens) + "z"


def _command(
    first: list[int], second: list[int], end: list[int], straight: bool, smooth: bool
) -> tuple[str, list[int]]:
    if straight and end[1] == 0:
        return "h", end[:1]
    if straight and end[0] == 0:
        return "v", end[1:]
    if straight:
        return "l", end
    if smooth:
        return "s", second + end
    return "c", first + second + end


def _straight(cubics: np.ndarray) -> np.ndarray:
    """bool (n,): both handles lie on the chord between its ends."""
    chord = (cubics[:, 3] - cubics[:, 0]).astype(np.float64)
    length = np.hypot(chord[:, 0], chord[:, 1])
    unit = chord / np.maximum(length, 1e-9)[:, None]
    steps = cubics[:, 1:3] - cubics[:, :1]
    along = (steps * unit[:, None]).sum(2)
    aside = steps[..., 0] * unit[:, None, 1] - steps[..., 1] * unit[:, None, 0]
    between = (along >= -_STRAIGHT) & (along <= length[:, None] + _STRAIGHT)
    return (length > 0) & (between & (np.abs(aside) <= _STRAIGHT)).all(1)


def _joined(tokens: list[str]) -> str:
    """Commands and numbers, with spaces only where neither a sign, nor a letter, nor a second point parts them."""
    out = [tokens[0]]
    for before, token in pairwise(tokens):
        apart = before.isalpha() or token.isalpha() or token[0] == "-" or (token[0] == "." and "." in before)
        out.append(token if apart else f" {token}")
    return "".join(out)


def _numbers(values: list[int], digits: int) -> list[str]:
    return [_decimal(value, digits) for value in values]


def _decimal(value: int, digits: int) -> str:
    """A whole number of units of the last digit, as a decimal: 120 with 2 digits is 1.2, and -5 is -.05."""
    if digits == 0 or value == 0:
        return str(value)
    whole, part = divmod(abs(value), 10**digits)
    fraction = f"{part:0{digits}d}".rstrip("0")
    text = f"{whole or ''}.{fraction}" if fraction else str(whole)
    return f"-{text}" if value < 0 else text
