"""What others make of a mesh on our grid: trimesh's voxelizer, Blender's Remesh in mode Blocks.

Neither has colours. Both are given what serves them best: the grid of the bounding box that ours has too, the mesh's
colour at the nearest point of its surface, and k-means in Lab.
"""

from __future__ import annotations

import dataclasses
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

from tessera_backend import colour
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.mesh import Mesh
from tessera_backend.voxelize.render.shading import paint_of, shaded

# Points of the surface that colours are read at, per voxel face of its area.
DENSITY = 16
# k-means: the best of so many starts, rounds each.
STARTS, ROUNDS = 8, 30


@dataclasses.dataclass(frozen=True)
class Made:
    """Voxels, and what they cost in another process.

    Attributes:
        labels: uint8 (X, Y, Z), 0 where nothing is.
        palette: uint8 (K, 3), sRGB.
        seconds, wall: of the other process, to be added to one's own.
        megabytes: its peak.
    """

    labels: np.ndarray
    palette: np.ndarray
    seconds: float = 0.0
    wall: float = 0.0
    megabytes: float = 0.0


Make = Callable[[Mesh, int, int], Made]


def trimesh_voxels(filled: bool) -> Make:
    """Every voxel that the surface passes through; `filled` up inside."""

    def make(mesh: Mesh, side: int, colors: int) -> Made:
        import trimesh

        grid = Grid.fitted(mesh, side)
        last = np.array(grid.shape) - 1
        # Its voxels have their centres at whole numbers, the outermost ones on the box: so many that they are as many
        # as ours, and stretched to the box. Without this, all is half a voxel thicker, and it does worse.
        corners = grid.of(mesh.positions).reshape(-1, 3) / grid.shape * last
        soup = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)
        found = soup.voxelized(1.0)
        places = np.rint((found.fill() if filled else found).points).astype(int).clip(0, last)
        owner, palette = clustered(nearest_colors(mesh, grid, places * (grid.shape / np.maximum(last, 1))), colors)
        labels = np.zeros(grid.shape, np.uint8)
        labels[tuple(places.T)] = owner + 1
        return Made(labels, palette)

    return make


def blender_blocks(squares: Squares) -> Make:
    """The modifier's squares, coloured at their centres; a voxel has the colour of most of its squares."""

    def make(mesh: Mesh, side: int, colors: int) -> Made:
        grid = Grid.fitted(mesh, side)
        found = squares(mesh, side)
        centers = found["squares"].mean(1, dtype=np.float64)
        if not len(centers):
            return Made(np.zeros(grid.shape, np.uint8), np.zeros((1, 3), np.uint8))
        owner, palette = clustered(nearest_colors(mesh, grid, centers), colors)
        return Made(
            _labels(centers, owner, grid.shape, len(palette)),
            palette,
            *(float(found[name]) for name in ("seconds", "wall", "megabytes")),
        )

    return make


class Squares:
    """What Blender makes of meshes, of the last one at hand."""

    def __init__(self, command: str) -> None:
        """`command` is a Blender, or a Python that has bpy."""
        self._command = command
        self._last: tuple[object, object] = (None, None)
        self._found: dict[str, np.ndarray] = {}

    def __call__(self, mesh: Mesh, side: int) -> dict[str, np.ndarray]:
        """Squares (Q, 4, 3), in voxels, and what they cost."""
        if self._last[0] is not mesh or self._last[1] != side:
            grid = Grid.fitted(mesh, side)
            self._found = self._run(grid.of(mesh.positions).reshape(-1, 3), grid.shape)
            self._last = (mesh, side)
        return self._found

    def _run(self, corners: np.ndarray, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
        vertices, triangles = np.unique(corners, axis=0, return_inverse=True)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "mesh.in.npz")
            np.savez(source, vertices=vertices, triangles=triangles.reshape(-1, 3), shape=shape)
            run_blender(self._command, folder)
            with np.load(Path(folder, "mesh.out.npz")) as file:
                return dict(file)


def run_blender(command: str, folder: str) -> None:
    """Runs `voxel_blender.py` over a folder."""
    script = str(Path(__file__).with_name("voxel_blender.py"))
    before = ["-b", "--factory-startup", "--python-exit-code", "1", "--python"]
    words = [command, *([] if Path(command).name.startswith("python") else before), script, "--", folder]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def blender_version(command: str) -> str:
    """As Blender says it."""
    with tempfile.TemporaryDirectory() as folder:
        run_blender(command, folder)
        return Path(folder, "blender.txt").read_text()


def nearest_colors(mesh: Mesh, grid: Grid, places: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1], (N, 3): the mesh's colours where its surface is nearest to places (N, 3), in voxels."""
    corners = grid.of(mesh.positions).astype(np.float64)
    edges = corners[:, 1:] - corners[:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    rng = np.random.default_rng(0)
    drawn = rng.choice(len(mesh), int(DENSITY * area.sum()) + 1, p=area / area.sum())
    triangle = np.concatenate([np.arange(len(mesh)), drawn])
    weights = rng.random((len(triangle), 2))
    weights = np.where(weights.sum(1, keepdims=True) > 1, 1 - weights, weights)
    weights[: len(mesh)] = 1 / 3
    points = corners[triangle, 0] + (weights[..., None] * edges[triangle]).sum(1)
    near = cKDTree(points).query(places)[1]
    hits = triangle[near, None].astype(np.int32), weights[near, None].astype(np.float32)
    return shaded(paint_of(mesh), *hits)[:, 0]


def clustered(colors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which cluster each colour (N, 3) is of, int (N,), and the palette, uint8 (K, 3)."""
    lab = colour.lab(colors)
    distinct = len(np.unique(lab, axis=0))
    best, least = np.zeros(len(lab), int), np.inf
    for start in range(STARTS):
        centers, owner = kmeans2(lab, min(count, distinct), ROUNDS, minit="++", seed=start, missing="warn")
        away = float(((lab - centers[owner]) ** 2).sum())
        if away < least:
            best, least = owner, away
    _, owner = np.unique(best, return_inverse=True)
    many = np.bincount(owner)
    means = np.stack([np.bincount(owner, colors[:, channel]) / many for channel in range(3)], 1)
    return owner, np.rint(255 * means).astype(np.uint8)


def _labels(centers: np.ndarray, owner: np.ndarray, shape: tuple[int, int, int], colors: int) -> np.ndarray:
    """Voxels enclosed by squares, given by centres in voxels: what lies beyond an odd number of them is inside."""
    # Across the axis along which they lie at a whole number.
    axis = np.abs(centers - np.rint(centers)).argmin(1)
    before = np.floor(centers + 0.25).astype(int)
    crossed = np.zeros(np.add(shape, 1), int)
    np.add.at(crossed, tuple(before[axis == 0].T), 1)
    solid = (np.cumsum(crossed, 0) % 2 == 1)[tuple(map(slice, shape))]
    votes = np.zeros((*shape, colors), int)
    for back in (0, 1):
        # The voxels on both sides of each square; one of them is solid.
        beside = before.copy()
        beside[np.arange(len(axis)), axis] -= back
        inside = (beside >= 0).all(1) & (beside < shape).all(1)
        np.add.at(votes, (*beside[inside].T, owner[inside]), 1)
    # What has no square cannot be seen.
    return np.where(solid, votes.argmax(3) + 1, 0).astype(np.uint8)
