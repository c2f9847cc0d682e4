"""Where an export goes: a file, whole or not at all, or standard output."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from opdash.atomic import writing_atomic
from opdash.errors import InputError
from opdash.exports.exporting import Write
from opdash.exports.records import ExportError
from opdash.safetext import safe_text


class FileDestination:
    """A file of mode 0600; what was there before stays until the new one is whole.

    Args:
        path: The file.
        overwrite: Whether one that is there may be replaced.

    Raises:
        InputError: The file is there and must not be replaced, is no file, or its directory is
            not there.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path: Path | None = path
        self._path = path
        self._overwrite = overwrite
        self._check()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Write]:
        """Yield what writes to the file.

        Raises:
            ExportError: It cannot be written; nothing of it is left.
            InputError: Another program has made it meanwhile.
        """
        try:
            with writing_atomic(self._path, overwrite=self._overwrite) as file:
                yield lambda text: file.write(text.encode())
        except FileExistsError as error:
            raise self._exists() from error
        except OSError as error:
            raise self._unwritable(error) from error

    def _check(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if not self._path.parent.is_dir():
                raise InputError(
                    f"There is no directory {_shown(self._path.parent)}.",
                    "Make it, or name another file.",
                ) from None
            return
        except OSError as error:
            raise self._unwritable(error) from error
        if not stat.S_ISREG(found.st_mode):
            raise InputError(
                f"{_shown(self._path)} is no file.", "Name a file, or - for standard output."
            )
        if not self._overwrite:
            raise self._exists()

    def _exists(self) -> InputError:
        return InputError(
            f"{_shown(self._path)} is there already; nothing was written.",
            "Name another file, or replace it with --force.",
        )

    def _unwritable(self, error: OSError) -> ExportError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ExportError(
                f"{_shown(self._path)} cannot be written: the disk is full.",
                "Nothing of it is left, and what was there before is as it was; free some space.",
            )
        reason = os.strerror(error.errno) if error.errno else "an input error"
        return ExportError(
            f"{_shown(self._path)} cannot be written: {reason}.",
            "Nothing of it is left; check the directory, or name another file.",
        )


class StreamDestination:
    """Standard output; at a terminal, each line is made safe to look at.

    Args:
        stream: Takes bytes.
        is_terminal: Whether a person looks at it.
    """

    path: Path | None = None

    def __init__(self, stream: BinaryIO, *, is_terminal: bool) -> None:
        self._stream = stream
        self._is_terminal = is_terminal

    @contextlib.contextmanager
    def opened(self) -> Iterator[Write]:
        """Yield what writes to the stream.

        Raises:
            OSError: Nobody reads it any more (`BrokenPipeError`), or it cannot be written.
        """
        yield self._write_safely if self._is_terminal else self._write
        self._stream.flush()

    def _write(self, text: str) -> object:
        return self._stream.write(text.encode())

    def _write_safely(self, text: str) -> object:
        lines = text.split("\n")
        return self._write("\n".join(safe_text(line.removesuffix("\r")) for line in lines))


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)
