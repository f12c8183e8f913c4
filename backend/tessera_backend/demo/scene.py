"""The demo picture: a still life of an ammonite, a pear, an egg and two plums, rendered by the code on this page.

Everything in it is a signed distance function, sphere-traced in numpy: no model, photo or texture went in, so the
picture is this project's own work, under the project's licence. It was made to show what stippling is good at:
soft gradients (egg, wall), deep shadow (plums, the shell's mouth), highlights, fine texture (ribs, the pear's
lenticels), crisp silhouettes, and colours. `python -m tessera_backend.demo.scene` renders `still_life.png` anew.

Units are about decimetres; x right, y up, z towards the viewer; the table is at y = 0. Light is linear until the
last line. Sources: Hart, Sphere Tracing, The Visual Computer 12(10), 1996; soft shadows and ambient occlusion
along the distance field as in Evans, Fast Approximations for Global Illumination on Dynamic Scenes, SIGGRAPH 2006
course notes; the logarithmic spiral of shells: Raup, Geometric Analysis of Shell Coiling, J. Paleontology 40, 1966.
"""

from __future__ import annotations

import numpy as np

from ..colour import linear_to_srgb

SIZE = (1200, 900)

SHELL, PEAR, STEM, LEAF, EGG, PLUMS, CLOTH, WALL = range(8)
# Diffuse reflectance, strength and exponent of the highlight.
MATERIALS = np.array(
    [
        (0.66, 0.14, 24),
        (0.41, 0.20, 34),
        (0.07, 0.02, 10),
        (0.13, 0.10, 18),
        (0.84, 0.05, 30),
        (0.02, 0.60, 120),
        (0.80, 0.00, 1),
        (0.60, 0.00, 1),
    ],
    np.float32,
).T

# Colours, linear RGB; each is brought to a luminance of 1, which leaves brightness to the reflectance.
COLOURS = np.array(
    [
        (1.16, 0.98, 0.72),
        (1.25, 1.02, 0.16),
        (1.30, 0.90, 0.50),
        (0.50, 1.20, 0.25),
        (1.06, 1.00, 0.88),
        (1.70, 0.55, 2.10),
        (0.97, 1.00, 1.06),
        (0.62, 1.02, 1.45),
    ],
    np.float32,
).T
BLUSH = np.array([2.30, 0.72, 0.25], np.float32)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Of the key light and of what comes from the sky.
_WARM = np.array([1.09, 0.99, 0.84], np.float32)[:, None]
_COOL = np.array([0.90, 1.00, 1.26], np.float32)[:, None]

_EYE = np.array([0.15, 1.75, 6.6], np.float32)
_TARGET = np.array([0.12, 0.66, 0.0], np.float32)
_LENS = 3.1
_KEY = np.array([-0.62, 0.60, 0.505], np.float32)
_REACH = 16.0
_TILE = 1 << 17


def render(width: int, height: int, seed: int, samples: int = 8) -> np.ndarray:
    """The still life, uint8 (height, width, 3), sRGB. The picture is framed by its width.

    Args:
        seed: places the samples within each pixel, and the grain of skin, wall and cloth.
        samples: rays a pixel.
    """
    rng = np.random.default_rng(seed)
    grain = rng.random((64, 64, 64), np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32).reshape(2, -1)
    light = np.zeros((3, width * height), np.float32)
    for sample in range(samples):
        # A rotated grid: one sample in each row and column of the pixel's n x n cells.
        dx = (sample + rng.random(dtype=np.float32)) / samples
        dy = ((sample * 3 + 1) % samples + rng.random(dtype=np.float32)) / samples
        x = (2 * (columns + dx) - width) / width
        y = (height - 2 * (rows + dy)) / width
        for start in range(0, width * height, _TILE):
            tile = slice(start, start + _TILE)
            light[:, tile] += _radiance(_rays(x[tile], y[tile]), grain) / samples
    corner = np.hypot(columns / width - 0.5, (rows - height / 2) / width)
    return _film(light * (1 - 0.55 * corner**2)).T.reshape(height, width, 3)


