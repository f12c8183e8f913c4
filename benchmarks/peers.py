"""Other people's stipplers, each behind one call, and a plain SciPy Lloyd: no part of the product.

Every method takes the same 8 bit grey raster and gives positions as shares of its sides, x right, y down.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import resource
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from report import digest, versions

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]

# The limits and the seed that the StippleDiffusion authors use for this solver.
BNOT_LIMITS = ["--seed", "7", "--max-iters", "25", "--max-newton-iters", "50"]
# One image of theirs takes seconds to half a minute; a run past this is a hang, not a slow run.
BNOT_DEADLINE = 900
# Secord's method at its author's setting.
ROUGIER_ITERATIONS = 50
ROUGIER_PIXELS_PER_DOT = 500
# Its sums over scanlines place the mass of pixel (column, row) at (column - 1/2, row), not at the pixel's
# centre. Undone here, for it would cost its dots up to 3 % of CVT energy.
ROUGIER_OFFSET = (1.0, 0.5)


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to stipple, ours or not.

    Attributes:
        name: as the table calls it.
        version: what was run: a package's version, or a hash of the file.
        solve: (grey uint8 (H, W), dots, seed) -> (positions float64 (N, 2) in [0, 1], CPU seconds).
        most_dots: larger requests are left out, because they take minutes.
    """

    name: str
    version: str
    solve: Callable[[Grey, int, int], tuple[Floats, float]]
    most_dots: int


def plain_lloyd(iterations: int, most_dots: int = 20_000) -> Method:
    """Weighted Lloyd relaxation as one writes it with SciPy: random start, k-d tree, weighted means."""
    name = f"SciPy Lloyd ({iterations} iterations)"

    def solve(grey: Grey, dots: int, seed: int) -> tuple[Floats, float]:
        start = time.process_time()
        points = _lloyd(1 - grey / 255.0, dots, iterations, np.random.default_rng(seed))
        return points, time.process_time() - start

    return Method(name, versions(["scipy"]), solve, most_dots)


def _lloyd(density: Floats, dots: int, iterations: int, rng: np.random.Generator) -> Floats:
    height, width = density.shape
    rows, columns = np.nonzero(density)
    weight = density[rows, columns]
    centers = np.column_stack([columns + 0.5, rows + 0.5])
    chosen = rng.choice(len(weight), dots, p=weight / weight.sum())
    points = centers[chosen] + rng.uniform(-0.5, 0.5, (dots, 2))
    moments = weight[:, None] * centers
    for _ in range(iterations):
        owner = cKDTree(points).query(centers)[1]
        mass = np.bincount(owner, weight, dots)
        full = mass > 0
        for axis in (0, 1):
            points[full, axis] = np.bincount(owner, moments[:, axis], dots)[full] / mass[full]
    return points / (width, height)


def rougier(checkout: Path, most_dots: int) -> Method:
    """Rougier's weighted Voronoi stippling (ReScience, 2017), called as its own script calls it.

    Args:
        checkout: a clone of ReScience-Archives/Rougier-2017.
    Raises:
        FileNotFoundError: `checkout` holds no code/stippler.py.
    """
    code = checkout / "code"
    # The script imports two modules that its functions never use, one of them gone from today's SciPy.
    for unused in ("scipy.misc", "tqdm"):
        sys.modules.setdefault(unused, types.ModuleType(unused))
    voronoi = _module("voronoi", code / "voronoi.py")
    stippler = _module("stippler", code / "stippler.py")

    def solve(grey: Grey, dots: int, seed: int) -> tuple[Floats, float]:
        np.random.seed(seed)  # noqa: NPY002 - it draws from the global state
        start = time.process_time()
        zoom = max(1, round((dots * ROUGIER_PIXELS_PER_DOT / grey.size) ** 0.5))
        density = (1 - stippler.normalize(ndimage.zoom(grey / 255.0, zoom, order=0)))[::-1]
        sums = density.cumsum(axis=1)
        points = stippler.initialization(dots, density)
        for _ in range(ROUGIER_ITERATIONS):
            points = voronoi.centroids(points, density, sums, sums.cumsum(axis=1))[1]
        height, width = density.shape
        return _upright((points + ROUGIER_OFFSET) / (width, height)), time.process_time() - start

    files = ("stippler.py", "voronoi.py")
    version = ", ".join(f"{name} {digest((code / name).read_bytes())}" for name in files)
    return Method(f"Rougier ({ROUGIER_ITERATIONS} iterations)", version, solve, most_dots)


def bnot(binary: Path, most_dots: int) -> Method:
    """Blue noise through optimal transport (de Goes et al. 2012), the headless build `ibnot_new_cli`.

    Args:
        binary: the program, built from Musialski-Research-Group/BNOT_new.
    Raises:
        FileNotFoundError: there is no such file.
    """

    def solve(grey: Grey, dots: int, seed: int) -> tuple[Floats, float]:
        height, width = grey.shape
        with tempfile.TemporaryDirectory() as folder:
            image, output = Path(folder, "density.pgm"), Path(folder, "points.dat")
            # ASCII: it reads a binary PGM as nonsense, without a word.
            pixels = "\n".join(map(str, grey.ravel().tolist()))
            image.write_text(f"P2\n{width} {height}\n255\n{pixels}\n")
            request = ["--image", image, "--invert", "--num-sites", dots, "--output", output]
            command = [str(part) for part in (binary, *request, *BNOT_LIMITS)]
            before = _children_seconds()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=BNOT_DEADLINE)
            seconds = _children_seconds() - before
            points = np.loadtxt(output, ndmin=2)
        # Its x runs over [-.5, .5], its y over the same times height / width, upwards.
        return _upright(points * (1, width / height) + 0.5), seconds

    return Method("BNOT", f"ibnot_new_cli {digest(binary.read_bytes())}", solve, most_dots)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _upright(points: Floats) -> Floats:
    return np.clip(np.column_stack([points[:, 0], 1 - points[:, 1]]), 0, 1)


def _module(name: str, path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"{path} is not there: give the folder of a clone.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
