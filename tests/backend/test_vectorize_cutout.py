"""Cutting out: shapes side by side with one and the same border, no overlaps, no gaps, the same picture."""

import dataclasses
import io

import numpy as np
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from tessera_backend.vectorize import Drawing, Gradient, Path, metrics
from tessera_backend.vectorize.cutout import cut_out
from tessera_backend.vectorize.cutout.borders import Map
from tessera_backend.vectorize.cutout.pieces import pieces
from tessera_backend.vectorize.svg import parse, to_svg
from tests.backend.test_vectorize_svg import blobs, box

SCALE = 4


def stacked(seed, ground=True):
    """Opaque blobs on each other, on a ground that covers the picture."""
    drawing = blobs(seed, count=7)
    paths = []
    for path in drawing.paths:
        fill = path.fill
        if isinstance(fill, Gradient):
            fill = dataclasses.replace(fill, colors=np.column_stack([fill.colors[:, :3], np.ones(3)]))
        paths.append(dataclasses.replace(path, opacity=1.0, fill=fill))
    if ground:
        paths.insert(0, Path((box(-4, -4, 68, 68),), np.ones(3), label="ground"))
    return dataclasses.replace(drawing, paths=tuple(paths))


def coverage(drawing):
    """Of each path alone, summed: what lies on each other counts twice."""
    total = 0.0
    for path in drawing.paths:
        svg = to_svg(dataclasses.replace(drawing, paths=(path,))).decode()
        with Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=SCALE)))) as picture:
            total = total + np.asarray(picture.convert("RGBA"))[..., 3] / 255.0
    return total


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_no_overlaps_and_no_gaps(seed):
    """At four times the size every pixel is covered once, but for the rounding of anti-aliasing, 1/16 a shape."""
    total = coverage(cut_out(stacked(seed)))
    assert np.quantile(np.abs(total - 1), 0.999) < 0.13
    # Where three borders meet in one pixel a renderer's own rounding adds up.
    assert np.abs(total - 1).max() < 0.4


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_it_looks_the_same(seed):
    """But for hairlines that anti-aliasing makes of borders, and specks below the smallest size."""
    drawing = stacked(seed)
    before, after = (metrics.rendered(to_svg(d), SCALE) for d in (drawing, cut_out(drawing)))
    far = np.abs(before - after).max(2) > 0.3
    # No spot of another colour two pixels wide.
    assert ndimage.binary_opening(far, np.ones((2 * SCALE, 2 * SCALE))).sum() == 0
    assert metrics.mse(before, after) < 1e-3


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_neighbours_share_their_border(seed):
    """In the file, every curve but those at the picture's edge is there twice: once in each direction."""
    drawing = parse(to_svg(cut_out(stacked(seed))))
    curves = set()
    for path in drawing.paths:
        for contour in path.contours:
            for i in range(0, len(contour), 3):
                curves.add(tuple(map(tuple, np.round(contour[np.arange(i, i + 4) % len(contour)], 6).tolist())))
    alone = [curve for curve in curves if curve[::-1] not in curves]
    assert len(alone) < len(curves) / 2
    for curve in alone:
        (x0, y0), (x1, y1) = curve[0], curve[3]
        assert (x0 == x1 and x0 in (0, 64)) or (y0 == y1 and y0 in (0, 64))


