"""Which palette colour each voxel has, and which colours the palette has: faithful, crisp, or between.

Faithful voxels look from six sides like the mesh from afar: their CIEDE2000 is least, and rims and patterns become
mixtures. Crisp ones have the colour of most of what is in them, a rare one sooner than a common one, so that eyes,
mouths and outlines stay what they are: as pixel artists draw.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tessera_protocol.errors import error

from ... import colour
from ..render.views import View
from . import palette as palettes
from .details import on_grid
from .observed import Fragments, Pixels, Shell, observed, shell
from .smoothing import around, filled, patches, peaks, potts, shares, surroundings

# What fits into a byte beside 0, which is air.
MOST_LABELS = 255
_GREY = np.array([[128, 128, 128]], np.uint8)
# Rounds of labels and palette in turn.
_ROUNDS = 12
# Mirrored voxels that differ by less than the first number are coloured alike, Lab; when faithful, only in a mesh in
# which their mean is less than the second. The colours around them, times the third, may stand for theirs: two eyes
# are alike that are not mirrored to the voxel.
_ALIKE, _ALL_ALIKE, _AROUND = 20.0, 3.0, 1.7
# Crisp: the power of a colour's share around a voxel that its share in it is divided by, and what is added to it; a
# share below the third number counts that much less; the colour difference that weighs like a factor of e.
_RARITY, _COMMON, _MINORITY, _LESS, _MIXED = 0.5, 0.15, 0.2, 0.1, 8.0
# Details: colours that fill less than this share around a voxel, but at least so much of a voxel next to it, and that
# differ from what is around by so much, CIEDE2000; their shares count so many times.
_SELDOM, _PURE_SHARE, _CONTRAST, _DETAIL = 0.33, 0.75, 22.0, 1.5
# Pull of equal neighbours.
_POTTS = 0.15
# Specks are patches of so many voxels at most; they are looked for so often.
_SPECK, _CALMED = 1, 2
# Palette of crisp voxels: spread of colours in a voxel, Lab, at which it counts half; and the power of weights.
_PURE, _RARE = 5.0, 0.1
# How much of a crisp palette's refinement goes by voxels; the rest goes by pixels.
_REFINED = 0.5
# Means of voxels in one cube of this side, Lab, are one colour to the palette.
_BIN = 1.5
# The weight of the main colour of a detail of so many voxels or more, and most of all details' together, as shares.
_EACH, _GROWN, _EVERY = 0.005, 2.0, 0.03


@dataclasses.dataclass(frozen=True)
class _Seen:
    """All that labels are found from.

    Attributes:
        outer, pixels, fragments: as in `observed`.
        mean: float64 (S, 3), CIE Lab of each voxel's fragments; 0 where there are none.
        spread: float64 (S,), their variance.
        known: bool (S,), whether there are any.
        twin: int32 (S,), the voxel across the mirror that is to be coloured alike, -1 for none.
    """

    outer: Shell
    pixels: Pixels
    fragments: Fragments
    mean: np.ndarray
    spread: np.ndarray
    known: np.ndarray
    twin: np.ndarray


def colored(
    solid: np.ndarray,
    views: Sequence[View],
    count: int = 8,
    *,
    crispness: float = 1.0,
    palette: np.ndarray | None = None,
    locked: np.ndarray | None = None,
    method: str = "k-means",
    mirror: int | None = None,
    surface: np.ndarray | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Colour voxels, bool (X, Y, Z), as six views show them.

    Args:
        count: most colours, 2 to 32; not looked at with a palette.
        crispness: from 0, faithful, to 1, crisp.
        palette: uint8 (K, 3), sRGB, K at most 255: these colours and no others.
        locked: uint8 (L, 3), sRGB: colours that the palette must have.
        method: how a palette is chosen, one of `palette.METHODS`.
        mirror: the axis across whose middle the voxels are symmetric, if they are.
        surface: as in `observed`, for voxels that no view sees.
    Returns:
        labels uint8 (X, Y, Z), 0 where nothing is, else 1 + the number of the colour; palette uint8 (K, 3), of all
        colours given, or of those locked and those found that are used. Where no view shows any, all is of the first,
        or grey.
    Raises:
        InvalidInput: "out-of-range" for too many colours, or none.
    """
    _check(palette, locked, count)
    outer = shell(solid)
    seen = _seen(outer, *observed(solid, outer, views, surface), mirror, crispness)
    given = palette if palette is not None else locked
    if not seen.known.any():
        return solid.astype(np.uint8), _GREY if given is None or not len(given) else given
    fixed = np.zeros((0, 3)) if given is None else colour.lab(given / 255)
    chosen = fixed if palette is not None else _palette(seen, count, crispness, method, seed, fixed)
    if crispness > 0:
        views, drawn, *details = on_grid(views, chosen, mirror)
        seen = _seen(outer, *observed(solid, outer, views, surface, drawn), mirror, crispness)
        if palette is None:
            chosen = _palette(seen, count, crispness, method, seed, fixed, *details)
    chosen = _refined(seen, chosen, len(fixed), crispness)
    label = _labels(seen, chosen, crispness, mirror)
    rgb = np.rint(colour.srgb(chosen) * 255).astype(np.uint8)
    if given is not None:
        rgb[: len(given)] = given
    if palette is None:
        used = np.union1d(label[label >= 0], np.arange(len(fixed)))
        rgb, number = _distinct(rgb[used])
        label = np.where(label >= 0, number[np.searchsorted(used, label)], -1)
    grid = filled(solid, outer.places, label)
    return grid if mirror is None else _mirrored(grid, seen, mirror), rgb


