"""Closed polylines become closed cubic Bezier curves: sharp corners stay sharp, other joints are smooth.

Source: Schneider, An Algorithm for Automatically Fitting Digitized Curves, Graphics Gems (1990): least squares for the
two handles' lengths along fixed tangents, Newton steps for the parameters, and a cut where the error is largest.
"""

from __future__ import annotations

import numpy as np

from ...compiled import njit

# Samples on either side that a corner and a tangent are judged by.
_REACH = 4
# On small outlines a corner turns by that much more than a circle of as many samples does.
_DOT = 1.65
# Handles are at least and at most that long, as a share of their chord: no loops, no cusps.
_SHORT, _LONG = 0.02, 0.75
# Newton steps of the parameters.
_ROUNDS = 4


def simplify(outline: np.ndarray, tolerance: float) -> np.ndarray:
    """Douglas-Peucker on a closed polyline.

    Args:
        outline: float (n, 2), px, closed without repeating its first point.
        tolerance: px, how far a left-out point may be from the new line.
    Returns:
        float64 (m, 2), some of the points, in order; at least 3 where there are as many.
    Source: Douglas and Peucker, Cartographica 10(2), 1973.
    """
    points = np.ascontiguousarray(outline, np.float64)
    if len(points) < 4:
        return points
    # The two ends to begin with are about as far apart as points get.
    start = int(np.argmax(((points - points.mean(0)) ** 2).sum(1)))
    points = np.roll(points, -start, 0)
    middle = int(np.argmax(((points - points[0]) ** 2).sum(1)))
    kept = _peucker(np.concatenate([points, points[:1]]), middle, tolerance)[:-1]
    if kept.sum() < 3:
        (dx, dy), (x, y) = points[middle] - points[0], (points - points[0]).T
        kept[np.argmax(np.abs(x * dy - y * dx))] = True
    return points[kept]


def fit_closed(outline: np.ndarray, tolerance: float, *, corner: float = 55.0) -> np.ndarray:
    """Fit cubic Bezier segments to a closed polyline.

    Args:
        outline: float (n, 2), px, closed without repeating its first point, sampled about evenly.
        tolerance: px, how far samples may be from the curve.
        corner: degrees; where the outline turns by more within a few samples, the curve keeps a corner.
    Returns:
        float64 (3 m, 2): for each cubic its first knot and its two handles; the next one's knot ends it.
    """
    points = np.ascontiguousarray(outline, np.float64)
    points = points[(points != np.roll(points, 1, 0)).any(1)]
    if len(points) < 3:
        return np.zeros((0, 2))
    while len(points) <= 4 * _REACH:
        points = np.stack([points, 0.5 * (points + np.roll(points, -1, 0))], 1).reshape(-1, 2)
    sharp = _corners(points, np.radians(corner))
    start = int(np.argmax(sharp)) if sharp.any() else 0
    points, sharp = np.roll(points, -start, 0), np.roll(sharp, -start)
    joints = sharp.copy()
    joints[0] = True
    if joints.sum() < 2:  # a segment that ends where it begins has no chord
        joints[int(np.argmax(((points - points[0]) ** 2).sum(1)))] = True
    _sharpen(points, sharp, tolerance)
    return _fit(np.concatenate([points, points[:1]]), np.append(np.flatnonzero(joints), len(points)), sharp, tolerance)


@njit(cache=True)
def _peucker(points: np.ndarray, middle: int, tolerance: float) -> np.ndarray:
    """Which points of a line stay, the first, the last and the middle one among them."""
    kept = np.zeros(len(points), np.bool_)
    kept[0] = kept[middle] = kept[-1] = True
    spans = [(0, middle), (middle, len(points) - 1)]
    while spans:
        a, b = spans.pop()
        dx, dy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
        length = dx * dx + dy * dy
        far, at = tolerance * tolerance, -1
        for i in range(a + 1, b):
            x, y = points[i, 0] - points[a, 0], points[i, 1] - points[a, 1]
            t = min(max((x * dx + y * dy) / length, 0.0), 1.0) if length > 0.0 else 0.0
            off = (x - t * dx) ** 2 + (y - t * dy) ** 2
            if off > far:
                far, at = off, i
        if at >= 0:
            kept[at] = True
            spans.append((a, at))
            spans.append((at, b))
    return kept


