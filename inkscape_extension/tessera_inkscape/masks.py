"""Masks that the backend can take for what they are: a second picture that lies exactly over the first.

Then no dot is cut, and greys thin dots out. All other masks (shapes, pictures that lie elsewhere, masks of groups) are
put around the dots, see `clips`.
"""

from __future__ import annotations

from collections.abc import Sequence

from inkex import AbortExtension, BaseElement, SvgDocumentElement, Transform

from . import gather, geometry, pixels
from .clips import Clip, Wrap
from .gather import Picture, Source, Step
from .geometry import Box

# Of a side: what two pictures may lie apart, for numbers that were rounded.
_NEAR = 0.002
_PLAIN = ("opacity", "clip-path", "mask", "filter", "display")


def taken(
    svg: SvgDocumentElement, source: Source, picture: Picture, clip: Clip, folders: Sequence[str]
) -> tuple[Clip, Picture | None]:
    """The mask to send to the backend, or None, and what is left to be put around the dots."""
    for wrap in clip.wraps:
        found = _picture_of(svg, wrap, source, picture, folders)
        if found is not None:
            return Clip(clip.region, tuple(other for other in clip.wraps if other is not wrap)), found
    return clip, None


def _picture_of(
    svg: SvgDocumentElement, wrap: Wrap, source: Source, picture: Picture, folders: Sequence[str]
) -> Picture | None:
    """The picture that a mask is, if it is one that covers just the image."""
    mask = gather.target(svg, wrap.reference)
    if mask is None or wrap.attribute != "mask" or wrap.step.element is not source.image or not _is_whole(mask):
        return None
    content = [child for child in mask if isinstance(child, BaseElement) and child.TAG not in ("title", "desc")]
    if len(content) != 1 or content[0].TAG != "image" or not _is_plain(content[0]):
        return None
    image = content[0]
    try:
        found = gather.picture(Source((Step(image, Transform(), Transform()),), image), folders)
    except AbortExtension:
        return None  # Inkscape shows what it can of it, and the wrap does the same.
    one, other = _shown_box(svg, source.image, picture), _shown_box(svg, image, found)
    if one is None or other is None:
        return None
    sides = (one[2], one[3], one[2], one[3])
    return found if all(abs(a - b) <= _NEAR * side for a, b, side in zip(one, other, sides)) else None


def _is_whole(mask: BaseElement) -> bool:
    """Whether a mask is in the image's user space, and has no region of its own that might cut it."""
    own = any(mask.get(name) for name in ("x", "y", "width", "height", "transform"))
    return not own and mask.get("maskContentUnits") in (None, "userSpaceOnUse")


def _is_plain(image: BaseElement) -> bool:
    """Whether nothing changes how an image looks and where it lies."""
    return all(gather.property_of(image, name) in (None, "none", "1", "inline") for name in _PLAIN) and (
        geometry.own_transform(image) == Transform()
    )


def _shown_box(svg: SvgDocumentElement, image: BaseElement, picture: Picture) -> Box | None:
    """Where a picture's pixels lie in the user space of its <image>; None where its file does not tell their number."""
    size = pixels.natural_size(picture.data)
    if min(size) <= 0.0:
        return None
    view = (0.0, 0.0, *size)
    port = gather.viewport(svg, image, picture)
    if min(port[2:]) <= 0.0:
        return None
    at = geometry.fitted(view, port, geometry.aspect(image.get("preserveAspectRatio")))
    x, y = at.apply_to_point((0.0, 0.0))
    right, bottom = at.apply_to_point(size)
    return float(x), float(y), float(right - x), float(bottom - y)
