"""The engines `fast` and `best`: shapes chosen one after another from trees of regions, moved, and traded."""

from .engine import best, fast

__all__ = ["best", "fast"]
