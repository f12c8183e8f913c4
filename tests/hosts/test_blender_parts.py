"""Parts of the Blender add-on that need no Blender: palettes as text, the scene's buffers, and what settings say."""

from __future__ import annotations

import json
import struct
from array import array
from pathlib import Path

import numpy as np
import pytest
from blender_addon import follow, palettes
from blender_addon.scene import Part, Scene, Texture

from tessera_backend.jobs import array as values_of
from tessera_backend.voxelize.source.scene import unpacked
from tessera_protocol.errors import InvalidInput, Unreachable
from tessera_protocol.messages import Buffer, Result

TWO = ["#ff0000", "#0080ff"]


@pytest.mark.parametrize(
    "text",
    [
        "#ff0000 #0080ff",
        "FF0000\n0080FF\n",
        "ff0000,0080ff,ff0000",
        ";paint.net Palette File\n;Colors: 2\nFFFF0000\nFF0080FF\n",
        "GIMP Palette\nName: cafe00\nColumns: 2\n#\n255   0   0\tred\n0 128 255 sky\n",
        "JASC-PAL\n0100\n2\n255 0 0\n0 128 255\n",
    ],
    ids=["hash", "hex", "commas", "paint.net", "gimp", "jasc"],
)
def test_palettes_of_all_kinds(text: str) -> None:
    """Each colour once, in its order; names and counts are not taken for colours."""
    assert palettes.parse(text) == TWO


@pytest.mark.parametrize("text", ["", "red green", "#12345", "JASC-PAL\n0100\n0\n"])
def test_what_is_no_palette_says_what_is(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(InvalidInput, match="#1b3a8f"):
        palettes.parse(text)


def _ase(*swatches: tuple[str, bytes, tuple[float, ...]]) -> bytes:
    """An Adobe Swatch Exchange file: a group around colours of a name, a model and its values."""
    blocks = [(0xC001, struct.pack(">H", 2) + "g\0".encode("utf-16-be"))]
    for name, model, values in swatches:
        word = (name + "\0").encode("utf-16-be")
        body = struct.pack(">H", len(word) // 2) + word + model + struct.pack(f">{len(values)}fH", *values, 2)
        blocks.append((1, body))
    packed = b"".join(struct.pack(">HI", kind, len(body)) + body for kind, body in (*blocks, (0xC002, b"")))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks) + 1) + packed


def test_swatches_of_adobe() -> None:
    """RGB, grey and inks, in their order, with names of any length; Lab is left out; drawings are told."""
    data = _ase(
        ("red", b"RGB ", (1.0, 0.0, 0.0)),
        ("", b"CMYK", (1.0, 0.5, 0.0, 0.0)),
        ("mid", b"Gray", (0.5,)),
        ("lab", b"LAB ", (0.5, 0.0, 0.0)),
    )
    assert palettes.of_swatches(data) == ["#ff0000", "#0080ff", "#808080"]
    for damaged in (b"", b"ASEF", data[:-20], b"\0\0\0\0\xe0\xa5" + bytes(200)):
        with pytest.raises(InvalidInput, match=r"\.gpl"):
            palettes.of_swatches(damaged)
    with pytest.raises(InvalidInput, match="no colours"):
        palettes.of_swatches(_ase(("lab", b"LAB ", (0.5, 0.0, 0.0))))


def test_too_many_colours() -> None:
    """A label is a byte."""
    with pytest.raises(InvalidInput, match="256 colours"):
        palettes.parse(" ".join(f"{number:06x}" for number in range(256)))


def test_colours_survive_the_round_trip() -> None:
    """All bytes, to shares and back."""
    grey = [f"#{value:02x}{value:02x}{value:02x}" for value in range(256)]
    assert [palettes.to_color(palettes.to_share(color)) for color in grey] == grey


def test_the_nearest_colour() -> None:
    """A colour's own is nearest; dark red is red, not black."""
    shares = [palettes.to_share(color) for color in ("#000000", "#ff0000", "#ffffff")]
    assert [palettes.nearest(share, shares) for share in shares] == [0, 1, 2]
    assert palettes.nearest(palettes.to_share("#c02020"), shares) == 1


