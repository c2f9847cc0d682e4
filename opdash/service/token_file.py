"""Tokens kept for the next start: one file for each profile, for its owner's eyes only.

A token's value and its ``manage`` URL are of use only together, and so are a continuation's URL and
token; the file holds whole grants and is replaced as a whole. Whoever may rotate holds the lock
beside it, so that of two opdash processes one rotates and the other reads what came of it. A right
that a person gave back, or that the account holder refused, is noted in it, so that no process that
still runs asks for it again by itself.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from opdash.atomic import make_private_directory, write_atomic
from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.openpayments.decoding import decoder
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text
from opdash.service.held_grants import HeldGrant, Instant
from opdash.service.rights import Right

_T = TypeVar("_T")

LOCK_PATIENCE = 30.0
"""Seconds that another process may hold the lock; a rotation takes ten at the most."""

TURN_PATIENCE = 720.0
"""Seconds that another process may ask the account holder; consent pages live ten minutes."""

_LOCK_PAUSE = 0.05
_TURN_PAUSE = 0.25
_VERSION = 1
_MAX_BYTES = 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class TokenFileError(OpdashError):
    """Kept tokens cannot be used, or not be kept; opdash goes on without."""


class Kept(msgspec.Struct, frozen=True):
    """What a file holds.

    Attributes:
        grants: The grants.
        given_up: When a person gave a right back last, whether or not it was got again.
        refused: When the account holder last refused a right that was not got since.
    """

    grants: Mapping[Right, HeldGrant] = {}
    given_up: Mapping[Right, datetime] = {}
    refused: Mapping[Right, datetime] = {}


class _Content(msgspec.Struct, frozen=True):
    version: int
    grants: dict[str, HeldGrant]
    given_up: dict[str, Instant] = {}
    refused: dict[str, Instant] = {}


class TokenFile:
    """The kept grants of one profile.

    Attributes:
        path: Where they are, or will be.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    @property
    def stamp(self) -> tuple[int, int] | None:
        """What changes whenever the file is replaced; None where there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def read(self) -> Kept | None:
        """Return what is kept, or None where there is no file.

        Raises:
            TokenFileError: Others can read the file, it is not this user's, or it is damaged.
        """
        try:
            data = self._private_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(f"it cannot be read ({error.strerror or error})") from error
        try:
            content = _CONTENT.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError) as error:
            raise self._unusable("the file is damaged") from error
        if content.version != _VERSION:
            raise self._unusable("another version of opdash wrote it")
        return Kept(
            _by_right(content.grants), _by_right(content.given_up), _by_right(content.refused)
        )

    def write(self, kept: Kept) -> None:
        """Replace the file as a whole; one without grants stays, or others would miss that.

        Only for who holds the lock.

        Raises:
            TokenFileError: It cannot be written; the old one is untouched.
        """
        try:
            self._sweep()
            content = _Content(
                _VERSION,
                _by_name(kept.grants),
                _by_name(kept.given_up),
                _by_name(kept.refused),
            )
            write_atomic(self.path, msgspec.json.encode(content, enc_hook=_revealed), mode=0o600)
        except OSError as error:
            raise TokenFileError(
                f"Tokens cannot be kept in {_shown(self.path)}: {error.strerror or error}.",
                "opdash holds them in memory until it ends.",
            ) from error

    def delete(self) -> None:
        """Delete the file, and what killed processes have left of it; only under the lock.

        Raises:
            TokenFileError: It cannot be deleted.
        """
        try:
            self._sweep()
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise TokenFileError(
                f"The tokens in {_shown(self.path)} cannot be deleted: {error.strerror or error}.",
                "Delete the file yourself.",
            ) from error

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold other processes off; after half a minute go on without, as one may hang."""
        async with self._holding("lock", LOCK_PATIENCE, _LOCK_PAUSE, _nothing):
            yield

    @contextlib.asynccontextmanager
    async def turn(self, right: Right, waits: Callable[[], None]) -> AsyncIterator[None]:
        """Be the only process that asks the account holder for a right.

        Args:
            right: For which right.
            waits: Called before each wait for another process that asks; may raise to wait no
                longer.
        """
        name = f"{_NAMES[right]}.lock"
        async with self._holding(name, TURN_PATIENCE, _TURN_PAUSE, waits):
            yield

    @contextlib.asynccontextmanager
    async def _holding(
        self, name: str, patience: float, pause: float, waits: Callable[[], None]
    ) -> AsyncIterator[None]:
        descriptor = self._open_lock(name)
        if descriptor is None:
            yield
            return
        try:
            waited = 0.0
            while not _taken(descriptor) and waited < patience:
                waits()
                await self._clock.sleep(pause)
                waited += pause
            yield
        finally:
            os.close(descriptor)

    def _private_bytes(self) -> bytes:
        directory = self.path.parent.stat()
        if directory.st_mode & _OTHERS_WRITE or directory.st_uid != os.geteuid():
            raise self._refused("others can write into its directory", self.path.parent, "700")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(self.path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise self._unusable("it is not a file of your own")
            if status.st_mode & _OTHERS:
                raise self._refused("others can read the file", self.path, "600")
            if status.st_size > _MAX_BYTES:
                raise self._unusable("it is too large")
            return file.read()

    def _open_lock(self, name: str) -> int | None:
        lock = self.path.with_name(f".{self.path.name}.{name}")
        try:
            make_private_directory(lock.parent)
            status = lock.parent.stat()
            if status.st_mode & _OTHERS and status.st_uid == os.geteuid():
                lock.parent.chmod(0o700)
            return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return None  # then nothing can be kept there either, and writing says why

    def _sweep(self) -> None:
        """Delete what a process that was killed while it wrote has left; it holds tokens."""
        for part in self.path.parent.glob(f".{self.path.name}.*.part"):
            part.unlink(missing_ok=True)

    def _refused(self, why: str, path: Path, mode: str) -> TokenFileError:
        import shlex

        return TokenFileError(
            f"The kept tokens in {_shown(self.path)} are not used: {why}.",
            f"Close it with: chmod {mode} {shlex.quote(_shown(path))}",
        )

    def _unusable(self, why: str) -> TokenFileError:
        return TokenFileError(
            f"The kept tokens in {_shown(self.path)} are not used: {why}.",
            "Delete the file; opdash asks for new ones.",
        )


_NAMES = {Right.INCOMING: "incoming", Right.OUTGOING: "outgoing"}
_RIGHTS = {name: right for right, name in _NAMES.items()}
_CONTENT = decoder(_Content)


def _by_right(named: Mapping[str, _T]) -> dict[Right, _T]:
    return {right: named[name] for name, right in _RIGHTS.items() if name in named}


def _by_name(by_right: Mapping[Right, _T]) -> dict[str, _T]:
    return {_NAMES[right]: one for right, one in by_right.items()}


def _nothing() -> None:
    pass


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
    return True


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not kept")


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)
