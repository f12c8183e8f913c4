"""What a host's dialog asks beside a job's parameters: declared like those, but the backend never hears of it."""

from __future__ import annotations

import dataclasses

from .schema import choice


@dataclasses.dataclass(frozen=True)
class Nothing:
    """What a dialog asks that has the job's parameters alone."""


@dataclasses.dataclass(frozen=True)
class StippleInInkscape:
    """Questions about the drawing around the picture."""

    shapes: str = choice(
        "clear",
        {"clear": "Keep clear of dots", "inside": "Dots only inside"},
        "Selected shapes",
        "What shapes, texts and groups of them mean that are selected together with a picture and lie over it.",
        page="Dots",
    )
