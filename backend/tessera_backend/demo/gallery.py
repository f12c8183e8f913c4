"""The contact sheet: one HTML page over a folder of results, with nothing on it that is not in the folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .. import __version__

if TYPE_CHECKING:
    from ..stipple import Stipples


@dataclasses.dataclass(frozen=True)
class Entry:
    """One result on the sheet.

    Attributes:
        title: what it is.
        picture: name of a PNG or SVG file in the folder.
        text: one line about it.
        facts: the rows of its small table: engine, weights, device, seed, seconds, dots, ... Numbers are written
            as people write them (20,000); a seed is better given as text.
        files: names of files in the folder to link to; the picture is linked anyway.
        dark: show it on black, for a picture in white ink.
    """

    title: str
    picture: str
    text: str = ""
    facts: Mapping[str, object] = dataclasses.field(default_factory=dict)
    files: tuple[str, ...] = ()
    dark: bool = False

    @classmethod
    def of_stipples(cls, picture: str, title: str, dots: Stipples, seconds: float, *, dark: bool = False) -> Entry:
        """The entry of a stippling: `picture` is its SVG file, `seconds` how long the job took."""
        run = {"device": "cpu"} | dots.meta | {"weights": dots.meta.get("weights") or "none"}
        facts = {name: str(run[name]) for name in ("engine", "weights", "device", "seed") if name in run}
        count = len(dots.radii)
        width, height = dots.page
        text = f"{count:,} dots on {width:g} x {height:g} mm."
        return cls(title, picture, text, facts | {"seconds": seconds, "dots": count}, dark=dark)

    @classmethod
    def of_shapes(cls, picture: str, title: str, meta: Mapping[str, object], size: int, seconds: float) -> Entry:
        """The entry of a vectorization: `picture` is its SVG file of `size` bytes."""
        run = dict(meta) | {"weights": meta.get("weights") or "none"}
        facts = {name: str(run[name]) for name in ("engine", "weights", "device", "seed")}
        text = f"{meta['paths']} paths, {meta['psnr']:.1f} dB from the picture, {size / 1000:.0f} kB."
        return cls(title, picture, text, facts | {"seconds": seconds, "paths": meta["paths"]})

    @classmethod
    def of_voxels(cls, picture: str, *files: str, title: str, meta: Mapping[str, Any], seconds: float) -> Entry:
        """The entry of a voxelization: `picture` shows what `files` hold."""
        run = dict(meta) | {"weights": meta.get("weights") or "none"}
        facts = {name: str(run[name]) for name in ("engine", "weights", "device", "seed")}
        text = f"{meta['voxels']:,} voxels of {meta['colors']} colours, {' x '.join(map(str, meta['shape']))}."
        facts_of_voxels = {"seconds": seconds, "voxels": meta["voxels"], "triangles": meta["triangles"]}
        return cls(title, picture, text, facts | facts_of_voxels, files)


def write_index(folder: Path, entries: list[Entry]) -> Path:
    """Write `index.html` into `folder` and return its path.

    Raises:
        FileNotFoundError: an entry names a file that is not in the folder.
    """
    for entry in entries:
        for name in (entry.picture, *entry.files):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{entry.title!r} names {name!r}, which is not in {folder}")
    page = folder / "index.html"
    page.write_text(
        _PAGE.format(version=escape(__version__), figures="\n".join(map(_figure, entries))), encoding="utf-8"
    )
    return page


def _figure(entry: Entry) -> str:
    links = " ".join(_link(name, escape(name)) for name in dict.fromkeys((entry.picture, *entry.files)))
    picture = _link(entry.picture, f'<img src="{quote(entry.picture)}" alt="{escape(entry.title)}">')
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_shown(value))}</td></tr>" for name, value in entry.facts.items()
    )
    return (
        f"<figure{' class=dark' if entry.dark else ''}>\n{picture}\n<figcaption>\n"
        f"<h2>{escape(entry.title)}</h2>\n<p>{escape(entry.text)}</p>\n"
        f'<table>{rows}</table>\n<p class="files">{links}</p>\n</figcaption>\n</figure>'
    )


def _link(name: str, content: str) -> str:
    return f'<a href="{quote(name)}">{content}</a>'


def _shown(value: object) -> str:
    """Numbers as people write them: 20,000 and 1.35."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tessera: contact sheet</title>
<style>
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; max-width: 1500px; padding: 2rem; background: #f1efea; color: #22211f;
  font: 15px/1.45 system-ui, sans-serif; }}
h1 {{ margin: 0 0 1.5rem; font-size: 1.5rem; font-weight: 600; letter-spacing: .01em; }}
h1 small {{ margin-left: .5em; font-size: .9rem; font-weight: 400; color: #77736c; }}
main {{ display: grid; gap: 1.5rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); }}
figure {{ margin: 0; background: #fff; border: 1px solid #dbd7cf; border-radius: 4px; overflow: hidden; }}
img {{ display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: contain; background: #fff;
  border-bottom: 1px solid #ebe8e1; }}
.dark img {{ background: #000; }}
figcaption {{ padding: 1rem 1.2rem 1.1rem; }}
h2 {{ margin: 0; font-size: 1.05rem; font-weight: 600; }}
p {{ margin: .2rem 0 .7rem; color: #55524c; }}
table {{ border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }}
th {{ padding: .05rem 1.2rem .05rem 0; font-weight: 400; text-align: left; color: #77736c; }}
td {{ padding: 0; }}
.files {{ margin: .7rem 0 0; font-size: .87rem; overflow-wrap: anywhere; }}
.files a {{ margin-right: .8em; color: #2b5a86; }}
a:focus-visible {{ outline: 2px solid #2b5a86; outline-offset: 2px; }}
</style>
</head>
<body>
<h1>Tessera <small>{version}</small></h1>
<main>
{figures}
</main>
</body>
</html>
"""
