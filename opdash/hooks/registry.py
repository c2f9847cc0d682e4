"""What opdash keeps of each hook: what it is, and which event it had last.

A file for each in ``hooks/`` below the data directory, for its owner's eyes only: a command line or
an address may hold secrets. Whoever delivers for a hook holds the lock beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from opdash.atomic import make_private_directory, write_atomic
from opdash.errors import InputError
from opdash.safetext import safe_text

_KEY_LENGTH: Final = 12


class Hook(msgspec.Struct, frozen=True):
    """A hook as a person set it up; another choice of events makes it another hook.

    Attributes:
        kind: Whether it is a program or a web hook.
        words: The program and what it is given, or the one URL.
        wallets: The names of the wallets that it is about; all where empty.
        only: The kinds of events that it is told of; all where empty.
        filter: Which payments it is about; all where empty.
    """

    kind: Literal["exec", "webhook"]
    words: tuple[str, ...]
    wallets: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    filter: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others, without giving anything away."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:_KEY_LENGTH]


class Place(msgspec.Struct, frozen=True):
    """How far a hook has come.

    Attributes:
        hook: Which.
        name: What it is called, without secrets.
        cursor: The last event that it took, or that became a dead letter.
    """

    hook: Hook
    name: str
    cursor: str


class Registry:
    """The hooks of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir / "hooks"
        """Where they are kept, and what could not be delivered."""

    def place(self, key: str) -> Place | None:
        """Return how far a hook has come, or None where it never was.

        Raises:
            InputError: What is kept of it cannot be read.
        """
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{_shown(path)} cannot be read: {error.strerror}.") from error
        try:
            return msgspec.json.decode(data, type=Place)
        except msgspec.DecodeError as error:
            raise InputError(
                f"{_shown(path)} is damaged.",
                "Delete it; the hook then begins where --since says.",
            ) from error

    def save(self, place: Place) -> None:
        """Keep how far a hook has come, whole or not at all. Raises `OSError`."""
        write_atomic(self._path(place.hook.key), msgspec.json.encode(place))

    def forget(self, key: str) -> None:
        """Let go of how far a hook has come; to be done on its `duty`. Raises `OSError`."""
        # The lock stays: whoever has it open already must go on sharing it with all others.
        self._path(key).unlink(missing_ok=True)

    def places(self) -> tuple[Place, ...]:
        """Return all hooks that ever were. Raises `InputError`."""
        found = (self.place(path.stem) for path in sorted(self.directory.glob("*.hook")))
        return tuple(place for place in found if place is not None)

    @contextlib.contextmanager
    def duty(self, key: str) -> Iterator[bool]:
        """Be the only process that delivers for a hook; yields whether it is this one."""
        make_private_directory(self.directory)
        path = self.directory / f".{key}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.hook"


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)
