"""Radial power spectra and anisotropy, one small plot a method."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from peers import Method
from tessera_backend.stipple.metrics import arrangement

# An even tone, of which ten sets with other seeds are averaged: -10 dB of anisotropy is isotropic.
_GREY, _SETS, _DOTS, _SIDE = 128, 10, 1000, 512


def spectra(path: Path, methods: Sequence[Method]) -> None:
    """Draw every method's spectrum; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    grey = np.full((_SIDE, _SIDE), _GREY, np.uint8)
    figure, axes = pyplot.subplots(2, len(methods), figsize=(2.4 * len(methods), 4.6), sharex=True, sharey="row")
    for column, method in zip(axes.T, methods, strict=True):
        print(f"spectrum of {method.name}", file=sys.stderr)
        measured = arrangement.spectrum([method.solve(grey, _DOTS, seed)[0] for seed in range(_SETS)])
        column[0].plot(measured.frequency, measured.power, color="black", linewidth=1)
        column[0].axhline(1, color="0.8", zorder=0)
        column[0].set_title(method.name.removeprefix("Tessera "), fontsize=8)
        column[1].plot(measured.frequency, measured.anisotropy, color="black", linewidth=0.7)
        column[1].axhline(-10 * np.log10(_SETS), color="0.8", zorder=0)
        column[1].set_xlabel("frequency / sqrt(N)", fontsize=8)
    axes[0, 0].set_ylabel("power")
    axes[1, 0].set_ylabel("anisotropy, dB")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    print(f"spectra: {path}", file=sys.stderr)
