"""Voxels changed as little as a sheet asks for, in closed form.

Pixels that an artist left as they were ask for nothing. Of those that were changed:

- one that was erased clears its whole ray: what is clear in the sheet is seen through;
- one that was painted over gives its colour to the first voxel on its ray;
- one that was painted where nothing was gets voxels where all three silhouettes, as they are now, have room for them,
  and most of them are painted; where there is no such place, since other views were left without it, one voxel, as
  deep as the middle of what is nearest in that view.

Changed pixels win over unchanged ones. Where changed ones of several views disagree on a voxel's colour, that of most
counts, then the front's, the right's, the back's, the left's, the top's; a ray cleared in one view stays so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..color.observed import first_layer
from .wishes import Wish

# Filling a pit may let another be filled.
_SWEEPS = 8


def applied(labels: np.ndarray, wished: Sequence[Wish]) -> np.ndarray:
    """Voxels as a sheet wants them, uint8 (X, Y, Z).

    Args:
        labels: uint8 (X, Y, Z), those that the sheet was made from.
        wished: of `wishes`, for these labels.
    """
    made = labels.copy()
    closed = np.zeros(labels.shape, bool)
    for wish in wished:
        closed |= np.expand_dims(wish.edited & (wish.wanted == 0), wish.axis)
    made[closed] = 0
    solid = (made > 0) | (_room(labels, wished) & ~closed)
    cover(solid, wished, closed)
    new = solid & (made == 0)
    # Any colour, until somebody sees it.
    return painted(np.where(new, _nearest(made, new), made), new, wished)


def cover(solid: np.ndarray, wished: Sequence[Wish], closed: np.ndarray) -> None:
    """Put one voxel on each ray that shall show something and has nothing, in place.

    Args:
        solid: bool (X, Y, Z).
        closed: bool (X, Y, Z), where none may be.
    """
    for wish in wished:
        lines, allowed = np.moveaxis(solid, wish.axis, 2), ~np.moveaxis(closed, wish.axis, 2)
        filled = lines.any(2)
        missing = wish.edited & (wish.wanted > 0) & ~filled
        if not missing.any():
            continue
        depth = np.full(filled.shape, lines.shape[2] // 2)
        if filled.any():
            nearest = ndimage.distance_transform_edt(~filled, return_distances=False, return_indices=True)
            depth = _middle(lines, wish.above)[tuple(nearest)]
        for u, v in np.argwhere(missing):
            places = np.flatnonzero(allowed[u, v])
            if len(places):
                lines[u, v, places[np.abs(places - depth[u, v]).argmin()]] = True


def painted(labels: np.ndarray, new: np.ndarray, wished: Sequence[Wish]) -> np.ndarray:
    """Labels, uint8 (X, Y, Z), with the colours that changed pixels ask for; new voxels are coloured like these."""
    made = labels.copy()
    places, wanted, rank = _asked(labels > 0, wished)
    if len(places):
        votes: dict[int, dict[int, float]] = {}
        for place, label, order in zip(places.tolist(), wanted.tolist(), rank.tolist(), strict=True):
            mine = votes.setdefault(place, {})
            # A vote, and far less than one for being the earlier side.
            mine[label] = mine.get(label, 0.0) + 1 + 10.0 ** -(order + 1) / 2
        chosen = {place: max(mine, key=lambda label: mine[label]) for place, mine in votes.items()}
        made.flat[list(chosen)] = list(chosen.values())
    told = np.zeros(labels.size, bool)
    told[places] = True
    told = told.reshape(labels.shape) & new
    rest = new & ~told
    if told.any():
        made[rest] = _nearest(np.where(told, made, 0), rest)[rest]
    return made


def refilled(labels: np.ndarray, room: np.ndarray, wished: Sequence[Wish]) -> np.ndarray:
    """Labels, uint8 (X, Y, Z), with the voxels that no view minds: pits are nothing that anybody drew.

    A voxel is put where all views that would see it want the same colour there, or where none would (the consistency
    of Kutulakos and Seitz, A theory of shape by space carving, IJCV 2000).

    Args:
        room: bool (X, Y, Z), where voxels may be.
    """
    made = labels.copy()
    fronts = [_layers_seen(made > 0, wish) for wish in wished]
    for _ in range(_SWEEPS):
        before = made.copy()
        for voxel in np.argwhere(room & (made == 0)):
            hidden, wanted = [], set()
            for wish, front in zip(wished, fronts, strict=True):
                pixel = tuple(np.delete(voxel, wish.axis))
                ahead = -voxel[wish.axis] if wish.above else voxel[wish.axis]
                if ahead < front[pixel]:
                    hidden.append((front, pixel, ahead))
                    wanted.add(int(wish.wanted[pixel]))
            if len(wanted) <= 1 and wanted != {0}:
                made[tuple(voxel)] = next(iter(wanted), labels.max())
                for front, pixel, ahead in hidden:
                    front[pixel] = ahead
        if np.array_equal(made, before):
            break
    return made


def _layers_seen(solid: np.ndarray, wish: Wish) -> np.ndarray:
    """Where each ray of a side meets something, so that less is nearer, int64 (U, V)."""
    layer = first_layer(solid, wish.axis, wish.above).astype(np.int64)
    far = 1 if wish.above else solid.shape[wish.axis]
    return np.where(layer < 0, far, -layer if wish.above else layer)


def _asked(solid: np.ndarray, wished: Sequence[Wish]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First voxels of changed pixels, flat indices (N,); the labels they shall have; and the sides' order."""
    places, labels, ranks = [], [], []
    for order, wish in enumerate(wished):
        layer = first_layer(solid, wish.axis, wish.above)
        pixels = np.argwhere(wish.edited & (wish.wanted > 0) & (layer >= 0))
        voxels = np.insert(pixels, wish.axis, layer[tuple(pixels.T)], 1)
        places.append(np.ravel_multi_index(tuple(voxels.T), solid.shape))
        labels.append(wish.wanted[tuple(pixels.T)])
        ranks.append(np.full(len(pixels), order))
    return np.concatenate(places), np.concatenate(labels), np.concatenate(ranks)


