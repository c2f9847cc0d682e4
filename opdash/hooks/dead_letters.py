"""Events that could not be delivered, kept until a person decides what becomes of them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from opdash.atomic import make_private_directory, write_atomic

FILE: Final = "dead-letters.jsonl"
"""The file's name below ``hooks/`` in the data directory: JSON Lines."""


class DeadLetter(msgspec.Struct, frozen=True, rename="camel"):
    """One event that one hook did not take.

    Attributes:
        id: Its own name, short.
        hook: The hook's key.
        name: What the hook is called, without secrets.
        at: When it was given up (RFC 3339, UTC).
        attempts: How often it was tried.
        reason: Why the last attempt failed.
        event: The event's object.
    """

    id: str
    hook: str
    name: str
    at: str
    attempts: int
    reason: str
    event: dict[str, Any]


class DeadLetters:
    """The file of them; several processes may use it.

    Attributes:
        path: Where it is, or will be.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE

    def add(self, letter: DeadLetter) -> None:
        """Add one at the end; it is on the disk when this returns. Raises `OSError`."""
        with self._locked():
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            with os.fdopen(os.open(self.path, flags, 0o600), "ab") as file:
                # A line that a crash has cut ends here, or it would swallow this one.
                torn = file.tell() > 0 and not self._ends_whole()
                file.write(b"\n" * torn + msgspec.json.encode(letter) + b"\n")
                file.flush()
                os.fsync(file.fileno())

    def all(self) -> tuple[DeadLetter, ...]:
        """Return all of them, oldest first; a line that a crash has cut is passed over."""
        return tuple(letter for _, letter in self._lines() if letter is not None)

    def remove(self, ids: Collection[str]) -> int:
        """Take some of them out; return how many there were. Raises `OSError`."""
        with self._locked():
            lines = list(self._lines())
            kept = [line for line, letter in lines if letter is None or letter.id not in ids]
            if len(kept) < len(lines):
                write_atomic(self.path, b"".join(line + b"\n" for line in kept))
            return len(lines) - len(kept)

    def _lines(self) -> Iterator[tuple[bytes, DeadLetter | None]]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in data.splitlines():
            try:
                yield line, msgspec.json.decode(line, type=DeadLetter)
            except msgspec.DecodeError:
                yield line, None

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        make_private_directory(self.path.parent)
        lock = self.path.with_name(f".{self.path.name}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
