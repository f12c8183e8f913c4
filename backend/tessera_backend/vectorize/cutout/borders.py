"""The borders of a map of regions: each one between two nodes, once, whichever of its two sides asks for it.

Borders run along the cracks between pixels, from lattice point to lattice point: (x, y), pixel (0, 0)'s corners being
(0, 0) and (1, 1). Directions: 0 right, 1 down, 2 left, 3 up. A region lies at the right hand of its loops.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np

from ...compiled import njit

STEPS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])


@dataclasses.dataclass(frozen=True)
class Chain:
    """A piece of a border.

    Attributes:
        key: the same for both sides.
        forward: whether this side follows it in the direction that `points` has.
        points: int (n + 1, 2), lattice points; the last is the first where it is closed.
        owner: int, what `Map.owners` says of its edges.
        closed: whether it comes back to its beginning without meeting a node.
    """

    key: int
    forward: bool
    points: np.ndarray
    owner: int
    closed: bool


@dataclasses.dataclass(frozen=True)
class Map:
    """Regions and their borders.

    Attributes:
        regions: int32 (H + 2, W + 2), each in one piece by 4-neighbours; with a frame of another value around.
        tops: int32 (H + 2, W + 2): the border between two pixels belongs to the greater one of their values.
    """

    regions: np.ndarray
    tops: np.ndarray

    @cached_property
    def nodes(self) -> np.ndarray:
        """bool (H + 1, W + 1): the lattice points where three borders meet, or one changes its owner."""
        across, down = self._cracks()
        count = np.zeros(np.array(self.regions.shape) - 1, np.int8)
        least = np.full(count.shape, np.iinfo(np.int32).max, np.int32)
        most = np.full(count.shape, np.iinfo(np.int32).min, np.int32)
        owner_across, owner_down = self._owners()
        parts = (
            (count[:, :-1], least[:, :-1], most[:, :-1], across, owner_across),
            (count[:, 1:], least[:, 1:], most[:, 1:], across, owner_across),
            (count[:-1], least[:-1], most[:-1], down, owner_down),
            (count[1:], least[1:], most[1:], down, owner_down),
        )
        for counts, low, high, crack, owner in parts:
            np.add(counts, crack, out=counts)
            np.minimum(low, owner, out=low, where=crack)
            np.maximum(high, owner, out=high, where=crack)
        return (count > 2) | ((count == 2) & (least != most))

    def loops(self, wanted: int) -> list[tuple[int, list[Chain]]]:
        """The loops around every region from `wanted` on: (region, its chains in order)."""
        across, down = self._cracks()
        points, directions, starts, owners = _traced(self.regions, wanted, 2 * int(across.sum() + down.sum()))
        nodes = self.nodes
        owner_across, owner_down = self._owners()
        out = []
        for loop, region in enumerate(owners.tolist()):
            run = slice(starts[loop], starts[loop + 1])
            out.append((region, _chains(points[run], directions[run], nodes, owner_across, owner_down)))
        return out

    def owners_at(self, point: np.ndarray) -> list[int]:
        """The owners of the borders that meet at a lattice point, ascending."""
        x, y = point
        regions, tops = (values[y : y + 2, x : x + 2] for values in (self.regions, self.tops))
        found = set()
        for (a, b), (c, d) in (((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 0), (1, 0)), ((0, 1), (1, 1))):
            if regions[a, b] != regions[c, d]:
                found.add(int(max(tops[a, b], tops[c, d])))
        return sorted(found)

    def _cracks(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether regions differ across the edge to the right of each lattice point, and across the one below it."""
        regions = self.regions
        return regions[:-1, 1:-1] != regions[1:, 1:-1], regions[1:-1, :-1] != regions[1:-1, 1:]

    def _owners(self) -> tuple[np.ndarray, np.ndarray]:
        tops = self.tops
        return np.maximum(tops[:-1, 1:-1], tops[1:, 1:-1]), np.maximum(tops[1:-1, :-1], tops[1:-1, 1:])


def _chains(
    points: np.ndarray, directions: np.ndarray, nodes: np.ndarray, owner_across: np.ndarray, owner_down: np.ndarray
) -> list[Chain]:
    """A loop, (n, 2) lattice points and (n,) directions from each, cut at its nodes."""
    # An edge is known by its upper or left end, and by whether it runs down.
    low = np.minimum(points, points + STEPS[directions])
    down = directions % 2
    keys = (low[:, 1] * nodes.shape[1] + low[:, 0]) * 2 + down
    cuts = np.flatnonzero(nodes[points[:, 1], points[:, 0]])
    closed = len(cuts) == 0
    if closed:
        cuts = keys.argmin(keepdims=True)
    out = []
    for begin, end in zip(cuts.tolist(), [*cuts[1:].tolist(), int(cuts[0]) + len(points)], strict=True):
        edges = np.arange(begin, end) % len(points)
        first, last = edges[0], edges[-1]
        ways = directions[first] < 2
        # Closed ones begin at their least edge, at whichever end of it the way comes first.
        forward = bool(ways) if closed or first == last else bool(keys[first] < keys[last])
        key = int(min(keys[first], keys[last]))
        path = np.concatenate([points[edges], points[(last + 1) % len(points)][None]])
        x, y = low[first]
        owner = int(owner_down[y, x] if down[first] else owner_across[y, x])
        out.append(Chain(key, forward, path if forward else path[::-1], owner, closed))
    return out


@njit(cache=True)
def _traced(regions: np.ndarray, wanted: int, edges: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All loops: int32 (E, 2) lattice points, int8 (E,) directions, int64 (L + 1,) starts, int32 (L,) regions.

    `edges` is the most that there can be.
    """
    height, width = regions.shape[0] - 1, regions.shape[1] - 1
    step_x, step_y = (1, 0, -1, 0), (0, 1, 0, -1)
    # The pixel at the right and at the left hand of an edge, from its lattice point, in the framed map.
    right_x, right_y = (1, 0, 0, 1), (1, 1, 0, 0)
    left_x, left_y = (1, 1, 0, 0), (0, 1, 1, 0)
    seen = np.zeros((height, width, 4), np.bool_)
    points, directions = np.empty((edges, 2), np.int32), np.empty(edges, np.int8)
    starts, owners = np.zeros(edges // 4 + 1, np.int64), np.empty(edges // 4, np.int32)
    count, loops = 0, 0
    for y0 in range(height):
        for x0 in range(width):
            for d0 in range(4):
                region = regions[y0 + right_y[d0], x0 + right_x[d0]]
                if region < wanted or region == regions[y0 + left_y[d0], x0 + left_x[d0]] or seen[y0, x0, d0]:
                    continue
                x, y, d = x0, y0, d0
                while not seen[y, x, d]:
                    seen[y, x, d] = True
                    points[count, 0], points[count, 1], directions[count] = x, y, d
                    count += 1
                    x, y = x + step_x[d], y + step_y[d]
                    # The sharpest turn towards the region keeps pieces apart that only touch at a corner.
                    for turn in (1, 0, 3):
                        way = (d + turn) % 4
                        right = regions[y + right_y[way], x + right_x[way]]
                        if right == region and right != regions[y + left_y[way], x + left_x[way]]:
                            d = way
                            break
                owners[loops] = region
                loops += 1
                starts[loops] = count
    return points[:count], directions[:count], starts[: loops + 1], owners[:loops]