def _room(labels: np.ndarray, wished: Sequence[Wish]) -> np.ndarray:
    """Where all three silhouettes, as they are now, have something, and one of them something new, bool (X, Y, Z).

    Of the voxels that a new pixel might stand for, those that most views have something painted for: a block that is
    drawn in two views is not also there where only one of them has it.
    """
    inside, drawn = np.ones(labels.shape, bool), np.zeros(labels.shape, np.int8)
    news = []
    for axis in range(3):
        pair = [wish for wish in wished if wish.axis == axis]
        more = np.any([(wish.was == 0) & (wish.wanted > 0) for wish in pair], 0)
        less = np.any([(wish.was > 0) & (wish.wanted == 0) for wish in pair], 0)
        now = (np.any(labels > 0, axis) | more) & ~less
        inside &= np.expand_dims(now, axis)
        drawn += np.expand_dims(np.any([wish.edited & (wish.wanted > 0) for wish in pair], 0), axis)
        news.append(np.expand_dims(more, axis))
    drawn[~inside] = 0
    best = [more & (drawn == drawn.max(axis, keepdims=True)) for axis, more in enumerate(news)]
    room: np.ndarray = np.any(best, 0) & inside
    return room


def _middle(lines: np.ndarray, above: bool) -> np.ndarray:
    """Where the middle of the first solid run of each ray is, int (U, V); lines bool (U, V, S)."""
    turned = lines[:, :, ::-1] if above else lines
    first = turned.argmax(2)
    after = np.arange(lines.shape[2]) > first[..., None]
    ends = after & ~turned
    last = np.where(ends.any(2), ends.argmax(2), lines.shape[2]) - 1
    middle = (first + last) // 2
    result: np.ndarray = lines.shape[2] - 1 - middle if above else middle
    return result


def _nearest(labels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The labels of the nearest labelled voxels, uint8 (X, Y, Z); 1 if there are none."""
    if not where.any() or not labels.any():
        return np.ones_like(labels)
    places = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    nearest: np.ndarray = labels[tuple(places)]
    return nearest
