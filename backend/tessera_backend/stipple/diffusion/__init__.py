"""Learned stippling, after StippleDiffusion (Gilad et al. 2026): the only part of the stippler that needs torch."""

from __future__ import annotations

from .local import first_labels, place

__all__ = ["first_labels", "place"]
