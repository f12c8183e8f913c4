"""The scene on the wire: what a host sends becomes the mesh it meant, and what strangers send, a sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tessera_backend.colour import parsed, srgb_to_linear
from tessera_backend.voxelize import Material, Mesh, voxelize
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.render.shading import paint_of, shaded
from tessera_backend.voxelize.render.views import six_views
from tessera_backend.voxelize.source.scene import Scene, packed, unpacked
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import VoxelizeParams
from tessera_protocol.jobs.voxelize import MOST_TRIANGLES

IDENTITY = np.eye(4).ravel().tolist()
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def quarters() -> np.ndarray:
    """Red and green above blue and white, uint8 (2, 2, 4)."""
    colors = [[[255, 0, 0, 255], [0, 255, 0, 255]], [[0, 0, 255, 255], [255, 255, 255, 255]]]
    return np.array(colors, np.uint8)


def board(**material: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A square in x and y with one material and texture coordinates: a header and its arrays, valid and small."""
    part = {"name": "Board", "vertices": 4, "triangles": 2, "loops": 4, "matrix": IDENTITY, "materials": [0]}
    file = np.frombuffer(png(quarters()), np.uint8)
    texture = {"name": "quarters.png", "offset": 0, "bytes": len(file), "kind": "file"}
    materials = [{"name": "Paint", "color": [1, 1, 1, 1], "texture": 0} | material]
    header = {"parts": [part], "materials": materials, "textures": [texture]}
    arrays = {"vertices": SQUARE, "triangles": FACES, "loops": FACES, "slots": np.zeros(2, np.int32)}
    arrays |= {"uv": SQUARE[:, :2].copy(), "colors": np.ones((4, 4), np.float32), "textures": file}
    return header, arrays


def read(header: Any, arrays: Mapping[str, np.ndarray]) -> Scene:
    return unpacked(json.dumps(header).encode(), arrays)


def seen(scene: Scene) -> np.ndarray:
    """sRGB of the four corners' surroundings, (2, 2, 3), rows from the top."""
    view = six_views(scene.mesh, Grid.fitted(scene.mesh, 8), 1)[4]
    shown: np.ndarray = view.color.transpose(1, 0, 2)[::-1][1::4, 1::4]
    return shown


def test_a_textured_board() -> None:
    """Upright, in its colours, without notes."""
    scene = read(*board())
    assert len(scene.mesh) == 2
    assert (scene.notes, scene.bounds, scene.locked) == ([], None, ())
    np.testing.assert_allclose(seen(scene), quarters()[..., :3] / 255, atol=0.01)


@pytest.mark.parametrize("kind", ["srgb", "linear"])
def test_raw_pixels(kind: str) -> None:
    """float32 RGBA, lowest row first; linear ones are encoded."""
    shares = np.full((2, 2, 4), [0.2, 0.5, 0.8, 1.0], np.float32)
    shares[0, 0] = [1, 0, np.nan, 1]
    sent = shares.copy()
    if kind == "linear":
        sent[..., :3] = srgb_to_linear(shares[..., :3])
    header, arrays = board()
    data = np.frombuffer(sent[::-1].tobytes(), np.uint8)
    header["textures"] = [{"name": "t", "offset": 0, "bytes": len(data), "kind": kind, "width": 2, "height": 2}]
    scene = read(header, arrays | {"textures": data})
    np.testing.assert_allclose(seen(scene), np.nan_to_num(shares[..., :3]), atol=0.01)


