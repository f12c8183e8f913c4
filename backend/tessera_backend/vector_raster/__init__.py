"""The differentiable vector rasterizer: filled closed cubic paths, exact area coverage, analytic gradients."""

from __future__ import annotations

from .raster import Gradients, Raster
from .scene import LINEAR, RADIAL, SOLID, Paint, Scene

__all__ = ["LINEAR", "RADIAL", "SOLID", "Gradients", "Paint", "Raster", "Scene"]
