"""Which devices torch can compute on. As a program it prints them as JSON, so that the broker need not load torch."""

from __future__ import annotations

import json


def devices() -> list[str]:
    """ "cpu" first, then "cuda:0", "cuda:1", ... or "mps", as far as this machine has them."""
    try:
        import torch
    except ImportError:
        return ["cpu"]
    found = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


if __name__ == "__main__":
    print(json.dumps(devices()))
