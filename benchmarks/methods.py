"""The engines of the product, each behind the one call that peers have, too."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

import pictures
import report
from peers import Floats, Method
from tessera_backend.stipple import stipple
from tessera_protocol.jobs import ENGINES, StippleParams

# Any count that the schema allows; beyond the latter the published model takes minutes.
_MOST, _MOST_PUBLISHED = 100_000, 2304
# Engines that have more than one way to run: label -> parameters.
_VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "diffusion": {
        "(4 calls + 3 steps)": {},
        "(4 calls)": {"polish": 0},
        "(50 calls)": {"model": "local", "polish": 0},
        "(paper's, 25 calls)": {"model": "paper", "calls": 25, "polish": 0},
        "(paper's, 898 calls)": {"model": "paper", "polish": 0},
    },
}


def ours(iterations: int) -> list[Method]:
    """Every engine of the schema with its default parameters, and the variants of some."""
    methods = []
    for engine in ENGINES:
        for label, changes in _VARIANTS.get(engine, {"": {}}).items():
            methods.append(
                _method(f"{engine} {label}".strip(), {"engine": engine, "iterations": iterations, **changes})
            )
    return methods


def _method(name: str, changes: Mapping[str, Any]) -> Method:
    def solve(grey: pictures.Grey, dots: int, seed: int) -> tuple[Floats, float]:
        params = StippleParams(dots=dots, seed=seed, **changes)
        start = time.process_time()
        made = stipple(grey, params)
        seconds = time.process_time() - start
        return made.positions / np.array(made.page), seconds

    told = ", ".join(f"{key} {value}" for key, value in changes.items())
    most = _MOST_PUBLISHED if changes.get("model") == "paper" else _MOST
    return Method(f"Tessera {name}", f"{report.versions(['tessera'])}, {told}", solve, most)
