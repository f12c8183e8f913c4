"""numba, set up once: kernels are cached in the user's cache folder, so that only the first run ever compiles.

Import `njit` and `prange` from here and nowhere else: the cache folder must be set before numba is imported.
"""

from __future__ import annotations

import os
from pathlib import Path

from tessera_protocol.paths import cache_dir

os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_dir() / "numba"))

from numba import get_num_threads, njit, prange

__all__ = ["get_num_threads", "is_warm", "njit", "prange"]


def is_warm() -> bool:
    """Whether kernels were compiled before, so that nobody has to be told to wait."""
    return any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi"))
