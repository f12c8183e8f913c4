"""Edge emphasis: more dots beside contours, so that a drawing reads with fewer of them.

A difference of Gaussians tells on which side of a contour a pixel is, and how strong the contour is; it is zero where
tones are flat, or change evenly. Dots gather on the darker side and thin out on the lighter one, as in the eye's own
lateral inhibition (Marr and Hildreth, Theory of Edge Detection, Proc. R. Soc. B 207, 1980). Two scales, of about one
and of two dots' distance: finer contours than that no dot can follow.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

# Standard deviations of the narrower Gaussians, as shares of the distance of dots on a tone of one half.
SCALES = (0.5, 1.0)
# Of the wider Gaussian over the narrower one.
WIDER = 1.6
# What an amount of 1 adds, times the difference of Gaussians: a step from 0 to 1 has 0.11 there.
GAIN = 5.0


def emphasize(densities: np.ndarray, dots: int, amount: float) -> None:
    """Raise densities on the darker sides of contours, and lower them on the lighter ones; in place.

    Args:
        densities: float32 (P, H, W), [0, 1] or a little more. All plates are scaled alike, so that colours stay.
        dots: how many there will be.
        amount: 0 for nothing, 1 for the most.
    """
    tone = densities.sum(axis=0)
    spacing = float(np.sqrt(2 * tone.sum(dtype=np.float64) / dots))
    response = np.zeros_like(tone)
    for scale in SCALES:
        narrow = gaussian_filter(tone, scale * spacing, mode="nearest")
        narrow -= gaussian_filter(tone, WIDER * scale * spacing, mode="nearest")
        response += narrow
    wanted = np.clip(tone + np.float32(GAIN * amount) * response, 0, np.maximum(tone, 1))
    densities *= np.divide(wanted, tone, out=np.zeros_like(tone), where=tone > 0)
