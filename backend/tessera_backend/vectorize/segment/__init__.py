"""A picture becomes a tree of regions, and the tree, cut, a partition: what shapes are made from."""

from __future__ import annotations

from .models import affine_colors, moments, residuals
from .sharpen import sharpen
from .split import Partition, split
from .tree import Tree, grow

__all__ = ["Partition", "Tree", "affine_colors", "grow", "moments", "residuals", "sharpen", "split"]
