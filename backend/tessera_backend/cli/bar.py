"""The progress bar on stderr: drawn for a person at a terminal, silent in logs but for what takes long."""

from __future__ import annotations

import signal
import sys
from types import TracebackType
from typing import Any

import click

from tessera_protocol.errors import error


class ProgressBar:
    """Called with (stage, fraction, text), as jobs do; a context that ends Ctrl-C as "cancelled"."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=1000, file=sys.stderr, show_eta=False, width=30)

    def __call__(self, stage: str, fraction: float, text: str) -> None:
        """Show how far the job is."""
        text = text or stage.capitalize()
        if self._bar is not None:
            self._bar.label = f"{text[:48]:<48}"
            self._bar.update(round(fraction * 1000) - self._bar.pos)
        elif stage == "compiling" != self._stage:
            click.echo(text, err=True)
        self._stage = stage

    def __enter__(self) -> ProgressBar:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, value, trace)
        if kind is KeyboardInterrupt:
            raise error("cancelled", "Cancelled; nothing was written.") from None


class EarlyEnd:
    """While it is open, the first Ctrl-C asks a job for what it has, and the second one cancels it."""

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def asked(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._asked

    def __enter__(self) -> EarlyEnd:
        self._before = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _on_interrupt(self, number: int, frame: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        click.echo("\nFinishing with what there is; press Ctrl-C again to cancel.", err=True)
