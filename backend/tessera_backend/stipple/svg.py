"""Stipples as a native SVG drawing: millimetres, one Inkscape layer, one element a dot."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from tessera_protocol.jobs import StippleParams

from .. import __version__

if TYPE_CHECKING:
    from . import Stipples

NAMESPACE = "urn:tessera:run"
# Path optimisers drop lines of no length, and many tools round to 0.001 mm: this survives both, and no pen shows it.
POINT_LENGTH = 0.01
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_svg(stipples: Stipples, params: StippleParams, title: str = "Stipples") -> bytes:
    """An SVG file, UTF-8: page and viewBox in mm, the dots in a layer called `title`, the run in <metadata>.

    With several plates that layer has one in it for each ink, with its name and colour, which multiply where they
    overlap, as in print; inks on black paper (`params.invert`) cover each other instead.

    `params.marks` "circles" makes a <circle> of each dot, "points" a stroke of 0.01 mm with round caps, as wide
    as the dot, for pens, "line" one <path> a plate. Positions are rounded to 0.001 mm, radii to 0.0001 mm. The order
    of the dots is kept, but for points of several widths, which are sorted by width unless `params.order` is
    "plotter".
    """
    width, height = (_number(side) for side in stipples.page)
    title = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", title)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
        ' xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" version="1.1"'
        f' width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<metadata><run xmlns="{NAMESPACE}">{escape(_run(stipples, params))}</run></metadata>\n'
        '<sodipodi:namedview inkscape:document-units="mm"/>\n'
    )
    draw = {"circles": _circles, "points": _points, "line": _line}[params.marks]
    if params.plates == "one":
        return (
            head + _layer("stipples", title, _style(params, params.color), draw(stipples, params)) + "</svg>\n"
        ).encode()
    blend = "" if params.invert else ";mix-blend-mode:multiply"
    inner = []
    for p, plate in enumerate(stipples.meta["plates"]):
        if plate["dots"]:
            own = stipples.plates == p
            dots = dataclasses.replace(stipples, positions=stipples.positions[own], radii=stipples.radii[own])
            inner.append(
                _layer(f"plate{p + 1}", plate["name"], _style(params, plate["color"]) + blend, draw(dots, params))
            )
    return (head + _layer("stipples", title, "isolation:isolate", "".join(inner)) + "</svg>\n").encode()


def _layer(name: str, label: str, style: str, content: str) -> str:
    label = quoteattr(label)
    return f'<g id="{name}" inkscape:groupmode="layer" inkscape:label={label} style="{style}">\n{content}</g>\n'


def _style(params: StippleParams, color: str) -> str:
    """What all dots of a layer share."""
    if params.marks == "circles":
        return f"fill:{color};stroke:none"
    join = ";stroke-linejoin:round" if params.marks == "line" else ""
    return f"fill:none;stroke:{color};stroke-linecap:round{join}"


def _circles(stipples: Stipples, params: StippleParams) -> str:
    """One <circle> a dot. A single format of all numbers at once is five times as fast as one a dot."""
    rows = np.column_stack([_rounded(stipples.positions, 3), _rounded(stipples.radii, 4)])
    return '<circle cx="%.8g" cy="%.8g" r="%.8g"/>\n' * len(rows) % tuple(rows.ravel().tolist())


def _points(stipples: Stipples, params: StippleParams) -> str:
    """One <path> a dot, in groups of equal stroke width."""
    widths = _rounded(stipples.radii * 2, 4)
    starts = _rounded(stipples.positions - np.array([POINT_LENGTH / 2, 0]), 3)
    if params.order != "plotter":
        by_width = np.argsort(widths, kind="stable")
        widths, starts = widths[by_width], starts[by_width]
    ends = np.flatnonzero(np.diff(widths, append=np.inf)) + 1
    parts, begin = [], 0
    for end in ends.tolist():
        run = starts[begin:end]
        dots = f'<path d="M%.8g %.8gh{POINT_LENGTH}"/>\n' * len(run) % tuple(run.ravel().tolist())
        parts.append(f'<g stroke-width="{widths[begin]:.8g}">\n{dots}</g>\n')
        begin = end
    return "".join(parts)


def _line(stipples: Stipples, params: StippleParams) -> str:
    """One <path> through all dots, as wide as they are: absolute start, then steps, which are shorter to write."""
    places = np.rint(stipples.positions.astype(np.float64) * 1000).astype(np.int64)
    # Steps between rounded places, so that rounding does not add up.
    steps = np.diff(places, axis=0) / 1000
    width = 2 * float(stipples.radii.mean())
    x, y = places[0] / 1000
    line = (
        "l" + " ".join(["%.8g %.8g"] * len(steps)) % tuple(steps.ravel().tolist()) if len(steps) else f"h{POINT_LENGTH}"
    )
    return f'<path stroke-width="{_number(width)}" d="M{x:.8g} {y:.8g}{line}"/>\n'


def _rounded(values: np.ndarray, decimals: int) -> np.ndarray:
    """float64, such that %.8g prints at most `decimals` of them: no page is over 9999 mm. Without -0."""
    return np.round(values.astype(np.float64), decimals) + 0.0


def _number(value: float) -> str:
    return f"{round(float(value), 4) + 0.0:.8g}"


def _run(stipples: Stipples, params: StippleParams) -> str:
    """What made this drawing, as JSON."""
    run: dict[str, Any] = {"tool": "Tessera", "version": __version__, "job": "stipple"}
    run |= {"engine": params.engine, "weights": "none", "device": "cpu", "seed": params.seed}
    run |= stipples.meta
    run |= {"dots": len(stipples.radii), "parameters": dataclasses.asdict(params)}
    return json.dumps(run, default=_plain)


def _plain(value: Any) -> Any:
    """numpy's scalars and arrays, for JSON."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
