"""Tokens kept for the next start: one file for each profile, for its owner's eyes only.

A token's value and its ``manage`` URL are of use only together, and so are a continuation's URL and
token; the file holds whole grants and is replaced as a whole. Whoever may rotate holds the lock
beside it, so that of two opdash processes one rotates and the other reads what came of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from opdash.atomic import make_private_directory, write_atomic
from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.openpayments.decoding import decoder
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text
from opdash.service.held_grants import HeldGrant
from opdash.service.rights import Right

LOCK_PATIENCE = 30.0
"""Seconds that another process may hold the lock; a rotation takes ten at the most."""

_LOCK_PAUSE = 0.05
_VERSION = 1
_MAX_BYTES = 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class TokenFileError(OpdashError):
    """Kept tokens cannot be used, or not be kept; opdash goes on without."""


class _Content(msgspec.Struct, frozen=True):
    version: int
    grants: dict[str, HeldGrant]


class TokenFile:
    """The kept grants of one profile.

    Attributes:
        path: Where they are, or will be.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    def read(self) -> dict[Right, HeldGrant]:
        """Return the kept grants; none where there is no file.

        Raises:
            TokenFileError: Others can read the file, it is not this user's, or it is damaged.
        """
        try:
            data = self._private_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unusable(f"it cannot be read ({error.strerror or error})") from error
        try:
            content = _CONTENT.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError) as error:
            raise self._unusable("the file is damaged") from error
        if content.version != _VERSION:
            raise self._unusable("another version of opdash wrote it")
        return {
            right: content.grants[key] for key, right in _RIGHTS.items() if key in content.grants
        }

    def write(self, grants: Mapping[Right, HeldGrant]) -> None:
        """Replace the file as a whole; without grants there is none.

        Only for who holds the lock.

        Raises:
            TokenFileError: It cannot be written; the old one is untouched.
        """
        try:
            self._sweep()
            if not grants:
                self.path.unlink(missing_ok=True)
                return
            named = {_NAMES[right]: grant for right, grant in grants.items()}
            content = _Content(_VERSION, named)
            write_atomic(self.path, msgspec.json.encode(content, enc_hook=_revealed), mode=0o600)
        except OSError as error:
            raise TokenFileError(
                f"Tokens cannot be kept in {_shown(self.path)}: {error.strerror or error}.",
                "opdash holds them in memory until it ends.",
            ) from error

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold other processes off; after half a minute go on without, as one may hang."""
        descriptor = self._open_lock()
        if descriptor is None:
            yield
            return
        try:
            waited = 0.0
            while not _taken(descriptor) and waited < LOCK_PATIENCE:
                await self._clock.sleep(_LOCK_PAUSE)
                waited += _LOCK_PAUSE
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

    def _open_lock(self) -> int | None:
        lock = self.path.with_name(f".{self.path.name}.lock")
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
