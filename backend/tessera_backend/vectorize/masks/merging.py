"""Masks by hierarchical region merging, built in: each level is a cut of one tree, so levels nest exactly.

The tree merges by colour, border and shape; from level to level it looks at the next simpler picture, in which texture
and weak borders are gone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...progress import Progress
from ..segment import Partition, grow, sharpen, split

# How many parts the coarsest level has, where the finest has that many.
_COARSEST = 3
# From how many times as many regions as a level has parts merging looks at that level's picture.
_AHEAD = 8


def counts(finest: int, levels: int) -> list[int]:
    """How many parts each level has at most, the finest first."""
    return [max(round(n), 1) for n in np.geomspace(finest, min(_COARSEST, finest), levels)]


def masks(
    pictures: Sequence[np.ndarray], opaque: np.ndarray, finest: int, smallest: int, progress: Progress
) -> list[list[np.ndarray]]:
    """The parts of each level.

    Args:
        pictures: float32 (H, W, 3), the finest first.
        opaque: bool (H, W).
        finest: how many parts the finest level has at most.
        smallest: px; smaller regions join their neighbours.
    Returns:
        for each picture, the coarsest first, masks, bool (H, W), that cover the opaque pixels without overlaps.
    """
    progress("masks", 0.0, "Merging regions")
    wanted = counts(finest, len(pictures))
    simpler = [(picture, _AHEAD * wanted[k]) for k, picture in enumerate(pictures) if k]
    image = sharpen(pictures[0])
    tree = grow(image, opaque, simpler=simpler)
    progress("masks", 0.7, "Cutting levels")
    partition = split(tree, image, finest, smallest=smallest)
    return [_parts(partition, count) for count in reversed(wanted)]


def _parts(partition: Partition, count: int) -> list[np.ndarray]:
    """The masks of a partition's tree cut at `count` parts."""
    leaves = partition.count
    merged = max(leaves - count, 0)
    name = np.arange(leaves + merged)
    for i in range(merged - 1, -1, -1):  # a merge may itself have merged later: those are named by then
        name[partition.merges[i]] = name[leaves + i]
    of = np.append(name[:leaves], -1)[partition.labels]
    return [of == part for part in np.unique(name[:leaves])]
