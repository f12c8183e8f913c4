"""Words for what people read in the Layers dialog: levels, colours, places, labels of paths and groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import ndimage

from .curves.area import covered, top
from .drawing import Drawing, Gradient, Path

_LEVELS = ("backdrop", "large shapes", "shapes", "large parts", "parts", "details", "fine details", "finest details")
# Which of them a drawing with so many levels has.
_CHOSEN = ((), (), (0, 5), (0, 4, 5), (0, 1, 4, 5), (0, 1, 4, 5, 6), (0, 1, 2, 4, 5, 6), (0, 1, 2, 3, 4, 5, 6))

# A colour is called after the nearest of these in CIE Lab.
_COLORS = {
    "black": "#000000",
    "dark grey": "#424242",
    "grey": "#808080",
    "light grey": "#c0c0c0",
    "white": "#ffffff",
    "warm grey": "#8f8378",
    "cool grey": "#788591",
    "dark red": "#701414",
    "red": "#d8232a",
    "light red": "#ee6c62",
    "pink": "#f090a8",
    "pale pink": "#f8d8da",
    "magenta": "#d030a0",
    "dark brown": "#40281a",
    "brown": "#7c4a26",
    "light brown": "#b98a5c",
    "beige": "#e3d2b4",
    "orange": "#f28522",
    "pale orange": "#f8c79c",
    "yellow": "#f6da22",
    "pale yellow": "#faf2b8",
    "dark yellow": "#b08c22",
    "olive": "#6b6824",
    "yellow green": "#a2cc34",
    "green": "#2fa044",
    "bright green": "#22e43a",
    "dark green": "#184a22",
    "light green": "#96dc96",
    "grey green": "#7c9476",
    "teal": "#1f7d80",
    "turquoise": "#40c8c4",
    "light blue": "#8cc4f0",
    "pale blue": "#d4e6f6",
    "blue": "#2a62d0",
    "dark blue": "#17265e",
    "grey blue": "#6383a5",
    "purple": "#7634a6",
    "dark purple": "#38184a",
    "light purple": "#c3abe2",
}
# Below this opacity one sees what lies under a path.
_TRANSLUCENT = 0.75
# A box that spans this share of a side spans it all.
_SPANS = 0.8
_NARROW = 0.45


def level_names(count: int) -> tuple[str, ...]:
    """What `count` levels (1 to 8) are called, the coarsest first."""
    if count == 1:
        return ("drawing",)
    return tuple(_LEVELS[i] for i in _CHOSEN[count]) if count < len(_CHOSEN) else _LEVELS[:count]


def color_name(rgb: np.ndarray) -> str:
    """Plain English for a colour, (3,) float sRGB in [0, 1]: "dark blue", "pale yellow", "warm grey"."""
    names, anchors = _anchors()
    return names[int(np.argmin(((_lab(np.asarray(rgb, np.float64)[None]) - anchors) ** 2).sum(1)))]


def place_name(box: tuple[float, float, float, float]) -> str:
    """Where a box (left, top, right, bottom; shares of the picture) is: "lower left", "along the top", "centre"."""
    left, above, right, below = box
    across, down = right - left, below - above
    column = min(int((left + right) / 2 * 3), 2)
    row = min(int((above + below) / 2 * 3), 2)
    if across >= _SPANS and down >= _SPANS:
        return "whole picture"
    if across >= _SPANS and down <= _NARROW:
        return ("along the top", "across the middle", "along the bottom")[row]
    if down >= _SPANS and across <= _NARROW:
        return ("along the left", "down the middle", "along the right")[column]
    return (
        ("upper left", "top", "upper right"),
        ("left", "centre", "right"),
        ("lower left", "bottom", "lower right"),
    )[row][column]


def named(drawing: Drawing, classes: Sequence[str] = ()) -> Drawing:
    """The drawing with a label for every path that has none, all of them different, and telling names of groups.

    A label says colour and place, such as "dark blue, lower left". A group that is called by a bare number gets a name
    of its own like that, the same number the same name. A path without group, above the coarsest level, is put into
    the group "on ..." of the path that it mostly lies on, of a coarser level, within the groups of that one. Inside a
    level paths change places where that joins a group and changes no pixel.

    Args:
        classes: what a model says that each path shows, such as "cat"; "" or nothing if it doesn't know.
    """
    shown = top(drawing)
    boxes = _boxes(drawing, shown)
    taken = {path.label for path in drawing.paths}
    paths = []
    for p, path in enumerate(drawing.paths):
        words = (classes[p] if classes else "", _fill_name(path), place_name(boxes[p]))
        label = path.label or _unique(", ".join(word for word in words if word), taken)
        paths.append(dataclasses.replace(path, label=label))
    sizes = np.bincount(shown[shown >= 0], minlength=len(paths))
    grouped = _in_groups(drawing, paths, boxes, sizes)
    levels = (_gathered([path for path in grouped if path.level == level]) for level in range(len(drawing.levels)))
    return dataclasses.replace(drawing, paths=tuple(path for level in levels for path in level))


def _in_groups(
    drawing: Drawing, paths: list[Path], boxes: list[tuple[float, float, float, float]], sizes: np.ndarray
) -> list[Path]:
    keys = dict.fromkeys(name for path in paths for name in path.group if name.isdigit())
    taken = {name for path in paths for name in path.group}
    for key in keys:
        members = [p for p, path in enumerate(paths) if key in path.group]
        main = max(members, key=lambda p: sizes[p])
        around = np.array([boxes[p] for p in members])
        place = place_name((*around[:, :2].min(0).tolist(), *around[:, 2:].max(0).tolist()))
        keys[key] = _unique(f"{_fill_name(paths[main])} parts, {place}", taken)
    under = _under(drawing)
    grouped: list[Path] = []
    for path, below in zip(paths, under, strict=True):
        group = tuple(keys.get(name) or name for name in path.group)
        if not group and below >= 0:
            group = (*grouped[below].group, f"on {paths[below].label}")
        grouped.append(dataclasses.replace(path, group=group))
    return grouped


def _gathered(paths: list[Path], depth: int = 0) -> list[Path]:
    """Paths of a group brought together, down past those whose boxes they don't touch: it looks the same."""
    runs: list[tuple[tuple[str, ...], list[Path], list[np.ndarray]]] = []
    for path in paths:
        key, box = path.group[: depth + 1], _hull(path)
        for group, members, hulls in reversed(runs):
            if group == key:
                members.append(path)
                hulls.append(box)
                break
            around = np.array(hulls)
            if ((around[:, 0] <= box[1]) & (box[0] <= around[:, 1])).all(1).any():
                runs.append((key, [path], [box]))
                break
        else:
            runs.append((key, [path], [box]))
    deeper = (_gathered(members, depth + 1) if len(group) > depth else members for group, members, _ in runs)
    return [path for members in deeper for path in members]


