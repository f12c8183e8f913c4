"""The one place where an engine is chosen: a density becomes sites on its raster."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import gbn, lloyd, multiclass

# Engines that place all plates together; the others place one after the other, as if there were no other.
TOGETHER = ("tone",)


@dataclasses.dataclass(frozen=True)
class Placed:
    """What an engine gives back.

    Attributes:
        sites: float32 (N, 2), pixels of the density's raster, x right, y down.
        labels: int32 (H, W), index of a near site of each pixel, as `voronoi.propagate` leaves them.
        facts: for the metadata, of plain JSON types; `iterations_run` at least.
    """

    sites: np.ndarray
    labels: np.ndarray
    facts: dict[str, Any]


def place(density: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress) -> Placed:
    """Place `params.dots` sites as `params.engine` does.

    Args:
        density: float32 (H, W), not negative, not all 0.
        params: engine, dots, iterations and tolerance are read.
        rng: all that is random comes from it.
        progress: told before each step; shown a list of sites, of each plate so far, after it.
    """
    progress("placing", 0.0, f"Placing {params.dots} dots")
    sites, labels = lloyd.begin(density, params, rng)
    relax = gbn.relax if params.engine == "gbn" else lloyd.relax
    steps = relax(sites, labels, density, params, rng, progress.part(0.05, 1.0))
    return Placed(sites, labels, {"iterations_run": steps})


def place_plates(
    densities: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress
) -> tuple[list[Placed], dict[str, Any]]:
    """Place `params.dots` sites on several plates, shared out by mass; engines of TOGETHER by `multiclass`.

    Args:
        densities: float32 (P, H, W), not negative, not all 0.
        params, rng, progress: as of `place`.
    Returns:
        one a plate, with no sites on those without mass; facts for the metadata.
    """
    masses = densities.sum(axis=(1, 2), dtype=np.float64)
    if len(densities) == 1:
        placed = place(densities[0], params, rng, progress)
        return [placed], placed.facts
    if params.engine in TOGETHER:
        sites, labels, steps = multiclass.place(densities, params, rng, progress)
        facts = {"iterations_run": steps, "plates_placed": "together"}
        return [Placed(s, own, facts) for s, own in zip(sites, labels, strict=True)], facts
    ends = np.cumsum(masses) / masses.sum()
    counts = np.diff(np.rint(ends * params.dots).astype(int), prepend=0)
    plates = []
    for p, (count, end) in enumerate(zip(counts.tolist(), ends.tolist(), strict=True)):
        before = [plate.sites for plate in plates]
        part = progress.part(end - masses[p] / masses.sum(), end).showing(lambda now, before=before: [*before, *now])
        some = dataclasses.replace(params, dots=count)
        plates.append(place(densities[p], some, rng, part) if count else _nobody(densities[p]))
    return plates, plates[int(np.argmax(masses))].facts | {"plates_placed": "apart"}


def _nobody(density: np.ndarray) -> Placed:
    return Placed(np.empty((0, 2), np.float32), np.zeros(density.shape, np.int32), {"iterations_run": 0})
