"""From a job's name to the function that does it: buffers in, buffers and metadata out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tessera_protocol import schema
from tessera_protocol.errors import InvalidInput, error, raised
from tessera_protocol.jobs import JOBS
from tessera_protocol.messages import Buffer

from .progress import Progress

Outcome = tuple[dict[str, Any], dict[str, Buffer]]


def run(
    name: str,
    params: Mapping[str, Any],
    inputs: Mapping[str, Buffer],
    progress: Progress,
    *,
    device: str = "cpu",
    image_pixels: int = 250_000_000,
) -> Outcome:
    """Do a job.

    Args:
        name: a key of `tessera_protocol.jobs.JOBS`.
        params: values that differ from the defaults.
        inputs: as the job's schema says.
        progress: told of stages; says when to stop.
        device: where learned engines run.
        image_pixels: most pixels of a picture.
    Returns:
        (metadata of plain JSON types, output buffers as the job's schema says).
    Raises:
        InvalidInput, Cancelled.
    """
    return _RUNNERS[name](schema.check(JOBS[name].params, params), inputs, progress, device, image_pixels)


def warm(device: str) -> None:
    """Load and compile what jobs on this device need, so that the first of them does not wait."""
    from . import stipple, vectorize, voxelize

    stipple.warm(device)
    vectorize.warm()
    voxelize.warm()


def picture(buffer: Buffer, image_pixels: int, field: str = "image") -> np.ndarray:
    """The input `field` as an array: decoded if it is a file, viewed if it is an array.

    Raises:
        InvalidInput: "unreadable-input" or "too-large".
    """
    if buffer.dtype is not None:
        return array(buffer)
    from .images import load

    try:
        return load(bytes(buffer.data), max_pixels=image_pixels)
    except InvalidInput as refused:
        problem = refused.failure.problem.replace("The picture", f"The {field}") if field != "image" else None
        raise raised(
            dataclasses.replace(refused.failure, field=field, problem=problem or refused.failure.problem)
        ) from refused


def array(buffer: Buffer) -> np.ndarray:
    """A buffer's array, a view of its bytes."""
    if buffer.dtype is None:
        raise error("unreadable-input", "An array was expected, but a file came.")
    return np.frombuffer(buffer.data, dtype=np.dtype(buffer.dtype).newbyteorder("<")).reshape(buffer.shape)


def as_buffer(values: np.ndarray) -> Buffer:
    """An array as a buffer: C order, little endian."""
    values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return Buffer.array(values.data.cast("B"), values.dtype.name, values.shape)


def _stipple(params: Any, inputs: Mapping[str, Buffer], progress: Progress, device: str, image_pixels: int) -> Outcome:
    from .stipple import stipple

    progress("reading", 0.0, "Reading the picture")
    image = picture(inputs["image"], image_pixels)
    outlines = {name: array(inputs[name]) for name in ("clip", "protect") if name in inputs}
    mask = picture(inputs["mask"], image_pixels, "mask") if "mask" in inputs else None
    dots = stipple(image, params, progress.part(0.05, 1.0), mask=mask, device=device, **outlines)
    return dots.meta, {name: as_buffer(getattr(dots, name)) for name in ("positions", "radii", "plates")}


def _vectorize(
    params: Any, inputs: Mapping[str, Buffer], progress: Progress, device: str, image_pixels: int
) -> Outcome:
    from .vectorize import vectorize
    from .vectorize.svg import to_svg

    progress("reading", 0.0, "Reading the picture")
    image = picture(inputs["image"], image_pixels)
    drawing = vectorize(image, params, progress.part(0.05, 1.0), device=device)
    return drawing.meta, {"svg": Buffer.file(to_svg(drawing), "image/svg+xml")}


def _voxelize(params: Any, inputs: Mapping[str, Buffer], progress: Progress, device: str, image_pixels: int) -> Outcome:
    from .voxelize import voxelize
    from .voxelize.export.arrays import to_arrays
    from .voxelize.source.scene import unpacked

    progress("reading", 0.0, "Reading the mesh")
    header, sheet = inputs["scene"], inputs.get("sheet")
    scene = unpacked(
        bytes(header.data), {name: array(buffer) for name, buffer in inputs.items() if buffer.dtype is not None}
    )
    voxels = voxelize(
        scene.mesh,
        params,
        progress.part(0.05, 1.0),
        sheet=None if sheet is None else bytes(sheet.data),
        bounds=scene.bounds,
        locked=scene.locked,
        device=device,
    )
    outputs = {name: as_buffer(values) for name, values in to_arrays(voxels).items()}
    return voxels.meta | {"notes": scene.notes + voxels.meta.get("notes", [])}, outputs


_RUNNERS: Mapping[str, Callable[..., Outcome]] = {"stipple": _stipple, "vectorize": _vectorize, "voxelize": _voxelize}
