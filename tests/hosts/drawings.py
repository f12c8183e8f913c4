"""Drawings for tests of Inkscape: pictures by formula, laid on the page with transforms, units and clips."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

LINKED = "my photo.png"  # The blank is percent-encoded in the link.

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
    ' xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"'
)


def picture(width: int, height: int) -> Image.Image:
    """Soft greys from 0.1 to 0.7 darkness with nothing symmetric about them, so that a turned one is noticed."""
    y, x = np.mgrid[0:height, 0:width]
    u, v = (x + 0.5) / width, (y + 0.5) / height
    blobs = np.exp(-((u - 0.3) ** 2 + (v - 0.25) ** 2) / 0.03) + 0.7 * np.exp(-((u - 0.7) ** 2 + (v - 0.8) ** 2) / 0.02)
    darkness = 0.1 + 0.6 * np.clip(blobs + 0.5 * u * v, 0.0, 1.0)
    return Image.fromarray((255.0 * (1.0 - darkness) + 0.5).astype(np.uint8))


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def data_uri(image: Image.Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


# From an image's unit square to user units of `two_pictures`: rotate(15 100 100) scale(1.1), then x, y, width, height.
_COS, _SIN = np.cos(np.radians(15.0)), np.sin(np.radians(15.0))
_GROUP = (
    np.array([[1, 0, 100], [0, 1, 100], [0, 0, 1]])
    @ np.array([[_COS, -_SIN, 0], [_SIN, _COS, 0], [0, 0, 1]])
    @ np.array([[1, 0, -100], [0, 1, -100], [0, 0, 1]])
    @ np.diag([1.1, 1.1, 1.0])
)
# xMinYMid meet puts a square picture into the left of its 120 x 100 viewport.
EMBEDDED = _GROUP @ np.array([[100, 0, 60], [0, 100, 60], [0, 0, 1]])
LINKED_AT = _GROUP @ np.array([[90, 0, 200], [0, 120, 30], [0, 0, 1]])
ORIGIN, UNIT_MM = np.array([10.0, 5.0]), 0.5
CLIP_CENTRE, CLIP_RADIUS = np.array([120.0, 120.0]), 45.0


def two_pictures(folder: Path) -> Path:
    """One embedded picture with a round clip and one linked, in a turned group; a user unit is half a millimetre."""
    (folder / LINKED).write_bytes(png(picture(180, 240)))
    path = folder / "two.svg"
    path.write_text(
        f"""{HEAD} width="200mm" height="150mm" viewBox="10 5 400 300">
<defs><clipPath id="round"><circle cx="120" cy="120" r="45"/></clipPath></defs>
<g id="photos" inkscape:groupmode="layer" inkscape:label="Photos">
<g id="turned" transform="rotate(15 100 100) scale(1.1)">
<image id="embedded" x="60" y="60" width="120" height="100" preserveAspectRatio="xMinYMid"
 clip-path="url(#round)" xlink:href="{data_uri(picture(200, 200))}"/>
<image id="linked" x="200" y="30" width="90" height="120" preserveAspectRatio="none"
 xlink:href="{LINKED.replace(" ", "%20")}"/>
</g></g>
<g id="above" inkscape:groupmode="layer" inkscape:label="Above">
<rect id="box" x="380" y="280" width="9" height="9"/></g>
</svg>""",
        encoding="utf-8",
    )
    return path


def one_picture(folder: Path, attributes: str = "", defs: str = "", around: tuple[str, str] = ("", "")) -> Path:
    """One embedded picture of 40 x 30 px units (1 px = 1 user unit), with more attributes and groups around it."""
    path = folder / "one.svg"
    path.write_text(
        f"""{HEAD} width="100" height="80" viewBox="0 0 100 80"><defs>{defs}</defs>
{around[0]}<image id="photo" x="10" y="20" width="40" height="30" preserveAspectRatio="none"
 xlink:href="{data_uri(picture(40, 30))}" {attributes}/>{around[1]}</svg>""",
        encoding="utf-8",
    )
    return path
