"""The demo: a picture and a mesh of our own making, and the contact sheet its results are shown on."""

from pathlib import Path

__all__ = ["STILL_LIFE", "still_life"]

STILL_LIFE = Path(__file__).with_name("still_life.png")


def still_life() -> bytes:
    """The bundled picture: a PNG file, 1200 x 900 px, 8 bit RGB, rendered by `scene.py`."""
    return STILL_LIFE.read_bytes()
