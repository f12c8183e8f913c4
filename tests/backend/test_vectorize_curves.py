"""Curves: near to their outlines, few, with corners where these have some, and the same wherever and however large."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from tessera_backend.vectorize.curves.contours import area, outline
from tessera_backend.vectorize.curves.fit import fit_closed, simplify


def flat(curve: np.ndarray, steps: int = 400) -> np.ndarray:
    """Points on closed cubics (3 m, 2)."""
    t = np.arange(steps)[:, None, None] / steps
    ends = np.roll(curve[::3], -1, 0)
    s = 1 - t
    points = s**3 * curve[::3] + 3 * s * s * t * curve[1::3] + 3 * s * t * t * curve[2::3] + t**3 * ends
    return points.transpose(1, 0, 2).reshape(-1, 2)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Hausdorff distance of two densely sampled lines."""
    return float(max(cKDTree(a).query(b)[0].max(), cKDTree(b).query(a)[0].max()))


def dense(points: np.ndarray, step: float = 0.1) -> np.ndarray:
    """A closed polyline, sampled every `step` px."""
    ahead = np.roll(points, -1, 0)
    return np.concatenate(
        [
            a + (b - a) * np.arange(0, 1, min(1, step / max(np.hypot(*(b - a)), step)))[:, None]
            for a, b in zip(points, ahead, strict=True)
        ]
    )


def polygon(corners: list[tuple[float, float]], step: float = 0.8) -> np.ndarray:
    """A polygon as an outline with samples about as dense as tracing makes them."""
    return dense(np.array(corners, float), step)


def blob(seed: int, size: int = 60) -> np.ndarray:
    """The outline of a random smooth mask."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = 1 + sum(rng.normal(0, 0.35 / k) * np.cos(k * angle + rng.uniform(0, 7)) for k in range(2, 6))
    radius = np.clip(radius, 0.15, None) * size / 6
    yy, xx = np.mgrid[:size, :size] + 0.5 - size / 2
    mask = np.hypot(xx, yy) < np.interp(np.arctan2(yy, xx) % (2 * np.pi), angle, radius)
    ring = outline(mask)
    assert ring is not None
    return ring


@pytest.mark.parametrize("radius", [3, 10, 100])
def test_circle(radius: float) -> None:
    """A circle is at most eight cubics, all smooth."""
    angle = np.linspace(0, 2 * np.pi, max(24, int(8 * radius)), endpoint=False)
    circle = 200 + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    curve = fit_closed(circle, 0.5)
    assert 2 <= len(curve) // 3 <= 8
    assert np.abs(np.hypot(*(flat(curve) - 200).T) - radius).max() < 0.5
    for before, knot, after in zip(np.roll(curve, 1, 0)[::3], curve[::3], curve[1::3], strict=True):
        a, b = knot - before, after - knot
        assert np.dot(a, b) > 0.999 * np.hypot(*a) * np.hypot(*b)


@pytest.mark.parametrize(
    "corners",
    [
        [(10, 10), (60, 10), (60, 40), (10, 40)],
        [(10, 10), (60, 20), (25, 50)],
        [(10, 10), (50, 10), (50, 50), (40, 50), (40, 20), (10, 20)],
        [(50, 5), (61, 38), (95, 38), (68, 58), (78, 90), (50, 71), (22, 90), (32, 58), (5, 38), (39, 38)],
    ],
    ids=["rectangle", "triangle", "L", "star"],
)
def test_polygon_corners(corners: list[tuple[float, float]]) -> None:
    """Each corner of a polygon is a knot, there are no others, and sides stay straight."""
    curve = fit_closed(polygon(corners), 0.5)
    assert len(curve) == 3 * len(corners)
    assert cKDTree(curve[::3]).query(np.array(corners))[0].max() < 0.05
    assert apart(flat(curve), dense(np.array(corners, float))) < 0.1


def test_traced_corners_are_sharp_again() -> None:
    """The corners that tracing a rectangle's mask rounds off come back to within half a pixel."""
    mask = np.zeros((60, 80), bool)
    mask[10:40, 15:65] = True
    ring = outline(mask)
    assert ring is not None
    corners = np.array([(15, 10), (65, 10), (65, 40), (15, 40)])
    curve = fit_closed(ring, 0.5)
    assert len(curve) == 12
    assert cKDTree(curve[::3]).query(corners)[0].max() < 0.5 < cKDTree(ring).query(corners)[0].max()


@settings(max_examples=40, deadline=None)
@given(st.floats(10.0, 24.0), st.floats(0.0, 1.6), st.floats(0.0, 1.0))
def test_traced_squares_have_corners(side: float, angle: float, shift: float) -> None:
    """A square of ten pixels and more has its four corners among the knots, however it is turned."""
    yy, xx = np.mgrid[:48, :48] + 0.5 - 24 - shift
    cosine, sine = np.cos(angle), np.sin(angle)
    ring = outline(np.maximum(np.abs(xx * cosine + yy * sine), np.abs(yy * cosine - xx * sine)) < side / 2)
    assert ring is not None
    corners = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) @ [[cosine, sine], [-sine, cosine]] * side / 2 + 24 + shift
    assert cKDTree(fit_closed(ring, 0.5)[::3]).query(corners)[0].max() < 1.5


