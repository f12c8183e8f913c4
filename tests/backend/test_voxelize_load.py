"""Mesh files as strangers write them: kinds, axes, colours, textures, and what can be wrong with them."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.visual.material import PBRMaterial, SimpleMaterial
from trimesh.visual.texture import TextureVisuals

from tessera_backend.colour import srgb_to_linear
from tessera_backend.voxelize.grid import Grid
from tessera_backend.voxelize.render.views import six_views
from tessera_backend.voxelize.source.load import KINDS, load
from tessera_protocol.errors import TesseraError

Y_UP = (".glb", ".gltf", ".obj")


def written(folder: Path, kind: str, scene) -> Path:
    """A file of a mesh or scene, with all that belongs to it."""
    path = folder / f"thing{kind}"
    if kind == ".gltf":
        for name, data in trimesh.exchange.gltf.export_gltf(scene).items():
            (folder / ("thing.gltf" if name.endswith(".gltf") else name)).write_bytes(data)
    elif kind == ".obj":
        text, files = trimesh.exchange.obj.export_obj(scene, return_texture=True, mtl_name="thing.mtl")
        path.write_text(text)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    else:
        scene.export(path)
    return path


def board(texture=None, **pbr):
    """A square in x and y with texture coordinates, v up."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    image = None if texture is None else Image.fromarray(texture)
    visual = TextureVisuals(uv=corners[:, :2], material=PBRMaterial(baseColorTexture=image, **pbr))
    return trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 3]], visual=visual, process=False)


def quarters():
    """Red and green above blue and white, uint8 (4, 4, 4)."""
    colors = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    return np.dstack([np.kron(colors, np.ones((2, 2, 1), np.uint8)), np.full((4, 4), 255, np.uint8)])


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_stand_upright(tmp_path, kind):
    """A tower that is tall along the file's up axis is tall along z; nothing is mirrored."""
    up = 1 if kind in Y_UP else 2
    tower = trimesh.creation.box(np.where(np.arange(3) == up, 5, [1, 2, 3]))
    mesh, notes = load(written(tmp_path, kind, tower))
    low, high = mesh.bounds()
    assert len(mesh) == 12
    assert notes == []
    assert np.allclose(high - low, [1, 3, 5] if kind in Y_UP else [1, 2, 5])
    normal = np.cross(mesh.positions[:, 1] - mesh.positions[:, 0], mesh.positions[:, 2] - mesh.positions[:, 0])
    assert ((normal * (mesh.positions.mean(1) - (low + high) / 2)).sum(1) > 0).all(), "faces still look outwards"


def test_objects_stand_where_the_scene_puts_them(tmp_path):
    """Two instances of one geometry; x stays x, the file's y is z, its z is -y."""
    scene = trimesh.Scene()
    box = trimesh.creation.box((1, 1, 1))
    scene.add_geometry(box, geom_name="box", transform=trimesh.transformations.translation_matrix([10, 0, 0]))
    scene.graph.update("other", geometry="box", matrix=trimesh.transformations.translation_matrix([0, 5, 3]))
    mesh, _ = load(written(tmp_path, ".glb", scene))
    assert len(mesh) == 24
    low, high = mesh.bounds()
    assert np.allclose(low, [-0.5, -3.5, -0.5])
    assert np.allclose(high, [10.5, 0.5, 5.5])


@pytest.mark.parametrize("kind", [".glb", ".gltf", ".obj"])
def test_textures_arrive_upright(tmp_path, kind):
    """The upper left quarter of the picture is upper left on the board."""
    square = board(quarters())
    if kind == ".obj":
        square.visual.material = SimpleMaterial(image=Image.fromarray(quarters()), diffuse=[0, 0, 0, 255])
    mesh, notes = load(written(tmp_path, kind, square))
    view = six_views(mesh, Grid.fitted(mesh, 8), 1)[3]
    upright = view.color.transpose(1, 0, 2)[::-1]
    assert notes == []
    assert np.allclose(upright, np.kron(quarters()[::2, ::2, :3] / 255, np.ones((4, 4, 1))), atol=0.01)


@pytest.mark.parametrize("kind", [".glb", ".ply"])
def test_vertex_colours_are_linear_in_gltf_only(tmp_path, kind):
    box = trimesh.creation.box()
    box.visual.vertex_colors = np.tile([128, 64, 255, 255], (8, 1)).astype(np.uint8)
    mesh, _ = load(written(tmp_path, kind, box))
    shares = np.array([128, 64, 255]) / 255
    expected = shares if kind == ".glb" else srgb_to_linear(shares)
    assert np.allclose(mesh.colors[..., :3], expected, atol=0.003)


