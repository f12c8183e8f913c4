"""Materials of Blender as the colours that voxels can have: how their shader looks without light."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from . import textures
from .paint import Mapping, Paint, number, paint, source
from .scene import Scene

# A picture's alpha below this is a hole: voxels are there, or not.
CUTOFF = 0.5
BLACK = Paint((0.0, 0.0, 0.0, 1.0))


@dataclasses.dataclass(frozen=True)
class Look:
    """How a shader looks.

    Attributes:
        base: the colour that light falls on.
        glow: the colour that it sends out by itself.
        alpha: what its alpha is made of.
    """

    base: Paint = BLACK
    glow: Paint = BLACK
    alpha: Paint = Paint()  # noqa: RUF009 - frozen

    @property
    def exact(self) -> bool:
        """Whether Blender shows just this."""
        return self.base.exact and self.glow.exact and self.alpha.exact


@dataclasses.dataclass(frozen=True)
class Need:
    """What a material wants to know of its mesh.

    Attributes:
        number: in the scene's list.
        mapped: whether texture coordinates.
        uv_map, mapping, attribute: see `Paint`.
    """

    number: int
    mapped: bool = False
    uv_map: str = ""
    mapping: Mapping | None = None
    attribute: str | None = None


class Materials:
    """Reads materials into a scene, each once, and their pictures, too."""

    def __init__(self, scene: Scene, abspath: Callable[..., str]) -> None:
        self._scene = scene
        self._abspath = abspath
        self._known: dict[str, Need] = {}
        self._textures: dict[str, int | None] = {}

    def need(self, material: Any) -> Need:
        """The material's number, and what it wants to know."""
        key = material.name_full
        if key not in self._known:
            self._known[key] = self._read(material)
        return self._known[key]

    def note(self, sentence: str) -> None:
        """Add to what the scene notes, once."""
        if sentence not in self._scene.notes:
            self._scene.notes.append(sentence)

    def _read(self, material: Any) -> Need:
        look = _look(material)
        if look is None or not look.exact:
            used = "its viewport colour is used" if look is None else "the nearest plain colours are used"
            self.note(f"Material {material.name} looks as only rendering can tell: {used}.")
        if look is None:
            look = Look(Paint(tuple(material.diffuse_color)))
        base, glow = look.base, look.glow
        texture, glowing = (
            None if part.image is None or part.alpha else self._texture(part.image) for part in (base, glow)
        )
        if base == BLACK and look.alpha.alpha and look.alpha.image == glow.image:
            # Its alpha counts, its colours times black do not.
            texture = glowing
        holes = texture is not None and look.alpha.alpha and look.alpha.image in (base.image, glow.image)
        if look.alpha.image is not None and not holes:
            self.note(f"Material {material.name} has holes where another picture says so: they are left out.")
        gone = look.alpha.plain and look.alpha.color[0] <= 0.0
        attribute = base.attribute if base.attribute is not None else glow.attribute
        self._scene.materials.append(
            {
                "name": material.name,
                "color": [*map(_share, base.color[:3]), 0.0 if gone else 1.0],
                "texture": texture,
                "cutoff": CUTOFF if holes or gone else None,
                "emission": [max(0.0, value) for value in glow.color[:3]],
                "emission_texture": glowing,
                "locked": None,
            }
        )
        mapped = base if texture is not None else glow
        return Need(
            len(self._scene.materials) - 1,
            texture is not None or glowing is not None,
            mapped.uv_map,
            mapped.mapping,
            attribute,
        )

    def _texture(self, image: Any) -> int | None:
        key = image.name_full
        if key not in self._textures:
            read = textures.read(image, self._abspath, self._scene.notes)
            self._textures[key] = None if read is None else len(self._scene.textures)
            if read is not None:
                self._scene.textures.append(read)
        return self._textures[key]


def _look(material: Any) -> Look | None:
    """How the active output's surface looks; None where nothing of it is known."""
    # Blender 6.0 is to have no materials without nodes.
    if not getattr(material, "use_nodes", True) or material.node_tree is None:
        return Look(Paint(tuple(material.diffuse_color)))
    ends = [node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL"]
    end = next((node for node in ends if node.is_active_output), None)
    return _shader(end.inputs["Surface"], ()) if end is not None else None


def _shader(socket: Any, groups: tuple[Any, ...]) -> Look | None:
    fed = source(socket, groups)
    if fed is None or fed.node is None:
        return None
    reader = _READERS.get(fed.node.type, _colored)
    return reader(fed.node, fed.groups)


def _colored(node: Any, groups: tuple[Any, ...]) -> Look | None:
    """Diffuse, glossy, glass, toon, velvet, ..."""
    socket = node.inputs.get("Color")
    color = paint(socket, groups) if socket is not None else None
    return Look(color) if color is not None else None


def _glowing(node: Any, groups: tuple[Any, ...]) -> Look | None:
    color = paint(node.inputs["Color"], groups)
    return Look(glow=_times(color, node.inputs["Strength"], groups)) if color is not None else None


def _transparent(_: Any, __: tuple[Any, ...]) -> Look:
    return Look(alpha=BLACK)


def _sum(node: Any, groups: tuple[Any, ...]) -> Look | None:
    first, second = (_shader(node.inputs[at], groups) for at in (0, 1))
    if first is None or second is None:
        return first or second
    lit = first if first.base != BLACK else second
    return Look(lit.base, second.glow if first.glow == BLACK else first.glow, lit.alpha)


def _principled(node: Any, groups: tuple[Any, ...]) -> Look | None:
    base = paint(node.inputs["Base Color"], groups)
    if base is None:
        return None
    # Blender 4.0 gave the socket its longer name.
    socket = node.inputs.get("Emission Color") or node.inputs["Emission"]
    glow = paint(socket, groups)
    alpha = paint(node.inputs["Alpha"], groups)
    return Look(
        base,
        BLACK if glow is None else _times(glow, node.inputs["Emission Strength"], groups),
        Paint(exact=False) if alpha is None else alpha,
    )


def _mix(node: Any, groups: tuple[Any, ...]) -> Look | None:
    first, second = (_shader(node.inputs[at], groups) for at in (1, 2))
    if first is None or second is None:
        return first or second
    share = paint(node.inputs["Fac"], groups)
    if share is not None and share.plain and share.exact:
        at = share.color[0]
        parts = ((getattr(first, name), getattr(second, name)) for name in ("base", "glow", "alpha"))
        if BLACK in (first.alpha, second.alpha) and 0.0 < at < 1.0:
            return second if first.alpha == BLACK else first
        return Look(*(one.mixed(other, at) for one, other in parts))
    if first.alpha == BLACK and share is not None:
        # The usual cut-out: transparent, and the picture's alpha says where it is not.
        return dataclasses.replace(second, alpha=share)
    kept = first if second.alpha == BLACK else second
    return dataclasses.replace(kept, base=dataclasses.replace(kept.base, exact=False))


def _times(color: Paint, strength: Any, groups: tuple[Any, ...]) -> Paint:
    factor = number(strength, groups)
    if factor == 0.0:
        return BLACK
    return color.times(Paint((factor,) * 3 + (1.0,)) if factor is not None else Paint(exact=False))


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


_READERS = {
    "BSDF_PRINCIPLED": _principled,
    "EMISSION": _glowing,
    "BACKGROUND": _glowing,
    "BSDF_TRANSPARENT": _transparent,
    "MIX_SHADER": _mix,
    "ADD_SHADER": _sum,
}
