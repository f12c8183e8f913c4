"""The one channel between a running job and whoever waits for it: stages, fractions, and the wish to stop."""

from __future__ import annotations

from collections.abc import Callable

from tessera_protocol.errors import error

Report = Callable[[str, float, str], None]


class Progress:
    """Handed to every job; a job calls it often, from its main loop.

    Args:
        report: told (stage, fraction in [0, 1] of the whole job, a line of text).
        cancelled: asked whether to stop; polled at each call.
    """

    def __init__(self, report: Report | None = None, cancelled: Callable[[], bool] | None = None) -> None:
        self._report = report
        self._cancelled = cancelled

    def __call__(self, stage: str, fraction: float, text: str = "") -> None:
        """Say where the job is.

        Raises:
            Cancelled: somebody wants the job to end.
        """
        if self._cancelled is not None and self._cancelled():
            raise error("cancelled", "The job was cancelled.")
        if self._report is not None:
            self._report(stage, min(max(fraction, 0.0), 1.0), text)

    def part(self, low: float, high: float) -> Progress:
        """A Progress whose 0 to 1 is `low` to `high` of this one."""
        return Progress(lambda stage, f, text: self(stage, low + f * (high - low), text))


SILENT = Progress()
