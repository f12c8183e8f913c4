"""Plates: colours made of inks, and the dots of several inks placed together."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from tessera_backend.colour import lab
from tessera_backend.progress import SILENT
from tessera_backend.stipple import engines, inks, metrics, multiclass, plates, stipple
from tessera_protocol.errors import InvalidInput
from tessera_protocol.jobs import StippleParams

CMYK = StippleParams(plates="cmyk")


def meadow(side=128):
    """Smooth, many hues, none that inks can't reach."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    return np.dstack([0.25 + 0.6 * x, 0.3 + 0.5 * y, 0.65 - 0.4 * x * y])


def as_file(picture):
    return (picture * 255).round().astype(np.uint8)


def rng():
    return np.random.default_rng(0)


def inked(made, plate, raster):
    """Which points of a raster over the page, (height, width), the dots of a plate cover."""
    height, width = raster
    y, x = np.mgrid[0:height, 0:width] + 0.5
    points = np.column_stack([x.ravel() * made.page[0] / width, y.ravel() * made.page[1] / height])
    own = made.plates == plate
    if not own.any():
        return np.zeros(raster, bool)
    distance, _ = cKDTree(made.positions[own]).query(points)
    return (distance <= made.radii[own][0]).reshape(raster)


def drawn(made, raster):
    """The drawing as a printer makes it: inks multiply on white paper."""
    colors = plates.Model(tuple(inks.Ink(p["name"], p["color"]) for p in made.meta["plates"]), False, True).colors
    page = np.ones((*raster, 3))
    for p, color in enumerate(colors):
        page[inked(made, p, raster)] *= color
    return page


def block_means(values, blocks):
    height, width = values.shape[:2]
    return values.reshape(blocks, height // blocks, blocks, width // blocks, -1).mean(axis=(1, 3))


# -- separation


@pytest.mark.parametrize(
    "covers", [(0.1, 0.1, 0.1, 0.1), (0.5, 0.2, 0.0, 0.1), (0.3, 0.3, 0.3, 0.3), (0.9, 0.0, 0.7, 0.0)]
)
def test_the_model_looks_like_dots(covers):
    """What inks of known amounts are said to look like is what dots that were placed together look like."""
    densities = np.ones((4, 256, 256), np.float32) * np.float32(covers)[:, None, None]
    placed, facts = engines.place_plates(densities, StippleParams(dots=1500), rng(), SILENT)
    assert facts["plates_placed"] == "together"
    radius = np.sqrt(sum(covers) * 256 * 256 / (np.pi * 1500))
    model = plates.Model(inks.PROCESS, False, True)
    centres = np.stack(np.meshgrid(np.arange(0.25, 256, 0.5), np.arange(0.25, 256, 0.5)), axis=-1).reshape(-1, 2)
    page = np.ones((len(centres), 3))
    for plate, color in zip(placed, model.colors, strict=True):
        if len(plate.sites):
            page[cKDTree(plate.sites).query(centres)[0] <= radius] *= color
    np.testing.assert_allclose(model.look(np.array([covers]))[0], page.mean(axis=0), atol=0.025)


@pytest.mark.parametrize("black", [0.0, 0.5, 1.0])
def test_process_inks_make_the_colours(black):
    """Separated and put together again, colours are where they were: within 1 in Lab on average."""
    picture = meadow(32)
    params = StippleParams(plates="cmyk", black=black)
    amounts = plates.separate(picture, inks.PROCESS, params, SILENT)
    assert amounts.dtype == np.float32
    assert amounts.min() >= 0
    assert amounts.max() <= plates.MOST + 1e-6
    looks = plates.Model(inks.PROCESS, False, True).look(amounts.reshape(4, -1).T)
    assert np.linalg.norm(lab(looks) - lab(picture.reshape(-1, 3)), axis=1).mean() < 1


def test_black_replaces_the_common_grey():
    """More of it, and less of the three others; nothing of it in the lights."""
    greys = np.repeat(np.linspace(0.05, 0.95, 10)[None, :, None], 3, axis=2)
    little, much = (
        plates.separate(greys, inks.PROCESS, StippleParams(plates="cmyk", black=black), SILENT) for black in (0.2, 1.0)
    )
    assert (much[3, 0, :8] > 2 * little[3, 0, :8]).all()
    assert (much[:3].sum(axis=0) < little[:3].sum(axis=0)).all()
    assert much[3, 0, -1] < 0.03


def test_paper_stays_paper():
    """White asks for no ink of any kind; with inks for black paper, black does."""
    picture = np.stack([np.zeros((2, 2, 3)), np.ones((2, 2, 3))]).reshape(2, 4, 3)
    for params, paper in ((CMYK, 1), (StippleParams(plates="palette", invert=True), 0)):
        amounts = plates.separate(picture, inks.PROCESS, params, SILENT)
        assert (amounts[:, paper] == 0).all()
        assert (amounts[:, 1 - paper].sum(axis=0) > 0.5).all()


def test_inks_of_the_picture():
    """Red and blue halves give a red and a blue ink, each once, and together they make the picture."""
    picture = np.ones((40, 40, 3))
    picture[:20], picture[20:] = (0.8, 0.3, 0.25), (0.3, 0.35, 0.8)
    chosen = inks.several(picture, StippleParams(plates="palette", inks=2), rng())
    assert sorted(ink.name for ink in chosen) == ["Blue", "Red"]
    many = inks.several(picture, StippleParams(plates="palette", inks=16), rng())
    assert len(many) == len({ink.name for ink in many}) == len({ink.color for ink in many}) <= 16
    amounts = plates.separate(picture, chosen, StippleParams(plates="palette"), SILENT)
    looks = plates.Model(chosen, False, True).look(amounts.reshape(2, -1).T)
    assert np.linalg.norm(lab(looks) - lab(picture.reshape(-1, 3)), axis=1).mean() < 8


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ("#000000", "Black"),
        ("#ffffff", "White"),
        ("#808080", "Grey"),
        ("#e02020", "Red"),
        ("#0000ff", "Blue"),
        ("#102060", "Dark blue"),
        ("#ffee00", "Yellow"),
        ("#704214", "Brown"),
        ("#108020", "Green"),
    ],
)
def test_inks_have_the_names_people_use(color, name):
    """A layer is called as an artist would call its pen."""
    assert inks.named(color) == name


