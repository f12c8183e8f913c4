"""The job `stipple`: an image becomes dots."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from ..errors import error
from ..schema import boolean, choice, integer, number, text
from .colors import check_palette, is_color, palette_colors
from .job import BufferSpec, Job

ENGINES: Mapping[str, str] = {
    "tone": "Tone (keeps the image's greys)",
    "wvs": "Even (weighted Voronoi, Secord 2002)",
    "gbn": "Smooth (Gaussian blue noise, Ahmed et al. 2022)",
    "bnot": "Transport (blue noise through optimal transport, de Goes et al. 2012)",
    "best": "Best (transport, then even cells; takes longer)",
    "diffusion": "Learned (after StippleDiffusion, Gilad et al. 2026)",
}
MODELS: Mapping[str, str] = {
    "student": "Few steps (ours)",
    "local": "Many steps (ours)",
    "paper": "StippleDiffusion itself",
}


MOST_INKS = 16


@dataclasses.dataclass(frozen=True)
class StippleParams:
    """Parameters of `stipple`: an image becomes dots."""

    dots: int = integer(5000, 10, 100_000, "Dots", "How many dots the picture gets.", page="Dots")
    engine: str = choice(
        "tone",
        ENGINES,
        "Engine",
        "Tone: the number of dots follows the greys exactly. Even: smoother spacing, but darks lose dots to lights. "
        "Smooth: keeps the greys with the calmest spacing, softer on fine lines. Transport and Best: greys and spacing "
        "at once; take longer. Learned: a network, made for GPUs; see its page.",
        page="Dots",
    )
    radius_max: float = number(
        0.0,
        0.0,
        50.0,
        "Radius",
        "Radius of the dots; 0 chooses it so that the ink covers as much paper as the tones ask for.",
        unit="mm",
        page="Dots",
    )
    radius_min: float = number(
        0.0,
        0.0,
        50.0,
        "Smallest radius",
        "Radius of a dot in the lightest tone, for dots sized by tone; 0 gives all dots one size.",
        unit="mm",
        page="Dots",
    )
    minimum_gap: float = number(
        0.0,
        0.0,
        50.0,
        "Minimum gap",
        "Least distance between the edges of two dots; who finds no room is left out. 0 lets dots touch and overlap.",
        unit="mm",
        page="Dots",
    )
    seed: int = integer(
        0,
        0,
        2**31 - 1,
        "Seed",
        "The same seed gives the same dots; another one, another arrangement.",
        page="Dots",
    )
    invert: bool = boolean(
        False, "Invert", "Put the dots on the light parts: for white ink on black paper.", page="Tone"
    )
    gamma: float = number(1.0, 0.1, 10.0, "Gamma", "Above 1 fewer dots in the midtones, below 1 more.", page="Tone")
    autocontrast: bool = boolean(
        False,
        "Stretch contrast",
        "Spread the picture's own lightest and darkest tones over the whole range, for pale or dim photos.",
        page="Tone",
    )
    white_cutoff: float = number(
        0.0,
        0.0,
        1.0,
        "White cut-off",
        "Tones lighter than this share of the range stay empty: 0.05 cleans the paper of a scan.",
        page="Tone",
    )
    edges: float = number(
        0.0,
        0.0,
        1.0,
        "Edges",
        "Gathers dots beside contours, so that a drawing reads with fewer of them; 0 leaves the tones as they are.",
        page="Tone",
    )
    plates: str = choice(
        "one",
        {"one": "One ink", "cmyk": "Cyan, magenta, yellow, black", "palette": "Inks of a palette"},
        "Plates",
        "One ink draws the greys. Several, each with dots and a layer of its own, make the colours together.",
        page="Colour",
    )
    palette: str = text(
        "",
        256,
        "Palette",
        "The inks, as #rrggbb separated by spaces or commas; empty lets the picture choose them.",
        page="Colour",
    )
    inks: int = integer(
        6, 2, MOST_INKS, "Inks", "How many inks the picture chooses at most, if the palette is empty.", page="Colour"
    )
    black: float = number(
        0.9,
        0.0,
        1.0,
        "Black",
        "How much of the grey that cyan, magenta and yellow have in common is printed with black instead.",
        page="Colour",
    )
    page_width: float = number(
        0.0,
        0.0,
        5000.0,
        "Page width",
        "0: from the height and the image's shape, or 200 mm.",
        unit="mm",
        page="Page",
        from_host=True,
    )
    page_height: float = number(
        0.0,
        0.0,
        5000.0,
        "Page height",
        "0: from the width and the image's shape.",
        unit="mm",
        page="Page",
        from_host=True,
    )
    margin: float = number(
        0.0, 0.0, 1000.0, "Margin", "Empty border inside the page.", unit="mm", page="Page", from_host=True
    )
    fit: str = choice(
        "contain",
        {"contain": "Whole image", "cover": "Fill the page", "stretch": "Stretch"},
        "Fit",
        "How an image of another shape is laid on the page.",
        page="Page",
        from_host=True,
    )
    align_x: float = number(
        0.5, 0.0, 1.0, "Align across", "Where spare width goes: 0 left, 1 right.", page="Page", from_host=True
    )
    align_y: float = number(
        0.5, 0.0, 1.0, "Align down", "Where spare height goes: 0 top, 1 bottom.", page="Page", from_host=True
    )
    iterations: int = integer(
        30, 0, 1000, "Iterations", "Most relaxation steps; 30 are plenty with this start.", page="Method"
    )
    tolerance: float = number(
        0.0,
        0.0,
        1.0,
        "Tolerance",
        "Stop when dots move less than this share of their spacing; 0 runs all iterations.",
        page="Method",
    )
    pixels_per_dot: int = integer(
        50, 10, 500, "Pixels per dot", "Working resolution: more is finer and slower.", page="Method"
    )
    model: str = choice(
        "student",
        MODELS,
        "Model",
        "Of the learned engine. Few steps: four calls of a small network. Many steps: fifty. StippleDiffusion itself: "
        "the published method, 898 calls of a larger one, with weights of our own; fewer calls start elsewhere.",
        page="Learned",
    )
    calls: int = integer(0, 0, 300, "Calls", "Of the network; 0: as many as suit the model.", page="Learned")
    polish: int = integer(
        3,
        0,
        100,
        "Polish",
        "Steps of engine Tone that follow the network's; 0 shows its bare dots.",
        page="Learned",
    )
    weights: str = text(
        "", 1024, "Weights", "A .safetensors file of your own training; empty takes those that ship.", page="Learned"
    )
    order: str = choice(
        "none",
        {"none": "As computed", "plotter": "Short pen path"},
        "Order",
        "The sequence of the dots in the file; a short path saves a plotter most of its travel.",
        page="Output",
    )
    marks: str = choice(
        "circles",
        {
            "circles": "Circles",
            "points": "Points (round-capped strokes of no length, for pens)",
            "line": "Line (one, through all dots)",
        },
        "Marks",
        "What a dot is in the drawing. A line goes through all dots of an ink without lifting the pen.",
        page="Output",
    )
    color: str = text("#000000", 32, "Colour", "Colour of the ink, if it is one, as #rrggbb.", page="Output")

    @property
    def palette_colors(self) -> tuple[str, ...]:
        """The colours of `palette`, as #rrggbb."""
        return palette_colors(self.palette)

    def check_together(self) -> None:
        """Rules that need two parameters at once.

        Raises:
            InvalidInput: "out-of-range".
        """
        if self.radius_min > self.radius_max:
            remedy = "Make the radius larger." if self.radius_max else "Set the radius of the darkest tone, too."
            raise error(
                "out-of-range",
                f"The smallest radius ({self.radius_min:g} mm) is over the radius ({self.radius_max:g} mm).",
                field="radius_min",
                given=self.radius_min,
                allowed=f"0 to {self.radius_max:g} mm",
                remedy=remedy,
            )
        if not is_color(self.color):
            raise error(
                "out-of-range",
                f"Colour is {self.color!r}, which is not a colour of the form #rrggbb.",
                field="color",
                given=self.color,
                allowed="#000000 to #ffffff",
                remedy="Use #000000 for black.",
            )
        if self.plates == "cmyk" and self.invert:
            raise error(
                "out-of-range",
                "Cyan, magenta, yellow and black make colours on white paper only, so they can't be inverted.",
                field="invert",
                given=self.invert,
                remedy="Turn invert off, or take the inks of a palette, which then are for black paper.",
            )
        check_palette(self.palette, MOST_INKS)


