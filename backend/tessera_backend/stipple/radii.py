"""How large each dot is: by the tone of its cell."""

from __future__ import annotations

import numpy as np


def by_tone(tones: np.ndarray, radius_min: float, radius_max: float) -> np.ndarray:
    """Radii, float32 (N,) mm: the smallest at tone 0 (paper), the largest at tone 1 (black)."""
    return (radius_min + (radius_max - radius_min) * np.clip(tones, 0, 1)).astype(np.float32)

