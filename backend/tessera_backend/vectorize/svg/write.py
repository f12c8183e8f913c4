"""A drawing as an SVG file: an Inkscape layer a level, nested groups, labelled paths, compact numbers."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ... import __version__
from ..drawing import Drawing, Gradient, Path
from .pathdata import number, path_data

NAMESPACE = "urn:tessera:run"
# A longer side, px, from which a tenth of a pixel is as good as a hundredth: the error of drawings of 64 paths rises by
# 0.2 % at 240 px and by 0.1 % at 512 px, for a sixth of the bytes.
_LARGE = 256
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_svg(drawing: Drawing, digits: int | None = None, title: str = "Layered drawing") -> bytes:
    """An SVG file, UTF-8: size and viewBox in px, a layer for each level, the coarsest lowest, the run in <metadata>.

    Labels of layers, groups and paths are Inkscape's; ids are made of them and are unique. A path whose points round
    to a single one is left out. Colours are rounded to 8 bit, opacities to 0.001.

    Args:
        drawing: paths with labels and groups, see `names.named`.
        digits: decimals of coordinates, 0 to 3; None for 2 on pictures up to 256 px, 1 on larger ones.
        title: what browsers and file managers call it.
    """
    if digits is None:
        digits = 1 if max(drawing.width, drawing.height) > _LARGE else 2
    writer = _Writer(digits)
    layers = "".join(
        writer.layer(level, name, [path for path in drawing.paths if path.level == level])
        for level, name in enumerate(drawing.levels)
    )
    run = json.dumps(_run(drawing), default=_plain)
    title = escape(_clean(title))
    defs = f"<defs>\n{''.join(writer.gradients)}</defs>\n" if writer.gradients else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
        f' version="1.1" width="{drawing.width}" height="{drawing.height}"'
        f' viewBox="0 0 {drawing.width} {drawing.height}">\n'
        f"<title>{title}</title>\n"
        f'<metadata><run xmlns="{NAMESPACE}">{escape(_clean(run))}</run></metadata>\n'
        f"{defs}{layers}</svg>\n"
    ).encode()


class _Writer:
    """Remembers which ids are taken, and the gradients of the paths it wrote."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.gradients: list[str] = []
        self._ids: set[str] = set()

    def layer(self, level: int, name: str, paths: list[Path]) -> str:
        label = f"{level + 1} {name}"
        names = f'id="{self._id(f"level-{label}")}" inkscape:label={_quoted(label)}'
        return f'<g {names} inkscape:groupmode="layer">\n{self._group(paths, 0)}</g>\n'

    def _group(self, paths: Sequence[Path], depth: int) -> str:
        """Paths that share their first `depth` groups: those with another one get a <g> together, others stand bare."""
        parts = []
        for name, run in groupby(paths, lambda path: path.group[depth] if len(path.group) > depth else None):
            if name is None:
                parts += [self._path(path) for path in run]
            else:
                opening = f'<g id="{self._id(name)}" inkscape:label={_quoted(name)}>\n'
                parts.append(f"{opening}{self._group(list(run), depth + 1)}</g>\n")
        return "".join(parts)

    def _path(self, path: Path) -> str:
        data = path_data(path.contours, self.digits)
        if not data:
            return ""
        name = self._id(path.label or "path")
        label = f" inkscape:label={_quoted(path.label)}" if path.label else ""
        gradient = isinstance(path.fill, Gradient)
        paint = f"url(#{self._gradient(path.fill, name)})" if gradient else color(path.fill)
        opacity = _opacity("fill-opacity", path.opacity)
        return f'<path id="{name}"{label} fill="{paint}"{opacity} d="{data}"/>\n'

    def _gradient(self, fill: Gradient, owner: str) -> str:
        name = self._id(f"fill-{owner}")
        axes = ("x1", "y1", "x2", "y2") if fill.kind == "linear" else ("cx", "cy", "r")
        places = "".join(f' {axis}="{number(v, self.digits)}"' for axis, v in zip(axes, fill.geometry, strict=True))
        stops = "".join(_stop(offset, rgba) for offset, rgba in zip(fill.offsets, fill.colors, strict=True))
        tag = f"{fill.kind}Gradient"
        self.gradients.append(f'<{tag} id="{name}" gradientUnits="userSpaceOnUse"{places}>{stops}</{tag}>\n')
        return name

    def _id(self, name: str) -> str:
        """`name` as an XML name in lower case that nothing else here has: with a number behind it, if need be."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = re.sub("[^a-z0-9]+", "-", plain).strip("-") or "path"
        slug = slug if slug[0].isalpha() else f"n{slug}"
        unique, count = slug, 1
        while unique in self._ids:
            count += 1
            unique = f"{slug}-{count}"
        self._ids.add(unique)
        return unique


def color(rgb: np.ndarray) -> str:
    """#rrggbb, or #rgb where that is the same, of (3,) float in [0, 1]."""
    levels = np.rint(np.clip(np.asarray(rgb, np.float64)[:3], 0, 1) * 255).astype(int).tolist()
    short = all(level % 17 == 0 for level in levels)
    return "#" + "".join(f"{level // 17:x}" if short else f"{level:02x}" for level in levels)


def _stop(offset: float, rgba: np.ndarray) -> str:
    opacity = _opacity("stop-opacity", rgba[3])
    return f'<stop offset="{number(offset, 4)}" stop-color="{color(rgba)}"{opacity}/>'


def _opacity(name: str, value: float) -> str:
    """The attribute, with a space before it; nothing where it would say 1."""
    text = number(min(max(value, 0.0), 1.0), 3)
    return "" if text == "1" else f' {name}="{text}"'


def _run(drawing: Drawing) -> dict[str, Any]:
    """What made this drawing, and how much of it there is."""
    run: dict[str, Any] = {"tool": "Tessera", "version": __version__, "job": "vectorize"}
    run |= drawing.meta
    return run | {"paths": len(drawing.paths), "segments": sum(path.segments for path in drawing.paths)}


def _plain(value: Any) -> Any:
    """numpy's scalars and arrays, for JSON."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))
