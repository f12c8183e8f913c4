"""Separation: how much of each ink makes a colour, so that the plates' dots over the paper average to the picture.

The model is Neugebauer's: a patch is so much bare paper, so much of each ink, so much of each overprint, and looks
like their average. Two things are of this house. Averages are of sRGB values, as all tones are here
(docs/conventions.md): that is Yule and Nielsen's correction for the spread of light in paper, with n about 2.2. And
dots that were placed together overlap less than chance, which Demichel's equations assume: from not at all in the
lights to nearly by chance where they cover everything twice.
"""

from __future__ import annotations

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..colour import lab, parsed, to_lab
from ..compiled import njit
from ..progress import Progress
from .engines import TOGETHER
from .inks import Ink

# What overlaps, as a share of what would by chance, is 1 - exp(-(cover / CHANCE)^CHANCE_POWER); cover is the sum of all
# dots' areas over the patch's. Measured on dots of two to four plates placed together: within 0.02 up to a cover of 2.
CHANCE, CHANCE_POWER = 1.15, 2.4
# Dots of one plate cover a / (1 + a^p)^(1/p) when the sum of their areas is a: at 1 they touch, and leave gaps.
GAPS_POWER = 6.5
# So much of one ink, as the sum of its dots' areas, is the most: 0.95 of the paper is covered.
MOST = 1.2
# Squared distances in Lab that equal one unit of variance, from dots unlike the colour that they make, and one layer of
# dots all over the paper, which could have drawn something finer elsewhere.
GRAIN = 0.01
LAYER = 60.0
# Black takes the place of the common grey from the midtones on (a long-range black): in the lights its dots would
# stand out. The same price keeps it where it is, unless the others can't get as dark.
BLACK_POWER = 1.5
BLACK_PRICE = 20.0
_NODES = 17
_SWEEPS = 60
# Amounts are found to this.
_ENOUGH = 3e-4
_DIFFERENCE = 1e-3
_GOALS_PER_CALL = _NODES * 34


def separate(picture: np.ndarray, inks: tuple[Ink, ...], params: StippleParams, progress: Progress) -> np.ndarray:
    """Densities of the plates that make a picture.

    Args:
        picture: sRGB on its paper, float32 (H, W, 3), [0, 1].
        inks: one for each plate.
        params: plates, black and invert are read.
        progress: told a few times.
    Returns:
        float32 (P, H, W), [0, 1.2]: the sum of the dots' areas over the paper's; 0 where the picture is paper.
    """
    model = Model(inks, params.invert, params.engine in TOGETHER)
    table = model.table(params, progress)
    densities = np.empty((len(inks), *picture.shape[:2]), np.float32)
    _look_up(np.ascontiguousarray(picture, np.float32), table, densities)
    return densities


class Model:
    """What inks on a paper look like.

    Attributes:
        colors: of the inks, float64 (P, 3), sRGB.
        paper: float64 (3,), white, or black for inverted drawings, whose inks cover what is under them.
        together: whether plates know of each other, so that dots overlap less than by chance.
    """

    def __init__(self, inks: tuple[Ink, ...], invert: bool, together: bool) -> None:
        self.colors = np.array([parsed(ink.color) for ink in inks])
        self.paper = np.full(3, 0.0 if invert else 1.0)
        self.together = together

    def look(self, densities: np.ndarray) -> np.ndarray:
        """sRGB (N, 3) of patches with dots of these areas, (N, P)."""
        out = np.empty((len(densities), 3))
        for cover, color in zip(np.ascontiguousarray(densities, np.float64), out, strict=True):
            _look(cover, self.colors, self.paper, self.together, color)
        return out

    def table(self, params: StippleParams, progress: Progress) -> np.ndarray:
        """Densities for colours on a grid, float32 (nodes, nodes, nodes, P), by red, green, blue."""
        axis = np.linspace(0, 1, _NODES)
        nodes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        least = np.zeros((len(nodes), len(self.colors)))
        if params.plates == "cmyk":
            price = np.zeros_like(least)
            price[:, -1] = BLACK_PRICE
            amounts = self._solved(nodes, least, price, progress.part(0.0, 0.5))
            least[:, -1] = params.black * _black(nodes, amounts, float(self.colors[-1].max()))
            amounts = self._solved(nodes, least, price, progress.part(0.5, 1.0))
        else:
            # The variance that an ink's dots bring in place of bare paper.
            grain = ((lab(self.colors) - lab(nodes)[:, None]) ** 2).sum(axis=2)
            grain -= ((lab(self.paper) - lab(nodes)) ** 2).sum(axis=1)[:, None]
            amounts = self._solved(nodes, least, GRAIN * grain + LAYER, progress)
        amounts[(nodes == self.paper).all(axis=1)] = 0
        return amounts.astype(np.float32).reshape(_NODES, _NODES, _NODES, -1)

    def _solved(self, nodes: np.ndarray, least: np.ndarray, price: np.ndarray, progress: Progress) -> np.ndarray:
        """Amounts of inks, (N, P), of at least so much, that come nearest to sRGB (N, 3) at these prices."""
        goals, amounts = lab(nodes), least.copy()
        for begin in range(0, len(nodes), _GOALS_PER_CALL):
            progress("separating", begin / len(nodes), "Separating colours")
            some = slice(begin, begin + _GOALS_PER_CALL)
            _solve(goals[some], self.colors, self.paper, self.together, least[some], price[some], amounts[some])
        return amounts


