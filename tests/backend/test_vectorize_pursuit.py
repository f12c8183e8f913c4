"""Shapes are chosen one after another, and traded; what comes out is drawn right."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from tessera_backend.progress import SILENT
from tessera_backend.vectorize import metrics, vectorize
from tessera_backend.vectorize.canvas import Canvas
from tessera_backend.vectorize.curves.area import top
from tessera_backend.vectorize.curves.outlines import backdrop, completed, outlined
from tessera_backend.vectorize.pursuit.parts import Criterion, Parts
from tessera_backend.vectorize.pursuit.pursue import disjoint, pursue
from tessera_backend.vectorize.pursuit.swaps import Trader
from tessera_backend.vectorize.pursuit.telling import tell
from tessera_backend.vectorize.shapes import Shapes
from tessera_backend.vectorize.svg import to_svg
from tessera_backend.vectorize.working import Working
from tessera_protocol.jobs import VectorizeParams

SIDE = 64


def disk(x: float, y: float, radius: float) -> np.ndarray:
    """bool (SIDE, SIDE)."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    return np.hypot(columns - x, rows - y) < radius


def circle(x: float, y: float, radius: float) -> np.ndarray:
    """Control points (12, 2)."""
    turn = np.arange(4) * np.pi / 2
    knots, along = (np.stack([np.cos(turn + more), np.sin(turn + more)], 1) for more in (0, np.pi / 2))
    handle = 0.5523 * along
    after, before = np.roll(knots, -1, 0), np.roll(handle, -1, 0)
    return np.stack([knots, knots + handle, after - before], 1).reshape(-1, 2) * radius + [x, y]


