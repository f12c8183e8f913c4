"""Shapes side by side instead of on each other: for vinyl, screen print and plotters.

What is seen of a stacked drawing is a map of regions. Wherever two of them meet, their border is the outline of the
upper path, so the map (found on a fine raster) only says which piece of which outline each border is; the curves are
those pieces themselves. Each border is made once and used by both sides: neighbours share every node and handle.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.spatial import cKDTree

from ..curves.area import cover, top
from ..drawing import Drawing, Gradient, Path
from ..palette import gradient_colors, seen_colors
from .arcs import Outline
from .borders import Chain, Map
from .pieces import pieces

# Raster cells per px, each way, and the longest raster.
_SCALE, _LONGEST = 4, 6144
# How far, px, the raster's border may be from the curve that it stands for, and how far a jump along it is.
_NEAR, _JUMP = 0.75, 2.0
# Alternating projections that bring a node onto all the outlines which meet there.
_ROUNDS = 12


def cut_out(drawing: Drawing, smallest: float = 1.0, most: int | None = None) -> Drawing:
    """The same picture of shapes that don't overlap, as far as they are seen, without gaps between them.

    Neighbours of one flat colour become one shape. Shapes in several pieces become several paths. Translucent paths
    take the colour that they show over what is below them.

    Args:
        smallest: px, area of what is left to its neighbour instead of being a shape.
        most: paths at most: the pieces that matter least go to their neighbours. None: as many as there are.
    Returns:
        paths with holes as contours wound the other way; order, levels, groups and labels are those of the largest
        path seen in each, islands' labels numbered.
    """
    drawing = _opaque(drawing)
    scale = max(1, min(_SCALE, _LONGEST // max(drawing.width, drawing.height)))
    tops = top(drawing, scale)
    kinds, colors = _kinds(drawing)
    most = tops.size if most is None else most
    regions, seen = pieces(kinds[tops], colors, int(np.ceil(smallest * scale**2)), most)
    # Around the picture lies the frame, which owns the borders with it.
    frame = len(drawing.paths)
    grid = Map(np.pad(regions, 1, constant_values=-2), np.pad(tops, 1, constant_values=frame))
    curves = _Curves(drawing, grid, scale)
    outlines: dict[int, list[np.ndarray]] = {}
    for region, chains in grid.loops(0):
        cubics = np.concatenate([curves.of(chain) for chain in chains])
        outlines.setdefault(region, []).append(cubics[:, :3].reshape(-1, 2))
    # Each piece is called after the path that most of it shows; paths of its own kind come first.
    votes = np.where(seen == kinds[tops], float(tops.size), 1.0)
    return dataclasses.replace(drawing, paths=_paths(drawing, regions, tops, votes, outlines))


class _Curves:
    """The border curves, each made when it is first asked for."""

    def __init__(self, drawing: Drawing, grid: Map, scale: int) -> None:
        self._drawing = drawing
        self._scale = scale
        self._outlines: dict[int, Outline] = {}
        self._made: dict[int, np.ndarray] = {}
        self._nodes = self._placed(grid)

    def of(self, chain: Chain) -> np.ndarray:
        """(n, 4, 2): the cubics of a chain in its side's direction."""
        if chain.key not in self._made:
            self._made[chain.key] = self._curve(chain)
        cubics = self._made[chain.key]
        return cubics if chain.forward else cubics[::-1, ::-1]

    def _outline(self, owner: int) -> Outline:
        if owner not in self._outlines:
            self._outlines[owner] = Outline(self._drawing.paths[owner].contours)
        return self._outlines[owner]

    def _placed(self, grid: Map) -> dict[tuple[int, int], np.ndarray]:
        """Where nodes really are: on the outlines of all borders that meet there, as near as can be."""
        y, x = np.nonzero(grid.nodes)
        lattice = np.column_stack([x, y])
        at = lattice / self._scale
        meeting: dict[int, list[int]] = {}
        for n, point in enumerate(lattice):
            for owner in grid.owners_at(point):
                meeting.setdefault(owner, []).append(n)
        for _ in range(_ROUNDS):
            # Upwards, so that nodes end on the uppermost outline, and on the picture's edge above all.
            for owner in sorted(meeting):
                at[meeting[owner]] = self._on(owner, at[meeting[owner]], lattice[meeting[owner]])
        lost = np.hypot(*(at - lattice / self._scale).T) > _NEAR
        at[lost] = lattice[lost] / self._scale
        return {(int(i), int(j)): place for (i, j), place in zip(lattice, at, strict=True)}

    def _on(self, owner: int, points: np.ndarray, lattice: np.ndarray) -> np.ndarray:
        """Points moved onto an outline, or onto the sides of the picture that their lattice points lie on."""
        if owner < len(self._drawing.paths):
            return self._outline(owner).nearest(points)[2]
        size = np.array([self._drawing.width, self._drawing.height])
        points = np.where(lattice == 0, 0.0, points)
        return np.where(lattice == size * self._scale, size, points)

    def _curve(self, chain: Chain) -> np.ndarray:
        """Forward."""
        if chain.owner >= len(self._drawing.paths):
            return _lines(self._ends(chain, _corners(chain.points) / self._scale))
        outline = self._outline(chain.owner)
        middles = (chain.points[:-1] + chain.points[1:]) / 2 / self._scale
        contour, u, place = outline.nearest(middles)
        if chain.closed and (contour == contour[0]).all():
            steps = self._steps(outline, contour[0], np.append(u, u[0]))
            whole = outline.length(contour[0], np.array([outline.cubics(contour[0])]))[0]
            if (np.abs(steps) < _JUMP).all() and abs(abs(steps.sum()) - whole) < 1e-6 * whole + 1e-6:
                end = float(np.sign(steps.sum()) * outline.cubics(contour[0]))
                return outline.piece(int(contour[0]), 0.0, end)
        ends = self._ends(chain, chain.points[[0, -1]] / self._scale)
        cuts = [0, *_jumps(self, outline, contour, u), len(u)]
        between = [(place[cut - 1] + place[cut]) / 2 for cut in cuts[1:-1]]
        knots = [ends[0], *between, ends[1]]
        pieces = [
            self._arc(outline, int(contour[a]), u[a:b], middles[a:b], start, end)
            for a, b, start, end in zip(cuts[:-1], cuts[1:], knots[:-1], knots[1:], strict=True)
        ]
        return np.concatenate(pieces)

    def _ends(self, chain: Chain, points: np.ndarray) -> np.ndarray:
        """Points whose first and last are the chain's, moved to where its nodes are."""
        points = np.array(points, np.float64)
        for end in (0, -1):
            points[end] = self._nodes.get((int(chain.points[end][0]), int(chain.points[end][1])), points[end])
        return points

    @staticmethod
    def _steps(outline: Outline, contour: int, u: np.ndarray) -> np.ndarray:
        """Arc lengths between places that follow each other, the shorter way round."""
        return outline.around(contour, np.diff(outline.length(contour, u)))

    def _arc(
        self, outline: Outline, contour: int, u: np.ndarray, along: np.ndarray, start: np.ndarray, end: np.ndarray
    ) -> np.ndarray:
        """The piece of a contour past u from `start` to `end`; a polygon along the raster's border where none fits."""
        own, ends_u, _ = outline.nearest(np.array([start, end]))
        count = outline.cubics(contour)
        full = np.concatenate(
            [ends_u[:1] if own[0] == contour else u[:1], u, ends_u[1:] if own[1] == contour else u[-1:]]
        )
        steps = np.diff(full)
        # Each step the shorter way round, in u.
        steps -= np.round(steps / count) * count
        cubics = outline.piece(contour, float(full[0]), float(full[0] + steps.sum()))
        if len(cubics):
            t = np.linspace(0, 1, 9)[:, None, None]
            s = 1 - t
            a, b, c, d = np.moveaxis(cubics, 1, 0)
            curve = (s**3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t**3 * d).reshape(-1, 2)
            border = np.concatenate([start[None], along, end[None]])
            apart = max(cKDTree(border).query(curve)[0].max(), np.hypot(*(cubics[0, 0] - start)))
            apart = max(apart, float(np.hypot(*(cubics[-1, 3] - end))))
            if apart < _NEAR:
                return _fastened(cubics, start, end)
        # Imported here because it brings all of scipy.signal: 0.4 s that few drawings need.
        from skimage.measure import approximate_polygon

        return _lines(approximate_polygon(np.concatenate([start[None], along, end[None]]), 1 / self._scale))


