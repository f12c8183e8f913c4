"""Few-step stippling: a small net moves dots from the kd grid of a density to where they belong."""

from __future__ import annotations

from .placing import first_labels, place

__all__ = ["first_labels", "place"]
