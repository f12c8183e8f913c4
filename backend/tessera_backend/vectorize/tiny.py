"""Pictures of a few pixels, or a pixel or two wide: no room for curves, each patch of one colour is drawn as it is."""

from __future__ import annotations

import numpy as np
from skimage.measure import label

from .arrange import arranged
from .cutout.borders import Map
from .cutout.pieces import pieces
from .drawing import Drawing, Path
from .names import level_names
from .working import FAINT, Working


def drawn(picture: Working, paths: int, levels: int, side_by_side: bool) -> Drawing:
    """Pixel by pixel, exact where there are no more patches of one colour than paths.

    Args:
        paths: at most; patches that matter least get the colour of a neighbour.
        side_by_side: whether paths of an opaque picture may not overlap, too; else they reach beneath later ones, so
            that nothing shines through between them.
    """
    alpha = np.ones(picture.image.shape[:2], np.float32) if picture.alpha is None else picture.alpha
    rgba = np.rint(255 * np.dstack([picture.image, alpha])).astype(np.uint8)
    there = alpha >= FAINT
    colors, kinds = np.unique(rgba[there], axis=0, return_inverse=True)
    kinds_at = np.full(alpha.shape, -1)
    kinds_at[there] = kinds.ravel()
    fills = colors / 255
    premultiplied = np.column_stack([fills[:, :3] * fills[:, 3:], fills[:, 3]])
    numbers, kinds_at = pieces(kinds_at, premultiplied, 1, paths)
    sizes = np.bincount(numbers[numbers >= 0])
    apart = side_by_side or picture.alpha is not None
    left = numbers >= 0
    made = []
    for turn, number in enumerate(np.argsort(-sizes, kind="stable")):
        own = numbers == number
        mask = own if apart else _around(left, own)
        left &= ~own
        fill = fills[kinds_at[own][0]]
        made.append(Path(_outlines(mask), fill[:3], float(fill[3]), level=0 if turn == 0 else levels - 1))
    height, width = alpha.shape
    return Drawing(width, height, arranged(made, width, height), level_names(levels))


def _around(mask: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """The part of a mask that a piece is in."""
    parts = label(mask, connectivity=1)
    found: np.ndarray = parts == parts[piece][0]
    return found


def _outlines(mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """Along the borders of pixels, straight cubics: an outline and its holes, the outline first."""
    regions = np.pad(np.where(mask, 0, -1).astype(np.int32), 1, constant_values=-2)
    contours = []
    for _, chains in Map(regions, regions).loops(0):
        ways = [chain.points if chain.forward else chain.points[::-1] for chain in chains]
        ring = np.concatenate([way[:-1] for way in ways]).astype(np.float64)
        turns = (ring - np.roll(ring, 1, 0) != np.roll(ring, -1, 0) - ring).any(1)
        corners = ring[turns]
        sides = np.roll(corners, -1, 0) - corners
        contours.append(np.stack([corners, corners + sides / 3, corners + sides * 2 / 3], 1).reshape(-1, 2))
    return tuple(sorted(contours, key=lambda contour: -np.ptp(contour, axis=0).prod()))
