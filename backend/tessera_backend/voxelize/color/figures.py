"""How a small figure is drawn in whole voxels: as an artist sets pixels, not as averages would have it."""

from __future__ import annotations

import numpy as np

from ..render.views import in_blocks

# A figure that fills no voxel to the first share has those of which it fills the most, or nearly.
_LOST, _NEARLY = 0.45, 0.8
# Voxels that a corner more than a rectangle's four is worth.
_CORNER = 0.15
# A curved line is so long, so thick at most, and its middle so far off its ends, voxels: mouths, brows. Its last
# voxels are filled to this share of the others; and that share of all is level with its middle.
_LONG, _SLIM, _CURVED, _END, _LEVEL = 3.5, 1.6, 0.18, 0.4, 0.5
# A light in a figure of at least so many voxels is a voxel if it fills it so far, or would be so large in all. If it
# takes more than a share of the figure, then only where it fills the most; and nowhere, if that is more than another.
_LIT, _LIGHT, _AREA, _MANY, _MOST = 4, 0.4, 0.3, 0.2, 0.34
# Equal to rounding.
_SAME = 1e-6


def drawn(
    figure: np.ndarray, light: np.ndarray, scale: int, *, lost: bool = True, mirror: int | None = None
) -> np.ndarray:
    """The voxels of a figure, uint8 (U, V): 1, or 2 where its light is; 0 elsewhere.

    Args:
        figure, light: float (U * scale, V * scale), how much of a pixel is the figure, and the light in it, [0, 1].
        scale: pixels per voxel.
        lost: whether a figure that fills no voxel is drawn.
        mirror: the axis along which pixels are their own mirror image, and the voxels will be.
    """
    shares, lit = (in_blocks(pixels, scale).mean((2, 3)) for pixels in (figure, light))
    if shares.max() < _LOST:
        return ((shares >= max(_NEARLY * shares.max(), _SAME)) & lost).astype(np.uint8)
    cells = _curve(figure, shares)
    cells = _regular(shares, mirror) if cells is None else cells
    out = cells.astype(np.uint8)
    lit = np.where(cells, lit, 0)
    if cells.sum() >= _LIT and lit.sum() >= _AREA:
        shining = lit >= min(_LIGHT, lit.max() - _SAME)
        shining = shining if shining.sum() <= _MANY * cells.sum() else lit >= lit.max() - _SAME
        out[shining & (shining.sum() <= _MOST * cells.sum())] = 2
    return out


def _regular(figure: np.ndarray, mirror: int | None) -> np.ndarray:
    """Of rectangles and of all that is filled to some share, what is nearest and has few corners, bool."""
    options = [figure >= share - _SAME for share in (0.35, 0.4, 0.45, 0.5, 0.55, 0.6)]
    options.append(_rectangle(figure, mirror))

    def cost(cells: np.ndarray) -> float:
        return float(np.abs(cells - figure).sum()) + _CORNER * (_corners(cells) - 4)

    return min((cells for cells in options if cells.any()), key=cost)


def _corners(cells: np.ndarray) -> int:
    """Of all outlines, holes' too; where two voxels touch in a corner there are two."""
    padded = np.pad(cells, 1).astype(np.int8)
    four = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    crossed = (four == 2) & (padded[:-1, :-1] == padded[1:, 1:])
    return int((four % 2).sum() + 2 * crossed.sum())


def _rectangle(figure: np.ndarray, mirror: int | None) -> np.ndarray:
    """The nearest one."""
    worth = np.zeros((figure.shape[0] + 1, figure.shape[1] + 1))
    worth[1:, 1:] = (2 * figure - 1).cumsum(0).cumsum(1)
    best, most = np.zeros(figure.shape, bool), -np.inf
    for low in range(figure.shape[0]):
        for high in range(low + 1, figure.shape[0] + 1):
            if mirror == 0 and low + high != figure.shape[0]:
                continue
            line = worth[high] - worth[low]
            inside = line[None, :] - line[:, None]
            first, last = np.triu_indices(len(line), 1)
            if mirror == 1:
                first, last = (ends[first + last == figure.shape[1]] for ends in (first, last))
            which = int(np.argmax(inside[first, last]))
            if inside[first[which], last[which]] > most + _SAME:
                most = inside[first[which], last[which]]
                best = np.zeros(figure.shape, bool)
                best[low:high, first[which] : last[which]] = True
    return best


def _curve(figure: np.ndarray, shares: np.ndarray) -> np.ndarray | None:
    """One voxel for each step along a curved line, bool; None if the figure is none.

    A smile whose ends are half a voxel up would be a bar: the line is moved a little, so that ends and middle differ.
    """
    if shares.shape[1] > shares.shape[0]:
        turned = _curve(figure.T, shares.T)
        return None if turned is None else turned.T
    filled = shares.sum(1)
    usual = float(np.median(filled[filled > 0]))
    kept = np.flatnonzero(filled >= _END * usual)
    if filled.sum() / usual < _LONG or filled.max() > _SLIM or np.ptp(kept) != len(kept) - 1:
        return None
    along = figure.reshape(len(shares), -1, figure.shape[1]).sum(1)[kept]
    at = along @ (np.arange(figure.shape[1]) + 0.5) / along.sum(1) * shares.shape[1] / figure.shape[1]
    third = len(at) // 3
    ends, middle = (at[0] + at[-1]) / 2, at[third : len(at) - third].mean()
    if abs(ends - middle) < _CURVED or abs(at[0] - at[-1]) > abs(ends - middle):
        return None
    for shift in sorted(np.arange(-19, 20) / 20, key=abs):
        line = np.floor(at + shift + _SAME).astype(int)
        level = line == line[len(line) // 2]
        bent = (line[0] - line[len(line) // 2]) * (ends - middle) > 0 and line[0] == line[-1]
        # With little that is level it would be a point.
        bent = bent and level.mean() >= _LEVEL
        if bent and np.abs(np.diff(line)).max() <= 1 and line.min() >= 0 and line.max() < shares.shape[1]:
            cells = np.zeros(shares.shape, bool)
            cells[kept, line] = True
            return cells
    return None
