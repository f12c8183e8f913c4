"""MagicaVoxel files: what is written comes back, and lies where its scene graph says."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_backend.voxelize.export.vox import from_vox, to_vox
from tessera_protocol.errors import InvalidInput

from .voxel_grids import figure, grids, voxels_of


def chunks(data):
    """(id, content) of a file's chunks, in order, checked for their sizes."""
    assert data[:8] == b"VOX " + struct.pack("<i", 150)
    assert data[8:12] == b"MAIN"
    content, children = struct.unpack_from("<2i", data, 12)
    assert (content, children) == (0, len(data) - 20)
    at, found = 20, []
    while at < len(data):
        size, inner = struct.unpack_from("<2i", data, at + 4)
        assert inner == 0
        found.append((data[at : at + 4], data[at + 12 : at + 12 + size]))
        at += 12 + size
    assert at == len(data)
    return found


def same(first, second):
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.palette, second.palette)
    np.testing.assert_array_equal(first.origin, second.origin)
    np.testing.assert_array_equal(first.size, second.size)
    assert first.meta == second.meta


@settings(max_examples=60, deadline=None)
@given(labels=grids(), colors=st.integers(1, 255))
def test_round_trip(labels, colors):
    """Labels, palette, place, size and how it was made survive, empty layers and unused colours too."""
    voxels = voxels_of(labels, colors)
    same(from_vox(to_vox(voxels)), voxels)


@settings(max_examples=8, deadline=None)
@given(
    shape=st.tuples(st.integers(250, 300), st.integers(1, 40), st.integers(1, 20)),
    turn=st.permutations(range(3)),
    seed=st.integers(0, 99),
)
def test_long_grids_round_trip(shape, turn, seed):
    """Over 256 a side is several models, and comes back as one grid."""
    rng = np.random.default_rng(seed)
    labels = (rng.integers(1, 9, shape) * (rng.random(shape) < 0.02)).astype(np.uint8).transpose(turn)
    voxels = voxels_of(labels, 8)
    data = to_vox(voxels)
    same(from_vox(data), voxels)
    sizes = [struct.unpack("<3i", content) for kind, content in chunks(data) if kind == b"SIZE"]
    assert all(max(size) <= 256 for size in sizes)


def test_models_lie_side_by_side():
    """Anchors are the models' size // 2 from their corners: 256 and 44 voxels, centred round 0, on the ground."""
    labels = np.zeros((300, 4, 5), np.uint8)
    labels[[0, 299], 0, 0] = 1
    moved = [
        content.rsplit(b"_t", 1)[1][4:]
        for kind, content in chunks(to_vox(voxels_of(labels)))
        if b"_t" in content[20:] and kind == b"nTRN" and b"_tessera" not in content
    ]
    assert moved == [b"-22 0 2", b"128 0 2"]


def test_chunks_are_in_order():
    """Models, then the scene, layers and the palette; colour 1 is the palette's first entry."""
    voxels = voxels_of(figure())
    found = chunks(to_vox(voxels))
    assert [kind for kind, _ in found] == [b"SIZE", b"XYZI", b"nTRN", b"nGRP", b"nTRN", b"nSHP", b"LAYR", b"RGBA"]
    content = dict(found)
    assert struct.unpack("<3i", content[b"SIZE"]) == (5, 4, 7)
    assert struct.unpack_from("<i", content[b"XYZI"]) == (np.count_nonzero(figure()),)
    cells = np.frombuffer(content[b"XYZI"][4:], np.uint8).reshape(-1, 4)
    assert [1, 0, 4, 3] in cells.tolist()
    palette = np.frombuffer(content[b"RGBA"], np.uint8).reshape(256, 4)
    np.testing.assert_array_equal(palette[:4, :3], voxels.palette)
    assert (palette[:4, 3] == 255).all()


def test_files_of_others_without_a_scene():
    """The first model; the palette up to the last colour that is used."""
    size = b"SIZE" + struct.pack("<5i", 12, 0, 2, 3, 4)
    cells = b"XYZI" + struct.pack("<3i", 12, 0, 2) + bytes([1, 2, 3, 5, 0, 0, 0, 2])
    colors = b"RGBA" + struct.pack("<2i", 1024, 0) + bytes(range(256)) * 4
    content = size + cells + colors
    voxels = from_vox(b"VOX " + struct.pack("<i", 150) + b"MAIN" + struct.pack("<2i", 0, len(content)) + content)
    assert voxels.labels.shape == (2, 3, 4)
    assert (voxels.labels[1, 2, 3], voxels.labels[0, 0, 0]) == (5, 2)
    assert voxels.palette.tolist() == [[0, 1, 2], [4, 5, 6], [8, 9, 10], [12, 13, 14], [16, 17, 18]]
    assert voxels.meta == {}


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damage_is_told(data):
    """Cut or changed bytes give voxels or a clear error, never another exception."""
    whole = bytearray(to_vox(voxels_of(figure())))
    del whole[-data.draw(st.integers(1, 1024)) :]
    for _ in range(data.draw(st.integers(0, 6))):
        # Not the palette, where any byte is right.
        whole[data.draw(st.integers(8, min(700, len(whole) - 1)))] = data.draw(st.integers(0, 255))
    with pytest.raises(InvalidInput) as caught:
        from_vox(bytes(whole))
    assert caught.value.failure.code in ("unreadable-input", "unusable-input")


@pytest.mark.parametrize("data", [b"", b"VOX ", b"\x89PNG\r\n", b"VOX \x96\0\0\0MAIN"])
def test_other_files_are_refused(data):
    """With the kind of file that was asked for."""
    with pytest.raises(InvalidInput, match=r"\.vox"):
        from_vox(data)
