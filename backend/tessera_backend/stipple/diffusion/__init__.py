"""Learned stippling, after StippleDiffusion (Gilad et al. 2026): the only part of the stippler that needs torch."""