def _jumps(curves: _Curves, outline: Outline, contour: np.ndarray, u: np.ndarray) -> list[int]:
    """Where places that follow each other are on different parts of an outline: the indices of the later ones."""
    other = contour[1:] != contour[:-1]
    far = np.zeros(len(other), bool)
    for c in np.unique(contour):
        both = np.flatnonzero(~other & (contour[1:] == c))
        ends = outline.length(int(c), u)
        far[both] = np.abs(outline.around(int(c), ends[both + 1] - ends[both])) > _JUMP
    return (np.flatnonzero(other | far) + 1).tolist()


def _fastened(cubics: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Cubics whose ends, with their handles, are moved a little, onto the nodes."""
    cubics = cubics.copy()
    cubics[0, :2] += start - cubics[0, 0]
    cubics[-1, 2:] += end - cubics[-1, 3]
    return cubics


def _lines(points: np.ndarray) -> np.ndarray:
    """(n, 4, 2): straight cubics through points (n + 1, 2)."""
    a, d = points[:-1], points[1:]
    return np.stack([a, a + (d - a) / 3, a + (d - a) * 2 / 3, d], 1)


def _corners(points: np.ndarray) -> np.ndarray:
    """Both ends of a way along lattice points, and where it turns."""
    steps = np.diff(points, axis=0)
    turns = (steps[1:] != steps[:-1]).any(1)
    return points[np.concatenate([[True], turns, [True]])]


def _kinds(drawing: Drawing) -> tuple[np.ndarray, np.ndarray]:
    """int (P + 1,): paths of one flat colour have one number; gradients have their own; the last is for nothing, -1.

    And the colour of each number, (K, 3).
    """
    numbers: dict[object, int] = {}
    kinds = []
    means = seen_colors(drawing)[0]
    for p, path in enumerate(drawing.paths):
        flat = not isinstance(path.fill, Gradient)
        key = (*np.rint(np.asarray(path.fill)[:3] * 255).tolist(), path.opacity) if flat else p
        kinds.append(numbers.setdefault(key, len(numbers)))
    colors = np.zeros((len(numbers), 3))
    colors[kinds] = means
    return np.array([*kinds, -1]), colors


def _paths(
    drawing: Drawing, regions: np.ndarray, tops: np.ndarray, votes: np.ndarray, outlines: dict[int, list[np.ndarray]]
) -> tuple[Path, ...]:
    """A path a region, in the order of the paths that have most votes, (H, W), in each."""
    known = (regions >= 0) & (tops >= 0)
    keys = regions[known].astype(np.int64) * len(drawing.paths) + tops[known]
    pairs, which = np.unique(keys, return_inverse=True)
    counts = np.bincount(which, votes[known])
    # Of each region the last one to come is the largest.
    by_size = pairs[np.argsort(counts, kind="stable")]
    main = dict(zip(*(part.tolist() for part in np.divmod(by_size, len(drawing.paths))), strict=True))
    seen: dict[int, int] = {}
    paths = []
    for region in sorted(outlines, key=lambda r: (main[r], r)):
        source = drawing.paths[main[region]]
        seen[main[region]] = number = seen.get(main[region], 0) + 1
        name = f"{source.label}, piece {number}" if source.label and number > 1 else source.label
        paths.append(dataclasses.replace(source, contours=tuple(outlines[region]), label=name))
    return tuple(paths)


def _opaque(drawing: Drawing) -> Drawing:
    """Translucent paths in the colour that they have over what is below them; over nothing they stay."""
    if all(path.opacity >= 1 for path in drawing.paths):
        return drawing
    size = drawing.width, drawing.height
    centers = np.stack(np.meshgrid(*(np.arange(side) + 0.5 for side in size)), 2)
    image, alpha = np.zeros((*centers.shape[:2], 3)), np.zeros(centers.shape[:2])
    paths = []
    for path in drawing.paths:
        mask = cover(path, *size)
        hides = path.opacity >= 1 or not mask.any() or alpha[mask].mean() < 0.5
        fill = path.fill if hides else _mixed(path.fill, image[mask].mean(0), path.opacity)
        share = path.opacity if hides else 1.0
        gradient = isinstance(fill, Gradient)
        color = gradient_colors(fill, centers[mask])[:, :3] if gradient else np.asarray(fill)[:3]
        image[mask] = image[mask] * (1 - share) + color * share
        alpha[mask] = alpha[mask] * (1 - share) + share
        paths.append(dataclasses.replace(path, fill=fill, opacity=share))
    return dataclasses.replace(drawing, paths=tuple(paths))


def _mixed(fill: np.ndarray | Gradient, below: np.ndarray, share: float) -> np.ndarray | Gradient:
    if isinstance(fill, Gradient):
        colors = fill.colors.copy()
        colors[:, :3] = colors[:, :3] * share + below * (1 - share)
        return dataclasses.replace(fill, colors=colors)
    return np.asarray(fill)[:3] * share + below * (1 - share)