def cells() -> np.ndarray:
    """Six colours behind one black grid, float32 (SIDE, SIDE, 3): as in comics, and stained glass."""
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    colors = np.random.default_rng(3).uniform(0.4, 1.0, (6, 3))
    for i, color in enumerate(colors):
        top, left = 4 + 30 * (i % 2), 4 + 20 * (i // 2)
        image[top : top + 26, left : left + 16] = color
    return image


def canvas_of(image: np.ndarray) -> Canvas:
    return Canvas.of(Working(image.astype(np.float32), None, (image.shape[1], image.shape[0])))


def chosen(canvas: Canvas, count: int, levels: int = 3):
    parts = [Parts.grown(canvas, Criterion(), False, 8, SILENT)]
    options = {"tolerance": 0.5, "level_count": levels, "gradients": False, "progress": SILENT}
    return pursue(canvas, parts, count, **options), parts


def test_as_few_shapes_as_there_are_parts() -> None:
    """Lines around everything are one shape, not one for each gap: seven shapes draw six cells and their grid."""
    canvas = canvas_of(cells())
    shapes, _ = chosen(canvas, 7)
    assert len(shapes) == 7
    canvas.descend(shapes, 60)
    assert canvas.error(shapes) < 1e-4


def test_no_more_shapes_than_parts() -> None:
    """Where nothing is left to draw, fewer come out than are allowed."""
    shapes, _ = chosen(canvas_of(cells()), 40)
    assert 7 <= len(shapes) <= 10


def test_levels_grow() -> None:
    """The backdrop is alone in the coarsest level, and the others are a geometric series."""
    image = np.random.default_rng(0).random((SIDE, SIDE, 3)).astype(np.float32)
    shapes, _ = chosen(canvas_of(image), 27)
    assert (np.diff(shapes.level) >= 0).all()
    np.testing.assert_array_equal(np.bincount(shapes.level), [1, 5, 21])


def eye() -> np.ndarray:
    """A blue head with a white eye in it, its black rim and pupil, on white."""
    image = np.ones((SIDE, SIDE, 3), np.float32)
    for where, color in (
        (disk(32, 32, 26), (0.3, 0.5, 0.9)),
        (disk(32, 32, 12), (0.0, 0.0, 0.0)),
        (disk(32, 32, 10), (1.0, 1.0, 1.0)),
        (disk(32, 32, 4), (0.0, 0.0, 0.0)),
    ):
        image[where] = color
    return image


def test_the_ground_is_the_backdrop() -> None:
    """White shows along the sides: so the backdrop is white, alone in its layer, and the white eye has a shape of its
    own, for one that is moved must not have holes."""
    drawing = vectorize((eye() * 255).astype(np.uint8), VectorizeParams(paths=8, engine="fast"))
    backdrop, *others = drawing.paths
    assert [path.label for path in drawing.paths if path.level == 0] == ["backdrop"]
    np.testing.assert_allclose(backdrop.fill, 1, atol=0.02)
    covered = top(dataclasses.replace(drawing, paths=tuple(others))) >= 0
    assert covered[disk(32, 32, 24)].all()
    assert not covered[~disk(32, 32, 28)].any()


def test_fills_tell_what_finer_levels_hide() -> None:
    """A shape that another one all but covers has the colours of the picture, not those of a sliver."""
    image = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    image[disk(32, 32, 20)] = (0.9, 0.2, 0.1)
    canvas = canvas_of(image)
    rings = [[circle(32, 32, 20.02)], [circle(32, 32, 20)]]
    shapes = Shapes.of([[backdrop(SIDE, SIDE)], *rings], np.array([0, 1, 2]), np.array([True, False, False]))
    canvas.fill(shapes, False)
    shapes.paint.colors[1, :, :3] = (0.1, 0.9, 0.1)
    before = canvas.error(shapes)
    tell(canvas, shapes, False, SILENT)
    np.testing.assert_allclose(shapes.paint.colors[1, :, :3], image[32, 32][None].repeat(2, 0), atol=0.02)
    assert canvas.error(shapes) < 1.1 * before


def test_offers_don_t_overlap() -> None:
    """The best parts of a tree that are disjoint, the best one first; each gain is the error that it takes away."""
    image = cells()
    canvas = canvas_of(image)
    parts = [Parts.grown(canvas, model, False, 8, SILENT) for model in (Criterion(), Criterion("constant"))]
    error = ((image - image.mean((0, 1))) ** 2).sum(2)
    offers = disjoint(parts, error, 5)
    masks = np.array([offer.mask for offer in offers])
    assert masks.sum(0).max() == 1
    gains = [offer.gain for offer in offers]
    assert gains == sorted(gains, reverse=True)
    for offer in offers:
        own = image[offer.mask] - image[offer.mask].mean(0)
        assert offer.gain == pytest.approx(error[offer.mask].sum() - (own**2).sum(), abs=1e-3)


def test_long_outlines_are_dear() -> None:
    """Of a line and a square that are as wrong, the line goes first; not where outlines have a price."""
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    image[40:47, 10:17] = 0.5
    image[10:12, 5:35] = 0.5
    canvas = canvas_of(image)
    error = (image**2).sum(2)

    def first(price: float) -> int:
        offers = disjoint([Parts.grown(canvas, Criterion(price=price), False, 8, SILENT)], error, 2)
        assert offers[0].gain == pytest.approx(
            0.75 * offers[0].mask.sum() - price * perimeter(offers[0].mask), abs=1e-3
        )
        return int(offers[0].mask.sum())

    assert first(0.0) == 60
    assert first(0.3) == 49


def perimeter(mask: np.ndarray) -> int:
    return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())


def test_a_new_shape_goes_below_what_is_drawn_well() -> None:
    """A disk with dots on it, which are drawn already: the disk is put below them, and they are still there."""
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    image[disk(32, 32, 24)] = (0.9, 0.5, 0.2)
    dots = [disk(22 + 20 * i, 24 + 16 * j, 6) for i in range(2) for j in range(2)]
    colors = np.random.default_rng(1).uniform(0, 1, (4, 3))
    for dot, color in zip(dots, colors, strict=True):
        image[dot] = color
    canvas = canvas_of(image)
    outlines = [[backdrop(SIDE, SIDE)], *(outlined(dot, 0.5) for dot in dots)]
    shapes = Shapes.of(outlines, np.array([0, 1, 1, 1, 1]), np.arange(5) < 1)
    canvas.fill(shapes, False)
    shapes.paint.colors[0] = (0, 0, 0, 1)
    trader = Trader(canvas, 6, 0.5, False, 2, (0.5, 0.25))
    parts = [Parts.grown(canvas, Criterion("constant", price=0.02), False, 8, SILENT)]
    offers = trader.offers(shapes, parts, 1)
    more = trader.joined(shapes, offers)
    assert [int(size) for size in more.level] == [0, 0, 1, 1, 1, 1]
    assert canvas.error(more) < 0.05 * canvas.error(shapes)