def _black(nodes: np.ndarray, amounts: np.ndarray, color: float) -> np.ndarray:
    """So much black, (N,), as can take the place of what cyan, magenta and yellow, (N, 3 or more), have in common.

    In full where they make a grey, so that no black dulls what they need all their strength for.
    """
    darkness = np.minimum((1 - nodes.max(axis=1)) / (1 - color), 1)
    common = amounts[:, :3].min(axis=1)
    greys = (nodes == nodes[:, :1]).all(axis=1)
    by_darkness = np.argsort(darkness[greys], kind="stable")
    of_grey = np.interp(darkness, darkness[greys][by_darkness], common[greys][by_darkness])
    return darkness**BLACK_POWER * np.clip(common / np.maximum(of_grey, 1e-3), 0, 1)


@njit(cache=True)
def _look(cover: np.ndarray, colors: np.ndarray, paper: np.ndarray, together: bool, out: np.ndarray) -> None:
    """sRGB (3,) of a patch with so much of each ink, (P,)."""
    total = 0.0
    for p in range(cover.shape[0]):
        total += cover[p]
    by_chance = 1 - np.exp(-((total / CHANCE) ** CHANCE_POWER)) if together else 1.0
    for c in range(3):
        apart, chance = paper[c], paper[c]
        for p in range(cover.shape[0]):
            if cover[p] <= 0:
                continue
            area = cover[p] / (1 + cover[p] ** GAPS_POWER) ** (1 / GAPS_POWER)
            apart += area * (colors[p, c] - paper[c])
            if paper[c] > 0:
                chance *= 1 - area * (1 - colors[p, c])
            else:
                chance += area * (colors[p, c] - chance)
        out[c] = (1 - by_chance) * apart + by_chance * chance


@njit(cache=True)
def _solve(
    goals: np.ndarray,
    colors: np.ndarray,
    paper: np.ndarray,
    together: bool,
    least: np.ndarray,
    price: np.ndarray,
    amounts: np.ndarray,
) -> None:
    """For each goal, Lab (N, 3), the amounts (N, P) from `least` to MOST that come nearest, plus what they cost.

    Coordinate descent with Gauss-Newton steps, since Lab is nearly linear in one amount at a time; from what was found
    for the goal before, which is mostly the next node.
    """
    here, there = np.empty(3), np.empty(3)
    for i in range(goals.shape[0]):
        cover = amounts[i]
        if i > 0:
            cover[:] = np.maximum(amounts[i - 1], least[i])
        for _ in range(_SWEEPS):
            moved = 0.0
            for p in range(cover.shape[0]):
                _look(cover, colors, paper, together, here)
                to_lab(here, here)
                before = cover[p]
                cover[p] += _DIFFERENCE
                _look(cover, colors, paper, together, there)
                to_lab(there, there)
                fall, bend = 0.5 * price[i, p], 1.0
                for c in range(3):
                    slope = (there[c] - here[c]) / _DIFFERENCE
                    fall += slope * (here[c] - goals[i, c])
                    bend += slope * slope
                step = max(-0.3, min(0.3, -fall / bend))
                cover[p] = min(max(before + step, least[i, p]), MOST)
                moved = max(moved, abs(cover[p] - before))
            if moved < _ENOUGH:
                break


@njit(cache=True)
def _look_up(picture: np.ndarray, table: np.ndarray, densities: np.ndarray) -> None:
    """Trilinear interpolation in a table, for each pixel."""
    last = table.shape[0] - 2
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            r, g, b = picture[row, column] * (last + 1)
            i, j, k = min(int(r), last), min(int(g), last), min(int(b), last)
            r, g, b = r - i, g - j, b - k
            for p in range(table.shape[3]):
                value = np.float32(0)
                for n in range(8):
                    di, dj, dk = n & 1, (n >> 1) & 1, n >> 2
                    share = (r if di else 1 - r) * (g if dj else 1 - g) * (b if dk else 1 - b)
                    value += share * table[i + di, j + dj, k + dk, p]
                densities[p, row, column] = value
