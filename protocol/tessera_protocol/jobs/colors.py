"""Colours in parameters: #rrggbb, and lists of them."""

from __future__ import annotations

from ..errors import error


def is_color(value: str) -> bool:
    """Whether a text is a colour of the form #rrggbb."""
    digits = value[1:]
    return value[:1] == "#" and len(digits) == 6 and all(digit in "0123456789abcdefABCDEF" for digit in digits)


def palette_colors(palette: str) -> tuple[str, ...]:
    """The colours of a list that spaces, commas or semicolons separate, in lower case."""
    return tuple(palette.replace(",", " ").replace(";", " ").lower().split())


def check_palette(palette: str, most: int, field: str = "palette") -> None:
    """Refuse what is no list of different colours.

    Args:
        most: colours.
        field: the parameter's name.
    Raises:
        InvalidInput: "out-of-range".
    """
    colors = palette_colors(palette)
    what = "palette" if field == "palette" else f"list of {field} colours"
    wrong = next((color for color in colors if not is_color(color)), None)
    twice = next((color for color in colors if colors.count(color) > 1), None)
    if wrong is not None:
        problem = f"The {what} has {wrong[:20]!r}, which is not a colour of the form #rrggbb."
    elif twice is not None:
        problem = f"The {what} has {twice} more than once."
    elif len(colors) > most:
        problem = f"The {what} has {len(colors)} colours, but at most {most} are possible."
    else:
        return
    raise error(
        "out-of-range",
        problem,
        field=field,
        given=palette,
        allowed=f"up to {most} different colours of the form #rrggbb",
        remedy="Write it like #1b3a8f #e3342f #f5c518.",
    )
