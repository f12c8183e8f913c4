"""Exports: read back by other programs, they are where the source mesh is, and in its colours."""

import io
import json
import struct

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tessera_backend.voxelize.export import files, meshes, sparse
from tessera_backend.voxelize.export.greedy import exposed_faces, greedy
from tessera_backend.voxelize.export.sheet import layout, read_sheet, to_sheet
from tessera_backend.voxelize.sides import SIDES, six_pictures
from tessera_protocol.errors import InvalidInput

from .voxel_grids import figure, grids, voxels_of


def z_up(points):
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], 1)


def box_of(voxels):
    places = np.argwhere(voxels.labels)
    return np.stack([voxels.origin + places.min(0) * voxels.size, voxels.origin + (places.max(0) + 1) * voxels.size])


def area_by_colour(voxels):
    """Exposed area of each label, in the mesh's units."""
    mesh = greedy(voxels.labels, merge=False)
    sides = np.prod(np.where(mesh.normals != 0, 1, voxels.size), axis=1)
    return np.bincount(mesh.labels, sides, len(voxels.palette) + 1)[1:]


def test_glb_lies_over_the_source():
    """Position, area of each colour and outward normals, as trimesh reads them."""
    voxels = voxels_of(figure(), 6)
    (mesh,) = trimesh.load(io.BytesIO(meshes.to_glb(voxels)), file_type="glb").geometry.values()
    corners = z_up(mesh.vertices)
    np.testing.assert_allclose([corners.min(0), corners.max(0)], box_of(voxels), atol=1e-6)
    label = np.floor(mesh.visual.uv[mesh.faces[:, 0], 0] * 6).astype(int)
    np.testing.assert_allclose(np.bincount(label, mesh.area_faces, 6), area_by_colour(voxels), rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"))[0], voxels.palette)
    np.testing.assert_allclose(mesh.face_normals, mesh.vertex_normals[mesh.faces[:, 0]], atol=1e-6)
    np.testing.assert_allclose(mesh.volume, voxels.solid.sum() * voxels.size.prod(), rtol=1e-5)


def test_glb_is_valid():
    """Lengths and alignment as glTF 2.0 wants them; nearest filter; how it was made is in it."""
    voxels = voxels_of(figure())
    data = meshes.to_glb(voxels)
    magic, version, total, length, kind = struct.unpack_from("<4sIII4s", data)
    assert (magic, version, total, kind) == (b"glTF", 2, len(data), b"JSON")
    document = json.loads(data[20 : 20 + length])
    blob_length, blob_kind = struct.unpack_from("<I4s", data, 20 + length)
    assert (blob_kind, blob_length) == (b"BIN\0", document["buffers"][0]["byteLength"])
    assert length % 4 == blob_length % 4 == 0
    assert total == 28 + length + blob_length
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= blob_length
    assert document["samplers"][0]["magFilter"] == 9728
    assert document["nodes"][0]["extras"]["tessera"]["meta"] == voxels.meta


def test_obj_reads_alike(tmp_path):
    """Quads with shared vertices, a material and a palette; trimesh sees what it sees in the .glb."""
    voxels = voxels_of(figure())
    written = files.write(tmp_path / "my art.obj", voxels)
    assert [path.name for path in written] == ["my art.obj", "my_art.mtl", "my_art_palette.png"]
    mesh = trimesh.load(written[0], process=False, force="mesh")
    corners = z_up(mesh.vertices)
    np.testing.assert_allclose([corners.min(0), corners.max(0)], box_of(voxels), atol=1e-6)
    label = np.floor(mesh.visual.uv[mesh.faces[:, 0], 0] * 4).astype(int)
    np.testing.assert_allclose(np.bincount(label, mesh.area_faces, 4), area_by_colour(voxels), rtol=1e-5)
    np.testing.assert_allclose(mesh.volume, voxels.solid.sum() * voxels.size.prod(), rtol=1e-5)
    text = written[0].read_text()
    assert text.count("\nf ") == len(greedy(voxels.labels))
    assert text.count("\nv ") == len(greedy(voxels.labels).vertices)
    assert json.loads(text.splitlines()[1].removeprefix("# tessera "))["meta"] == voxels.meta


def test_ply_has_a_point_a_voxel():
    """In its middle, z up, in its colour."""
    voxels = voxels_of(figure())
    cloud = trimesh.load(io.BytesIO(meshes.to_ply(voxels)), file_type="ply")
    places = np.argwhere(voxels.labels)
    np.testing.assert_allclose(cloud.vertices, voxels.origin + (places + 0.5) * voxels.size, atol=1e-6)
    np.testing.assert_array_equal(cloud.colors[:, :3], voxels.palette[voxels.labels[tuple(places.T)] - 1])


@settings(max_examples=50, deadline=None)
@given(labels=grids(), colors=st.integers(1, 255), kind=st.sampled_from(["npz", "json"]))
def test_lists_round_trip(labels, colors, kind):
    """.npz and .json hold all that voxels are."""
    voxels = voxels_of(labels, colors)
    back = getattr(sparse, f"from_{kind}")(getattr(sparse, f"to_{kind}")(voxels))
    for name in ("labels", "palette", "origin", "size"):
        np.testing.assert_array_equal(getattr(back, name), getattr(voxels, name))
    assert back.meta == voxels.meta


@pytest.mark.parametrize("read", [sparse.from_npz, sparse.from_json])
@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"format": "tessera-voxels", "version": 1}'])
def test_other_lists_are_refused(read, data):
    """With a failure, not with a KeyError."""
    with pytest.raises(InvalidInput, match="does not hold voxels"):
        read(data)


