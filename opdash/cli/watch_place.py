"""The file that keeps a watch's place, so that the next one goes on there."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from opdash.atomic import make_private_directory, write_atomic
from opdash.errors import InputError
from opdash.safetext import safe_text

_MOST_BYTES = 200


class PlaceFile:
    """Keeps one cursor; without a file it keeps nothing.

    Attributes:
        path: The file, or None.
        cursor: What it held when it was opened; empty where there was nothing.
    """

    def __init__(self, path: Path | None, cursor: str) -> None:
        self.path = path
        self.cursor = cursor

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path | None) -> Iterator[PlaceFile]:
        """Read the file, and keep other watches from using it.

        Raises:
            InputError: It cannot be read, or another watch keeps its place there.
        """
        if path is None:
            yield cls(None, "")
            return
        path = path.expanduser().absolute()
        try:
            with _held(path):
                yield cls(path, _read(path))
        except BlockingIOError as error:
            raise InputError(
                f"Another opdash keeps its place in {safe_text(str(path))}.",
                "End that one, or name another file.",
            ) from error

    def save(self, cursor: str) -> None:
        """Keep a place, whole or not at all.

        Raises:
            OSError: The file cannot be written.
        """
        if self.path is not None:
            write_atomic(self.path, f"{cursor}\n".encode())


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    make_private_directory(path.parent)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return ""
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if data and (not text or len(data) > _MOST_BYTES):
        raise InputError(
            f"{safe_text(str(path))} is no file in which a watch kept its place.",
            "Name another file with --state-file.",
        )
    return text
