"""The file that ``--trace`` writes: every request as it went over the wire, secrets masked."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from opdash.errors import ConfigError
from opdash.service.inspection import Inspected
from opdash.service.request_reports import RULE, told

if TYPE_CHECKING:
    from opdash.openpayments.traces import Trace


class TraceFile:
    """An open file, one report a request.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path, file: TextIO) -> None:
        self.path = path
        self._file = file
        self._count = 0

    @classmethod
    def open(cls, path: Path) -> TraceFile:
        """Open a file to append to; from then on only its owner can read it.

        Raises:
            ConfigError: It cannot be written.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise ConfigError(
                f"Requests cannot be written to {path}: {error.strerror}.",
                "Choose another file with --trace.",
            ) from error
        return cls(path, os.fdopen(descriptor, "w", encoding="utf-8"))

    def note(self, profile: str, trace: Trace) -> None:
        """Write one request down; a file that takes no more hinders nothing else."""
        self._count += 1
        with contextlib.suppress(OSError):
            self._file.write(f"{RULE}\n{told(Inspected(self._count, profile, trace))}")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._file.close()
