"""The page: its size, and where the picture lies on it."""

from __future__ import annotations

import dataclasses

from tessera_protocol.errors import error
from tessera_protocol.jobs import StippleParams

DEFAULT_WIDTH = 200.0
MOST = 5000.0


@dataclasses.dataclass(frozen=True)
class Box:
    """A rectangle: left, top, right, bottom; the unit is its owner's."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def part(self, inner: Box, outer: Box) -> Box:
        """Where `inner` comes to lie when `outer`, which contains it, is laid onto this box."""
        across, down = self.width / outer.width, self.height / outer.height
        return Box(
            self.left + (inner.left - outer.left) * across,
            self.top + (inner.top - outer.top) * down,
            self.left + (inner.right - outer.left) * across,
            self.top + (inner.bottom - outer.top) * down,
        )

    def within(self, other: Box) -> Box:
        """The part of this box inside the other; of no width or height where they don't meet."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Box(left, top, max(left, min(self.right, other.right)), max(top, min(self.bottom, other.bottom)))


@dataclasses.dataclass(frozen=True)
class Layout:
    """A picture on a page.

    Attributes:
        page: width and height, mm.
        window: the part of the picture that shows, image pixels.
        frame: where that part lies, mm from the page's top left corner.
    """

    page: tuple[float, float]
    window: Box
    frame: Box


def lay_out(width: int, height: int, params: StippleParams) -> Layout:
    """Lay a picture of `width` x `height` pixels on the page.

    Raises:
        InvalidInput: "out-of-range" where the margin leaves no room; "unusable-input" where the picture is so
            long and thin that its page would be over 5 m.
    """
    page = _page_size(width, height, params)
    inner = Box(params.margin, params.margin, page[0] - params.margin, page[1] - params.margin)
    picture = Box(0.0, 0.0, float(width), float(height))
    if params.fit == "stretch":
        return Layout(page, picture, inner)
    across, down = inner.width / width, inner.height / height
    if params.fit == "cover":
        scale = max(across, down)
        return Layout(page, _placed(picture, inner.width / scale, inner.height / scale, params), inner)
    scale = min(across, down)
    return Layout(page, picture, _placed(inner, width * scale, height * scale, params))


def _placed(room: Box, width: float, height: float, params: StippleParams) -> Box:
    """A box of that size inside `room`, the spare shared out as the alignment says."""
    width, height = min(width, room.width), min(height, room.height)
    left = room.left + (room.width - width) * params.align_x
    top = room.top + (room.height - height) * params.align_y
    return Box(left, top, left + width, top + height)


def _page_size(width: int, height: int, params: StippleParams) -> tuple[float, float]:
    """What is given, and the rest such that the picture fills the page inside the margin."""
    across, down, border = params.page_width, params.page_height, 2 * params.margin
    if not across and not down:
        across = DEFAULT_WIDTH
    given = [(name, side) for name, side in (("width", across), ("height", down)) if side]
    for name, side in given:
        if border >= side:
            raise error(
                "out-of-range",
                f"A margin of {params.margin:g} mm on both sides leaves nothing of a page {name} of {side:g} mm.",
                field="margin",
                given=params.margin,
                allowed=f"less than {side / 2:g} mm",
                remedy=f"Use a smaller margin, {side / 10:g} mm for instance.",
            )
    down = down or border + (across - border) * height / width
    across = across or border + (down - border) * width / height
    if max(across, down) > MOST:
        raise error(
            "unusable-input",
            f"A picture of {width} x {height} pixels would make a page of {across:.6g} x {down:.6g} mm, "
            f"but at most {MOST:g} mm are possible.",
            field="page_height" if down > MOST else "page_width",
            given=max(across, down),
            allowed=f"at most {MOST:g} mm",
            remedy="Give both page width and page height.",
        )
    return across, down
