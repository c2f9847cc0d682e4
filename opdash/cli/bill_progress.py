"""How far a run that bills invoices has come, on standard error."""

from __future__ import annotations

import sys
from types import TracebackType

from opdash.cellwidth import width_of
from opdash.cli.output import talk
from opdash.clock import Clock
from opdash.service.bill_reports import BillingProgress

_LINE_EVERY = 5.0
"""Seconds between two lines where they cannot overwrite each other."""


class Progress:
    """Says how far a run has come, on a terminal in one line."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in_place = sys.stderr is not None and sys.stderr.isatty()
        self._width = 0
        self._told_at = clock.monotonic()
        self._reason = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def show(self, progress: BillingProgress) -> None:
        """Say it, at once or when the next line is due."""
        if self._in_place:
            self._write(progress.words)
            return
        is_news = bool(progress.waiting) and progress.waiting != self._reason
        now = self._clock.monotonic()
        if is_news or now - self._told_at >= _LINE_EVERY:
            self._reason = progress.waiting
            self._told_at = now
            talk(progress.words)

    def clear(self) -> None:
        """Take the line away, so that something else can be said."""
        if self._width:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()
            self._width = 0

    def _write(self, line: str) -> None:
        width = width_of(line)
        sys.stderr.write("\r" + line + " " * max(self._width - width, 0))
        sys.stderr.flush()
        self._width = width
