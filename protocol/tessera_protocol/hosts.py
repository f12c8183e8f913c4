"""What a host's dialog asks beside a job's parameters: declared like those, but the backend never hears of it."""

from __future__ import annotations

import dataclasses

from .schema import boolean, choice


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


@dataclasses.dataclass(frozen=True)
class VoxelizeInBlender:
    """Questions about the object that the voxels become."""

    kind: str = choice(
        "mesh",
        {"mesh": "Mesh (few large faces)", "cubes": "Cubes (one a voxel)"},
        "Becomes",
        "Mesh: one face over neighbours of a colour. Cubes: a point a voxel, and geometry nodes that put cubes there.",
        page="Result",
    )
    hide_source: bool = boolean(
        True, "Hide source", "Hides the objects that became voxels in the viewport; they are kept.", page="Result"
    )