def test_twins_don_t_leave_together() -> None:
    """Of two shapes, one on the other, neither is worth anything; but only one of them may go."""
    canvas = canvas_of(cells())
    shapes, _ = chosen(canvas, 7)
    canvas.descend(shapes, 40)
    before = canvas.error(shapes)
    trader = Trader(canvas, 7, 0.5, False, 2)
    kept = trader.pruned(shapes.joined(shapes.taken(np.arange(1, 7))), 7)
    assert len(kept) == 7
    assert canvas.error(kept) < 1.2 * before
    assert len(trader.pruned(kept.joined(kept.taken(np.array([6]))), 9)) == 7  # one that nobody would miss


def test_what_was_tried_is_not_tried_again() -> None:
    """A part that is left out is offered no more, nor nearly the same one; another one is, that takes away less."""
    canvas = canvas_of(cells())
    parts = Parts.grown(canvas, Criterion("constant"), False, 8, SILENT)
    error = ((canvas.image - canvas.image.mean((0, 1))) ** 2).sum(2)
    first = disjoint([parts], error, 1)[0]
    again = disjoint([parts.without([first.mask])], error, 1)[0]
    shared = (again.mask & first.mask).sum() / (again.mask | first.mask).sum()
    assert shared < 0.6
    assert 0 < again.gain < first.gain


def test_trading_keeps_the_budget_and_helps() -> None:
    """From a beginning with far too few and useless shapes to one that draws the picture; never more than allowed."""
    canvas = canvas_of(cells())
    shapes, parts = chosen(canvas, 3)
    before = canvas.error(shapes)
    trader = Trader(canvas, 7, 0.5, False, 2)
    traded, error = trader.rounds(trader.begun(shapes, SILENT), parts, 8, SILENT)
    assert len(traded) <= 7
    assert error == pytest.approx(canvas.error(traded), rel=1e-3)
    assert error < 0.05 * before


def test_whole_behind_what_covers_it() -> None:
    """A disk with another one on it is a disk; where the picture shows through, its hole stays."""
    ring = disk(32, 32, 25) & ~disk(32, 32, 10)
    np.testing.assert_array_equal(completed(ring, disk(32, 32, 10)), disk(32, 32, 25))
    np.testing.assert_array_equal(completed(ring, np.zeros_like(ring)), ring)


def test_hidden_edges_stay_away_from_silhouettes() -> None:
    """Beneath a rim that lies on it, a disk ends before that does, but not where there is nothing else."""
    rim = disk(32, 32, 25) & ~disk(32, 32, 20)
    for mask in (disk(32, 32, 25), disk(32, 32, 20)):
        whole = completed(mask, rim)
        assert whole[disk(32, 32, 21)].all()
        assert not (whole & binary_dilation(~disk(32, 32, 25))).any()
    np.testing.assert_array_equal(completed(disk(32, 32, 25), ~disk(32, 32, 20))[disk(32, 32, 25)], True)


@pytest.mark.parametrize("preset", ["layered", "faithful"])
def test_no_seams(preset: str) -> None:
    """Four times as large over magenta, nothing of it shines through between shapes."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    image = np.stack([rows, columns, disk(30, 30, 18) * 0.8], 2)
    image[disk(40, 40, 8)] = 0.1
    drawing = vectorize(image, VectorizeParams(paths=12, preset=preset, engine="fast"))
    assert metrics.seams(to_svg(drawing), 4) == 0


def test_a_level_less_is_still_a_picture() -> None:
    """Without its finest level a drawing is nearer to the picture than without any but the coarsest."""
    image = cells()
    drawing = vectorize(image, VectorizeParams(paths=7, levels=3, engine="fast"))

    def error(levels: set[int]) -> float:
        import dataclasses

        some = dataclasses.replace(drawing, paths=tuple(path for path in drawing.paths if path.level in levels))
        return metrics.mse(metrics.rendered(to_svg(some)), image)

    assert error({0, 1, 2}) < error({0, 1}) < error({0})
