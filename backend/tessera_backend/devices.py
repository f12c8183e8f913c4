"""Which devices torch can compute on. As a program it prints them as JSON, so that the broker need not load torch."""

from __future__ import annotations

import json

from tessera_protocol.errors import error


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


def check(device: str) -> None:
    """Refuse a device that torch can't compute on here.

    Raises:
        InvalidInput: "out-of-range".
    """
    import torch

    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as problem:
        raise error(
            "out-of-range",
            f"There is no device {device} that torch can compute on here.",
            field="device",
            given=device,
            allowed=", ".join(devices()),
            remedy=f"Take {' or '.join(devices())}.",
        ) from problem


if __name__ == "__main__":
    print(json.dumps(devices()))
