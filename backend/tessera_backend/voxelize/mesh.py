"""Triangles with colours: what voxelization begins with, whoever made it."""

from __future__ import annotations

import dataclasses

import numpy as np

from tessera_protocol.errors import error
from tessera_protocol.jobs.voxelize import MOST_TRIANGLES


@dataclasses.dataclass(frozen=True)
class Material:
    """How triangles are coloured: factor x texture x vertex colour, plus emission.

    Attributes:
        color: (4,) float, linear RGBA in [0, 1].
        texture: uint8 (H, W, 4), sRGB with straight alpha, row 0 at the top; None for none. It repeats.
        cutoff: alpha below which a point is not there; None: alpha is not looked at.
        emission: (3,) float, linear, added; times the emission texture where there is one.
        emission_texture: uint8 (H, W, 3), sRGB.
    """

    color: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    texture: np.ndarray | None = None
    cutoff: float | None = None
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    emission_texture: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Mesh:
    """A soup of triangles; neither watertight nor manifold.

    Attributes:
        positions: float32 (T, 3, 3), of three corners each; right-handed, z up.
        uv: float32 (T, 3, 2), texture coordinates, v up.
        colors: float32 (T, 3, 4), linear RGBA of corners.
        material: int32 (T,), which of the materials.
        materials: one at least.
    """

    positions: np.ndarray
    uv: np.ndarray
    colors: np.ndarray
    material: np.ndarray
    materials: tuple[Material, ...]

    def __len__(self) -> int:
        return len(self.positions)

    @staticmethod
    def of(
        positions: np.ndarray,
        *,
        uv: np.ndarray | None = None,
        colors: np.ndarray | None = None,
        material: np.ndarray | None = None,
        materials: tuple[Material, ...] = (Material(),),
    ) -> Mesh:
        """With white vertex colours, no texture coordinates and the first material, unless they are given."""
        count = len(positions)
        return Mesh(
            np.ascontiguousarray(positions, np.float32).reshape(count, 3, 3),
            np.zeros((count, 3, 2), np.float32) if uv is None else np.ascontiguousarray(uv, np.float32),
            np.ones((count, 3, 4), np.float32) if colors is None else np.ascontiguousarray(colors, np.float32),
            np.zeros(count, np.int32) if material is None else np.ascontiguousarray(material, np.int32),
            materials,
        )

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest coordinates, float64 (3,) each."""
        points = self.positions.reshape(-1, 3)
        return points.min(0).astype(np.float64), points.max(0).astype(np.float64)

    def taken(self, chosen: np.ndarray) -> Mesh:
        """Some of the triangles."""
        return Mesh(self.positions[chosen], self.uv[chosen], self.colors[chosen], self.material[chosen], self.materials)


def check_count(triangles: int) -> None:
    """Refuse too many of them.

    Raises:
        TesseraError: `too-large`.
    """
    if triangles > MOST_TRIANGLES:
        raise error(
            "too-large",
            f"The mesh has {triangles:,} triangles, which are too many.",
            field="mesh",
            given=triangles,
            allowed=f"at most {MOST_TRIANGLES}",
            remedy="Decimate it first, or voxelize its parts one by one.",
        )


def checked(mesh: Mesh) -> Mesh:
    """The mesh without triangles whose corners are not finite.

    Raises:
        TesseraError: `unusable-input` where nothing is left, or what is left has no area; `too-large`.
    """
    check_count(len(mesh))
    finite = np.isfinite(mesh.positions).all((1, 2))
    whole = mesh if finite.all() else mesh.taken(finite)
    if not len(whole):
        raise error(
            "unusable-input",
            "The mesh has no triangles." if not len(mesh) else "No corner of the mesh has a finite position.",
            field="mesh",
            remedy="Take an object with faces.",
        )
    if not _has_area(whole):
        raise error(
            "unusable-input",
            "The faces of the mesh have no area: all its corners are one point, or on lines.",
            field="mesh",
            remedy="Apply the object's scale, or take another one.",
        )
    return whole


def _has_area(mesh: Mesh) -> bool:
    """Whether any triangle is more than a line, as far as float32 can tell."""
    low, high = mesh.bounds()
    longest = float((high - low).max())
    if longest <= 0:
        return False
    corners = (mesh.positions.astype(np.float64) - low) / longest
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return bool((np.abs(normals).max(1) > 1e-12).any())
