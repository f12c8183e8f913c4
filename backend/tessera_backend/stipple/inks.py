"""The inks of a drawing: of four-colour printing, of a palette, or chosen from the picture."""

from __future__ import annotations

import bisect
import dataclasses
import math
import warnings
from collections.abc import Sequence

import numpy as np
from scipy.cluster.vq import kmeans2

from tessera_protocol.jobs import StippleParams

from .. import colour

_SAMPLES = 8000
# Colours a side of the cube that pixels are counted in, and the power of their numbers that is drawn.
_BINS, _SELDOM = 16, 0.5
_ROUNDS = 60
_TURNS = 25
# Pixels nearer to the paper than this share are paper to a palette.
PAPER = 0.02
# Pull of an ink to the main colour that it started from; 0 finds the primaries, which no longer are the picture's.
HOLD = 0.09
# Pens have no blacker ink.
DEEPEST = 0.95
# Distance in Lab of inks that are hardly worth two pens.
ALIKE = 5.0
# Chroma under which a colour is a grey.
GREY = 8.0
_HUES = ("red", "orange", "yellow", "green", "turquoise", "blue", "violet", "pink")
# Where one hue ends and the next begins, degrees of the Lab plane; beyond the last it is red again.
_HUE_ENDS = (45, 78, 110, 165, 225, 308, 332, 358)


@dataclasses.dataclass(frozen=True)
class Ink:
    """What one pen draws with; `color` is #rrggbb, as it looks on white paper (or on black, for inverted drawings)."""

    name: str
    color: str


# Solid inks of offset printing on coated paper (FOGRA39), as sRGB.
PROCESS = (Ink("Cyan", "#009ee0"), Ink("Magenta", "#e5007d"), Ink("Yellow", "#ffed00"), Ink("Black", "#1d1d1b"))


def one(params: StippleParams) -> tuple[Ink, ...]:
    """The ink of a drawing in one."""
    return (Ink("Ink", params.color),)


def several(picture: np.ndarray, params: StippleParams, rng: np.random.Generator) -> tuple[Ink, ...]:
    """The inks of a drawing in several.

    Args:
        picture: sRGB on its paper, float32 (H, W, 3), not all paper.
        params: plates, palette, inks and invert are read.
        rng: which pixels are looked at, if inks are chosen.
    """
    if params.plates == "cmyk":
        return PROCESS
    return of_colors(params.palette_colors or chosen(picture, params.inks, 0.0 if params.invert else 1.0, rng))


def of_colors(colors: Sequence[str]) -> tuple[Ink, ...]:
    """Inks of these colours, with names that differ."""
    names: list[str] = []
    for name in map(named, colors):
        alike = sum(other.rstrip(" 0123456789") == name for other in names)
        names.append(f"{name} {alike + 1}" if alike else name)
    return tuple(Ink(name, color) for name, color in zip(names, colors, strict=True))


def chosen(picture: np.ndarray, count: int, paper: float, rng: np.random.Generator) -> list[str]:
    """The colours of so many inks, or of fewer if the picture has fewer colours; #rrggbb, from light to dark.

    Means of k-means in Lab, which are the picture's main colours, made deeper by `_deepened`.
    """
    pixels = picture.reshape(-1, 3)
    away = np.abs(pixels - paper).max(axis=1)
    pixels = pixels[away > min(PAPER, away.max() / 2)]
    pixels = pixels[_drawn(pixels, rng)].astype(np.float64)
    count = min(count, len(np.unique(pixels, axis=0)))
    with warnings.catch_warnings():
        # It warns of classes that lose all their members, which are left out here.
        warnings.simplefilter("ignore", UserWarning)
        _, members = kmeans2(colour.lab(pixels), count, iter=_ROUNDS, minit="++", seed=rng)
    means = np.array([pixels[members == i].mean(axis=0) for i in np.unique(members)])
    inks = np.abs(paper - _deepened(np.abs(paper - pixels), np.abs(paper - _different(means))))
    inks = inks[np.argsort(-colour.lab(inks)[:, 0], kind="stable")]
    return [colour.written(ink) for ink in _different(inks)]


def _drawn(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices of some pixels; those of seldom colours, such as of a fruit before a wall, above their share."""
    bins = (pixels * (_BINS - 1) + 0.5).astype(np.int64) @ np.array([1, _BINS, _BINS**2])
    weights = np.bincount(bins)[bins] ** (_SELDOM - 1.0)
    return rng.choice(len(pixels), _SAMPLES, p=weights / weights.sum())


def _different(inks: np.ndarray) -> np.ndarray:
    """Those of the inks, sRGB (K, 3), that nobody would take for one before them."""
    places = colour.lab(inks)
    kept: list[int] = []
    for i in range(len(inks)):
        if all(np.linalg.norm(places[i] - places[j]) > ALIKE for j in kept):
            kept.append(i)
    return inks[kept]


def _deepened(pixels: np.ndarray, inks: np.ndarray) -> np.ndarray:
    """Inks, (K, 3), with which and with paper between their dots pixels, (N, 3), can be made; all as away from paper.

    Main colours can't be mixed of themselves and of paper, which only makes them paler. Least squares in turns: how
    much of each ink makes each pixel, at most 1 in all; which inks make the pixels with that, held near to where
    they were.
    """
    held = HOLD * len(pixels) / len(inks)
    start = inks = np.minimum(inks, DEEPEST)
    amounts = np.full((len(pixels), len(inks)), 1 / len(inks))
    for _ in range(_TURNS):
        slope = np.linalg.norm(inks @ inks.T, 2) + 1e-9
        for _ in range(4):
            amounts = np.maximum(amounts - (amounts @ inks - pixels) @ inks.T / slope, 0)
            amounts /= np.maximum(amounts.sum(axis=1, keepdims=True), 1)
        normal = amounts.T @ amounts + held * np.eye(len(inks))
        inks = np.clip(np.linalg.solve(normal, amounts.T @ pixels + held * start), 0, DEEPEST)
    return inks


def named(color: str) -> str:
    """What people call a colour, such as "Dark blue"."""
    lightness, a, b = colour.lab(colour.parsed(color)).tolist()
    chroma = math.hypot(a, b)
    if chroma < GREY:
        return "Black" if lightness < 20 else "White" if lightness > 92 else _shaded("grey", lightness)
    degrees = math.degrees(math.atan2(b, a)) % 360
    hue = _HUES[bisect.bisect_right(_HUE_ENDS, degrees) % len(_HUES)]
    if hue in ("orange", "red") and lightness < 45 and chroma < 50:
        hue = "brown"
    return "Black" if lightness < 8 and chroma < 2 * GREY else _shaded(hue, lightness)


def _shaded(hue: str, lightness: float) -> str:
    if hue == "yellow":
        lightness -= 25
    shade = "Dark " if lightness < 30 else "Light " if lightness > 72 else ""
    return (shade + hue).capitalize()