STIPPLE = Job(
    "stipple",
    "Stipple",
    StippleParams,
    inputs=(
        BufferSpec("image", "A picture: a PNG, JPEG, TIFF, WebP, GIF or BMP file, or an array of 8 bit RGBA or grey."),
        BufferSpec(
            "clip",
            "Outline that dots stay inside of: one row a vertex, (ring number, x, y); x and y as shares of the page; "
            "nonzero winding.",
            dtype="float32",
            shape=("M", 3),
            optional=True,
        ),
        BufferSpec(
            "mask",
            "A picture that is laid over the image, stretched to its size: white keeps dots, black keeps them off, "
            "grey thins them out.",
            optional=True,
        ),
        BufferSpec(
            "protect",
            "Outline that dots stay outside of, in the form of `clip`.",
            dtype="float32",
            shape=("M", 3),
            optional=True,
        ),
    ),
    outputs=(
        BufferSpec(
            "positions",
            "Centres of the dots, mm from the page's top left, x right, y down.",
            "float32",
            ("N", 2),
        ),
        BufferSpec("radii", "Radii of the dots, mm.", "float32", ("N",)),
        BufferSpec(
            "plates",
            "Plate of each dot, an index into `plates` of the metadata (name, color #rrggbb, dots); ascending.",
            "uint8",
            ("N",),
        ),
    ),
    learned=lambda params: params.get("engine") == "diffusion",
)
