"""Layered vectorization: an image becomes filled curves in layers (after Wang et al., CVPR 2025)."""

from __future__ import annotations

from .drawing import Drawing, Gradient, Path

__all__ = ["Drawing", "Gradient", "Path"]
