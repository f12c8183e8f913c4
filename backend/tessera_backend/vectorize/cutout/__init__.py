"""Drawings without overlaps, for vinyl, screen print and plotters."""

from .cut import cut_out

__all__ = ["cut_out"]
