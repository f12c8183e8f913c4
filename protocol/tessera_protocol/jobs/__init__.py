"""The jobs: what each takes and what it gives back. The one place where a parameter is declared.

Lengths are millimetres on the page, positions have x to the right and y down from the page's top left corner.
"""

from __future__ import annotations

from collections.abc import Mapping

from .job import BufferSpec, Job
from .stipple import ENGINES, MODELS, MOST_INKS, STIPPLE, StippleParams
from .vectorize import VECTORIZE, VectorizeParams
from .voxelize import VOXELIZE, VoxelizeParams

__all__ = [
    "ENGINES",
    "JOBS",
    "MODELS",
    "MOST_INKS",
    "STIPPLE",
    "VECTORIZE",
    "VOXELIZE",
    "BufferSpec",
    "Job",
    "StippleParams",
    "VectorizeParams",
    "VoxelizeParams",
]

JOBS: Mapping[str, Job] = {job.name: job for job in (STIPPLE, VECTORIZE, VOXELIZE)}