def _hull(path: Path) -> np.ndarray:
    """(2, 2): least and greatest x and y of its points, with a pixel around for what is smoothed."""
    points = np.concatenate(path.contours)
    return np.array([points.min(0) - 1, points.max(0) + 1])


def _under(drawing: Drawing) -> list[int]:
    """For each path without group the coarser level's path that shows, below it, in most of its pixels; or -1."""
    under = []
    below = np.full((drawing.height, drawing.width), -1, np.int32)
    shown, level = below.copy(), 0
    for p, path in enumerate(drawing.paths):
        if path.level != level:
            below, level = shown.copy(), path.level
        window, inside = covered(path, drawing.width, drawing.height)
        owners = below[window][inside & (below[window] >= 0)]
        under.append(int(np.bincount(owners).argmax()) if len(owners) and not path.group else -1)
        shown[window][inside] = p
    return under


def _boxes(drawing: Drawing, shown: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Of what shows of each path, shares of the picture; of hidden ones, what there would be."""
    found = ndimage.find_objects(shown + 1, len(drawing.paths))
    size = np.array([drawing.width, drawing.height], np.float64)
    boxes = []
    for path, slices in zip(drawing.paths, found, strict=True):
        if slices is not None:
            corners = np.array([[s.start for s in slices[::-1]], [s.stop for s in slices[::-1]]])
        else:
            knots = np.concatenate([contour[::3] for contour in path.contours])
            corners = np.clip([knots.min(0), knots.max(0)], 0, size)
        left, above, right, below = (corners / size).ravel().tolist()
        boxes.append((left, above, right, below))
    return boxes


def _fill_name(path: Path) -> str:
    fill = path.fill
    if isinstance(fill, Gradient):
        first, last = color_name(fill.colors[0, :3]), color_name(fill.colors[-1, :3])
        name = first if first == last else f"{first} to {last}"
    else:
        name = color_name(fill)
    return f"translucent {name}" if path.opacity < _TRANSLUCENT else name


def _unique(name: str, taken: set[str]) -> str:
    """`name`, with a number behind it where others are called so; it is taken then."""
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name} {count}"
    taken.add(unique)
    return unique


@cache
def _anchors() -> tuple[list[str], np.ndarray]:
    rgb = [[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)] for text in _COLORS.values()]
    return list(_COLORS), _lab(np.array(rgb))


def _lab(rgb: np.ndarray) -> np.ndarray:
    """(N, 3) CIE Lab of (N, 3) sRGB."""
    from skimage.color import rgb2lab

    return rgb2lab(np.clip(rgb, 0, 1))