# -- placement


def test_every_plate_keeps_its_tone():
    """CMYK: in each of 8 x 8 blocks the dots' area is within 2 % of the paper of what the plate asks for."""
    picture = np.ascontiguousarray(np.kron(meadow(64), np.ones((8, 8, 1))))
    densities = plates.separate(picture, inks.PROCESS, CMYK, SILENT)
    dots = 8000
    placed, _ = engines.place_plates(densities, StippleParams(dots=dots), rng(), SILENT)
    radius = np.sqrt(densities.sum(dtype=np.float64) / (np.pi * dots))
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    disc = np.concatenate(
        [r * np.column_stack([np.cos(turns), np.sin(turns)]) for r in np.sqrt((np.arange(8) + 0.5) / 8)]
    )
    for plate, density in zip(placed, densities, strict=True):
        points = (plate.sites[:, None] + radius * disc).reshape(-1, 2)
        # What hangs over the page's edge is as good as inside: the asked tone ends there too.
        found = np.histogram2d(*np.clip(points, 0, 511.9).T[::-1], bins=8, range=((0, 512), (0, 512)))[0]
        cover = found / len(disc) * np.pi * radius**2 / 64**2
        np.testing.assert_allclose(cover, block_means(density, 8)[..., 0], atol=0.02)
        assert cover.mean() == pytest.approx(density.mean(), rel=0.02)


def test_colours_do_not_clump():
    """Placed together, all dots are spaced far better than placed apart, and each plate hardly worse by itself."""
    y, x = (np.mgrid[0:400, 0:400] + 0.5) / 400
    densities = np.stack([0.5 * x, 0.4 * (1 - x), 0.3 * y, 0.2 + 0 * x]).astype(np.float32)
    params = StippleParams(dots=3000)
    together, _ = engines.place_plates(densities, params, rng(), SILENT)
    apart, facts = engines.place_plates(densities, StippleParams(dots=3000, engine="gbn", iterations=10), rng(), SILENT)
    assert facts["plates_placed"] == "apart"
    alone = [
        [metrics.spatial_measure(plate.sites / 400, d, "mass") for plate, d in zip(placed, densities, strict=True)]
        for placed in (together, apart)
    ]
    union = [
        metrics.spatial_measure(np.concatenate([plate.sites for plate in placed]) / 400, densities.sum(axis=0), "mass")
        for placed in (together, apart)
    ]
    assert min(alone[0]) > 0.75
    assert union[0] > 0.7
    assert union[1] < 0.55


def test_shares_are_even_along_the_curve():
    """On every stretch of the curve each plate has its share of the sites, to within one or two."""
    densities = np.stack([np.full((64, 64), d, np.float32) for d in (0.6, 0.3, 0.1)])
    sites = np.random.default_rng(1).random((1000, 2)).astype(np.float32) * 63
    classes = multiclass.share_out(densities, sites)
    counts = np.cumsum(classes[:, None] == np.arange(3), axis=0)
    expected = np.arange(1, 1001)[:, None] * [0.6, 0.3, 0.1]
    assert np.abs(counts - expected).max() < 1.5


