"""Extensions > Tessera > Stipple: the selected pictures become layers of dots, right over them."""

from __future__ import annotations

import dataclasses
import functools
import sys
from array import array
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LIB = _HERE / "lib"
# A Python too old for the libraries in lib has others in a folder of its own.
sys.path[:0] = [str(_HERE), str(_LIB / f"cp{sys.version_info[0]}{sys.version_info[1]}"), str(_LIB)]

import inkex  # noqa: E402

from tessera_inkscape import clips, effect, gather, masks, place, shapes  # noqa: E402
from tessera_inkscape.follow import Request, follow  # noqa: E402
from tessera_inkscape.geometry import Page  # noqa: E402
from tessera_inkscape.preview import DotsPreview, Sheet  # noqa: E402
from tessera_inkscape.window import open_window  # noqa: E402
from tessera_protocol import schema  # noqa: E402
from tessera_protocol.hosts import StippleInInkscape  # noqa: E402
from tessera_protocol.jobs import STIPPLE, StippleParams  # noqa: E402
from tessera_protocol.messages import Buffer  # noqa: E402


class Stipple(effect.JobEffect):
    """Gather, follow, place."""

    job = STIPPLE
    own = StippleInInkscape

    def work(self) -> None:
        """One job an image; the document is changed when all of them are done."""
        wanted = self.parameters()
        scenes = [self._scene(source) for source in gather.sources(self.svg, STIPPLE.title, "stipple")]
        requests = [scene.request(wanted) for scene in scenes]
        with open_window("Tessera: Stipple") as window:
            results = follow(requests, effect.backend_command(), window)
        # From the top down: each goes right over its picture's layer, so the last one placed lies lowest.
        for scene, result in reversed(list(zip(scenes, results))):
            buffers = result.buffers
            dots = place.Dots.of(buffers["positions"].data, buffers["radii"].data, result.meta)
            place.place(self.svg, scene.source, scene.page, dots, wanted.marks, scene.clip.wraps)

    def _scene(self, source: gather.Source) -> Scene:
        picture = gather.picture(source, self.link_folders())
        page = gather.page(self.svg, source, picture)
        clip = clips.clip_of(self.svg, source, page)
        clip, mask = masks.taken(self.svg, source, picture, clip, self.link_folders())
        area = shapes.over(self.svg, source, page)
        if area and self.own_parameters().shapes == "inside":
            return Scene(source, picture, page, clips.within(clip, area, source.name, page), mask, [])
        return Scene(source, picture, page, clip, mask, area)


@dataclasses.dataclass(frozen=True)
class Scene:
    """One image with all that is known of it.

    Attributes:
        mask: a picture that lies exactly over it and says where dots may be.
        protected: where no dots may be, rings in mm of the page.
    """

    source: gather.Source
    picture: gather.Picture
    page: Page
    clip: clips.Clip
    mask: gather.Picture | None
    protected: clips.Region

    def request(self, wanted: StippleParams) -> Request:
        """The job that fills the image's page with dots.

        Raises:
            AbortExtension: the drawing has it larger than a page can be, or hides it.
        """
        name, page = self.source.name, self.page
        largest = schema.specs(StippleParams)["page_width"].high or 0.0
        if max(page.width, page.height) > largest:
            raise inkex.AbortExtension(
                f"{name} is {page.width:.0f} x {page.height:.0f} mm large in this drawing; "
                f"up to {largest:.0f} mm are possible. Make it smaller first."
            )
        params = dataclasses.replace(
            wanted,
            page_width=round(page.width, 6),
            page_height=round(page.height, 6),
            fit=page.fit,
            align_x=page.align_x,
            align_y=page.align_y,
            minimum_gap=page.gap(wanted.minimum_gap, wanted.radius_max or page.covering_radius(wanted.dots)),
        )
        pictures = {"image": self.picture, "mask": self.mask}
        buffers = {key: Buffer.file(file.data, file.media_type) for key, file in pictures.items() if file is not None}
        if self.clip.region is not None:
            if not self.clip.region:
                raise inkex.AbortExtension(f"{name} is clipped away altogether: there is nothing of it to stipple.")
            buffers["clip"] = _outline(self.clip.region, page)
        if self.protected:
            buffers["protect"] = _outline(self.protected, page)
        preview = functools.partial(DotsPreview.of, Sheet.of(page.width, page.height, wanted))
        return Request(name, STIPPLE.name, schema.changed(params), buffers, preview)


def _outline(region: clips.Region, page: Page) -> Buffer:
    rows = array("f", clips.rows(region, page))
    if sys.byteorder == "big":
        rows.byteswap()
    return Buffer.array(rows.tobytes(), "float32", (len(rows) // 3, 3))


if __name__ == "__main__":
    effect.main(Stipple)
