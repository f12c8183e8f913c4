"""The job `vectorize`: an image becomes layered shapes."""

from __future__ import annotations

import dataclasses

from ..errors import error
from ..schema import boolean, choice, integer, number, text
from .colors import check_palette, palette_colors
from .job import BufferSpec, Job


@dataclasses.dataclass(frozen=True)
class VectorizeParams:
    """Parameters of `vectorize`: an image becomes layered shapes."""

    paths: int = integer(
        64, 1, 2000, "Paths", "How many shapes the drawing has at most; fewer where fewer are enough.", page="Shapes"
    )
    preset: str = choice(
        "layered",
        {"layered": "Layered (whole objects, to edit)", "faithful": "Faithful (nearest to the picture)"},
        "Preset",
        "Layered: shapes are what a viewer would call parts, whole behind what covers them. Faithful: the same number "
        "of shapes, spent wherever they bring the drawing nearer to the picture.",
        page="Shapes",
    )
    engine: str = choice(
        "best",
        {
            "fast": "Fast (one pass)",
            "best": "Best (trades shapes for better ones; takes longer)",
            "paper": "Paper (structure, then refinement; Wang et al. 2025)",
        },
        "Engine",
        "Fast: shapes of one segmentation, fitted. Best: also swaps shapes that do little for ones that do more. "
        "Paper: the two stages of Layered Image Vectorization as published.",
        page="Shapes",
    )
    quality: float = number(
        0.0,
        0.0,
        60.0,
        "Quality",
        "Stop adding shapes when the drawing is this near to the picture; then Paths is the most. 0: use them all. "
        "30 is good, 40 is hard to tell apart.",
        unit="dB",
        page="Shapes",
    )
    levels: int = integer(5, 1, 8, "Levels", "Layers from the coarsest shapes to the finest.", page="Shapes")
    seed: int = integer(
        0, 0, 2**31 - 1, "Seed", "Of what is random: the same seed gives the same drawing.", page="Shapes"
    )
    gradients: bool = boolean(
        True, "Gradients", "Fill shapes with gradients where that brings the drawing nearer.", page="Colour"
    )
    colors: int = integer(
        0, 0, 256, "Colours", "How many colours the drawing chooses at most; 0: any number.", page="Colour"
    )
    palette: str = text(
        "",
        2048,
        "Palette",
        "Colours to draw with, as #rrggbb separated by spaces or commas; empty lets the picture choose them.",
        page="Colour",
    )
    cut_out: bool = boolean(
        False,
        "Cut out",
        "Shapes lie side by side instead of on each other: for vinyl, screen print and plotters. "
        "What others part becomes several paths; those that matter least go, so that they are no more than Paths.",
        page="Curves",
    )
    tolerance: float = number(
        1.0, 0.1, 10.0, "Tolerance", "How far a curve may be from the outline it follows.", unit="px", page="Curves"
    )
    smallest: int = integer(
        8, 1, 10_000, "Smallest shape", "Specks with fewer pixels get no shape of their own.", unit="px", page="Curves"
    )
    resolution: int = integer(
        512,
        64,
        2048,
        "Resolution",
        "The longer side of the picture that shapes are fitted to: more is finer and slower.",
        unit="px",
        page="Method",
    )
    simplify: str = choice(
        "structural",
        {"structural": "Structural (built in)", "sds": "Diffusion (SDS of a Stable Diffusion model)"},
        "Simplification",
        "What makes the simpler pictures that coarse levels are taken from.",
        page="Method",
    )
    masks: str = choice(
        "merging",
        {"merging": "Region merging (built in)", "sam": "Segment Anything"},
        "Masks",
        "What finds the parts in each of these pictures.",
        page="Method",
    )
    diffusion_model: str = text(
        "", 1024, "Diffusion model", "A folder or a hub id of a diffusers pipeline, for SDS.", page="Method"
    )
    sam_checkpoint: str = text("", 1024, "SAM checkpoint", "A .pth file of Segment Anything.", page="Method")

    @property
    def palette_colors(self) -> tuple[str, ...]:
        """The colours of `palette`, as #rrggbb."""
        return palette_colors(self.palette)

    def check_together(self) -> None:
        """Rules that need two parameters at once.

        Raises:
            InvalidInput: "out-of-range".
        """
        check_palette(self.palette, 256)
        for chosen, needs, what in (
            (self.simplify == "sds", "diffusion_model", "The diffusion model's folder or hub id"),
            (self.masks == "sam", "sam_checkpoint", "The file of a Segment Anything checkpoint"),
        ):
            if chosen and not getattr(self, needs):
                raise error(
                    "out-of-range",
                    f"{what} is missing: nothing is downloaded unasked.",
                    field=needs,
                    given="",
                    allowed="a path or, for diffusion models, a hub id",
                    remedy="Name one, or take what is built in.",
                )


VECTORIZE = Job(
    "vectorize",
    "Layered vectorization",
    VectorizeParams,
    inputs=(
        BufferSpec("image", "A picture: a PNG, JPEG, TIFF, WebP, GIF or BMP file, or an array of 8 bit RGBA or grey."),
    ),
    outputs=(
        BufferSpec("svg", "The drawing, an SVG file: an Inkscape layer a level, groups of paths, the run's metadata."),
    ),
    learned=lambda params: params.get("simplify") == "sds" or params.get("masks") == "sam",
    stoppable=True,
)
