"""What can go wrong, as values a person can act on.

    TesseraError                 carries one Failure
    ├── InvalidInput             the user's file or value: say what is allowed, exit code 2
    ├── Refused                  the backend will not take it: too large, too many, wrong version
    ├── Unreachable              no backend answers, and none could be started
    ├── Cancelled                the user asked for it
    └── InternalFault            our bug, or a worker that died: the message ends with where the log is

Every code has one class and one line of meaning in CODES; `docs/protocol.md` lists them.
"""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Failure:
    """One failure, as it travels on the wire and as the artist reads it.

    Attributes:
        code: a key of `CODES`.
        problem: what was wrong, a sentence.
        field: the parameter or buffer it is about, if any.
        given: the value that was given, if any (None, bool, int, float or str).
        allowed: what is allowed, as text.
        remedy: what to do about it, a sentence.
    """

    code: str
    problem: str
    field: str | None = None
    given: Any = None
    allowed: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}" if self.remedy else self.problem


class TesseraError(Exception):
    """Base of all errors that a user may meet; `failure` says everything."""

    exit_code = 1

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class InvalidInput(TesseraError):
    """The user's value or file is not usable."""

    exit_code = 2


class Refused(TesseraError):
    """The backend is well but will not take this request."""


class Unreachable(TesseraError):
    """No backend answers."""


class Cancelled(TesseraError):
    """The job ended because somebody asked for it."""

    exit_code = 130


class InternalFault(TesseraError):
    """Not the user's doing."""


CODES: dict[str, tuple[type[TesseraError], str]] = {
    "out-of-range": (InvalidInput, "A parameter is outside its range or not one of its choices."),
    "wrong-type": (InvalidInput, "A parameter has the wrong type."),
    "unknown-parameter": (InvalidInput, "The job has no parameter of that name."),
    "unknown-job": (InvalidInput, "The backend has no job of that name."),
    "missing-input": (InvalidInput, "A required input buffer was not sent."),
    "unreadable-input": (
        InvalidInput,
        "A file or buffer could not be read: damaged, truncated, or of an unknown kind.",
    ),
    "unusable-input": (InvalidInput, "The input was read, but this job can do nothing with it."),
    "too-large": (InvalidInput, "An input is over a limit of the backend."),
    "bad-message": (Refused, "A message does not follow the protocol."),
    "version-mismatch": (Refused, "Client and backend speak different protocol versions."),
    "queue-full": (Refused, "Too many jobs are waiting."),
    "no-space": (Refused, "The backend can't keep the job or its result: its disk is full or read-only."),
    "job-id-conflict": (Refused, "The job id was used before, for another request."),
    "no-such-job": (Refused, "The backend does not know a job of that id (any more)."),
    "stopping": (Refused, "The backend is shutting down."),
    "no-backend": (Unreachable, "No backend runs, or the connection file is stale."),
    "backend-silent": (Unreachable, "The backend stopped answering."),
    "start-failed": (Unreachable, "The backend could not be started."),
    "cancelled": (Cancelled, "The job was cancelled."),
    "worker-died": (InternalFault, "The worker process died in mid-job; a fresh one serves the next."),
    "backend-restarted": (InternalFault, "The backend was stopped or crashed while the job ran or waited."),
    "internal-error": (InternalFault, "A bug in Tessera."),
}


def error(code: str, problem: str, **details: Any) -> TesseraError:
    """The exception for a failure code: `raise error("out-of-range", "Dots is 3.", field="dots", given=3)`."""
    return raised(Failure(code, problem, **details))


def raised(failure: Failure) -> TesseraError:
    """The exception that carries `failure`; an unknown code, from a newer backend, is an InternalFault."""
    cls, _ = CODES.get(failure.code, (InternalFault, ""))
    return cls(failure)
