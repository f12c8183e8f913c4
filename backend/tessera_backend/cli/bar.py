"""The progress bar on stderr: silent when nobody watches."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

import click

from tessera_protocol.errors import error


class ProgressBar:
    """Called with (stage, fraction, text), as jobs do; a context that ends Ctrl-C as "cancelled"."""

    def __init__(self) -> None:
        self._bar: Any = click.progressbar(length=1000, file=sys.stderr, show_eta=False, width=30)
        self._label = ""

    def __call__(self, stage: str, fraction: float, text: str) -> None:
        """Show how far the job is."""
        label = text or stage.capitalize()
        if label != self._label and stage == "preparing" and not sys.stderr.isatty():
            # A log, or another program, reads along, and sees no bar: a line for what takes long.
            click.echo(label, err=True)
        self._label = label
        self._bar.label = f"{label[:48]:<48}"
        self._bar.update(round(fraction * 1000) - self._bar.pos)

    def __enter__(self) -> ProgressBar:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, value, trace)
        if kind is KeyboardInterrupt:
            raise error("cancelled", "Cancelled; nothing was written.") from None