def test_curves_are_those_of_the_drawing():
    """A disc on a square: it keeps its four cubics, the square gets them as a hole."""
    k = 10 * 0.5522847
    ring = np.array([[10, 0], [10, k], [k, 10], [0, 10], [-k, 10], [-10, k], [-10, 0], [-10, -k], [-k, -10], [0, -10]])
    disc = 32 + np.concatenate([ring, [[k, -10], [10, -k]]])
    paths = (Path((box(-4, -4, 68, 68),), np.ones(3)), Path((disc,), np.zeros(3)))
    square, cut = cut_out(Drawing(64, 64, paths, ("all",))).paths
    assert [len(contour) // 3 for contour in square.contours] == [4, 4]
    assert np.allclose(np.sort(cut.contours[0], 0), np.sort(disc, 0))


def test_equal_neighbours_become_one():
    """Two halves of one colour are one shape; pieces apart are paths of their own, with numbered labels."""
    black = np.zeros(3)
    paths = (
        Path((box(0, 0, 20, 20),), black, label="left"),
        Path((box(20, 0, 64, 20),), black, label="right"),
        Path((box(0, 30, 64, 40),), black, label="bar"),
        Path((box(30, 25, 35, 45),), np.ones(3), label="cut"),
    )
    done = cut_out(Drawing(64, 64, paths, ("all",)))
    assert [path.label for path in done.paths] == ["right", "bar", "bar, piece 2", "cut"]


def test_specks_go_to_their_neighbour():
    """A speck leaves no hole."""
    paths = (Path((box(0, 0, 64, 64),), np.ones(3)), Path((box(9, 9, 9.6, 9.6),), np.zeros(3), label="speck"))
    done = cut_out(Drawing(64, 64, paths, ("all",)))
    assert [(path.label, len(path.contours)) for path in done.paths] == [("", 1)]


def test_transparent_places_stay_open():
    """Nothing is drawn where nothing was."""
    drawing = stacked(4, ground=False)
    before = metrics.rendered(to_svg(drawing), SCALE, (1, 0, 1))
    after = metrics.rendered(to_svg(cut_out(drawing)), SCALE, (1, 0, 1))
    outside = (before == [1, 0, 1]).all(2)
    assert outside.any()
    assert np.mean(after[outside] == [1, 0, 1]) > 0.999


def test_translucent_paths_keep_their_look():
    """Half black on white becomes grey; over nothing it stays translucent."""
    ground, veil = Path((box(0, 0, 32, 64),), np.ones(3)), Path((box(8, 8, 24, 24),), np.zeros(3), 0.5)
    alone = Path((box(40, 8, 56, 24),), np.zeros(3), 0.5)
    done = cut_out(Drawing(64, 64, (ground, veil, alone), ("all",)))
    assert [path.opacity for path in done.paths] == [1.0, 1.0, 0.5]
    assert np.allclose(done.paths[1].fill, 0.5)


def test_empty():
    """No paths, and paths off the canvas: nothing."""
    assert cut_out(Drawing(8, 8, (), ("all",))).paths == ()
    assert cut_out(Drawing(8, 8, (Path((box(20, 20, 30, 30),), np.zeros(3)),), ("all",))).paths == ()


def test_borders_of_a_checkerboard():
    """Pieces that only touch at a corner stay apart, and both sides name a border alike."""
    regions = np.pad(np.array([[0, 1], [2, 3]], np.int32), 1, constant_values=-2)
    loops = Map(regions, regions).loops(0)
    assert [region for region, _ in loops] == [0, 1, 2, 3]
    keys = [chain.key for _, chains in loops for chain in chains]
    assert sorted(keys.count(key) for key in set(keys)) == [1] * 4 + [2] * 4


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_no_more_pieces_than_allowed(seed, most):
    """Still without overlaps and gaps; and what goes is not what matters."""
    drawing = stacked(seed)
    cut = cut_out(drawing, most=most)
    assert len(cut.paths) <= most
    assert np.quantile(np.abs(coverage(cut) - 1), 0.999) < 0.13
    whole = cut_out(drawing)
    if len(whole.paths) <= most:
        assert to_svg(cut) == to_svg(whole)


def test_islands_go_last():
    """Where nothing is drawn around shapes, the smallest of them are left out."""
    boxes = [box(0, 0, 20, 20), box(30, 0, 42, 12), box(30, 30, 60, 60)]
    drawing = Drawing(
        64, 64, tuple(Path((outline,), np.zeros(3), label=str(i)) for i, outline in enumerate(boxes)), ("",)
    )
    assert [path.label for path in cut_out(drawing, most=2).paths] == ["0", "2"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 4))
def test_pieces_of_any_map(seed, most, smallest):
    """Connected and as few as asked for; what shows nothing still does; no cell beside others is lost."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(-1, 4, (9, 11)).repeat(2, 0).repeat(2, 1).astype(np.int32)
    colors = rng.random((4, 3))
    numbers, now = pieces(kinds, colors, smallest, most)
    assert numbers.max() + 1 <= most
    assert ((numbers < 0) == (now < 0)).all()
    assert (now[kinds < 0] < 0).all() or smallest > 1
    for piece in range(numbers.max() + 1):
        assert ndimage.label(numbers == piece)[1] == 1
        assert len(np.unique(now[numbers == piece])) == 1
    if (kinds >= 0).all():
        assert (numbers >= 0).all()


def test_what_matters_least_goes_first():
    """Of three stripes within a ground, the one whose colour is nearest to it goes, though it is the largest."""
    kinds = np.zeros((20, 20), np.int32)
    kinds[2:10, 2:18], kinds[12:14, 2:9], kinds[16:18, 2:9] = 1, 2, 3
    colors = np.array([[0.5] * 3, [0.52] * 3, [1.0] * 3, [0.0] * 3])
    assert sorted(np.unique(pieces(kinds, colors, 1, 3)[1])) == [0, 2, 3]
