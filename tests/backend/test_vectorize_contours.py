"""Outlines: as large as their masks, round the right way, beyond the canvas at its border, and never lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from tessera_backend.vectorize.curves.contours import area, outline, outlines


def disc(radius: float, x: float = 50, y: float = 40, size: tuple[int, int] = (80, 100)) -> np.ndarray:
    """Pixels whose centres are in a circle, bool of `size`."""
    yy, xx = np.mgrid[: size[0], : size[1]] + 0.5
    return (xx - x) ** 2 + (yy - y) ** 2 <= radius**2


@pytest.mark.parametrize("radius", [1.5, 2, 4, 10, 30])
def test_disc(radius: float) -> None:
    """The outline of a disc is the circle, to within a pixel, and has its area."""
    mask = disc(radius)
    ring = outline(mask)
    assert ring is not None
    assert area(ring) == pytest.approx(mask.sum(), rel=0.02 + 0.3 / radius)
    assert np.abs(np.hypot(*(ring - [50, 40]).T) - radius).max() < 0.8


def test_holes() -> None:
    """Holes are rings the other way round, inside; asked for the outline alone, they are not there."""
    mask = disc(30) & ~disc(8) & ~disc(4, 65, 40)
    rings = outlines(mask)
    assert len(rings) == 3
    assert area(rings[0]) > 0 > max(area(ring) for ring in rings[1:])
    assert sum(area(ring) for ring in rings) == pytest.approx(mask.sum(), rel=0.02)
    assert len(outlines(mask, holes=False)) == 1


def test_largest_piece() -> None:
    """Of two pieces the larger one, and none of what is inside another one's hole."""
    ring = outline(disc(5, 20, 20) | disc(12, 60, 40))
    assert ring is not None
    assert ring.mean(0) == pytest.approx([60, 40], abs=0.5)
    assert len(outlines(disc(30) & ~disc(20) | disc(10))) == 2


def test_beyond_the_canvas() -> None:
    """Where a mask reaches the border its outline lies well outside, and only there."""
    mask = np.zeros((30, 40), bool)
    mask[:, :20] = True
    ring = outline(mask)
    assert ring is not None
    assert ring[:, 0].min() < -3
    assert ring[:, 1].min() < -3
    assert ring[:, 1].max() > 33
    assert ring[:, 0].max() == pytest.approx(20, abs=0.05)
    inside = ring[(ring[:, 1] > 1) & (ring[:, 1] < 29) & (ring[:, 0] > 0)]
    assert np.abs(inside[:, 0] - 20).max() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (30, 1), (2, 2), (1, 40)])
@pytest.mark.parametrize("at", [(0, 0), (10, 10)])
def test_thin_shapes_stay(shape: tuple[int, int], at: tuple[int, int]) -> None:
    """Lines of one pixel's width and single pixels have an outline, around their middle."""
    mask = np.zeros((42, 52), bool)
    mask[at[0] : at[0] + shape[0], at[1] : at[1] + shape[1]] = True
    ring = outline(mask)
    assert ring is not None
    assert area(ring) > 0.45 * mask.sum()
    middle = np.array([at[1] + shape[1] / 2, at[0] + shape[0] / 2])
    assert (ring.min(0) < middle).all()
    assert (ring.max(0) > middle).all()


def test_a_thin_bridge_holds() -> None:
    """Two halves joined by a line of one pixel's width are one outline."""
    mask = disc(10, 15, 40) | disc(10, 80, 40)
    mask[40, 15:80] = True
    ring = outline(mask)
    assert ring is not None
    assert area(ring) == pytest.approx(mask.sum(), rel=0.05)


def test_nothing() -> None:
    """An empty mask has no outline."""
    assert outline(np.zeros((5, 5), bool)) is None
    assert outlines(np.zeros((1, 1), bool)) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 14), st.integers(1, 14))
def test_any_mask(seed: int, height: int, width: int) -> None:
    """Every mask with a pixel has a ring that runs clockwise; filled it is near to the mask, apart from thin parts."""
    mask = np.random.default_rng(seed).random((height, width)) < 0.6
    mask[height // 2, width // 2] = True
    rings = outlines(mask)
    assert area(rings[0]) > 0
    assert all(area(ring) < 0 for ring in rings[1:])
    assert all((ring[0] != ring[-1]).any() for ring in rings)


def test_shift() -> None:
    """A mask that is moved has an outline that is moved."""
    a, b = outline(disc(9, 30, 30)), outline(disc(9, 47, 38))
    assert a is not None
    assert b is not None
    assert a + np.array([17, 8]) == pytest.approx(b)


def test_back_to_pixels() -> None:
    """Filled, the outline gives the mask again, but for pixels at the rim."""
    mask = disc(22) & ~disc(12, 70, 40)
    ring = outline(mask)
    assert ring is not None
    again = polygon2mask(mask.shape, ring[:, ::-1] - 0.5)
    assert (again != mask).sum() < 0.02 * mask.sum()
