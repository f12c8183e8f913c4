"""Tessera in Blender."""

import os
import sys

bl_info = {
    "name": "Tessera",
    "author": "The Tessera developers",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "category": "Object",
}

_LIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
sys.path[:0] = [os.path.join(_LIB, f"cp{sys.version_info[0]}{sys.version_info[1]}"), _LIB]


def register() -> None:
    """Nothing yet."""


def unregister() -> None:
    """Nothing yet."""
