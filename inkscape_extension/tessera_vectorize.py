"""Extensions > Tessera > Layered vectorization: the selected pictures become layers of paths, right over them."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LIB = _HERE / "lib"
# A Python too old for the libraries in lib has others in a folder of its own.
sys.path[:0] = [str(_HERE), str(_LIB / f"cp{sys.version_info[0]}{sys.version_info[1]}"), str(_LIB)]

from tessera_inkscape import clips, drawing, effect, gather  # noqa: E402
from tessera_inkscape.follow import Request, follow  # noqa: E402
from tessera_inkscape.preview import Snapshot  # noqa: E402
from tessera_inkscape.window import open_window  # noqa: E402
from tessera_protocol import schema  # noqa: E402
from tessera_protocol.jobs import VECTORIZE  # noqa: E402
from tessera_protocol.messages import Buffer  # noqa: E402


class Vectorize(effect.JobEffect):
    """Gather, follow, place."""

    job = VECTORIZE

    def work(self) -> None:
        """One job an image; the document is changed when all of them are done."""
        changed = schema.changed(self.parameters())
        sources = gather.sources(self.svg, VECTORIZE.title, "vectorize")
        pictures = [gather.picture(source, self.link_folders()) for source in sources]
        requests = []
        for source, picture in zip(sources, pictures):
            # Raises where a drawing would have no area either.
            gather.page(self.svg, source, picture)
            image = Buffer.file(picture.data, picture.media_type)
            requests.append(Request(source.name, VECTORIZE.name, changed, {"image": image}, Snapshot.of))
        with open_window(f"Tessera: {VECTORIZE.title}") as window:
            results = follow(requests, effect.backend_command(), window)
        # From the top down: each goes right over its picture's layer, so the last one placed lies lowest.
        for source, picture, result in reversed(list(zip(sources, pictures, results))):
            svg = bytes(result.buffers["svg"].data)
            drawing.place(self.svg, source, picture, svg, clips.wraps_of(self.svg, source))


if __name__ == "__main__":
    effect.main(Vectorize)
