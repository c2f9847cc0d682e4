"""The file that ``--debug`` writes: what was asked, what came back, and never a secret."""

from __future__ import annotations

import contextlib
import logging
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from opdash.atomic import make_private_directory
from opdash.clock import Clock
from opdash.errors import ConfigError
from opdash.redact import redact
from opdash.safetext import safe_text

if TYPE_CHECKING:
    from opdash.openpayments.transport import Exchange

_MAX_BYTES = 10 * 1024 * 1024
_MAX_LINE = 4000


class DebugLog:
    """An open log file, one line an entry, each with its instant in UTC.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path, file: TextIO, clock: Clock) -> None:
        self.path = path
        self._file = file
        self._clock = clock

    @classmethod
    def open(cls, path: Path, clock: Clock) -> DebugLog:
        """Open a log to append to, mode 0600; one of more than 10 MiB is put aside first.

        Raises:
            ConfigError: The file cannot be written.
        """
        try:
            make_private_directory(path.parent)
            if path.exists() and path.stat().st_size > _MAX_BYTES:
                path.replace(path.with_name(path.name + ".1"))
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise ConfigError(
                f"The debug log {path} cannot be written: {error.strerror}.",
                "Choose another directory with --data-dir.",
            ) from error
        return cls(path, os.fdopen(descriptor, "w", encoding="utf-8", buffering=1), clock)

    def note(self, text: str) -> None:
        """Write one line; secrets are masked and control characters replaced.

        A log that takes no more, because the disk is full, hinders nothing else.
        """
        instant = self._clock.now().isoformat(timespec="milliseconds")
        with contextlib.suppress(OSError):
            self._file.write(f"{instant} {safe_text(redact(text), limit=_MAX_LINE)}\n")

    def exchange(self, exchange: Exchange) -> None:
        """Write down one request and its answer."""
        self.note(str(exchange))

    def handler(self) -> logging.Handler:
        """Return what brings the messages of `logging` into this log."""
        return _Handler(self)

    def failure(self, error: BaseException) -> None:
        """Write down where an exception came from, line by line."""
        for chunk in traceback.format_exception(error):
            for line in chunk.rstrip().splitlines():
                self.note(line)

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._file.close()


class _Handler(logging.Handler):
    """Writes log records, and where their exceptions came from, into a debug log."""

    def __init__(self, log: DebugLog) -> None:
        super().__init__(logging.DEBUG)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.note(f"{record.levelname} {record.name} {record.getMessage()}")
        if record.exc_info and record.exc_info[1] is not None:
            self._log.failure(record.exc_info[1])