def test_factors_emission_and_alpha_modes(tmp_path):
    """Several materials, each once; MASK has its own cutoff, BLEND one half, OPAQUE none."""
    pieces = [
        board(baseColorFactor=[255, 128, 0, 255], emissiveFactor=[0.25, 0, 0.5]),
        board(quarters(), alphaMode="MASK", alphaCutoff=0.2),
        board(quarters(), alphaMode="BLEND"),
    ]
    mesh, _ = load(written(tmp_path, ".glb", trimesh.Scene(pieces)))
    assert len(mesh) == 6
    assert sorted(np.bincount(mesh.material)) == [2, 2, 2]
    plain, blend, mask = sorted(mesh.materials, key=lambda m: (m.texture is not None, -(m.cutoff or 1)))
    assert plain.texture is None
    assert plain.color == pytest.approx((1, 128 / 255, 0, 1))
    assert plain.emission == pytest.approx((0.25, 0, 0.5))
    assert [m.cutoff for m in (plain, mask, blend)] == [None, 0.2, 0.5]
    assert mask.texture.shape == (4, 4, 4)


def test_a_missing_texture_is_told_and_replaced_by_the_base_colour(tmp_path):
    path = written(tmp_path, ".gltf", board(quarters(), baseColorFactor=[255, 0, 0, 255]))
    header = json.loads(path.read_text())
    header["images"] = [{"uri": "skin%201.png"}]
    path.write_text(json.dumps(header))
    mesh, notes = load(path)
    assert len(notes) == 1
    assert "skin 1.png" in notes[0]
    assert mesh.materials[0].texture is None
    assert mesh.materials[0].color == (1, 0, 0, 1)


def test_a_missing_library_is_told(tmp_path):
    path = tmp_path / "thing.obj"
    path.write_text("mtllib gone.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl skin\nf 1 2 3\n")
    mesh, notes = load(path)
    assert len(mesh) == 1
    assert len(notes) == 1
    assert "gone.mtl" in notes[0]


def test_a_missing_picture_of_a_library_is_told(tmp_path):
    (tmp_path / "thing.mtl").write_text("newmtl skin\nKd 0 0 1\nmap_Kd gone.png\n")
    path = tmp_path / "thing.obj"
    path.write_text("mtllib thing.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl skin\nf 1/1 2/1 3/1\n")
    mesh, notes = load(path)
    assert mesh.materials[0].color == (0, 0, 1, 1)
    assert "gone.png" in notes[0]


def textured(folder, name):
    """An .obj with a texture of that name, and what is read of it: its first material, and notes."""
    folder.mkdir(exist_ok=True)
    (folder / "thing.mtl").write_text(f"newmtl skin\nKd 0 0 1\nmap_Kd {name}\n")
    path = folder / "thing.obj"
    path.write_text("mtllib thing.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl skin\nf 1/1 2/1 3/1\n")
    mesh, notes = load(path)
    return mesh.materials[0], notes


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["skin.png", "in/skin.png", "in\\skin.png", "/home/else/skin.png", "..\\skin.png"])
def test_textures_lie_in_the_folder(tmp_path, name):
    """As they are named, or where they were moved to, beside the mesh."""
    for place in (tmp_path / "skin.png", tmp_path / "in" / "skin.png"):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(png(quarters()))
    material, notes = textured(tmp_path, name)
    assert notes == []
    np.testing.assert_array_equal(material.texture, quarters())


@pytest.mark.parametrize("name", ["../skin.png", "{root}/skin.png", "link.png", "/dev/zero", "pipe", "a" * 5000, "."])
def test_nothing_else_is_read(tmp_path, name):
    """Neither what is elsewhere nor what is no ordinary file; it is told, and is not waited for."""
    (tmp_path / "skin.png").write_bytes(png(quarters()))
    folder = tmp_path / "mesh"
    folder.mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
    (folder / "link.png").symlink_to(tmp_path / "skin.png")
    material, notes = textured(folder, name.format(root=tmp_path))
    assert material.texture is None
    assert material.color == (0, 0, 1, 1)
    assert len(notes) == 1
    assert notes[0].endswith(" is missing: the parts that use it have their plain colours. Put it beside thing.obj.")