@njit(cache=True)
def _corners(points: np.ndarray, least: float) -> np.ndarray:
    """Samples where a closed line turns most and by more than `least`, in radians: bool (n,)."""
    count = len(points)
    corners = np.zeros(count, np.bool_)
    turn = np.empty(count)
    least = max(least, _DOT * 2.0 * np.pi * _REACH / count)
    if least > 0.7 * np.pi:  # too few samples to tell a corner from a dot
        return corners
    for i in range(count):
        before, after = points[i - _REACH], points[(i + _REACH) % count]
        ux, uy = points[i, 0] - before[0], points[i, 1] - before[1]
        vx, vy = after[0] - points[i, 0], after[1] - points[i, 1]
        turn[i] = abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy))
    for i in range(count):
        corners[i] = turn[i] >= least
        for step in range(1, _REACH + 1):
            if turn[i - step] > turn[i] or turn[(i + step) % count] >= turn[i]:
                corners[i] = False
    return corners


@njit(cache=True)
def _sharpen(points: np.ndarray, sharp: np.ndarray, most: float) -> None:
    """Move corners, which tracing rounded, to where the lines on either side meet; by `most` px at most."""
    count = len(points)
    for i in range(count):
        if not sharp[i]:
            continue
        a, b = points[i - 2], points[i - _REACH]
        c, d = points[(i + 2) % count], points[(i + _REACH) % count]
        ux, uy, vx, vy = a[0] - b[0], a[1] - b[1], c[0] - d[0], c[1] - d[1]
        cross = ux * vy - uy * vx
        if abs(cross) <= 0.3 * np.sqrt((ux * ux + uy * uy) * (vx * vx + vy * vy)):
            continue
        t = ((c[0] - a[0]) * vy - (c[1] - a[1]) * vx) / cross
        dx, dy = a[0] + t * ux - points[i, 0], a[1] + t * uy - points[i, 1]
        share = min(1.0, most / max(np.sqrt(dx * dx + dy * dy), 1e-12))
        points[i, 0] += share * dx
        points[i, 1] += share * dy


@njit(cache=True)
def _fit(points: np.ndarray, joints: np.ndarray, sharp: np.ndarray, tolerance: float) -> np.ndarray:
    """Cubics along a closed line (n + 1, 2) whose last point is its first; joints are indices, the last one n."""
    count = len(points) - 1
    out = np.empty((3 * count + 3, 2))
    made = 0
    curve = np.empty((4, 2))
    for k in range(len(joints) - 1):
        begin, end = joints[k], joints[k + 1]
        spans = [
            (begin, end, _tangent(points, begin, begin, end, sharp, 1), _tangent(points, end, begin, end, sharp, -1))
        ]
        while spans:
            a, b, leave, arrive = spans.pop()
            error, worst = fit_cubic(points, a, b, leave, arrive, curve)
            if b - a < 3 or error <= tolerance * tolerance:
                out[made : made + 3] = curve[:3]
                made += 3
                continue
            cut = min(max(worst, a + 2), b - 2) if b - a >= 4 else a + (b - a) // 2
            reach = min(_REACH, cut - a, b - cut)
            on = unit(points[cut + reach, 0] - points[cut - reach, 0], points[cut + reach, 1] - points[cut - reach, 1])
            spans.append((cut, b, on, arrive))
            spans.append((a, cut, leave, (-on[0], -on[1])))
    return out[:made].copy()


@njit(cache=True)
def unit(x: float, y: float) -> tuple[float, float]:
    length = np.sqrt(x * x + y * y)
    if length < 1e-12:
        return 1.0, 0.0
    return x / length, y / length


@njit(cache=True)
def _tangent(points: np.ndarray, at: int, begin: int, end: int, sharp: np.ndarray, way: int) -> tuple[float, float]:
    """Which way the line leaves a joint (way 1) or, looking back, arrives at it (-1); smooth joints agree on it."""
    count = len(points) - 1
    if sharp[at % count]:
        other = min(at + _REACH, end) if way > 0 else max(at - _REACH, begin)
        return unit(points[other, 0] - points[at, 0], points[other, 1] - points[at, 1])
    ahead, back = points[(at + _REACH) % count], points[(at - _REACH) % count]
    return unit(way * (ahead[0] - back[0]), way * (ahead[1] - back[1]))


