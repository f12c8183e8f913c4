"""numba, set up once: kernels are cached in the user's cache folder, so that only the first run ever compiles.

Import what is numba's from here and nowhere else: cache folder and threads must be set before numba is imported.
"""

from __future__ import annotations

import os
from pathlib import Path

from tessera_protocol.paths import cache_dir

os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_dir() / "numba"))
# With TBB each call of a parallel kernel leaks, and the next one takes longer (numba issue 10225).
os.environ.setdefault("NUMBA_THREADING_LAYER_PRIORITY", "omp tbb workqueue")
# Threads that spin until the next kernel comes take the processor from those that have work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from numba import config, get_num_threads, njit, prange, set_num_threads

__all__ = ["config", "get_num_threads", "is_warm", "njit", "prange", "set_num_threads"]


def is_warm() -> bool:
    """Whether kernels were compiled before, so that nobody has to be told to wait."""
    return any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi"))