def test_the_drawing_has_the_pictures_colours():
    """The whole job, drawn and seen from afar: each of 8 x 8 blocks has its colour, within 3 in Lab on average."""
    picture = as_file(meadow())
    made = stipple(picture, StippleParams(dots=6000, plates="cmyk", page_width=100.0))
    page = drawn(made, (768, 768))
    error = np.linalg.norm(lab(block_means(page, 8)) - lab(block_means(meadow(), 8)), axis=2)
    assert error.mean() < 3
    assert error.max() < 10


@settings(max_examples=10, deadline=None)
@given(
    kind=st.sampled_from(["cmyk", "palette"]),
    engine=st.sampled_from(["tone", "wvs", "gbn"]),
    palette=st.sampled_from(["", "#204080 #e04020", "#000000"]),
    dots=st.integers(10, 200),
    marks=st.sampled_from(["circles", "line"]),
    minimum_gap=st.sampled_from([0.0, 2.0]),
    seed=st.integers(0, 10**6),
)
def test_laws_of_plates(kind, engine, palette, dots, marks, minimum_gap, seed):
    """Dots are sorted by plate, counted in the metadata, finite and on the page, for every picture."""
    draw = np.random.default_rng(seed)
    picture = draw.integers(0, 256, (*draw.integers(1, 12, 2), draw.integers(1, 5))).astype(np.uint8)
    picture[0, 0] = 40
    picture[0, 0, -1] = 255 if picture.shape[2] in (2, 4) else 40
    params = StippleParams(
        dots=dots, engine=engine, plates=kind, palette=palette, marks=marks, iterations=2, minimum_gap=minimum_gap
    )
    made = stipple(picture, params)
    listed = made.meta["plates"]
    assert made.plates.dtype == np.uint8
    assert (np.diff(made.plates.astype(int)) >= 0).all()
    assert np.bincount(made.plates, minlength=len(listed)).tolist() == [plate["dots"] for plate in listed]
    assert len(made.positions) == len(made.radii) == len(made.plates) <= dots
    assert minimum_gap or len(made.plates) == dots
    assert np.isfinite(made.positions).all()
    assert (made.positions >= 0).all()
    assert (made.positions <= made.page).all()
    assert json.loads(json.dumps(made.meta)) == made.meta
    if palette and kind == "palette":
        assert [plate["color"] for plate in listed] == palette.split()


@pytest.mark.parametrize("kind", ["cmyk", "palette"])
def test_seeds_repeat(kind):
    """The same seed gives the same dots of the same inks, bit for bit."""
    params = StippleParams(dots=300, plates=kind, seed=3, order="plotter", iterations=5)
    first, again = (stipple(as_file(meadow(32)), params) for _ in range(2))
    np.testing.assert_array_equal(first.positions, again.positions)
    np.testing.assert_array_equal(first.plates, again.plates)
    assert first.meta["plates"] == again.meta["plates"]


def test_one_ink_is_one_plate():
    """The greys have one plate, in the colour asked for."""
    made = stipple(as_file(meadow(32)), StippleParams(dots=50, color="#123456"))
    assert (made.plates == 0).all()
    assert made.meta["plates"] == [{"name": "Ink", "color": "#123456", "dots": 50}]


def test_light_inks_on_black_paper():
    """Inverted, the inks are light, and lie on the light parts."""
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = (250, 220, 40)
    made = stipple(picture, StippleParams(dots=200, plates="palette", invert=True, inks=3))
    assert (made.positions[:, 0] >= 99.9).all()
    assert made.meta["plates"][0]["name"] == "Yellow"


def test_gap_holds_between_plates():
    """No two dots of any inks come nearer than asked."""
    made = stipple(as_file(meadow(32)), StippleParams(dots=2000, plates="cmyk", minimum_gap=1.0, radius_max=1.5))
    nearest = cKDTree(made.positions).query(made.positions, 2)[0][:, 1]
    assert nearest.min() >= 4.0 - 1e-4
    assert made.meta["dots_left_out"]


def test_useless_inks_are_told():
    """Where no ink of the palette helps, the palette is named as the cause."""
    picture = np.full((20, 20, 3), 255, np.uint8)
    picture[5:15, 5:15] = (255, 0, 0)
    with pytest.raises(InvalidInput) as caught:
        stipple(picture, StippleParams(dots=50, plates="palette", palette="#00ff00"))
    assert caught.value.failure.field == "palette"


def test_inks_without_work_are_left_out():
    """Of many inks that the picture could have, those that would draw next to nothing are not worth a pen."""
    made = stipple(as_file(meadow(32)), StippleParams(dots=1000, plates="palette", inks=9, iterations=2))
    counts = [plate["dots"] for plate in made.meta["plates"]]
    assert 2 <= len(counts) <= 9
    assert min(counts) >= 5
