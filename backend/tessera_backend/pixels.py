"""What jobs ask of a picture that comes as an array."""

from __future__ import annotations

import numpy as np

from tessera_protocol.errors import TesseraError, error

# How messages call the inputs.
_WHICH = {"image": "picture", "mask": "mask"}


def check_image(image: np.ndarray, field: str = "image") -> np.ndarray:
    """The picture, image or mask, as (H, W) or (H, W, 2 to 4), uint8, uint16 or float.

    Raises:
        InvalidInput: "unusable-input".
    """
    which = _WHICH[field]
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (2, 3, 4))
    if not shaped or image.size == 0:
        raise _unusable(
            field,
            f"The {which} is an array of shape {image.shape}.",
            given=str(image.shape),
            allowed="(height, width), or with 2, 3 or 4 channels behind, and at least one pixel",
        )
    if image.dtype == bool:
        image = image.astype(np.uint8) * np.uint8(255)
    if image.dtype not in (np.uint8, np.uint16) and image.dtype.kind != "f":
        raise _unusable(
            field,
            f"The {which} is an array of {image.dtype}.",
            given=str(image.dtype),
            allowed="uint8, uint16, or floats from 0 to 1",
            remedy="Convert it to uint8.",
        )
    if image.dtype.kind == "f":
        _check_floats(image, field)
    return image


def _check_floats(image: np.ndarray, field: str) -> None:
    which = _WHICH[field]
    low, high = float(image.min()), float(image.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise _unusable(
            field,
            f"The {which} has pixels that are no numbers (NaN or infinite).",
            given=str(low if not np.isfinite(low) else high),
            allowed="floats from 0 to 1",
            remedy="Replace them, with 1 for white paper for instance.",
        )
    if low < -1e-6 or high > 1 + 1e-6:
        raise _unusable(
            field,
            f"The {which}'s floats run from {low:g} to {high:g}.",
            given=low if low < 0 else high,
            allowed="floats from 0 to 1",
            remedy="Divide them by the value of white.",
        )


def _unusable(field: str, problem: str, **details: object) -> TesseraError:
    return error("unusable-input", problem, field=field, **details)