def _distinct(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours uint8 (K, 3), each once, in their order, and which of them each of the given ones is, int (K,)."""
    first: dict[tuple[int, ...], int] = {}
    number = [first.setdefault(tuple(color), len(first)) for color in rgb.tolist()]
    return np.array(list(first), np.uint8), np.array(number)


def _mirrored(grid: np.ndarray, seen: _Seen, axis: int) -> np.ndarray:
    """With one colour for a voxel and its mirror image, that of the seen one; unless both are, and are too unlike."""
    known, unlike = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    known[tuple(seen.outer.places[seen.known].T)] = True
    unlike[tuple(seen.outer.places[seen.known & (seen.twin < 0)].T)] = True
    other = np.flip(known, axis)
    lower = np.moveaxis(np.zeros(grid.shape, bool), axis, 0)
    lower[: len(lower) // 2] = True
    own = np.where(known == other, np.moveaxis(lower, 0, axis) | (unlike & other), known)
    taken: np.ndarray = np.where(own, grid, np.flip(grid, axis))
    return taken


def _check(palette: np.ndarray | None, locked: np.ndarray | None, count: int) -> None:
    if palette is not None and not 1 <= len(palette) <= MOST_LABELS:
        raise error(
            "out-of-range",
            f"The palette has {len(palette)} colours.",
            field="palette",
            given=len(palette),
            allowed=f"1 to {MOST_LABELS}",
            remedy="Take a palette of fewer colours." if len(palette) else "Give it a colour.",
        )
    if palette is None and locked is not None and len(locked) > count:
        raise error(
            "out-of-range",
            f"{len(locked)} colours are locked, but the palette is to have {count}.",
            field="locked",
            given=len(locked),
            allowed=f"at most {count}",
            remedy="Ask for more colours, or unlock some.",
        )


def _seen(outer: Shell, pixels: Pixels, fragments: Fragments, mirror: int | None, crispness: float) -> _Seen:
    number = np.bincount(fragments.voxel, minlength=len(outer))
    sums, squares = np.zeros((len(outer), 3)), np.zeros(len(outer))
    for axis in range(3):
        values = fragments.colors[fragments.color, axis]
        sums[:, axis] = np.bincount(fragments.voxel, values, len(outer))
        squares += np.bincount(fragments.voxel, values**2, len(outer))
    count = np.maximum(number, 1)
    mean = sums / count[:, None]
    spread, known = np.maximum(squares / count - (mean**2).sum(1), 0), number > 0
    twin = np.full(len(outer), -1, np.int32)
    if mirror is not None:
        twin = outer.mirrored(mirror)
        pairs = (twin >= 0) & known & known[twin]
        unlike = np.linalg.norm(mean - mean[twin], axis=1)
        same = pairs.any() and unlike[pairs].mean() < _ALL_ALIKE
        nearby = surroundings(outer.number, outer.places, mean, known)
        unlike = np.minimum(unlike, _AROUND * np.linalg.norm(nearby - nearby[twin], axis=1))
        twin = np.where(pairs & (unlike < _ALIKE * (1.0 if same else crispness)), twin, -1)
    return _Seen(outer, pixels, fragments, mean, spread, known, twin)


def _palette(
    seen: _Seen,
    count: int,
    crispness: float,
    method: str,
    seed: int,
    locked: np.ndarray,
    details: np.ndarray | None = None,
    areas: np.ndarray | None = None,
) -> np.ndarray:
    """(K, 3) Lab: of pixels, of pure voxels, or of both; and of details' colours (D, 3), Lab, and areas (D,)."""
    colors, weights = [], []
    if crispness < 1:
        pixels = seen.pixels
        weight = np.bincount(pixels.color, pixels.weight, len(pixels.colors))
        colors.append(pixels.colors)
        weights.append((1 - crispness) * weight / weight.sum())
    if crispness > 0:
        pure, weight, _ = palettes.binned(seen.mean[seen.known], _purity(seen), _BIN)
        weight = weight ** (1 - _RARE)
        colors.append(pure)
        weights.append(crispness * weight / weight.sum())
    if details is not None and areas is not None:
        each = _EACH * np.minimum(areas / _GROWN, 1)
        colors.append(details)
        weights.append(crispness * each * min(_EVERY / max(each.sum(), 1e-9), 1))
    every, weight = np.concatenate(colors), np.concatenate(weights)
    return palettes.chosen(every, weight, count, method=method, seed=seed, locked=locked)


def _purity(seen: _Seen) -> np.ndarray:
    """The weight of each known voxel: its fragments, less where they differ."""
    number = np.bincount(seen.fragments.voxel, minlength=len(seen.outer))
    return (number / (1 + seen.spread / _PURE**2))[seen.known]


def _refined(seen: _Seen, palette: np.ndarray, fixed: int, crispness: float) -> np.ndarray:
    """A palette that suits the voxels that are labelled with it; the first `fixed` colours stay."""
    if fixed == len(palette):
        return palette
    pixels, purity = seen.pixels, _purity(seen)
    colors = np.concatenate([pixels.colors[pixels.color], seen.mean[seen.known]])
    owner = np.concatenate([pixels.voxel, np.flatnonzero(seen.known)])
    crisp = crispness * _REFINED
    weights = np.concatenate([(1 - crisp) * pixels.weight / pixels.weight.sum(), crisp * purity / purity.sum()])
    for _ in range(_ROUNDS):
        label = _costs(seen, palette, crispness).argmin(1)
        palette = palettes.medians(colors, weights, label[owner], palette, fixed)
    return palettes.exact(colors, weights, label[owner], palette, fixed)


def _labels(seen: _Seen, palette: np.ndarray, crispness: float, mirror: int | None) -> np.ndarray:
    """int (S,), -1 where nothing is known."""
    costs = _costs(seen, palette, crispness)
    label = np.where(seen.known, costs.argmin(1), -1)
    if crispness == 0:
        return label
    label = potts(seen.outer.number, seen.outer.places, costs, label, _POTTS * crispness, mirror)
    return _calm(seen, palette, costs, label)


def _calm(seen: _Seen, palette: np.ndarray, costs: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Without specks: voxels that nothing beside has the colour of, but for what is a detail."""
    number, places = seen.outer.number, seen.outer.places
    share = _alike(seen, shares(seen.fragments, len(seen.outer), palette))
    far = colour.ciede2000_table(palette, palette)
    for _ in range(_CALMED):
        specks = np.flatnonzero((patches(number, places, label) <= _SPECK) & (label >= 0))
        votes = around(number, places, label, specks, len(palette))
        votes[np.arange(len(specks)), label[specks]] = 0
        other = np.where(votes > 0, costs[specks] - _POTTS * votes, np.inf).argmin(1)
        pure = share[specks, label[specks]] >= _PURE_SHARE
        detail = pure & (far[label[specks], other] >= _CONTRAST)
        turned = ~detail & (votes.max(1, initial=0) > 0)
        label[specks[turned]] = other[turned]
    return label


def _costs(seen: _Seen, palette: np.ndarray, crispness: float) -> np.ndarray:
    """Of each voxel in each colour, float64 (S, K), in units of the crisp mode."""
    costs = np.zeros((len(seen.outer), len(palette)))
    if crispness < 1:
        costs += (1 - crispness) * _alike(seen, _differences(seen.pixels, len(seen.outer), palette)) / _MIXED
    if crispness > 0:
        share = _alike(seen, shares(seen.fragments, len(seen.outer), palette))
        nearby = surroundings(seen.outer.number, seen.outer.places, share, seen.known)
        weak = np.where(share >= _MINORITY, share, share * _LESS + 0.002)
        bins, _, owner = palettes.binned(_alike(seen, seen.mean), np.ones(len(seen.mean)), 1.0)
        differences = colour.ciede2000_table(bins, palette)[owner]
        apart = nearby @ colour.ciede2000_table(palette, palette)
        near = peaks(seen.outer.number, seen.outer.places, share)
        detail = (nearby < _SELDOM) & (near >= _PURE_SHARE) & (apart >= _CONTRAST)
        weak = weak * np.where(detail, _DETAIL, 1.0)
        costs += crispness * (differences / _MIXED - np.log(weak / (nearby + _COMMON) ** _RARITY + 1e-3))
    return costs


def _differences(pixels: Pixels, voxels: int, palette: np.ndarray) -> np.ndarray:
    """Mean CIEDE2000 between a voxel's pixels and each colour, (S, K)."""
    table = colour.ciede2000_table(pixels.colors, palette)
    total = np.bincount(pixels.voxel, pixels.weight, voxels)
    columns = [np.bincount(pixels.voxel, pixels.weight * column[pixels.color], voxels) for column in table.T]
    return np.stack(columns, 1) / np.maximum(total, 1e-9)[:, None]


def _alike(seen: _Seen, values: np.ndarray) -> np.ndarray:
    """Values (S, C), averaged with those of the twin where there is one."""
    return np.where((seen.twin >= 0)[:, None], (values + values[seen.twin]) / 2, values)
