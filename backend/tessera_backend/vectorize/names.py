"""Words for what people read in the Layers dialog: levels, colours, places, labels of paths and groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import ndimage

from ..colour import parsed
from .arrange import beneath, runs
from .curves.area import covered, top
from .drawing import Drawing, Gradient, Path

_BACKDROP = "backdrop"
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

    A label says colour and place, such as "dark blue, lower left"; what covers the whole picture behind all else is the
    "backdrop". A group that is called by a bare number gets a name of its own like that, the same number the same name.
    Paths without group that lie mostly on the same path of a coarser level are put into the group "on ..." of that one,
    within the groups of it; not what lies on the backdrop, and no path alone. Inside a level paths change places where
    that joins a group and changes no pixel; a group that can't be joined becomes two, of different names.

    Args:
        classes: what a model says that each path shows, such as "cat"; "" or nothing if it doesn't know.
    """
    shown = top(drawing)
    boxes = _boxes(drawing, shown)
    taken = {path.label for path in drawing.paths}
    paths = []
    for p, path in enumerate(drawing.paths):
        words = (classes[p] if classes else "", _fill_name(path), place_name(boxes[p]))
        name = _BACKDROP if p == 0 and _behind_all(drawing) else ", ".join(word for word in words if word)
        paths.append(dataclasses.replace(path, label=path.label or _unique(name, taken)))
    sizes = np.bincount(shown[shown >= 0], minlength=len(paths))
    given = _called(paths, boxes, sizes)
    chains = _chains(drawing, paths, given)
    ordered: list[Path] = []
    for level in range(len(drawing.levels)):
        own = [p for p, path in enumerate(paths) if path.level == level]
        under = beneath([paths[p] for p in own], drawing.width, drawing.height)
        names = _Names({name for groups in given for name in groups})
        grouped = names.grouped(list(range(len(own))), [chains[p] for p in own], under)
        ordered += [dataclasses.replace(paths[own[i]], group=group) for i, group in grouped]
    return dataclasses.replace(drawing, paths=tuple(ordered))


def _behind_all(drawing: Drawing) -> bool:
    """Whether the first path is a backdrop: it covers the whole canvas."""
    first = drawing.paths[0]
    _, inside = covered(first, drawing.width, drawing.height)
    whole = inside.shape == (drawing.height, drawing.width) and bool(inside.all())
    return whole and first.level == 0 and first.opacity >= _TRANSLUCENT


def _called(
    paths: list[Path], boxes: list[tuple[float, float, float, float]], sizes: np.ndarray
) -> list[tuple[str, ...]]:
    """The groups that each path comes with, bare numbers as words."""
    keys = dict.fromkeys(name for path in paths for name in path.group if name.isdigit())
    taken = {name for path in paths for name in path.group}
    for key in keys:
        members = [p for p, path in enumerate(paths) if key in path.group]
        main = max(members, key=lambda p: sizes[p])
        around = np.array([boxes[p] for p in members])
        place = place_name((*around[:, :2].min(0).tolist(), *around[:, 2:].max(0).tolist()))
        keys[key] = _unique(f"{_fill_name(paths[main])} parts, {place}", taken)
    return [tuple(keys.get(name) or name for name in path.group) for path in paths]


def _chains(drawing: Drawing, paths: list[Path], given: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The groups that each path could be in, the outermost first."""
    chains: list[tuple[str, ...]] = []
    for own, below in zip(given, _under(drawing), strict=True):
        lies = not own and below >= 0 and paths[below].label != _BACKDROP
        chains.append((*chains[below], f"on {paths[below].label}") if lies else own)
    return chains


class _Names:
    """Names of groups in one layer; `given` ones stay, others go that hold one path, all paths, or just a group."""

    def __init__(self, given: set[str]) -> None:
        self._given = given
        self._taken: set[str] = set()

    def grouped(
        self, members: list[int], chains: list[tuple[str, ...]], under: np.ndarray, depth: int = 0
    ) -> list[tuple[int, tuple[str, ...]]]:
        """Paths in the order in which they are painted, with the groups they are in, from `depth` on."""
        keys: list[str | int] = [chains[p][depth] if len(chains[p]) > depth else p for p in members]
        ordered: list[tuple[int, tuple[str, ...]]] = []
        for run in runs(keys, under[np.ix_(members, members)]):
            own, key = [members[i] for i in run], keys[run[0]]
            if isinstance(key, int):
                ordered.append((key, ()))
                continue
            name: tuple[str, ...] = ()
            if key in self._given:
                name = (key,)
            elif len(own) > 1 and len(own) < len(under) and not _same(own, chains, depth + 1):
                name = (_unique(key, self._taken, "{} ({})"),)
            inner = self.grouped(own, chains, under, depth + 1)
            ordered += [(p, name + group) for p, group in inner]
        return ordered


def _same(paths: list[int], chains: list[tuple[str, ...]], depth: int) -> bool:
    """Whether all of some paths are in one group at a depth."""
    within = {chains[p][depth] if len(chains[p]) > depth else None for p in paths}
    return len(within) == 1 and None not in within


def _under(drawing: Drawing) -> list[int]:
    """For each path without group the coarser level's path that shows in more than half of its pixels; or -1."""
    under = []
    below = np.full((drawing.height, drawing.width), -1, np.int32)
    shown, level = below.copy(), 0
    for p, path in enumerate(drawing.paths):
        if path.level != level:
            below, level = shown.copy(), path.level
        window, inside = covered(path, drawing.width, drawing.height)
        owners = below[window][inside & (below[window] >= 0)]
        most = int(np.bincount(owners).argmax()) if len(owners) and not path.group else -1
        under.append(most if 2 * np.count_nonzero(owners == most) > np.count_nonzero(inside) else -1)
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
    return f"translucent {name}" if path.alpha < _TRANSLUCENT else name


def _unique(name: str, taken: set[str], pattern: str = "{} {}") -> str:
    """`name`, with a number behind it where others are called so; it is taken then."""
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = pattern.format(name, count)
    taken.add(unique)
    return unique


@cache
def _anchors() -> tuple[list[str], np.ndarray]:
    return list(_COLORS), _lab(np.array([parsed(text) for text in _COLORS.values()]))


def _lab(rgb: np.ndarray) -> np.ndarray:
    """(N, 3) CIE Lab of (N, 3) sRGB."""
    from skimage.color import rgb2lab

    return rgb2lab(np.clip(rgb, 0, 1))