def _triangle(name: str, x: float, **more: object) -> Part:
    return Part(name, array("f", [x, 0, 0, x + 1, 0, 0, x, 1, 0]), array("i", [0, 1, 2]), **more)  # type: ignore[arg-type]


def test_the_backend_reads_what_is_packed() -> None:
    """Parts with coordinates, with colours, with both and with neither, behind each other, each in its place."""
    loops = array("i", [2, 1, 0])
    uv, colors = array("f", [0, 0, 1, 0, 1, 1]), array("f", [0.5, 0.25, 0.125, 1] * 3)
    lifted = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 5, 0, 0, 0, 1]
    pixels = array("f", [1, 0, 0, 1, 0, 1, 0, 1]).tobytes()
    look = {"name": "red", "color": [1, 1, 1, 1], "texture": 0, "cutoff": None, "emission": [0, 0, 0]}
    scene = Scene(
        [
            _triangle("plain", 0),
            _triangle("mapped", 1, loops=loops, uv=uv, materials=[0]),
            _triangle("painted", 2, loops=loops, colors=colors, matrix=lifted),
            _triangle("both", 3, loops=loops, uv=uv, colors=colors, materials=[None, 0], slots=array("i", [1])),
        ],
        [{**look, "emission_texture": None, "locked": None}],
        [Texture("two", pixels, "srgb", 2, 1)],
    )
    sent = scene.buffers(bounds=scene.bounds())

    arrays = {name: values_of(buffer) for name, buffer in sent.items() if buffer.dtype is not None}
    got = unpacked(bytes(sent["scene"].data), arrays)

    assert got.notes == []
    assert got.bounds.tolist() == [[0, 0, 0], [4, 1, 5]]
    assert got.mesh.positions[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert got.mesh.positions[:, 0, 2].tolist() == [0, 0, 5, 0]
    assert got.mesh.uv[1].tolist() == got.mesh.uv[3].tolist() == [[1, 1], [1, 0], [0, 0]]
    np.testing.assert_array_equal(got.mesh.colors[:2], 1)
    np.testing.assert_array_equal(got.mesh.colors[2:], np.broadcast_to([0.5, 0.25, 0.125, 1], (2, 3, 4)))
    textured = [got.mesh.materials[number].texture is not None for number in got.mesh.material]
    assert textured == [False, True, False, True]


def test_bounds_of_a_turned_part() -> None:
    """A quarter turn about z, which is not along the axes in floats, and a mirror image."""
    turned = [0, -1, 0, 0, 1, 0.0, 0, 0, 0, 0, -2, 1, 0, 0, 0, 1]
    (low, high) = Scene([_triangle("turned", 1, matrix=turned)]).bounds()
    assert (low, high) == ((-1, 1, 1), (0, 2, 1))
    tilted = [0.5, 0.5, 0, 0, -0.5, 0.5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    (low, high) = Scene([_triangle("tilted", 1, matrix=tilted)]).bounds()
    assert (low, high) == ((0.5, -1, 0), (1, 0, 0))


def test_results_of_another_version_are_told() -> None:
    """A buffer that is not there, or of another type."""
    result = Result("0" * 32, "voxelize", {}, {"palette": Buffer.array(b"\1\2\3", "uint8", (1, 3))})
    assert list(follow.unpacked(result, "palette", "B", 3)) == [1, 2, 3]
    for name, kind in (("quads", "i"), ("palette", "f")):
        with pytest.raises(Exception, match="Update the add-on"):
            follow.unpacked(result, name, kind, 3)


def test_settings_of_the_installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command is used; without them `tessera serve` has to do; damaged ones are told."""
    # Set first, so that what the code sets is undone after the test.
    monkeypatch.setenv("TESSERA_BRIDGE", "")
    monkeypatch.delenv("TESSERA_BRIDGE")
    settings = tmp_path / "settings.json"
    assert follow.backend_command(settings) is None
    settings.write_text(json.dumps({"backend_command": ["python", "serve"], "backend_python": "python"}))
    assert follow.backend_command(settings) == ["python", "serve"]
    settings.write_text("{")
    with pytest.raises(Unreachable, match="tessera install blender"):
        follow.backend_command(settings)
