"""Voxel art: a mesh becomes voxels of a few colours (Huang et al., Voxify3D, 2025)."""

from .mesh import Material, Mesh
from .voxels import Voxels

__all__ = ["Material", "Mesh", "Voxels"]
