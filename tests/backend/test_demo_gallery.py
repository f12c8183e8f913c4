"""The contact sheet: complete, self-contained, and safe with any title."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from lxml import html

from tessera_backend import images
from tessera_backend.demo.gallery import Entry, write_index


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a b#1.png").write_bytes(images.encode_png(np.zeros((3, 4), np.uint8)))
    (tmp_path / "dots.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return tmp_path


def test_sheet_shows_every_entry(folder):
    """Each entry has its picture, title, line, facts and links, in order."""
    entries = [
        Entry("Still life", "dots.svg", "20,000 dots", {"dots": 20000, "seconds": 1.2345, "seed": "0"}, ("a b#1.png",)),
        Entry("Source", "a b#1.png"),
    ]
    page = write_index(folder, entries)
    assert page == folder / "index.html"
    sheet = html.fromstring(page.read_bytes())
    first, second = sheet.xpath("//figure")
    assert first.xpath(".//h2/text()") == ["Still life"]
    assert first.xpath(".//th/text()") == ["dots", "seconds", "seed"]
    assert first.xpath(".//td/text()") == ["20,000", "1.23", "0"]
    assert first.xpath(".//img/@src") == ["dots.svg"]
    assert first.xpath(".//p[@class='files']/a/@href") == ["dots.svg", "a%20b%231.png"]
    assert second.xpath(".//img/@alt") == ["Source"]


def test_sheet_needs_nothing_but_the_folder(folder):
    """No script, and no address outside the folder."""
    text = write_index(folder, [Entry("One", "dots.svg")]).read_text()
    assert "<script" not in text
    assert not re.search(r"https?:|//|@import", text)


def test_text_is_text(folder):
    """Markup in titles, lines and facts is shown, not obeyed."""
    nasty = "<b>\"&'</b>"
    sheet = html.fromstring(write_index(folder, [Entry(nasty, "dots.svg", nasty, {nasty: nasty})]).read_text())
    assert not sheet.xpath("//b")
    assert sheet.xpath("//h2/text()") == [nasty]
    assert sheet.xpath("//td/text()") == [nasty]
    assert sheet.xpath("//img/@alt") == [nasty]


def test_missing_file_is_refused(folder):
    """A sheet with a broken picture is not written."""
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        write_index(folder, [Entry("Broken", "none.png")])
    assert not (folder / "index.html").exists()


def test_empty_sheet(tmp_path):
    """No entries make an empty page, not an error."""
    assert write_index(tmp_path, []).is_file()


def test_entry_of_a_stippling(folder):
    """Its facts come from the run's metadata, and white ink is shown on black."""
    dots = SimpleNamespace(radii=np.ones(1200), page=(200.0, 150.0), meta={"engine": "tone", "seed": 1234, "page": 1})
    entry = Entry.of_stipples("dots.svg", "Still life", dots, 1.5, dark=True)
    assert entry.text == "1,200 dots on 200 x 150 mm."
    assert list(entry.facts) == ["engine", "weights", "device", "seed", "seconds", "dots"]
    sheet = html.fromstring(write_index(folder, [entry]).read_text())
    assert sheet.xpath("//figure[@class='dark']//td/text()") == ["tone", "none", "cpu", "1234", "1.5", "1,200"]


def test_entry_of_a_voxelization(folder):
    """Its facts come from the run's metadata, and its files are linked."""
    (folder / "art.vox").write_bytes(b"VOX ")
    meta = {"engine": "surface", "weights": None, "device": "cpu", "seed": 3, "voxels": 9203, "colors": 12}
    meta |= {"shape": [31, 19, 48], "triangles": 7824}
    entry = Entry.of_voxels("a b#1.png", "art.vox", title="Robot", meta=meta, seconds=0.25)
    assert entry.text == "9,203 voxels of 12 colours, 31 x 19 x 48."
    sheet = html.fromstring(write_index(folder, [entry]).read_text())
    assert sheet.xpath("//td/text()") == ["surface", "none", "cpu", "3", "0.25", "9,203", "7,824"]
    assert sheet.xpath("//p[@class='files']/a/@href") == ["a%20b%231.png", "art.vox"]
