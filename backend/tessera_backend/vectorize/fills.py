"""Colours of paths: flat, or the linear or radial gradient that is nearest to the pixels a path shows."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..vector_raster import LINEAR, RADIAL, SOLID, Paint

# A gradient has to take away this share of what a simpler fill leaves over, and more than rounding to 8 bit does.
_WORTH, _ROUNDING = 0.1, (1.0 / 255) ** 2
# Pixels that a path must show before a gradient can be told from noise.
_FEWEST = 24
# A stop of less alpha has no colour to speak of.
_CLEAR = 0.02
# A centre further away than this many radii makes a gradient that is as good as linear.
_FARTHEST = 3.0


@dataclasses.dataclass(frozen=True)
class _Seen:
    """Pixels that paths show.

    Attributes:
        count: P, how many paths there are.
        path: int (N,), whose pixel it is.
        at: float64 (2, N), x and y of its centre, px.
        colors: float64 (C, N).
    """

    count: int
    path: np.ndarray
    at: np.ndarray
    colors: np.ndarray

    def sums(self, values: np.ndarray | None = None) -> np.ndarray:
        """Sums over each path's pixels: (..., P) of values (..., N); their number without values."""
        if values is None:
            return np.bincount(self.path, minlength=self.count).astype(np.float64)
        if values.ndim == 1:
            return np.bincount(self.path, values, self.count)
        return np.stack([self.sums(row) for row in values])

    def bounds(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest of each path's values (N,): two of (P,); 0 where a path shows nothing."""
        low, high = np.full(self.count, np.inf), np.full(self.count, -np.inf)
        np.minimum.at(low, self.path, values)
        np.maximum.at(high, self.path, values)
        return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)


@dataclasses.dataclass(frozen=True)
class _Fitted:
    """One kind of fill, for all paths: geometry (P, 4), offsets (P, 2), colors (P, 2, C), squared error (P,)."""

    geometry: np.ndarray
    offsets: np.ndarray
    colors: np.ndarray
    error: np.ndarray


def fit(image: np.ndarray, top: np.ndarray, count: int, gradients: bool = True) -> Paint:
    """The paint of each path, by least squares over the pixels it shows.

    Args:
        image: float32 (H, W, 3), sRGB in [0, 1]; or (H, W, 4), RGBA, premultiplied.
        top: int32 (H, W), the path that each pixel shows, -1 for none (`Raster.top`).
        count: how many paths there are.
        gradients: whether fills may change across a path.
    Returns:
        Paint with two stops a path. Paths that show no pixel are grey.
    """
    return _fitted(image, top, count, gradients)[0]


def error(image: np.ndarray, mask: np.ndarray, gradients: bool = True) -> float:
    """The squared error that the best fill of a mask, bool (H, W), leaves; of an image as `fit` takes it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float(_fitted(image[window], mask[window].astype(np.int32) - 1, 1, gradients)[1][0])


def _fitted(image: np.ndarray, top: np.ndarray, count: int, gradients: bool) -> tuple[Paint, np.ndarray]:
    """Paint, and the squared error that it leaves, (P,)."""
    seen = _pure(image, top, count)
    channels = image.shape[2]
    number = np.maximum(seen.sums(), 1.0)
    mean = seen.sums(seen.colors) / number
    flat = np.where(seen.sums() > 0, mean, 0.5).T
    error = seen.sums(((seen.colors - mean[:, seen.path]) ** 2).sum(0))
    paint = Paint(
        np.full(count, SOLID, np.int8),
        np.zeros((count, 4)),
        np.tile([0.0, 1.0], (count, 1)),
        np.concatenate([np.repeat(flat[:, None], 2, axis=1), np.ones((count, 2, 4 - channels))], axis=2),
    )
    if gradients:
        for kind, fitted in ((LINEAR, _linear(seen)), (RADIAL, _radial(seen))):
            pays = (fitted.error < (1 - _WORTH) * error) & (error - fitted.error > _ROUNDING * number)
            pays &= number >= _FEWEST
            paint.kind[pays] = kind
            paint.geometry[pays], paint.offsets[pays] = fitted.geometry[pays], fitted.offsets[pays]
            paint.colors[pays, :, :channels] = fitted.colors[pays]
            error = np.where(pays, fitted.error, error)
    return paint if channels == 3 else _straight(paint), error


def _straight(paint: Paint) -> Paint:
    """Colours without their alpha; a stop that is clear has the other one's."""
    alpha = paint.colors[..., 3:]
    seen = alpha > _CLEAR
    colors = np.where(seen, np.clip(paint.colors / np.maximum(alpha, _CLEAR), 0.0, 1.0), 0.0)[..., :3]
    paint.colors[..., :3] = np.where(seen | ~seen[:, ::-1], colors, colors[:, ::-1])
    return paint


