"""The one channel between a running job and whoever waits for it: stages, fractions, previews, the wish to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tessera_protocol.errors import error

Report = Callable[[str, float, str], None]
# Makes a preview of the state the job is in at this moment. Called at once or never, so it need not copy what it uses.
Preview = Callable[[], Any]


class Progress:
    """Handed to every job; a job calls it often, from its main loop.

    Args:
        report: told (stage, fraction in [0, 1] of the whole job, a line of text).
        cancelled: asked whether to stop; polled at each call.
        listener: gets previews that it may call, as often as it wants some; None: nobody looks at them.
        enough: asked whether the result as it is by now will do.
    """

    def __init__(
        self,
        report: Report | None = None,
        cancelled: Callable[[], bool] | None = None,
        listener: Callable[[Preview], None] | None = None,
        enough: Callable[[], bool] | None = None,
    ) -> None:
        self._report = report
        self._cancelled = cancelled
        self._listener = listener
        self._enough = enough

    def __call__(self, stage: str, fraction: float, text: str = "") -> None:
        """Say where the job is.

        Raises:
            Cancelled: somebody wants the job to end.
        """
        if self._cancelled is not None and self._cancelled():
            raise error("cancelled", "The job was cancelled.")
        if self._report is not None:
            self._report(stage, min(max(fraction, 0.0), 1.0), text)

    def enough(self) -> bool:
        """Whether somebody wants the result as good as it is by now; for jobs that are `stoppable`, in their loops."""
        return self._enough is not None and self._enough()

    def show(self, preview: Preview) -> None:
        """Offer a preview: costs next to nothing when nobody wants one, so it is for every step."""
        if self._listener is not None:
            self._listener(preview)

    def part(self, low: float, high: float) -> Progress:
        """A Progress whose 0 to 1 is `low` to `high` of this one."""
        report = lambda stage, f, text: self(stage, low + f * (high - low), text)  # noqa: E731
        return Progress(report, listener=self._listener, enough=self.enough)

    def showing(self, finish: Callable[[Any], Any]) -> Progress:
        """This Progress, with `finish` applied to the previews: for stages that know less than their caller.

        What reaches the job's end has to be a mapping, buffer name -> array.
        """
        return Progress(self, listener=lambda preview: self.show(lambda: finish(preview())), enough=self.enough)


SILENT = Progress()
