"""The engine `paper`: masks of each simplified level become layers, a structure loss and the picture shape them."""

from .engine import draw

__all__ = ["draw"]