@pytest.mark.parametrize("name", ["skin.eps", "skin.png", "torn.png"])
def test_damaged_textures_are_told(tmp_path, name):
    """Pillow would start another program for .eps."""
    (tmp_path / "skin.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    (tmp_path / "skin.png").write_bytes(b"hello")
    (tmp_path / "torn.png").write_bytes(png(quarters())[:60])
    material, notes = textured(tmp_path, name)
    assert material.texture is None
    assert notes == [f"The texture {name} can't be read: the parts that use it have their plain colours."]


@pytest.mark.parametrize("keep", [5, 60])
def test_damaged_textures_inside_are_told(tmp_path, keep):
    """No picture at all, or one that is cut off."""
    path, whole = written(tmp_path, ".glb", board(quarters())), png(quarters())
    data = path.read_bytes()
    begin = data.index(whole[:8])
    end = data.index(b"IEND", begin) + 8
    path.write_bytes(data[:begin] + data[begin : begin + keep] + bytes(end - begin - keep) + data[end:])
    mesh, notes = load(path)
    assert mesh.materials[0].texture is None
    assert len(notes) == 1
    assert "can't be read" in notes[0]


def test_a_small_file_of_a_huge_picture_is_refused(tmp_path):
    """Before it is decoded."""
    picture = Image.new("1", (20_000, 20_000))
    picture.save(tmp_path / "skin.png")
    with pytest.raises(TesseraError) as caught:
        textured(tmp_path, "skin.png")
    assert caught.value.failure.code == "too-large"


def test_escaped_names_are_understood(tmp_path):
    """glTF writes spaces as %20."""
    path = written(tmp_path, ".gltf", board(quarters()))
    header = json.loads(path.read_text())
    (tmp_path / "skin 1.png").write_bytes(png(quarters()))
    header["images"] = [{"uri": "skin%201.png"}]
    path.write_text(json.dumps(header))
    mesh, notes = load(path)
    assert notes == []
    np.testing.assert_array_equal(mesh.materials[0].texture, quarters())


@pytest.mark.parametrize("image", [{"uri": None}, {"uri": 5}, {"uri": "data:,"}, {"bufferView": 99}, {}, 5])
def test_odd_images_are_no_traceback(tmp_path, image):
    path = written(tmp_path, ".gltf", board(quarters()))
    header = json.loads(path.read_text())
    header["images"] = [image]
    path.write_text(json.dumps(header))
    try:
        mesh, _ = load(path)
    except TesseraError as refused:
        assert refused.failure.code == "unreadable-input"
    else:
        assert mesh.materials[0].texture is None


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.glb", None, "unreadable-input"),
        ("empty.obj", b"", "unreadable-input"),
        ("shape.fbx", b"Kaydara", "unreadable-input"),
        ("shape", b"v 0 0 0", "unreadable-input"),
        ("torn.glb", b"glTF\x02\x00\x00\x00\xff\xff\x00\x00", "unreadable-input"),
        ("noise.stl", bytes(range(200)), None),
        ("noise.ply", b"ply\nformat ascii 1.0\nelement vertex 9\nend_header\n", None),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", None),
        ("point.obj", b"v 1 1 1\nf 1 1 1\n", "unusable-input"),
        ("nan.obj", b"v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "unusable-input"),
    ],
)
def test_bad_files_are_told_apart(tmp_path, name, content, code):
    """Never another exception; what is wrong, in which file, and what to do."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TesseraError) as caught:
        load(path)
    failure = caught.value.failure
    assert failure.code == code or (code is None and failure.code in ("unreadable-input", "unusable-input"))
    assert failure.field == "mesh"
    assert failure.remedy


def test_a_torn_file_is_unreadable_wherever_it_is_torn(tmp_path):
    whole = written(tmp_path, ".glb", board(quarters())).read_bytes()
    for share in (0.1, 0.4, 0.7, 0.95):
        path = tmp_path / "torn.glb"
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(TesseraError) as caught:
            load(path)
        assert caught.value.failure.code in ("unreadable-input", "unusable-input")


def test_a_scene_that_places_too_much_is_refused_before_it_is_made(tmp_path):
    """Many instances of one geometry, in a small file."""
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.icosphere(6), geom_name="ball")
    for number in range(60):
        scene.graph.update(f"copy {number}", geometry="ball")
    with pytest.raises(TesseraError) as caught:
        load(written(tmp_path, ".glb", scene))
    assert caught.value.failure.code == "too-large"
    assert caught.value.failure.given == 61 * 81920
