"""Densities to learn from: procedural fields, and pictures from folders that the user names.

Everything comes from the generator that is handed in: the same seed and folders give the same densities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tessera_protocol.errors import error

from ....images import load
from ...density import ink

# Where there are pictures, the share of densities that they make; and of those, the share mixed with a field.
_PICTURED = 0.6
_MIXED = 0.4
# A density of which the mean is below this is nearly empty.
_LEAST_MEAN = 0.01
_KINDS = (".png", ".jpg", ".jpeg", ".webp")
_STORED_SIDE = 320

Coordinates = tuple[np.ndarray, np.ndarray]


def pictures(folders: Sequence[Path]) -> list[np.ndarray]:
    """Every picture in the folders and those below them, as its density, uint8 (H, W), 255 is dark.

    In the order of their names, at most 320 pixels on the long side.

    Raises:
        InvalidInput: "unreadable-input" for a damaged file; "missing-input" for a folder without any picture.
    """
    found = []
    for folder in folders:
        files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in _KINDS)
        if not files:
            raise error(
                "missing-input",
                f"There is no picture in {folder}.",
                field="pictures",
                given=str(folder),
                allowed=", ".join(_KINDS),
            )
        found += [_small(ink(load(path), invert=False)) for path in files]
    return found


def draw(rng: np.random.Generator, known: Sequence[np.ndarray] = (), shape: tuple[int, int] = (256, 256)) -> np.ndarray:
    """One random density.

    Args:
        known: as `pictures` returns them.
        shape: rows and columns of the raster.
    Returns:
        float32 `shape`, [0, 1], its mean at least 0.01.
    """
    while True:
        if known and rng.random() < _PICTURED:
            density = _zoomed(known[int(rng.integers(len(known)))], rng, shape)
            if rng.random() < _MIXED:
                floor = rng.uniform(0.05, 0.4) * (rng.random() < 0.5)
                density = np.clip(density * rng.uniform(0.5, 1) + floor * field(rng, shape), 0, 1)
        else:
            density = field(rng, shape)
        if density.mean() >= _LEAST_MEAN:
            return np.ascontiguousarray(_flipped(density, rng), np.float32)


def field(rng: np.random.Generator, shape: tuple[int, int] = (256, 256)) -> np.ndarray:
    """A procedural density of one of five families, float64 `shape`, [0, 1], its maximum 1.

    Half of them keep a floor of 0, the others of 0.03, 0.1 or 0.3.
    """
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    where = columns / shape[1], rows / shape[0]
    family = _FAMILIES[int(rng.integers(len(_FAMILIES)))]
    values = np.maximum(family(rng, where), 0)
    values /= max(float(values.max()), 1e-9)
    floor = rng.choice([0, 0, 0, 0.03, 0.1, 0.3])
    return np.asarray(values * (1 - floor) + floor)


def _small(density: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(np.round(density * 255).astype(np.uint8))
    picture.thumbnail((_STORED_SIDE, _STORED_SIDE), Image.Resampling.BOX)
    return np.asarray(picture)


def _zoomed(picture: np.ndarray, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A random window of the shape's proportions, up to 1.5 times enlarged against the largest there is."""
    height, width = picture.shape
    scale = min(height / shape[0], width / shape[1]) / rng.uniform(1, 1.5)
    tall, wide = scale * shape[0], scale * shape[1]
    top, left = rng.uniform(0, height - tall + 1e-6), rng.uniform(0, width - wide + 1e-6)
    box = left, top, min(left + wide, width), min(top + tall, height)
    scaled = Image.fromarray(picture).resize(shape[::-1], Image.Resampling.BICUBIC, box)
    return np.asarray(scaled, np.float64) / 255


def _flipped(density: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the symmetries that keep the raster's shape."""
    across, down = rng.integers(2, size=2)
    return density[:: -1 if down else 1, :: -1 if across else 1]


def _turned(rng: np.random.Generator, where: Coordinates) -> Coordinates:
    """Coordinates about a random centre, in a random direction."""
    x, y = where[0] - rng.random(), where[1] - rng.random()
    angle = rng.uniform(0, np.pi)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _gradient(rng: np.random.Generator, where: Coordinates) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    along = where[0] * np.cos(angle) + where[1] * np.sin(angle)
    along = (along - along.min()) / (along.max() - along.min())
    return np.asarray(along ** rng.uniform(0.3, 3))


def _spots(rng: np.random.Generator, where: Coordinates) -> np.ndarray:
    """One to six Gaussians."""
    total = np.zeros_like(where[0])
    for _ in range(rng.integers(1, 7)):
        u, v = _turned(rng, where)
        wide, tall = np.exp(rng.uniform(np.log(0.05), np.log(0.35), 2))
        total += rng.uniform(0.3, 1) * np.exp(-0.5 * ((u / wide) ** 2 + (v / tall) ** 2))
    return total


def _clouds(rng: np.random.Generator, where: Coordinates) -> np.ndarray:
    """Five octaves of smooth noise through a sigmoid."""
    height, width = where[0].shape
    total, amplitude = np.zeros((height, width)), 1.0
    for octave in range(5):
        knots = Image.fromarray(rng.standard_normal((3 << octave, 3 << octave)).astype(np.float32))
        total += amplitude * np.asarray(knots.resize((width, height), Image.Resampling.BICUBIC))
        amplitude *= rng.uniform(0.3, 0.7)
    return np.asarray(1 / (1 + np.exp(-rng.uniform(0.7, 3) * (total - np.quantile(total, rng.uniform(0.2, 0.7))))))


def _shapes(rng: np.random.Generator, where: Coordinates) -> np.ndarray:
    """Flat discs and bars with slightly soft edges."""
    total = np.full_like(where[0], rng.uniform(0, 0.4))
    soft = rng.uniform(0.5, 4) / min(total.shape)
    for _ in range(rng.integers(1, 6)):
        u, v = _turned(rng, where)
        radius, tone = rng.uniform(0.06, 0.4), rng.uniform(0, 1)
        round_, slender = rng.random() < 0.5, rng.uniform(0.2, 1)
        depth = radius - np.hypot(u, v) if round_ else np.minimum(radius - abs(u), slender * radius - abs(v))
        total += np.clip(0.5 + depth / (2 * soft), 0, 1) * (tone - total)
    return total


def _waves(rng: np.random.Generator, where: Coordinates) -> np.ndarray:
    """A product of two sines."""
    across, down = rng.uniform(1, 6, 2)
    product = np.sin(2 * np.pi * (across * where[0] + rng.random())) * np.sin(
        2 * np.pi * (down * where[1] + rng.random())
    )
    return np.asarray((0.5 + 0.5 * product) ** rng.uniform(0.5, 2))


_FAMILIES: tuple[Callable[[np.random.Generator, Coordinates], np.ndarray], ...] = (
    _gradient,
    _spots,
    _clouds,
    _shapes,
    _waves,
)
