"""Exposed faces of voxels, merged into rectangles of one colour: the greedy mesh."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...compiled import njit


@dataclasses.dataclass(frozen=True)
class Quads:
    """Rectangles in grid coordinates: voxel (i, j, k) is the cube from there to (i + 1, j + 1, k + 1).

    Attributes:
        vertices: int32 (V, 3); quads that meet in a corner share it.
        quads: int32 (Q, 4), of vertices, counter-clockwise seen from outside.
        labels: uint8 (Q,), of the voxels that show there.
        normals: int8 (Q, 3), unit, along one axis.
    """

    vertices: np.ndarray
    quads: np.ndarray
    labels: np.ndarray
    normals: np.ndarray

    def __len__(self) -> int:
        return len(self.quads)

    def areas(self) -> np.ndarray:
        """int64 (Q,), in faces of a voxel."""
        corners = self.vertices[self.quads].astype(np.int64)
        return np.abs(corners[:, 2] - corners[:, 0]).clip(1).prod(1)


def greedy(labels: np.ndarray, *, merge: bool = True) -> Quads:
    """The surface of a grid as quads.

    Per axis, direction and slice, a face grows along one axis, then the row along the other, for as long as colour
    and exposure agree (Lysenko, Meshing in a Minecraft Game, 2012). A longer quad's side may touch the
    corners of others (T-junctions): they lie on whole numbers, so renderers show no gaps where transforms are exact.

    Args:
        labels: uint8 (X, Y, Z), 0 where nothing is.
        merge: else each exposed face is a quad.
    """
    parts = []
    for axis in range(3):
        turned = np.ascontiguousarray(np.transpose(labels, _cycle(axis)))
        found = np.empty((_exposed(turned), 7), np.int32)
        parts.append(_placed(found[: _rectangles(turned, merge, found)], axis))
    corners = np.concatenate([part[0] for part in parts])
    vertices, quads = _shared(corners, labels.shape)
    return Quads(
        vertices,
        quads,
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def exposed_faces(labels: np.ndarray) -> int:
    """How many faces of voxels have nothing in front of them, those at the rim included."""
    return sum(_exposed(np.ascontiguousarray(np.transpose(labels, _cycle(axis)))) for axis in range(3))


def _cycle(axis: int) -> tuple[int, int, int]:
    """The axis, then the two that follow: they are right-handed in this order."""
    return axis, (axis + 1) % 3, (axis + 2) % 3


def _placed(found: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners int32 (Q, 4, 3), labels and normals of rows (plane, u, v, length u, length v, label, side)."""
    plane, u, v, along_u, along_v, label, side = found.T
    corners = np.empty((len(found), 4, 3), np.int32)
    _, axis_u, axis_v = _cycle(axis)
    up = side > 0
    corners[..., axis] = plane[:, None]
    # Round the rectangle from u to v where the side looks up the axis, from v to u where it looks down.
    first, third = np.zeros_like(u), np.ones_like(u)
    corners[..., axis_u] = u[:, None] + along_u[:, None] * np.stack([first, up, third, ~up], 1)
    corners[..., axis_v] = v[:, None] + along_v[:, None] * np.stack([first, ~up, third, up], 1)
    normals = np.zeros((len(found), 3), np.int8)
    normals[:, axis] = side
    return corners, label.astype(np.uint8), normals


def _shared(corners: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices without repeats, in the order x, y, z, and quads of their numbers."""
    lattice = tuple(side + 1 for side in shape)
    places, numbers = np.unique(np.ravel_multi_index(tuple(np.moveaxis(corners, -1, 0)), lattice), return_inverse=True)
    vertices = np.stack(np.unravel_index(places, lattice), -1).astype(np.int32)
    return vertices.reshape(-1, 3), numbers.reshape(-1, 4).astype(np.int32)


@njit(cache=True, nogil=True)
def _exposed(labels: np.ndarray) -> int:
    """Faces across the first axis between something and nothing."""
    slices, rows, columns = labels.shape
    count = 0
    for s in range(slices):
        for i in range(rows):
            for j in range(columns):
                if labels[s, i, j]:
                    count += s == 0 or labels[s - 1, i, j] == 0
                    count += s == slices - 1 or labels[s + 1, i, j] == 0
    return count


@njit(cache=True, nogil=True)
def _rectangles(labels: np.ndarray, merge: bool, found: np.ndarray) -> int:
    """Fills rows (plane, u, v, length u, length v, label, side) for faces across the first axis; returns how many."""
    slices, rows, columns = labels.shape
    mask = np.zeros((rows, columns), np.uint8)
    count = 0
    for side in (-1, 1):
        for s in range(slices):
            front = s + side
            left = 0
            for i in range(rows):
                for j in range(columns):
                    free = front in (-1, slices) or labels[front, i, j] == 0
                    mask[i, j] = labels[s, i, j] if free else 0
                    left += mask[i, j] > 0
            if left:
                count = _cover(mask, merge, s + (side > 0), side, found, count)
    return count


@njit(cache=True, nogil=True)
def _cover(mask: np.ndarray, merge: bool, plane: int, side: int, found: np.ndarray, count: int) -> int:
    """Rectangles over what is not 0 in the mask, which is cleared."""
    rows, columns = mask.shape
    for i in range(rows):
        for j in range(columns):
            label = mask[i, j]
            if label == 0:
                continue
            width, height = 1, 1
            while merge and j + width < columns and mask[i, j + width] == label:
                width += 1
            while merge and i + height < rows and _all_equal(mask, i + height, j, width, label):
                height += 1
            mask[i : i + height, j : j + width] = 0
            row = found[count]
            row[0], row[1], row[2], row[3], row[4], row[5], row[6] = plane, i, j, height, width, label, side
            count += 1
    return count


@njit(cache=True, nogil=True)
def _all_equal(mask: np.ndarray, i: int, j: int, width: int, label: int) -> bool:
    equal = True
    for k in range(j, j + width):
        equal &= mask[i, k] == label
    return equal