def _rays(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Directions (3, N) of a pinhole camera; x and y in [-1, 1] across the picture's width."""
    forward = _unit(_TARGET - _EYE)
    right = _unit(np.cross(forward, [0, 1, 0]).astype(np.float32))
    up = np.cross(right, forward)
    return _unit(forward[:, None] * _LENS + right[:, None] * x + up[:, None] * y)


def _film(light: np.ndarray) -> np.ndarray:
    """Linear light to 8 bit sRGB, with a shoulder that keeps the highlights from clipping hard."""
    light = 1.4 * np.clip(light, 0, None)
    light = np.minimum(light * (1 + 0.3 * light) / (1 + 0.62 * light), 1)
    return np.rint(linear_to_srgb(light) * 255).astype(np.uint8)


# -- shapes: signed distances at points p, (3, N) ------------------------------------------------------------------


def _distances(p: np.ndarray) -> np.ndarray:
    """Distance to each material, (8, N)."""
    pear = _pear(p)
    plums = np.minimum(_plum(p, (0.44, 0.245, 1.72), 0.265, 0.5), _plum(p, (1.07, 0.26, 1.5), 0.28, 2.3))
    return np.stack([_shell(p), *pear, _egg(p), plums, _cloth(p), p[2] + 2.6])


def _plum(p: np.ndarray, center: tuple[float, float, float], radius: float, turn: float) -> np.ndarray:
    """A ball, a little taller than wide, with a dimple on top and a seam down one side."""
    x, y, z = _turned(p - np.array(center, np.float32)[:, None], turn)
    y = (y + 0.12 * x) * 0.95
    across = np.sqrt(x * x + z * z)
    dimple = 0.16 * radius * np.exp(-((across / (0.3 * radius)) ** 2)) * (y > 0)
    seam = 0.05 * radius * np.exp(-((z / (0.1 * radius)) ** 2)) * np.clip(x / radius * 2, 0, 1)
    return (np.sqrt(across * across + y * y) - radius + dimple + seam) * 0.85


def _egg(p: np.ndarray) -> np.ndarray:
    """Two balls of unlike size, blended, lying on the cloth."""
    x, y, z = _turned(p - np.array([-0.42, 0.25, 1.62], np.float32)[:, None], 0.45)
    big = np.sqrt((x + 0.05) ** 2 + y**2 + z**2) - 0.255
    small = np.sqrt((x - 0.16) ** 2 + y**2 + z**2) - 0.19
    return _blend(big, small, 0.16)


def _pear(p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Body, stem and leaf."""
    x, y, z = p - np.array([1.02, 0.0, -0.05], np.float32)[:, None]
    x = x - 0.055 * np.clip(y, 0, 2) ** 2
    across = np.sqrt(x * x + z * z)
    body = _blend(np.hypot(across, y - 0.56) - 0.6, np.hypot(across, y - 1.28) - 0.27, 0.42)
    body = -_blend(-body, np.hypot(across, y - 1.66) - 0.06, 0.14)
    bend = x - 0.35 * np.clip(y - 1.45, 0, 1) ** 2
    along = np.clip(y, 1.4, 1.95)
    stem = np.sqrt(bend**2 + z * z + (y - along) ** 2) - (0.026 + 0.035 * np.clip(along - 1.75, 0, 1))
    return body * 0.85, stem * 0.8, _leaf(x, y, z)


def _leaf(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """A pointed blade: where two discs overlap, curled down along its length and up at the rims."""
    a, drop = x + 0.03, y - 1.81
    u = 0.93 * a + 0.2 * z - 0.24 * drop - 0.42
    v = 0.62 * z - 0.78 * (drop + 0.28 * a + 0.2 * a * a)
    blade = np.hypot(u, np.abs(v) + 0.36) - 0.53
    across = 0.78 * z + 0.62 * (drop + 0.28 * a + 0.2 * a * a)
    veins = 0.10 * np.abs(v) * np.abs(np.sin(15 * (u - 0.8 * np.abs(v))))
    return np.maximum(blade, np.abs(across - 0.5 * np.abs(v) - veins) - 0.007) * 0.55


def _shell(p: np.ndarray) -> np.ndarray:
    """An ammonite: a ribbed tube around a logarithmic spiral, open at its end."""
    x, y, z = _turned(p - np.array([-0.98, 0.86, -0.15], np.float32)[:, None], 0.42)
    y, z = 0.985 * y + 0.17 * z, 0.985 * z - 0.17 * y  # leans back
    rate, outer, tube, end = np.log(2.05) / (2 * np.pi), 0.74, 0.365, -0.5
    r = np.sqrt(x * x + y * y) + 1e-6
    angle = np.arctan2(y, x)
    turn = (np.log(r / outer) / rate + end - angle) / (2 * np.pi)
    last = np.floor((end - angle) / (2 * np.pi))
    distance = np.full_like(r, np.inf)
    for n in (np.floor(turn), np.floor(turn) + 1):
        phase = angle + 2 * np.pi * np.minimum(n, last)
        center = outer * np.exp(rate * (phase - end))
        rib = 1 + 0.07 * np.sin(phase * 19 + 1.4 * (r - center) / center) * np.clip(center * 4, 0, 1)
        distance = np.minimum(distance, np.hypot(r - center, z * 1.06) - tube * center * rib)
    mouth = np.array([outer * np.cos(end), outer * np.sin(end)], np.float32)
    onward = np.array([-np.sin(end), np.cos(end)], np.float32)
    lip = np.sqrt((x - mouth[0]) ** 2 + (y - mouth[1]) ** 2 + (z * 1.06) ** 2) - tube * outer * 1.02
    hollow_x, hollow_y = mouth + onward * 0.15
    hollow = np.sqrt((x - hollow_x) ** 2 + (y - hollow_y) ** 2 + (z * 1.06) ** 2) - tube * outer * 1.02
    return np.maximum(np.minimum(distance, lip), -hollow) * 0.75


def _cloth(p: np.ndarray) -> np.ndarray:
    """A table with a cloth: smooth under the things, in folds around them, ending before the wall."""
    x, y, z = p
    u = 0.83 * x + 0.55 * z + 0.22 * np.sin(1.7 * z - 0.8 * x)
    v = 0.62 * x - 0.78 * z + 0.18 * np.sin(1.3 * x + 2.1)
    away = np.clip((np.hypot(x * 0.62, z - 0.55) - 0.75) / 1.1, 0, 1)
    away = away * away * (3 - 2 * away)
    folds = np.exp(-(((u + 2.45) / 0.17) ** 2)) + 0.8 * np.exp(-(((u - 2.35) / 0.2) ** 2))
    folds = folds + 0.7 * np.exp(-(((v + 1.75) / 0.14) ** 2)) + 0.5 * np.exp(-(((v - 1.95) / 0.22) ** 2))
    top = y - 0.16 * folds * away - 0.02 * away * np.sin(3.1 * u)
    edge = -1.55 + 0.03 * np.sin(2.3 * x)
    return np.maximum(top * 0.62, edge - z)


# -- light -----------------------------------------------------------------------------------------------------------


def _radiance(rays: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Linear light that comes back along each ray, RGB, (3, N)."""
    p = _EYE[:, None] + rays * _traced(rays)
    kind = _distances(p).argmin(axis=0)
    normal = _normals(p)
    albedo, gloss, exponent = MATERIALS[:, kind]
    albedo = albedo * _texture(p, kind, grain)
    key = np.clip((_KEY[:, None] * normal).sum(0), 0, None)
    lit = np.flatnonzero(key > 0)
    key[lit] *= _unshadowed(p[:, lit] + normal[:, lit] * 0.02)
    open_sky = _unoccluded(p, normal)
    fill = open_sky * (0.085 + 0.085 * normal[1]) + open_sky * np.clip(-normal[1], 0, 1) * 0.05
    rim = 0.10 * np.clip(0.9 * normal[0] + 0.2 * normal[1], 0, 1) * open_sky
    half = _unit(_KEY[:, None] - rays)
    shine = gloss * np.clip((half * normal).sum(0), 0, 1) ** exponent * np.minimum(key * 4, 1)
    facing = np.clip(-(rays * normal).sum(0), 0, 1)
    sheen = gloss * 0.22 * (1 - facing) ** 4 * open_sky
    falloff = np.where(kind == WALL, _pool_of_light(p), 1.0)
    light = _WARM * (1.35 * key + rim) + _COOL * fill
    light = albedo * _colour(p, kind, grain) * light * falloff + _WARM * shine + _COOL * sheen
    return light.astype(np.float32)


def _colour(p: np.ndarray, kind: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """RGB of luminance 1, (3, N): of the materials, the pear with a blush on its sunny side."""
    colour = COLOURS[:, kind]
    pear = np.flatnonzero(kind == PEAR)
    side = 2.2 * (_noise(p[:, pear] * 1.7, grain) - 0.5) + 1.6 * (0.95 - p[0, pear]) - 0.35 * p[1, pear]
    blush = np.clip(side, 0, 1) ** 1.5
    colour[:, pear] += (BLUSH[:, None] - colour[:, pear]) * 0.75 * blush
    return colour / (_LUMINANCE @ colour)


def _pool_of_light(p: np.ndarray) -> np.ndarray:
    """The wall is dark behind the lit sides and bright behind the shaded ones, as painters set it up."""
    return 0.17 + 2.3 / (1 + np.exp(-(0.95 * p[0] + 0.3 * p[1] - 1.32)))


def _traced(rays: np.ndarray) -> np.ndarray:
    """Distance along each ray to the first surface, (N,)."""
    t = np.full(rays.shape[1], 3.0, np.float32)
    active = np.arange(t.size)
    for _ in range(160):
        step = _distances(_EYE[:, None] + rays[:, active] * t[active]).min(axis=0)
        t[active] += step
        active = active[(np.abs(step) > 4e-4) & (t[active] < _REACH)]
        if active.size == 0:
            break
    return t


def _normals(p: np.ndarray) -> np.ndarray:
    """Gradient of the distance, by differences at the corners of a tetrahedron."""
    corners = np.array([(1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)], np.float32)
    return _unit(sum(c[:, None] * _distances(p + c[:, None] * 1.5e-3).min(axis=0) for c in corners))


def _unshadowed(p: np.ndarray) -> np.ndarray:
    """Share of the key light's disc that is seen from each point; the nearest miss stands for the penumbra."""
    seen = np.ones(p.shape[1], np.float32)
    t = np.full(p.shape[1], 0.04, np.float32)
    active = np.arange(t.size)
    for _ in range(60):
        step = _distances(p[:, active] + _KEY[:, None] * t[active])[:WALL].min(axis=0)
        seen[active] = np.minimum(seen[active], 0.5 + 0.5 * step / (0.085 * t[active]))
        t[active] += np.clip(step, 0.015, 0.3)
        active = active[(seen[active] > 0) & (t[active] < 4)]
    seen = np.clip(seen, 0, 1)
    return seen * seen * (3 - 2 * seen)


def _unoccluded(p: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Ambient light that reaches each point: how much room there is along its normal, at five distances."""
    blocked = np.zeros(p.shape[1], np.float32)
    for weight, reach in zip((1.0, 0.72, 0.5, 0.34, 0.22), (0.02, 0.08, 0.18, 0.34, 0.6), strict=True):
        room = _distances(p + normal * reach).min(axis=0)
        blocked += weight * np.clip(reach - room, 0, None) / reach
    return np.clip(1 - blocked / 2.3, 0, 1)


def _texture(p: np.ndarray, kind: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Factor on the reflectance: lenticels on the pear, growth bands on the shell, bloom on plums, plaster, linen."""
    factor = np.ones(kind.size, np.float32)
    for material, spots in ((PEAR, 52.0), (SHELL, 11.0), (PLUMS, 7.0), (WALL, 3.0), (CLOTH, 34.0)):
        here = np.flatnonzero(kind == material)
        n = _noise(p[:, here] * spots, grain)
        if material == PEAR:
            broad = _noise(p[:, here] * 3.1, grain)
            factor[here] = (0.78 + 0.5 * broad) * (1 - 0.6 * np.clip((n - 0.79) / 0.06, 0, 1))
        elif material == SHELL:
            factor[here] = 0.72 + 0.5 * n
        elif material == PLUMS:
            factor[here] = 0.5 + 2.2 * n * n * np.clip(p[1, here] * 3, 0, 1)
        else:
            factor[here] = 0.96 + 0.08 * n
    return factor


def _noise(p: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Value noise in [0, 1]: the grain's random lattice, blended smoothly."""
    cell = np.floor(p).astype(np.int64)
    f = p - cell
    f = f * f * (3 - 2 * f)
    total = np.zeros(p.shape[1], np.float32)
    for corner in np.ndindex(2, 2, 2):
        x, y, z = ((cell[axis] + corner[axis]) % 64 for axis in range(3))
        weights = [f[axis] if corner[axis] else 1 - f[axis] for axis in range(3)]
        total += grain[x, y, z] * weights[0] * weights[1] * weights[2]
    return total


# -- small geometry ------------------------------------------------------------------------------------------------


def _blend(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Union of two distances with a fillet of about `width`."""
    h = np.clip(width - np.abs(a - b), 0, None) / width
    return np.minimum(a, b) - h * h * width / 4


def _turned(p: np.ndarray, angle: float) -> np.ndarray:
    """Turned around the vertical."""
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return np.stack([c * p[0] - s * p[2], p[1], s * p[0] + c * p[2]])


def _length(p: np.ndarray) -> np.ndarray:
    return np.sqrt((p * p).sum(axis=0))


def _unit(p: np.ndarray) -> np.ndarray:
    return p / np.maximum(_length(p), 1e-9)


if __name__ == "__main__":
    from PIL import Image

    from . import STILL_LIFE

    Image.fromarray(render(*SIZE, seed=0)).save(STILL_LIFE, optimize=True)
