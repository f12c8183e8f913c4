"""What is checked about a submit before it may wait: job, parameters, buffers, sizes. Pure functions."""

from __future__ import annotations

import re

from tessera_protocol import schema
from tessera_protocol.errors import error
from tessera_protocol.jobs import JOBS, BufferSpec, Job
from tessera_protocol.messages import Buffer, Submit

# Also the name of a folder in the spool: nothing but digits may get there.
_JOB_ID = re.compile(r"[0-9a-f]{32}")


def check(message: Submit, image_pixels: int) -> None:
    """Refuse what can't become a job.

    Raises:
        Refused: "bad-message", a job id that isn't one.
        InvalidInput: "unknown-job", "missing-input", "unreadable-input", "too-large", or a parameter's failure.
    """
    if not _JOB_ID.fullmatch(message.job_id):
        raise error(
            "bad-message",
            "The job id has to be 32 hexadecimal digits in lower case.",
            field="job_id",
            given=message.job_id[:40],
            remedy="Make it with uuid4().hex.",
        )
    job = JOBS.get(message.job)
    if job is None:
        raise error(
            "unknown-job",
            f"This backend has no job {message.job[:40]!r}.",
            field="job",
            given=message.job[:40],
            allowed=", ".join(JOBS),
            remedy="Update the backend: pip install -U tessera.",
        )
    schema.check(job.params, message.params)
    _check_inputs(job, message)
    for spec in job.inputs:
        if spec.name in message.buffers:
            _check_input(spec, message.buffers[spec.name], image_pixels)


def _check_inputs(job: Job, message: Submit) -> None:
    names = [spec.name for spec in job.inputs]
    for name in message.buffers:
        if name not in names:
            raise error(
                "unreadable-input",
                f"The job {job.name} has no input {name[:40]!r}.",
                field=name[:40],
                allowed=", ".join(names),
            )
    for spec in job.inputs:
        if spec.name not in message.buffers and not spec.optional:
            raise error(
                "missing-input",
                f"The job {job.name} needs an input {spec.name!r}.",
                field=spec.name,
                allowed=spec.help,
                remedy="Send it as a buffer of that name.",
            )


def _check_input(spec: BufferSpec, buffer: Buffer, image_pixels: int) -> None:
    if spec.dtype is not None:
        fits = len(buffer.shape) == len(spec.shape) and all(
            isinstance(want, str) or want == n for want, n in zip(spec.shape, buffer.shape, strict=True)
        )
        if buffer.dtype != spec.dtype or not fits:
            raise error(
                "unreadable-input",
                f"The input {spec.name} is {buffer.dtype or 'a file'} of shape {buffer.shape}.",
                field=spec.name,
                allowed=f"{spec.dtype} of shape {spec.shape}",
            )
    elif buffer.dtype is not None:
        _check_pixels(spec, buffer, image_pixels)


def _check_pixels(spec: BufferSpec, buffer: Buffer, image_pixels: int) -> None:
    channels = buffer.shape[2] if len(buffer.shape) == 3 else 1
    if len(buffer.shape) not in (2, 3) or channels not in (1, 2, 3, 4) or buffer.dtype not in ("uint8", "uint16"):
        raise error(
            "unreadable-input",
            f"The {spec.name} is {buffer.dtype} of shape {buffer.shape}.",
            field=spec.name,
            allowed="uint8 or uint16 of shape (height, width) or (height, width, 1 to 4 channels)",
        )
    height, width = buffer.shape[:2]
    if height * width > image_pixels:
        raise error(
            "too-large",
            f"The {spec.name} has {width} x {height} pixels, but {image_pixels:,} pixels are possible.",
            field=spec.name,
            given=height * width,
            allowed=f"{image_pixels:,} pixels",
            remedy="Scale it down.",
        )
