"""From the document to what a job needs: the images that are meant, their bytes, and where each one lies."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import mimetypes
import os
import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from inkex import AbortExtension, BaseElement, Style, SvgDocumentElement, Transform

from . import geometry, pixels
from .geometry import Page

CONTAINERS = ("g", "a", "svg", "switch")
BITMAP_COPY = "make a picture of it first (Edit > Make a Bitmap Copy), and select that"


@dataclasses.dataclass(frozen=True)
class Step:
    """One element on the way from the root to an image.

    Attributes:
        element: the group, use or image.
        to_root: from its own user space, where its clip-path and mask live, to the document's user units.
        inside: from its children's space to the document's user units.
    """

    element: BaseElement
    to_root: Transform
    inside: Transform


@dataclasses.dataclass(frozen=True)
class Source:
    """One image as it is seen in the drawing: the same <image> seen twice through <use> is two sources.

    Attributes:
        steps: from the outermost group to the image itself.
        shown_by: the element at whose place in the tree it is drawn: the image, or the outermost <use>.
    """

    steps: tuple[Step, ...]
    shown_by: BaseElement

    @property
    def image(self) -> BaseElement:
        """The <image> element."""
        return self.steps[-1].element

    @property
    def name(self) -> str:
        """What the artist calls it: its label, its file's name, or its id."""
        href = link(self.image)
        file = "" if href.startswith("data:") else os.path.basename(unquote(urlsplit(href).path))
        return self.image.get("inkscape:label") or file or self.image.get("id", "picture")


@dataclasses.dataclass(frozen=True)
class Picture:
    """An encoded picture: the bytes of its file, not decoded."""

    data: bytes
    media_type: str


def sources(svg: SvgDocumentElement, effect: str, verb: str) -> Sequence[Source]:
    """The images that are meant: the selected ones, or the only one there is.

    Args:
        effect: its name in the menu, for messages.
        verb: what it does to a picture.
    Raises:
        AbortExtension: it is not clear which ones; the message says what to select.
    """
    selected = {element.get("id") for element in svg.selection.values()}
    chosen = [element for element in svg.iterdescendants() if element.get("id") in selected]
    if not chosen:
        found = list(_inside(svg, (), None))
        if len(found) == 1:
            return found
        raise AbortExtension(
            "There is no picture in this document. Import one first: File > Import."
            if not found
            else f"Nothing is selected, and this document has {len(found)} pictures. "
            f"Select the ones to {verb}, then run {effect} again."
        )
    # A selected image in a selected group is meant once.
    found = list({_way(source): source for element in chosen for source in _from(element)}.values())
    if not found:
        kinds = " and ".join(sorted({_kind(element) for element in chosen}))
        raise AbortExtension(
            f"{effect} works on pictures, but only {kinds} {'is' if len(chosen) == 1 else 'are'} selected. "
            f"Select a picture; to {verb} a drawing, {BITMAP_COPY}."
        )
    return found


def shows_pictures(element: BaseElement) -> bool:
    """Whether there are images in an element, or it is one, or a clone of one."""
    return next(_from(element), None) is not None


def page(svg: SvgDocumentElement, source: Source, picture: Picture) -> Page:
    """Where the image lies, as the page that the backend is to fill.

    Raises:
        AbortExtension: the image has no area, or more than a page may have.
    """
    box = viewport(svg, source.image, picture)
    to_mm = geometry.root_to_mm(svg) @ source.steps[-1].to_root
    large, small = geometry.singular_values(to_mm)
    if min(box[2:]) <= 0 or small <= 1e-6 * large:
        raise AbortExtension(f"The picture {source.name} has no area in the drawing. Give it a width and a height.")
    return Page.of(box, to_mm, geometry.aspect(source.image.get("preserveAspectRatio")))


def viewport(svg: SvgDocumentElement, image: BaseElement, picture: Picture) -> geometry.Box:
    """The box of an <image> in its user space; without area when neither it nor its file says how large it is."""
    width = geometry.length(image.get("width"), svg.viewbox_width)
    height = geometry.length(image.get("height"), svg.viewbox_height)
    if width <= 0 or height <= 0:
        width, height = pixels.natural_size(picture.data, width, height)
    x, y = geometry.length(image.get("x"), svg.viewbox_width), geometry.length(image.get("y"), svg.viewbox_height)
    return x, y, width, height


def picture(source: Source, folders: Sequence[str]) -> Picture:
    """The encoded picture of an image, embedded or linked.

    Args:
        folders: what relative links may be relative to, the likeliest first.
    Raises:
        AbortExtension: it can't be read; the message names the file.
    """
    href = link(source.image)
    if href.startswith("data:"):
        return _checked(_embedded(href, source.name), source.name)
    if not href:
        raise AbortExtension(f"The picture {source.name} is empty: it links to no file. Import it again.")
    if re.match(r"(?!file:)[a-zA-Z][a-zA-Z0-9+.-]+:", href):
        raise AbortExtension(
            f"The picture {source.name} lies on the web ({href[:100]}). "
            "Download it and import it from there, or embed it (Extensions > Images > Embed Images)."
        )
    places = _places(href, source.image.get("sodipodi:absref"), folders)
    for path in places:
        if os.path.isfile(path):
            return _checked(_read(path), source.name)
    raise AbortExtension(
        f"The linked picture {places[0]} is not there (any more). Put it back, "
        "or link it anew: right-click the picture, Image Properties, URL."
    )


def link(image: BaseElement) -> str:
    """The image's reference, in either of SVG's two spellings."""
    return (image.get("xlink:href") or image.get("href") or "").strip()