def _pure(image: np.ndarray, top: np.ndarray, count: int) -> _Seen:
    """Pixels whose neighbours show the same path, as others are mixtures; of slivers that have few such, all."""
    same = np.ones(top.shape, bool)
    down, across = top[1:] == top[:-1], top[:, 1:] == top[:, :-1]
    same[1:] &= down
    same[:-1] &= down
    same[:, 1:] &= across
    same[:, :-1] &= across
    pure = np.bincount(top[same & (top >= 0)], minlength=count)
    rows, columns = np.nonzero((top >= 0) & (same | (pure[np.maximum(top, 0)] < 6)))
    at = np.stack([columns + 0.5, rows + 0.5])
    return _Seen(count, top[rows, columns], at, image[rows, columns].T.astype(np.float64))


def _linear(seen: _Seen) -> _Fitted:
    """Along the direction in which colours change most: the first singular vector of the affine fit's slopes."""
    centre, away, scale = _centred(seen)
    slopes = _solve(seen, away)  # (P, 2, C)
    direction = np.linalg.svd(slopes)[0][:, :, 0].T  # (2, P), unit
    along = (away * direction[:, seen.path]).sum(0)
    low, high = seen.bounds(along)
    high = np.where(high > low, high, low + 1e-3)
    ends = [centre + direction * bound * scale for bound in (low, high)]
    share = (along - low[seen.path]) / (high - low)[seen.path]
    offsets = np.tile([0.0, 1.0], (seen.count, 1))
    return _Fitted(np.concatenate(ends).T, offsets, *_stops(seen, share))


def _radial(seen: _Seen) -> _Fitted:
    """Around the vertex of the paraboloid that fits the colours best, the channels weighted by their curvature."""
    centre, away, scale = _centred(seen)
    slopes = _solve(seen, np.concatenate([away, (away**2).sum(0)[None]]))  # (P, 3, C)
    bend = slopes[:, 2]
    weight = np.maximum((bend**2).sum(1), 1e-12)
    vertex = -(slopes[:, :2] * bend[:, None]).sum(2).T / (2 * weight)  # (2, P)
    distance = np.hypot(*(away - vertex[:, seen.path]))
    low, high = seen.bounds(distance)
    high = np.where(high > low, high, low + 1e-3)
    share = (distance - low[seen.path]) / (high - low)[seen.path]
    colors, error = _stops(seen, share)
    error = np.where(np.hypot(*vertex) <= _FARTHEST, error, np.inf)
    geometry = np.concatenate([centre + vertex * scale, (high * scale)[None], np.zeros((1, seen.count))]).T
    return _Fitted(geometry, np.stack([low / high, np.ones(seen.count)], axis=1), colors, error)


def _centred(seen: _Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each path's centre (2, P), px; its pixels' places relative to it (2, N), in units of its spread (P,), px."""
    number = np.maximum(seen.sums(), 1.0)
    centre = seen.sums(seen.at) / number
    away = seen.at - centre[:, seen.path]
    scale = np.sqrt(np.maximum(seen.sums((away**2).sum(0)) / number, 0.25))
    return centre, away / scale[seen.path], scale


def _solve(seen: _Seen, basis: np.ndarray) -> np.ndarray:
    """Slopes (P, B, C) of the colours over the functions `basis` (B, N), besides a constant; a little ridge."""
    number = np.maximum(seen.sums(), 1.0)
    basis = basis - (seen.sums(basis) / number)[:, seen.path]
    colors = seen.colors - (seen.sums(seen.colors) / number)[:, seen.path]
    size = len(basis)
    normal = np.empty((seen.count, size, size))
    right = np.empty((seen.count, size, len(colors)))
    for i in range(size):
        for j in range(i + 1):
            normal[:, i, j] = normal[:, j, i] = seen.sums(basis[i] * basis[j])
        right[:, i] = seen.sums(basis[i] * colors).T
    ridge = 1e-3 * normal.trace(axis1=1, axis2=2) / size + 1e-9
    return np.linalg.solve(normal + ridge[:, None, None] * np.eye(size), right)


def _stops(seen: _Seen, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (P, 2, C) where `share` (N,) is 0 and 1, within what a screen can show; squared error (P,)."""
    number = np.maximum(seen.sums(), 1.0)
    mean, colors = seen.sums(share) / number, seen.sums(seen.colors) / number
    spread = seen.sums((share - mean[seen.path]) ** 2)
    slope = seen.sums((share - mean[seen.path]) * seen.colors) / np.maximum(spread, 1e-9)
    ends = np.clip(np.stack([colors - slope * mean, colors + slope * (1 - mean)], axis=1), 0.0, 1.0)  # (C, 2, P)
    shown = ends[:, 0, seen.path] * (1 - share) + ends[:, 1, seen.path] * share
    return ends.transpose(2, 1, 0), seen.sums(((seen.colors - shown) ** 2).sum(0))
