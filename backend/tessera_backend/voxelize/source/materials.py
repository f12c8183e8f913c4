"""How trimesh's visuals look, as our materials."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ...colour import srgb_to_linear
from ..mesh import Material
from . import linked
from .textures import MOST_TEXELS, too_large

# What has no colour is light grey, sRGB 0.7, as in most viewers.
PLAIN = Material((0.448, 0.448, 0.448, 1.0))
# glTF 2.0, section 3.9.4: the cutoff of MASK if none is given. BLEND is cut there too: voxels are there, or not.
_CUTOFF = 0.5


@dataclasses.dataclass(frozen=True)
class Look:
    """A part's material, and the corners' texture coordinates (T, 3, 2) and linear colours (T, 3, 4), if any."""

    material: Material
    uv: np.ndarray | None = None
    colors: np.ndarray | None = None


class Reader:
    """Reads the visuals of one file; parts that share a material share it afterwards.

    Attributes:
        notes: a sentence for each texture whose pixels are damaged.
    """

    def __init__(self, *, linear: bool) -> None:
        """Args: linear: whether colours that are no textures are linear, as in glTF, or sRGB."""
        self.notes: list[str] = []
        self._linear = linear
        self._room = MOST_TEXELS
        # trimesh's objects are kept with ours, or their ids would be given out again.
        self._materials: dict[tuple[int, bool], tuple[Any, Material]] = {}
        self._textures: dict[int, tuple[Any, np.ndarray | None]] = {}

    def look(self, visual: Any, faces: np.ndarray) -> Look:
        """Of a part with faces int (T, 3)."""
        if visual.kind == "texture":
            uv = getattr(visual, "uv", None)
            usable = uv is not None and len(uv) and faces.max() < len(uv)
            attributes = getattr(visual, "vertex_attributes", {}) or {}
            colors = attributes.get("color")
            return Look(
                self._material(visual.material, bool(usable)),
                np.asarray(uv, np.float32)[faces][..., :2] if usable else None,
                self._color(colors)[faces] if colors is not None else None,
            )
        if visual.kind == "vertex":
            return Look(Material(), colors=self._color(visual.vertex_colors)[faces])
        if visual.kind == "face":
            return Look(Material(), colors=np.repeat(self._color(visual.face_colors)[:, None], 3, 1))
        return Look(PLAIN)

    def _color(self, values: Any) -> np.ndarray:
        """RGB or RGBA, whole numbers or floats, as linear RGBA, float32 (N, 4)."""
        values = np.asarray(values)
        full = float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0
        shares = np.clip(values.reshape(len(values), -1).astype(np.float32) / full, 0, 1)
        rgb = shares[:, :3] if self._linear else srgb_to_linear(shares[:, :3].astype(np.float64))
        alpha = shares[:, 3:4] if shares.shape[1] > 3 else np.ones((len(shares), 1))
        return np.concatenate([rgb, alpha], 1).astype(np.float32)

    def _material(self, source: Any, textured: bool) -> Material:
        """Without textures, where there are no coordinates for them."""
        key = (id(source), textured)
        if key not in self._materials:
            made = self._physical(source, textured) if hasattr(source, "alphaMode") else self._simple(source, textured)
            self._materials[key] = (source, made)
        return self._materials[key][1]

    def _physical(self, source: Any, textured: bool) -> Material:
        """glTF 2.0, section 3.9."""
        factor = source.baseColorFactor
        cutoff = _CUTOFF if source.alphaCutoff is None else float(source.alphaCutoff)
        glow = self._texture(source.emissiveTexture) if textured else None
        red, green, blue = (0, 0, 0) if source.emissiveFactor is None else source.emissiveFactor[:3]
        return Material(
            (1.0, 1.0, 1.0, 1.0) if factor is None else self._factor(factor),
            self._texture(source.baseColorTexture) if textured else None,
            {"MASK": cutoff, "BLEND": _CUTOFF}.get(source.alphaMode or "OPAQUE"),
            (float(red), float(green), float(blue)),
            None if glow is None else np.ascontiguousarray(glow[..., :3]),
        )

    def _simple(self, source: Any, textured: bool) -> Material:
        """OBJ's: a texture replaces the diffuse colour, which many programs leave black beside it."""
        texture = self._texture(getattr(source, "image", None)) if textured else None
        if texture is not None:
            return Material(texture=texture)
        diffuse = getattr(source, "diffuse", None)
        return PLAIN if diffuse is None else Material(self._factor(diffuse))

    def _factor(self, values: Any) -> tuple[float, float, float, float]:
        red, green, blue, alpha = self._color(np.asarray(values)[None])[0]
        return float(red), float(green), float(blue), float(alpha)

    def _texture(self, image: Any) -> np.ndarray | None:
        """uint8 (H, W, 4) of a Pillow image; None where there is none, or it can't be decoded.

        Raises:
            InvalidInput: "too-large" where all have too many texels together.
        """
        if image is None:
            return None
        if id(image) not in self._textures:
            self._textures[id(image)] = (image, self._decoded(image))
        return self._textures[id(image)][1]

    def _decoded(self, image: Any) -> np.ndarray | None:
        # What is of no such kind was told when it was opened.
        if image.format is not None and image.format not in linked.FORMATS:
            return None
        # Before a pixel is decoded: files of a few kilobytes can have billions.
        self._room -= image.width * image.height
        if self._room < 0:
            raise too_large()
        try:
            return np.asarray(image.convert("RGBA"))
        except Exception:  # as in `linked`
            name = image.info.get("file_path") or f"of {image.width} x {image.height} pixels"
            self.notes.append(linked.unreadable(str(name)))
            return None