@njit(cache=True)
def fit_cubic(
    points: np.ndarray, a: int, b: int, leave: tuple[float, float], arrive: tuple[float, float], curve: np.ndarray
) -> tuple[float, int]:
    """Least-squares cubic from sample a to b with given end tangents: the largest squared error, and where."""
    count = b - a + 1
    at = np.zeros(count)
    for i in range(1, count):
        at[i] = at[i - 1] + np.hypot(points[a + i, 0] - points[a + i - 1, 0], points[a + i, 1] - points[a + i - 1, 1])
    at /= max(at[-1], 1e-12)
    curve[0], curve[3] = points[a], points[b]
    worst, error = a + count // 2, 0.0
    for _ in range(_ROUNDS):
        p, q = _lengths(points, a, at, leave, arrive)
        for k in range(2):
            curve[1, k] = curve[0, k] + p * leave[k]
            curve[2, k] = curve[3, k] + q * arrive[k]
        worst, error = a + count // 2, 0.0
        for i in range(1, count - 1):
            off = _newton(curve, points[a + i], at, i)
            if off > error:
                worst, error = a + i, off
    return error, worst


@njit(cache=True)
def _lengths(
    points: np.ndarray, a: int, at: np.ndarray, leave: tuple[float, float], arrive: tuple[float, float]
) -> tuple[float, float]:
    """Both handles' lengths of least squared error, within bounds."""
    first, last = points[a], points[a + len(at) - 1]
    chord = np.hypot(last[0] - first[0], last[1] - first[1])
    pp = pq = qq = px = qx = 0.0
    for i in range(1, len(at) - 1):
        t = at[i]
        s = 1.0 - t
        near, far = s * s * (s + 3.0 * t), t * t * (t + 3.0 * s)
        u, v = 3.0 * s * s * t, 3.0 * s * t * t
        rx = points[a + i, 0] - near * first[0] - far * last[0]
        ry = points[a + i, 1] - near * first[1] - far * last[1]
        pp += u * u
        qq += v * v
        pq += u * v * (leave[0] * arrive[0] + leave[1] * arrive[1])
        px += u * (leave[0] * rx + leave[1] * ry)
        qx += v * (arrive[0] * rx + arrive[1] * ry)
    low, high = _SHORT * chord, _LONG * chord
    det = pp * qq - pq * pq
    if det < 1e-9 * pp * qq or pp * qq == 0.0:
        return chord / 3.0, chord / 3.0
    p = (px * qq - qx * pq) / det
    q = (qx * pp - px * pq) / det
    if p < low or p > high:
        p = min(max(p, low), high)
        q = (qx - pq * p) / qq
    if q < low or q > high:
        q = min(max(q, low), high)
        p = min(max((px - pq * q) / pp, low), high)
    return p, q


@njit(cache=True)
def _newton(curve: np.ndarray, point: np.ndarray, at: np.ndarray, i: int) -> float:
    """Squared distance of a sample from the curve at its parameter, which then moves to where that is smaller."""
    t = at[i]
    s = 1.0 - t
    off = along = bend = 0.0
    for k in range(2):
        c0, c1, c2, c3 = curve[0, k], curve[1, k], curve[2, k], curve[3, k]
        d = s * s * s * c0 + 3.0 * s * s * t * c1 + 3.0 * s * t * t * c2 + t * t * t * c3 - point[k]
        d1 = 3.0 * (s * s * (c1 - c0) + 2.0 * s * t * (c2 - c1) + t * t * (c3 - c2))
        d2 = 6.0 * (s * (c2 - 2.0 * c1 + c0) + t * (c3 - 2.0 * c2 + c1))
        off += d * d
        along += d * d1
        bend += d1 * d1 + d * d2
    if abs(bend) > 1e-12:
        at[i] = min(max(t - along / bend, 0.0), 1.0)
    return off
