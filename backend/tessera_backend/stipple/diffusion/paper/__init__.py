"""The model of StippleDiffusion (Gilad et al. 2026) itself: offsets from a lattice, a frozen U-Net, a control branch.

Kept as the paper has it, to compare with and to train at its size; `local` is what became of it.
"""

from __future__ import annotations

from .placing import place

__all__ = ["place"]
