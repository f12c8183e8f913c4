"""The one place where an engine is chosen: a density becomes sites on its raster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tessera_protocol.jobs import StippleParams

from ..progress import Progress
from . import best, bnot, gbn, lloyd, multiclass

# Each moves sites in place and returns facts for the metadata, `iterations_run` at least.
_RELAXATIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "tone": lloyd.relax,
    "wvs": lloyd.relax,
    "gbn": gbn.relax,
    "bnot": bnot.relax,
    "best": best.relax,
}
# Engines that place all plates together; the others place one after the other, as if there were no other.
TOGETHER = ("tone",)


@dataclasses.dataclass(frozen=True)
class Placed:
    """What an engine gives back.

    Attributes:
        sites: float32 (N, 2), pixels of the density's raster, x right, y down.
        labels: int32 (H, W), index of a near site of each pixel, as `voronoi.propagate` leaves them.
        facts: for the metadata, of plain JSON types; `iterations_run` at least, `weights` and `device` of networks.
    """

    sites: np.ndarray
    labels: np.ndarray
    facts: dict[str, Any]


def place(
    density: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress, device: str = "cpu"
) -> Placed:
    """Place `params.dots` sites as `params.engine` does.

    Args:
        density: float32 (H, W), not negative, not all 0.
        params: engine, dots, iterations and tolerance are read; model, calls, polish and weights of the learned one.
        rng: all that is random comes from it.
        progress: told before each step; shown a list of sites, of each plate so far, after it.
        device: of torch, where networks run; the others need none.
    Raises:
        InvalidInput: the weights are missing, damaged or of another kind.
    """
    progress("placing", 0.0, f"Placing {params.dots} dots")
    if params.engine == "diffusion":
        return _learned(density, params, rng, progress, device)
    sites, labels = lloyd.begin(density, params, rng)
    facts = _RELAXATIONS[params.engine](sites, labels, density, params, rng, progress.part(0.05, 1.0))
    return Placed(sites, labels, facts)


def _learned(
    density: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress, device: str
) -> Placed:
    """A network's dots, followed by a few steps of engine `tone`."""
    progress("loading", 0.0, "Loading the network")
    from . import diffusion

    sites, facts = diffusion.place(density, params, rng, progress.part(0.02, 0.9), device)
    labels = diffusion.first_labels(sites, density.shape)
    polish = dataclasses.replace(params, engine="tone", iterations=params.polish, tolerance=0.0)
    facts |= lloyd.relax(sites, labels, density, polish, rng, progress.part(0.9, 1.0))
    return Placed(sites, labels, facts | {"polish_steps": params.polish})


def place_plates(
    densities: np.ndarray, params: StippleParams, rng: np.random.Generator, progress: Progress, device: str = "cpu"
) -> tuple[list[Placed], dict[str, Any]]:
    """Place `params.dots` sites on several plates, shared out by mass; engines of TOGETHER by `multiclass`.

    Args:
        densities: float32 (P, H, W), not negative, not all 0.
        params, rng, progress, device: as of `place`.
    Returns:
        one a plate, with no sites on those without mass; facts for the metadata.
    """
    masses = densities.sum(axis=(1, 2), dtype=np.float64)
    if len(densities) == 1:
        placed = place(densities[0], params, rng, progress, device)
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
        plates.append(place(densities[p], some, rng, part, device) if count else _nobody(densities[p]))
    return plates, plates[int(np.argmax(masses))].facts | {"plates_placed": "apart"}


def _nobody(density: np.ndarray) -> Placed:
    return Placed(np.empty((0, 2), np.float32), np.zeros(density.shape, np.int32), {"iterations_run": 0})
