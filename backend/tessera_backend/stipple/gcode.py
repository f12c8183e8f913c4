"""Stipples as G-code for pens on plotters, mills and printers: what GRBL and Marlin have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tessera_protocol.jobs import StippleParams

from .. import __version__

if TYPE_CHECKING:
    from . import Stipples

# Heights of the pen, mm; 0 is where it just touches the paper.
UP, DOWN = 3, 0
# Speed while the pen is down or moves down, mm a minute.
FEED = 2000
# Seconds that a dot takes to be inked; GRBL counts so, Marlin in milliseconds, where it is nothing.
DWELL = 0.05


def to_gcode(stipples: Stipples, params: StippleParams) -> bytes:
    """A G-code program: millimetres, origin at the page's lower left corner, y up; ASCII.

    Dots are drawn in their order, each by one touch of the pen, whose width makes them as large as they get; with
    `params.marks` "line" the pen stays down from a plate's first dot to its last. Each plate begins with a comment
    that names its ink; between plates the program pauses (M0) for the pen to be changed.
    """
    lines = [
        f"; Tessera {__version__}: {len(stipples.positions)} dots",
        f"; page {stipples.page[0]:g} x {stipples.page[1]:g} mm, 0 is its lower left corner",
        "G21 ; millimetres",
        "G90 ; absolute",
        f"G0 Z{UP}",
    ]
    used = [(p, plate) for p, plate in enumerate(stipples.meta["plates"]) if plate["dots"]]
    for turn, (p, plate) in enumerate(used, 1):
        lines.append(f"; pen {turn} of {len(used)}: {plate['name']} {plate['color']}, {plate['dots']} dots")
        if turn > 1:
            lines.append("M0 ; change the pen")
        # Up is positive for machines.
        places = stipples.positions[stipples.plates == p].astype(np.float64) * (1, -1) + (0, stipples.page[1])
        draw = _line if params.marks == "line" else _touches
        lines.extend(draw([f"X{x:.3f} Y{y:.3f}" for x, y in places.tolist()]))
    lines += ["G0 X0 Y0", "M2"]
    return ("\n".join(lines) + "\n").encode("ascii")


def _touches(places: list[str]) -> Iterator[str]:
    for place in places:
        yield f"G0 {place}"
        yield f"G1 Z{DOWN} F{FEED}"
        yield f"G4 P{DWELL}"
        yield f"G0 Z{UP}"


def _line(places: list[str]) -> Iterator[str]:
    yield f"G0 {places[0]}"
    yield f"G1 Z{DOWN} F{FEED}"
    for place in places[1:]:
        yield f"G1 {place}"
    yield f"G0 Z{UP}"