def test_parts_are_placed_and_have_their_own() -> None:
    """Two instances: indices count from each part's first row, matrices place them, slots choose materials."""
    header, arrays = board()
    header["materials"].append({"name": "Green", "color": [0, 1, 0, 1]})
    moved = np.eye(4)
    moved[:3, 3] = (10, 20, 30)
    other = {"name": "Other", "vertices": 4, "triangles": 2, "matrix": moved.ravel().tolist(), "materials": [None, 1]}
    header["parts"].append(other)
    arrays["vertices"] = np.concatenate([SQUARE, SQUARE])
    arrays["triangles"] = arrays["loops"] = np.concatenate([FACES, FACES])
    # The last slot is beyond the part's materials: the last of them stands for it.
    arrays["slots"] = np.array([0, 0, 0, 7], np.int32)
    mesh = read(header, arrays).mesh
    low, high = mesh.bounds()
    np.testing.assert_allclose([low, high], [[0, 0, 0], [11, 21, 30]])
    np.testing.assert_allclose(mesh.positions[2] - mesh.positions[0], np.broadcast_to([10, 20, 30], (3, 3)))
    looks = [mesh.materials[number] for number in mesh.material]
    assert [look.texture is not None for look in looks] == [True, True, False, False]
    assert looks[2].color == pytest.approx((0.448, 0.448, 0.448, 1))
    assert looks[3].color == (0, 1, 0, 1)
    assert (mesh.colors[2:] == 1).all(), "a part without loops is not coloured by the other's"


def test_without_texture_coordinates_there_are_no_textures() -> None:
    """Colours of vertices alone."""
    header, arrays = board()
    del arrays["uv"]
    arrays["colors"][:] = [0.25, 0.5, 1.0, 1.0]
    scene = read(header, arrays)
    assert all(material.texture is None for material in scene.mesh.materials)
    assert (scene.mesh.colors == [0.25, 0.5, 1.0, 1.0]).all()


def test_a_locked_material_is_flat() -> None:
    """Its colour, whatever texture and vertex colours say; alpha still cuts; the palette has to have it."""
    header, arrays = board(locked="#FF8040", cutoff=0.5)
    pixels = quarters()
    pixels[0, 0, 3] = 0
    file = np.frombuffer(png(pixels), np.uint8)
    header["textures"][0]["bytes"] = len(file)
    arrays |= {"textures": file, "colors": np.full((4, 4), 0.6, np.float32)}
    scene = read(header, arrays)
    assert scene.locked == ("#ff8040",)
    wanted = np.broadcast_to(parsed("#ff8040"), (2, 2, 3)).copy()
    wanted[0, 0] = 0
    np.testing.assert_allclose(seen(scene), wanted, atol=0.01)
    voxels = voxelize(scene.mesh, VoxelizeParams(side=8), locked=scene.locked)
    np.testing.assert_array_equal(voxels.palette, [[255, 128, 64]])
    given = voxelize(scene.mesh, VoxelizeParams(side=8, palette="#ff0000 #00ff00"), locked=scene.locked)
    assert "#ff8040" in given.meta["notes"][0], "a palette has no other colours, which is told"


def test_bounds() -> None:
    header, arrays = board()
    scene = read(header | {"bounds": [[-1, -1, -1], [1, 1, 3]]}, arrays)
    np.testing.assert_array_equal(scene.bounds, [[-1, -1, -1], [1, 1, 3]])