@settings(max_examples=40, deadline=None)
@given(st.floats(2.5, 9.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@example(4.5, 0.5, 0.875)
def test_traced_dots_are_round(radius: float, x: float, y: float) -> None:
    """Dots of a few pixels have no corners, for all that pixels are square: two to six cubics, smooth ones."""
    yy, xx = np.mgrid[:24, :24] + 0.5
    ring = outline((xx - 12 - x) ** 2 + (yy - 12 - y) ** 2 < radius**2)
    assert ring is not None
    curve = fit_closed(ring, 0.5)
    assert 2 <= len(curve) // 3 <= 6
    before, after = curve[::3] - np.roll(curve, 1, 0)[::3], curve[1::3] - curve[::3]
    assert ((before * after).sum(1) > 0.99 * np.hypot(*before.T) * np.hypot(*after.T)).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 1.0, 2.0]))
def test_near_to_the_outline(seed: int, tolerance: float) -> None:
    """The curve is within one and a half tolerances of its outline, runs the same way round, and does not loop."""
    ring = blob(seed)
    curve = fit_closed(ring, tolerance)
    assert apart(flat(curve), dense(ring)) < 1.5 * tolerance
    assert area(flat(curve)) == pytest.approx(area(ring), rel=0.1, abs=len(ring) * tolerance / 2)
    chords = np.hypot(*(np.roll(curve[::3], -1, 0) - curve[::3]).T)
    assert (np.hypot(*(curve[1::3] - curve[::3]).T) <= 0.76 * chords).all()
    assert (np.hypot(*(curve[2::3] - np.roll(curve[::3], -1, 0)).T) <= 0.76 * chords).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.25, 4.0]), st.integers(-500, 500))
def test_anywhere_and_at_any_scale(seed: int, scale: float, shift: int) -> None:
    """An outline that is scaled, with its tolerance, has the curve scaled; one that is moved, the curve moved."""
    ring = blob(seed)
    curve = fit_closed(ring, 0.5)
    assert fit_closed(ring * scale, 0.5 * scale) == pytest.approx(curve * scale)
    # Rounding may settle a tie between two places for a knot otherwise.
    assert apart(flat(fit_closed(ring + shift, 0.5)), flat(curve) + shift) < 1.0


def test_other_way_round() -> None:
    """An outline that runs counterclockwise has a curve that does, as near."""
    ring = blob(7)
    curve = fit_closed(ring[::-1], 0.5)
    assert area(flat(curve)) < 0
    assert apart(flat(curve), dense(ring)) < 0.75


def test_larger_tolerance_needs_fewer() -> None:
    """The number of cubics falls with the tolerance."""
    counts = [len(fit_closed(blob(3), tolerance)) for tolerance in (0.1, 0.5, 2.0)]
    assert counts[0] > counts[1] >= counts[2]


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((1, 2)), np.ones((5, 2)), np.eye(2)])
def test_degenerate(points: np.ndarray) -> None:
    """What encloses nothing is no curve."""
    assert len(fit_closed(points, 0.5)) == 0


@pytest.mark.parametrize("count", [3, 4, 5, 8, 17])
def test_few_samples(count: int) -> None:
    """Outlines of few samples have finite curves, as near as others."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ring = 5 + 1.5 * np.stack([np.cos(angle), np.sin(angle)], 1)
    curve = fit_closed(ring, 0.5)
    assert np.isfinite(curve).all()
    assert len(curve) % 3 == 0
    assert apart(flat(curve), dense(ring)) < 0.8


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.2, 1.0, 5.0]))
def test_simplify(seed: int, tolerance: float) -> None:
    """Douglas-Peucker keeps some of the points, in order, and none that it leaves out is farther than the tolerance."""
    ring = blob(seed)
    kept = simplify(ring, tolerance)
    where = [int(np.flatnonzero((ring == point).all(1))[0]) for point in kept]
    assert len(kept) >= 3
    assert (np.diff(np.roll(where, -int(np.argmin(where)))) > 0).all()
    assert cKDTree(dense(kept, 0.02)).query(ring)[0].max() <= tolerance + 0.02


def test_simplify_keeps_an_area() -> None:
    """However large the tolerance, three points that do not lie on a line stay."""
    kept = simplify(polygon([(0, 0), (40, 0), (40, 3), (0, 3)]), 50)
    assert len(kept) == 3
    assert abs(area(kept)) > 10


def test_simplify_polygons() -> None:
    """A polygon with many samples becomes its corners."""
    corners = [(10, 10), (60, 10), (60, 40), (30, 25), (10, 40)]
    kept = simplify(polygon(corners), 0.01)
    assert sorted(map(tuple, kept.round(6).tolist())) == sorted(map(tuple, np.array(corners, float).tolist()))


def test_a_corner_between_samples_that_come_back_is_left_as_it_is() -> None:
    """Where an outline trembles on both sides of a corner, these have no direction to sharpen it by."""
    side = np.arange(15.0)
    x, y = np.concatenate([side, side * 0 + 15, 15 - side, side * 0]), np.roll(np.repeat([0.0, 0, 15, 0], 15), 0)
    y[15:30], y[45:] = side, 15 - side
    square = np.stack([x, y], 1)
    square[13], square[17] = square[11], square[19]
    assert (fit_closed(square, 0.5)[::3] == (15, 0)).all(1).any()
