"""The job `voxelize`: a mesh becomes palette voxels."""

from __future__ import annotations

import dataclasses

from ..errors import error
from ..schema import boolean, choice, integer, number, text
from .colors import check_palette, palette_colors
from .job import BufferSpec, Job

# What fits into a byte beside 0, which is air.
MOST_COLORS = 255
# More triangles are refused: 5 million would take a minute and gigabytes.
MOST_TRIANGLES = 4_000_000
# Beyond that, engine voxify takes minutes.
MOST_VOXIFIED = 128


@dataclasses.dataclass(frozen=True)
class VoxelizeParams:
    """Parameters of `voxelize`: a mesh becomes palette voxels."""

    side: int = integer(
        48, 8, 256, "Resolution", "How many voxels the longest side of the mesh has.", unit="voxels", page="Shape"
    )
    thin: str = choice(
        "keep",
        {"drop": "Drop", "keep": "Keep (one voxel)", "thicken": "Thicken (two voxels)"},
        "Thin parts",
        "What becomes of parts thinner than half a voxel, as oars and antennas.",
        page="Shape",
    )
    symmetry: str = choice(
        "auto",
        {"auto": "Keep where the mesh has it", "off": "Don't look for it"},
        "Symmetry",
        "A mesh that is nearly its own mirror image becomes voxels that are exactly.",
        page="Shape",
    )
    inside: str = choice(
        "solid",
        {"solid": "Solid", "hollow": "Hollow (a shell of one voxel)"},
        "Inside",
        "Whether there are voxels that cannot be seen.",
        page="Shape",
    )
    colors: int = integer(8, 2, 32, "Colours", "How many colours the palette has at most.", page="Colour")
    palette: str = text(
        "",
        4096,
        "Palette",
        "The colours to use and no others, as #rrggbb separated by spaces or commas; empty lets the mesh choose them.",
        page="Colour",
    )
    locked: str = text(
        "",
        512,
        "Locked colours",
        "Colours that the palette must have, as #rrggbb; the mesh chooses the others.",
        page="Colour",
    )
    palette_method: str = choice(
        "k-means",
        {
            "k-means": "k-means (least error)",
            "median-cut": "Median cut",
            "max-min": "Max-min (most different colours)",
            "annealing": "Simulated annealing",
        },
        "Palette method",
        "How the mesh chooses its colours.",
        page="Colour",
    )
    crispness: float = number(
        1.0,
        0.0,
        1.0,
        "Crispness",
        "1: flat areas, whole eyes and outlines, as pixel artists draw. 0: colours nearest to the mesh from afar.",
        page="Colour",
    )
    outline: bool = boolean(False, "Outline", "Voxels along sharp edges get the darkest colour.", page="Colour")
    engine: str = choice(
        "surface",
        {
            "surface": "Surface (direct, under a second)",
            "voxify": "Voxify (optimized against six views; Huang et al. 2025)",
        },
        "Engine",
        "Surface: the mesh's surface and inside become voxels directly. Voxify: these, or a radiance field, are "
        "optimized until their six views look like the pixel art; takes seconds.",
        page="Method",
    )
    init: str = choice(
        "surface",
        {"surface": "Surface voxels", "radiance": "Radiance field (stage 1 of the paper)"},
        "Begin with",
        "What engine Voxify begins with.",
        page="Method",
    )
    iterations: int = integer(200, 10, 5000, "Iterations", "Steps of engine Voxify.", page="Method")
    clip_model: str = text(
        "ViT-B-32", 64, "CLIP model", "Which network of open_clip guides engine Voxify, with weights.", page="Method"
    )
    clip_weights: str = text(
        "", 1024, "CLIP weights", "A file of that network's weights; empty: no such guidance.", page="Method"
    )
    seed: int = integer(
        0, 0, 2**31 - 1, "Seed", "Of what is random: the same seed gives the same voxels.", page="Method"
    )

    @property
    def palette_colors(self) -> tuple[str, ...]:
        """The colours of `palette`, as #rrggbb."""
        return palette_colors(self.palette)

    @property
    def locked_colors(self) -> tuple[str, ...]:
        """The colours of `locked`, as #rrggbb."""
        return palette_colors(self.locked)

    def check_together(self) -> None:
        """Rules that need two parameters at once.

        Raises:
            InvalidInput: "out-of-range".
        """
        if self.engine == "voxify" and self.side > MOST_VOXIFIED:
            raise error(
                "out-of-range",
                f"The resolution is {self.side}, but engine voxify makes at most {MOST_VOXIFIED} voxels a side.",
                field="side",
                given=self.side,
                allowed=f"8 to {MOST_VOXIFIED}, with engine voxify",
                remedy="Lower the resolution, or choose engine surface.",
            )
        check_palette(self.palette, MOST_COLORS)
        check_palette(self.locked, self.colors, field="locked")
        if len(self.palette_colors) == 1:
            raise error(
                "out-of-range",
                "The palette has one colour.",
                field="palette",
                given=self.palette,
                allowed=f"2 to {MOST_COLORS} colours",
                remedy="Add a colour, or leave it empty: then the mesh chooses.",
            )
        if self.palette and self.locked:
            raise error(
                "out-of-range",
                "Both a palette and locked colours are given, but a palette is all the colours there are.",
                field="locked",
                given=self.locked,
                allowed="nothing, with a palette",
                remedy="Add the locked colours to the palette, or leave the palette empty.",
            )


VOXELIZE = Job(
    "voxelize",
    "Voxel art",
    VoxelizeParams,
    inputs=(
        BufferSpec(
            "scene",
            "A JSON file: parts, materials and textures of the mesh, and how the other buffers are cut into parts; "
            "docs/protocol.md, section 8.",
        ),
        BufferSpec("vertices", "Positions, in a part's own space.", "float32", ("V", 3)),
        BufferSpec("triangles", "Vertices of each triangle, counted from 0 in each part.", "int32", ("T", 3)),
        BufferSpec("loops", "Rows of `uv` and `colors`, likewise.", "int32", ("T", 3), optional=True),
        BufferSpec("slots", "Which of its part's materials a triangle has.", "int32", ("T",), optional=True),
        BufferSpec("uv", "Texture coordinates, v up.", "float32", ("L", 2), optional=True),
        BufferSpec("colors", "Colours, linear RGBA.", "float32", ("L", 4), optional=True),
        BufferSpec("textures", "The bytes of all textures.", "uint8", ("B",), optional=True),
        BufferSpec("sheet", "A PNG of the six views as the voxels shall look, for engine voxify.", optional=True),
    ),
    outputs=(
        BufferSpec("labels", "0 where nothing is, else 1 + the number of the colour.", "uint8", ("X", "Y", "Z")),
        BufferSpec("palette", "sRGB.", "uint8", ("K", 3)),
        BufferSpec("vertices", "Corners of the greedy mesh, world space.", "float32", ("P", 3)),
        BufferSpec("quads", "Vertices of each of its faces, counter-clockwise from outside.", "int32", ("Q", 4)),
        BufferSpec("quad_labels", "Numbers of the faces' colours, from 0.", "uint8", ("Q",)),
        BufferSpec("points", "Centres of the voxels that have an open face, world space.", "float32", ("N", 3)),
        BufferSpec("point_labels", "Numbers of their colours, from 0.", "uint8", ("N",)),
    ),
    learned=lambda params: params.get("engine") == "voxify",
    stoppable=True,
)