def property_of(element: BaseElement, name: str) -> str | None:
    """A style property that is not inherited: from the style, its own attribute, or a stylesheet."""
    # `attrib`: inkex's own `style` and `get` would write the attribute back in another form.
    style = element.attrib.get("style")
    value = Style(style).get(name) or element.get(name)
    if value is None and element.attrib.get("class"):
        value = element.cascaded_style().get(name)
        if style is not None:
            element.attrib["style"] = style
    return None if value is None else str(value).strip()


def hidden(element: BaseElement) -> bool:
    """Whether it is switched off, as hidden layers and objects are."""
    return property_of(element, "display") == "none"


def target(svg: SvgDocumentElement, reference: str) -> BaseElement | None:
    """The element that `#id` or `url(#id)` means, or None."""
    match = re.match(r"\s*(?:url\(\s*[\"']?)?#([^\"')]+)", reference)
    found = svg.getroottree().xpath("//*[@id=$id]", id=match.group(1).strip()) if match else []
    return found[0] if found else None


# -- the walk ------------------------------------------------------------------------------------------------


def _from(element: BaseElement) -> Iterator[Source]:
    """The images that a selected element shows."""
    steps: tuple[Step, ...] = ()
    for ancestor in reversed(list(element.iterancestors())):
        steps = _entered(ancestor, steps)
    return _shown(element, steps, None)


def _shown(element: BaseElement, steps: tuple[Step, ...], through: BaseElement | None) -> Iterator[Source]:
    """The images that `element`, reached by `steps`, is or has; `through`: the outermost <use> on the way."""
    steps = _entered(element, steps)
    if element.TAG == "image":
        yield Source(steps, element if through is None else through)
    elif element.TAG == "use":
        used = target(element.root, link(element))
        if used is not None and all(used is not step.element for step in steps):
            yield from _shown(used, steps, element if through is None else through)
    elif element.TAG in CONTAINERS or (element.TAG == "symbol" and through is not None):
        yield from _inside(element, steps, through)


def _inside(element: BaseElement, steps: tuple[Step, ...], through: BaseElement | None) -> Iterator[Source]:
    for child in element:
        if isinstance(child, BaseElement) and not hidden(child):
            yield from _shown(child, steps, through)


def _entered(element: BaseElement, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """`steps` and one more, the step into `element`."""
    if element.getparent() is None:
        return steps  # The root's own viewport is `geometry.root_to_mm`'s.
    outer = steps[-1].inside if steps else Transform()
    to_root = outer @ geometry.own_transform(element)
    return (*steps, Step(element, to_root, to_root @ _viewport(element, steps)))


def _viewport(element: BaseElement, steps: tuple[Step, ...]) -> Transform:
    """What an element does to its children's coordinates beyond its transform."""
    area = (element.root.viewbox_width, element.root.viewbox_height)
    if element.TAG == "use":
        x, y = geometry.length(element.get("x"), area[0]), geometry.length(element.get("y"), area[1])
        return Transform((1, 0, 0, 1, x, y))
    if element.TAG == "symbol" and steps:
        # A symbol is as large as the <use> that shows it says.
        width, height = steps[-1].element.get("width"), steps[-1].element.get("height")
        area = geometry.length(width, area[0], area[0]), geometry.length(height, area[1], area[1])
    return geometry.inner_transform(element, area)


def _way(source: Source) -> tuple[str, ...]:
    """What tells two sources apart."""
    tree = source.image.getroottree()
    return tuple(tree.getpath(step.element) for step in source.steps)


def _kind(element: BaseElement) -> str:
    """An element's kind, as the status bar calls it."""
    group = "a group without pictures"
    names = {"g": group, "svg": group, "use": "a clone", "rect": "a rectangle"}
    article = "an" if element.TAG[:1] in "aeiou" else "a"
    return names.get(element.TAG, f"{article} {element.TAG}")


# -- the bytes -----------------------------------------------------------------------------------------------


def _embedded(href: str, name: str) -> Picture:
    """The bytes of a data URI: base64 or percent-encoded."""
    head, comma, body = href[len("data:") :].partition(",")
    media_type, *options = [part.strip() for part in head.split(";")]
    try:
        if not comma:
            raise ValueError("there is no comma in its data")
        data = base64.b64decode(re.sub(r"\s+", "", unquote(body))) if "base64" in options else unquote_to_bytes(body)
    except (ValueError, binascii.Error) as exc:
        raise AbortExtension(f"The embedded picture {name} is damaged: {exc}. Import it again.") from exc
    return Picture(data, media_type.lower())


def _places(href: str, absolute: str | None, folders: Sequence[str]) -> Sequence[str]:
    """Where a linked file may be, the likeliest first."""
    if href.lower().startswith("file:"):
        parts = urlsplit(href)
        paths = [url2pathname(parts.path), unquote(href[len("file:") :])]
    else:
        paths = [unquote(href), href]
    if absolute:
        # Inkscape keeps the absolute path beside the relative one, for documents that were moved.
        paths.append(absolute)
    found = [os.path.normpath(os.path.join(base, path)) for path in paths for base in folders]
    return list(dict.fromkeys(found))


def _read(path: str) -> Picture:
    try:
        with open(path, "rb") as file:
            return Picture(file.read(), mimetypes.guess_type(path)[0] or "")
    except OSError as exc:
        raise AbortExtension(f"The linked picture {path} can't be read: {exc.strerror}.") from exc


def _checked(picture: Picture, name: str) -> Picture:
    """The picture as Inkscape shows it.

    Raises:
        AbortExtension: it is no picture of pixels.
    """
    if not picture.data:
        raise AbortExtension(f"The picture {name} is empty (0 bytes). Import it again.")
    if "svg" in picture.media_type:
        raise AbortExtension(f"{name} is a drawing (SVG), not a picture of pixels: {BITMAP_COPY}.")
    return dataclasses.replace(picture, data=pixels.as_shown(picture.data))
