"""The pieces of a map of kinds: each connected, none too small, and no more of them than allowed."""

from __future__ import annotations

import heapq

import numpy as np
from scipy import ndimage
from skimage.measure import label

# Specks may lie in specks: so many rounds give them away.
_ROUNDS = 4
# What leaving out a cell costs where nothing is beside it: as much as the wrong colour in all channels.
_ABSENT = 3.0


def pieces(kinds: np.ndarray, colors: np.ndarray, smallest: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the pieces that a map of kinds has.

    Those that are too small go to the neighbour that they have most border with. While there are too many, the piece
    goes that changes least, its area times its squared distance of colours, to the neighbour whose colour it gets;
    pieces with nothing around them are left out. Apart from those, what is covered stays covered.

    Args:
        kinds: int (H, W), what each cell shows, 0 to K - 1; -1 for nothing.
        colors: float (K, C), of each kind.
        smallest: cells.
        most: pieces at most.
    Returns:
        int32 (H, W): pieces, connected by 4-neighbours, numbered from 0, -1 for nothing; and the kinds that they have
        now, (H, W).
    """
    for _ in range(_ROUNDS):
        parts = label(kinds, background=np.iinfo(kinds.dtype).min, connectivity=1)
        small = np.flatnonzero(np.bincount(parts.ravel())[1:] < smallest) + 1
        if len(small) == 0:
            break
        kinds = _absorbed(kinds, parts, small)
    parts = label(kinds, background=-1, connectivity=1)
    if parts.max() > most:
        kinds = _fewer(kinds, parts, colors, most)
        parts = label(kinds, background=-1, connectivity=1)
    return parts.astype(np.int32) - 1, kinds


def _absorbed(kinds: np.ndarray, parts: np.ndarray, small: np.ndarray) -> np.ndarray:
    """Kinds with each small piece changed to what it has most border with."""
    kinds = kinds.copy()
    windows = ndimage.find_objects(parts)
    for piece in small.tolist():
        window = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in windows[piece - 1])
        own = parts[window] == piece
        rim = ndimage.binary_dilation(own) & ~own
        around = kinds[window][rim]
        # To nothing only where nothing else is: that would be a hole.
        values, counts = np.unique(around[around >= 0] if (around >= 0).any() else around, return_counts=True)
        if len(values):
            kinds[window][own] = values[counts.argmax()]
    return kinds


def _fewer(kinds: np.ndarray, parts: np.ndarray, colors: np.ndarray, most: int) -> np.ndarray:
    """Kinds with pieces, numbered from 1, given to others until `most` are left."""
    count = int(parts.max())
    kind = np.full(count + 1, -1, kinds.dtype)
    kind[parts.ravel()] = kinds.ravel()
    kind[0] = -1
    merging = _Merging(np.bincount(parts.ravel(), minlength=count + 1), kind, colors, _borders(parts))
    while count > most:
        merging.next()
        count -= 1
    return merging.kinds()[parts]


def _borders(parts: np.ndarray) -> list[dict[int, int]]:
    """For each piece, numbered from 1, its neighbours, and how long the borders with them are."""
    count = int(parts.max()) + 1
    pairs = np.concatenate(
        [
            np.stack([parts[:, 1:].ravel(), parts[:, :-1].ravel()]),
            np.stack([parts[1:].ravel(), parts[:-1].ravel()]),
        ],
        axis=1,
    )
    a, b = pairs[:, (pairs[0] != pairs[1]) & (pairs > 0).all(0)]
    keys, lengths = np.unique(np.minimum(a, b).astype(np.int64) * count + np.maximum(a, b), return_counts=True)
    around: list[dict[int, int]] = [{} for _ in range(count)]
    for key, length in zip(keys.tolist(), lengths.tolist(), strict=True):
        low, high = divmod(key, count)
        around[low][high] = around[high][low] = length
    return around


class _Merging:
    """Pieces that go to a neighbour one by one, the cheapest first; the longest border where costs are equal."""

    def __init__(self, areas: np.ndarray, kind: np.ndarray, colors: np.ndarray, around: list[dict[int, int]]) -> None:
        self._areas, self._kind, self._around = areas.tolist(), kind, around
        self._colors = [colors[k] for k in kind]
        self._owner = np.arange(len(areas))
        self._heap: list[tuple[float, int, int, int, int]] = []
        for piece in range(1, len(areas)):
            self._offer(piece, [other for other in around[piece] if other < piece])

    def _offer(self, piece: int, others: list[int]) -> None:
        """The smaller one of each pair is on offer; a piece alone is to be left out, 0."""
        for other in others:
            away = self._colors[piece] - self._colors[other]
            small, large = sorted((piece, other), key=lambda one: (self._areas[one], one))
            cost = self._areas[small] * float(away @ away)
            heapq.heappush(self._heap, (cost, -self._around[small][large], small, large, self._state(small, large)))
        if not self._around[piece]:
            heapq.heappush(self._heap, (_ABSENT * self._areas[piece], 0, piece, 0, self._state(piece, 0)))

    def _state(self, small: int, large: int) -> int:
        """Another one as soon as one of the two has grown; areas never shrink."""
        return self._areas[small] + (self._areas[large] if large else 0)

    def next(self) -> None:
        """Let one piece go."""
        while True:
            _, _, small, large, state = heapq.heappop(self._heap)
            alive = self._owner[small] == small and self._owner[large] == large
            if alive and state == self._state(small, large):
                break
        self._owner[small] = large
        if not large:
            return
        self._areas[large] += self._areas[small]
        near = self._around[large]
        for other, length in self._around[small].items():
            del self._around[other][small]
            if other != large:
                near[other] = self._around[other][large] = near.get(other, 0) + length
        self._offer(large, list(near))

    def kinds(self) -> np.ndarray:
        """What each piece has become."""
        owner = self._owner
        while (owner != owner[owner]).any():
            owner = owner[owner]
        return self._kind[owner]
