"""What the vectorizers are measured on: icons, illustrations and photographs, chosen by name beforehand."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from report import digest

Pixels = NDArray[np.uint8]

# Of the longest side, px: more is scaled down.
SIDE = 512
# Kind -> names of files; the kind is the folder, too. Some of each kind were measured while the method was made
# (`TUNED`); the others were not.
PICTURES: Mapping[str, tuple[str, ...]] = {
    "icons": (
        "noto_peacock",
        "noto_dragon",
        "noto_castle",
        "emojitwo_tiger_face",
        "emojitwo_sushi",
        "fxemoji_shortcake",
        "fxemoji_helicopter",
        "openmoji_nesting_dolls",
    ),
    "illustrations": (
        "gophers_king",
        "gophers_sage",
        "freegophers_noodles",
        "freegophers_temple",
        "gophers_pencil_witch_cooking",
        "peppercarrot_flying_city",
        "peppercarrot_shichimi_fox",
        "runner_pepper_broom",
    ),
    "photos": (
        "kodak03_caps",
        "kodak08_old_town",
        "kodak17_statue",
        "kodak04_portrait_red_hat",
        "kodak13_mountain_stream",
        "cat_chelsea",
        "coffee",
        "rocket_night",
    ),
}
TUNED = frozenset(
    {"noto_peacock", "noto_dragon", "gophers_king", "gophers_sage", "kodak03_caps", "kodak08_old_town"}
    | {"freegophers_noodles", "freegophers_temple", "coffee", "kodak13_mountain_stream"}
)
# For a quick look: one of each kind that nobody tuned on.
QUICK = ("noto_castle", "freegophers_noodles", "coffee")
# Licences that let a page show the picture without conditions beyond a credit line: Apache-2.0 or CC0-1.0.
SHOWN = (
    "noto_peacock",
    "noto_dragon",
    "noto_castle",
    "gophers_king",
    "gophers_sage",
    "freegophers_noodles",
    "freegophers_temple",
    "gophers_pencil_witch_cooking",
    "cat_chelsea",
    "coffee",
    "rocket_night",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """One input.

    Attributes:
        name: of its file.
        kind: "icons", "illustrations" or "photos".
        pixels: uint8 (H, W, 3), sRGB, on white.
    """

    name: str
    kind: str
    pixels: Pixels

    @property
    def target(self) -> NDArray[np.float32]:
        """The pixels from 0 to 1, float32 (H, W, 3)."""
        return self.pixels.astype(np.float32) / 255

    @property
    def key(self) -> str:
        """Changes when the pixels do."""
        return digest(repr(self.pixels.shape).encode() + self.pixels.tobytes())

    def png(self) -> bytes:
        """The file that programs are given."""
        file = io.BytesIO()
        Image.fromarray(self.pixels).save(file, "PNG")
        return file.getvalue()


def load(assets: Path, names: Iterable[str] = ()) -> list[Picture]:
    """The pictures of the list, or those of it that are named.

    Args:
        assets: the folder that holds icons/, illustrations/ and photos/.
    Raises:
        FileNotFoundError: a picture is not there.
    """
    wanted = set(names)
    return [
        Picture(name, kind, _pixels(assets / kind / f"{name}.png"))
        for kind, known in PICTURES.items()
        for name in known
        if not wanted or name in wanted
    ]


def _pixels(path: Path) -> Pixels:
    with Image.open(path) as opened:
        picture = opened.convert("RGBA")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    return np.asarray(paper.convert("RGB"))