def _missing(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    header["textures"][0]["bytes"] = 0


def _damaged(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    arrays["textures"] = arrays["textures"][::-1].copy()


def _never_sent(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    header["textures"][0]["bytes"] = 0
    del arrays["textures"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [(_missing, "is missing"), (_never_sent, "is missing"), (_damaged, "known kind")],
)
def test_a_texture_that_cannot_be_read_is_a_note(break_it: Callable[..., None], words: str) -> None:
    """The part has its plain colour; said once, however many materials want it."""
    header, arrays = board(color=[0, 0, 1, 1])
    header["materials"].append(header["materials"][0])
    header["parts"][0]["materials"] = [0, 1]
    arrays["slots"] = np.array([0, 1], np.int32)
    break_it(header, arrays)
    scene = read(header, arrays)
    assert len(scene.notes) == 1
    assert "quarters.png" in scene.notes[0]
    assert words in scene.notes[0]
    assert "plain colours" in scene.notes[0]
    np.testing.assert_allclose(seen(scene), np.broadcast_to([0, 0, 1], (2, 2, 3)), atol=0.01)


def wrong(path: str, value: Any) -> Callable[[dict[str, Any], dict[str, np.ndarray]], None]:
    """A header with one value changed; `path` as in parts.0.matrix, "-" takes it away."""

    def change(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        place: Any = header
        for step in way:
            place = place[step]
        if value == "-":
            del place[last]
        else:
            place[last] = value

    return change


def array(name: str, values: Any) -> Callable[[dict[str, Any], dict[str, np.ndarray]], None]:
    """With another array; None takes it away."""

    def change(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        if values is None:
            del arrays[name]
        else:
            arrays[name] = np.array(values, arrays[name].dtype)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (wrong("parts", "-"), "no parts"),
        (wrong("parts", {}), "'parts' of its header is {}"),
        (wrong("parts.0", 5), "the part 0 is 5"),
        (wrong("parts.0.vertices", "-"), "'vertices' of the part \"Board\" is nothing"),
        (wrong("parts.0.vertices", -4), "is -4, but has to be a whole number from 0"),
        (wrong("parts.0.vertices", 4.0), "whole number"),
        (wrong("parts.0.vertices", True), "whole number"),
        (wrong("parts.0.vertices", 10**30), "whole number"),
        (wrong("parts.0.vertices", 5), "'vertices' has 4 rows, but its parts have 5"),
        (wrong("parts.0.triangles", 3), "'triangles' has 2 rows, but its parts have 3"),
        (wrong("parts.0.loops", 9), "'uv' has 4 rows, but its parts have 9"),
        (wrong("parts.0.matrix", IDENTITY[:12]), "16 finite numbers"),
        (wrong("parts.0.matrix", [float("nan"), *IDENTITY[1:]]), "16 finite numbers"),
        (wrong("parts.0.matrix", [1e400, *IDENTITY[1:]]), "16 finite numbers"),
        (wrong("parts.0.matrix", [10**400, *IDENTITY[1:]]), "16 finite numbers"),
        (wrong("parts.0.matrix", ["1", *IDENTITY[1:]]), "16 finite numbers"),
        (wrong("parts.0.materials", [1]), "number of one of 1 materials"),
        (wrong("parts.0.materials", [-1]), "number of one of 1 materials"),
        (wrong("materials", "-"), "number of one of 0 materials"),
        (wrong("materials.0.color", [1, 1, 1]), "4 finite numbers"),
        (wrong("materials.0.texture", 1), "number of one of 1 textures"),
        (wrong("materials.0.cutoff", "half"), "a finite number"),
        (wrong("materials.0.emission", [0, 0, float("inf")]), "3 finite numbers"),
        (wrong("materials.0.locked", "red"), "#rrggbb"),
        (wrong("textures.0.bytes", 10_000), "bytes of textures"),
        (wrong("textures.0.offset", 1), "bytes of textures"),
        (wrong("textures.0.offset", -1), "whole number"),
        (wrong("textures.0.kind", "exr"), "file, srgb, linear"),
        (wrong("textures.0.kind", "srgb"), "'height'"),
        (wrong("textures.0", {"bytes": 16, "offset": 0, "kind": "srgb", "width": 2, "height": 2}), "2 x 2 pixels"),
        (wrong("bounds", [[0, 0, 0], [1, 1]]), "two points"),
        (wrong("bounds", [[0, 0, 2], [1, 1, 1]]), "two points"),
        (wrong("bounds", [[1, 1, 1], [1, 1, 1]]), "two points"),
        (wrong("bounds", [[-1e300, 1, 1], [1, 1, 1]]), "two points"),
        (wrong("bounds", [[0, 0, 0], [1, 1, float("nan")]]), "two points"),
        (array("triangles", [[0, 1, 2], [0, 2, 4]]), r"triangle 1 of the part \"Board\" has the vertices \[0, 2, 4\]"),
        (array("triangles", [[-1, 1, 2], [0, 2, 3]]), "triangle 0"),
        (array("loops", [[0, 1, 2], [0, 2, 2**31 - 1]]), "the loops"),
        (array("loops", None), "'loops' is missing"),
        (array("loops", FACES[:1]), "'loops' has 1 rows"),
        (array("slots", [0, -1]), "slot -1"),
        (array("slots", [0]), "'slots' has 1 rows"),
        (array("colors", np.ones((3, 4))), "'colors' has 3 rows"),
        (array("textures", None), "bytes of textures"),
    ],
)
def test_what_is_wrong_is_said(change: Callable[..., None], words: str) -> None:
    """InvalidInput: a short sentence that names the place, and no traceback of numpy's."""
    header, arrays = board()
    change(header, arrays)
    with pytest.raises(InvalidInput, match=words) as caught:
        read(header, arrays)
    assert len(str(caught.value)) < 400
    str(caught.value).encode()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"parts": [{"name": "\\ud800", "vertices": -1}]}']
)
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="can't be read") as caught:
        unpacked(data, board()[1])
    str(caught.value).encode()