def test_json_lists_are_checked():
    """Places outside of the grid, labels beyond the palette and huge grids are damage."""
    good = json.loads(sparse.to_json(voxels_of(figure())))
    for change in ({"voxels": [[9, 0, 0, 1]]}, {"voxels": [[0, 0, 0, 9]]}, {"shape": [10**6] * 3}, {"shape": [5, 4]}):
        with pytest.raises(InvalidInput):
            sparse.from_json(json.dumps(good | change).encode())


@settings(max_examples=40, deadline=None)
@given(labels=grids().filter(np.any), zoom=st.integers(1, 5))
def test_sheets_round_trip(labels, zoom):
    """The views that a sheet was made of are read from it, at any zoom."""
    voxels = voxels_of(labels)
    for back, view in zip(read_sheet(to_sheet(voxels, zoom), labels.shape), six_pictures(voxels), strict=True):
        np.testing.assert_array_equal(back, view)


def test_sheets_are_as_documented():
    """Cells of the unfolded box, transparent gaps of two voxels, metadata in a text chunk."""
    voxels = voxels_of(figure())
    picture = Image.open(io.BytesIO(to_sheet(voxels, 3)))
    corners, (height, width) = layout((5, 4, 7))
    assert (height, width) == (4 * 2 + 7 + 2 * 4, 5 * 2 + 2 * 4 + 2 * 5)
    assert picture.size == (width * 3, height * 3)
    assert json.loads(picture.text["tessera"])["meta"] == voxels.meta
    pixels = np.asarray(picture).copy()
    for side, view in zip(SIDES, six_pictures(voxels), strict=True):
        (row, column), (tall, wide) = corners[side], view.shape[:2]
        pixels[row * 3 : (row + tall) * 3, column * 3 : (column + wide) * 3] = 0
    assert not pixels.any()


def test_edited_sheets_are_read():
    """A brush finer than a voxel counts where it covers most; faint pixels count as none."""
    voxels = voxels_of(figure())
    pixels = np.asarray(Image.open(io.BytesIO(to_sheet(voxels, 4)))).copy()
    row, column = np.array(layout((5, 4, 7))[0]["front"]) * 4
    pixels[row : row + 4, column : column + 3] = (250, 10, 20, 255)
    pixels[row : row + 4, column + 4 : column + 5] = (250, 10, 20, 255)
    pixels[row : row + 4, column + 8 : column + 12] = (250, 10, 20, 100)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    front = read_sheet(file.getvalue(), (5, 4, 7))[0]
    assert front[0, 0].tolist() == [250, 10, 20, 255]
    assert front[0, 1].tolist() == six_pictures(voxels)[0][0, 1].tolist()
    assert front[0, 2].tolist() == [0, 0, 0, 0]


def test_sheets_that_do_not_fit_are_refused():
    """The message has the size that is needed; no alpha and nothing drawn are told too."""
    voxels = voxels_of(figure())
    with pytest.raises(InvalidInput, match="does not fit a grid of 5 x 4 x 8") as caught:
        read_sheet(to_sheet(voxels), (5, 4, 8))
    assert caught.value.failure.allowed.startswith("28 x 24")
    file = io.BytesIO()
    Image.open(io.BytesIO(to_sheet(voxels))).convert("RGB").save(file, "PNG")
    with pytest.raises(InvalidInput, match="no transparency"):
        read_sheet(file.getvalue(), (5, 4, 7))
    file = io.BytesIO()
    Image.new("RGBA", (28, 23)).save(file, "PNG")
    with pytest.raises(InvalidInput, match="empty"):
        read_sheet(file.getvalue(), (5, 4, 7))


@pytest.mark.parametrize("suffix", files.SUFFIXES)
def test_every_suffix_writes(tmp_path, suffix):
    """One call for all kinds; capitals will do; twice is the same bytes."""
    path = tmp_path / f"art{suffix.upper()}"
    voxels = voxels_of(figure())
    first = [place.read_bytes() for place in files.write(path, voxels)]
    assert path.is_file()
    assert first == [place.read_bytes() for place in files.write(path, voxels)]


def test_refusals(tmp_path):
    """An unknown suffix lists the known ones; nothing to write and nowhere to write are told."""
    voxels = voxels_of(figure())
    with pytest.raises(InvalidInput, match="'art.stl' ends in .stl") as caught:
        files.write(tmp_path / "art.stl", voxels)
    assert caught.value.failure.allowed == ", ".join(files.SUFFIXES)
    with pytest.raises(InvalidInput, match="empty"):
        files.write(tmp_path / "art.vox", voxels_of(np.zeros((2, 2, 2))))
    with pytest.raises(InvalidInput, match="can't be written"):
        files.write(tmp_path / "nowhere" / "art.vox", voxels)


def test_exposed_faces_of_the_figure():
    """Guards the helper above: areas are sums over faces."""
    voxels = voxels_of(figure())
    assert exposed_faces(voxels.labels) == len(greedy(voxels.labels, merge=False))