def test_too_many_triangles_are_refused_before_anything_is_made() -> None:
    """Five million of one row each, which take no memory until they are placed."""
    header, arrays = board()
    arrays["triangles"] = np.broadcast_to(FACES[:1], (MOST_TRIANGLES + 1_000_000, 3))
    with pytest.raises(InvalidInput, match="5,000,000 triangles, which are too many"):
        read(header, arrays)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_header_is_read_or_refused(data: st.DataObject) -> None:
    """One value of a valid header becomes any other JSON: never anything but a scene or InvalidInput."""
    header, arrays = board()
    paths = ["parts", "parts.0", "materials", "materials.0", "textures", "textures.0", "bounds"]
    paths += [f"parts.0.{key}" for key in header["parts"][0]]
    paths += [f"materials.0.{key}" for key in ("color", "texture", "cutoff", "emission", "emission_texture", "locked")]
    paths += [f"textures.0.{key}" for key in ("name", "offset", "bytes", "kind", "width", "height")]
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    value = data.draw(st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner)))
    wrong(data.draw(st.sampled_from(paths)), value)(header, arrays)
    try:
        scene = read(header, arrays)
    except InvalidInput as refused:
        assert len(str(refused)) < 600
    else:
        assert len(scene.mesh) == 2


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    """A few triangles of several materials, with and without textures that some share."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, many = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    pictures = [rng.integers(0, 256, (*rng.integers(1, 5, 2), 4), dtype=np.uint8) for _ in range(2)]
    materials = tuple(
        Material(
            tuple(rng.random(4)),
            pictures[rng.integers(2)] if draw(st.booleans()) else None,
            draw(st.sampled_from([None, 0.0, 0.25])),
            tuple(rng.random(3)),
            np.ascontiguousarray(pictures[1][..., :3]) if draw(st.booleans()) else None,
        )
        for _ in range(many)
    )
    return Mesh.of(
        rng.normal(size=(count, 3, 3)),
        uv=rng.normal(size=(count, 3, 2)),
        colors=rng.random((count, 3, 4)) if draw(st.booleans()) else None,
        material=rng.integers(0, many, count),
        materials=materials,
    )


@given(meshes())
@settings(deadline=None, max_examples=60)
def test_packed_and_unpacked_is_the_same(mesh: Mesh) -> None:
    """Corner for corner, and of the same colour at every point."""
    scene = unpacked(*packed(mesh))
    assert scene.notes == []
    np.testing.assert_array_equal(scene.mesh.positions, mesh.positions)
    triangle = np.arange(len(mesh), dtype=np.int32)[:, None].repeat(5, 1)
    weights = np.random.default_rng(0).dirichlet(np.ones(3), triangle.shape)[..., 1:].astype(np.float32)
    first, again = (shaded(paint_of(one), triangle, weights) for one in (mesh, scene.mesh))
    np.testing.assert_array_equal(first, again)
    for before, after in zip(mesh.material, scene.mesh.material, strict=True):
        assert mesh.materials[before].cutoff == scene.mesh.materials[after].cutoff
        assert mesh.materials[before].color == pytest.approx(scene.mesh.materials[after].color)


def test_positions_that_are_no_numbers_are_left_out_later() -> None:
    """NaN, infinity and what a matrix makes of them: no warning; the other triangles are voxelized."""
    header, arrays = board()
    arrays["vertices"] = SQUARE.copy()
    arrays["vertices"][3] = [np.nan, np.inf, 3e38]
    header["parts"][0]["matrix"] = (np.eye(4) * 10).ravel().tolist()
    scene = read(header, arrays)
    assert not np.isfinite(scene.mesh.positions[1]).all()
    assert voxelize(scene.mesh, VoxelizeParams(side=8)).labels.any()
