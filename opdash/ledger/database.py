"""Opening the ledger's file, and turning SQLite's failures into sentences for a person."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opdash.errors import LedgerError
from opdash.ledger import schema
from opdash.safetext import safe_text

_BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another process's transaction, each of which takes milliseconds."""

_KNOWS_EFFECTIVE: Final = os.access in os.supports_effective_ids
_WAL_LIMIT: Final = 64 * 1024 * 1024
_CHECKPOINT_PAGES: Final = 8_000
"""Pages of 4 KiB that the log gathers before they are written back: a scan touches few twice."""

_CACHE_KIB: Final = 2 * 1024  # four times as much would make recording two per cent quicker
_READING_CACHE_KIB: Final = 1024  # the system's cache serves readers as well, and is nobody's own
_ELSEWHERE: Final = (
    "Move the file away or choose another --data-dir; "
    "opdash then rebuilds what the server still knows."
)
_DAMAGED: Final = (
    "Nothing was changed. Run “opdash ledger check --repair”: "
    "it keeps the file and saves what can be read of it."
)
_PERHAPS_DAMAGED: Final = (
    "If it was one, run “opdash ledger check --repair”: it keeps the file and saves what can be "
    "read of it. If not, move it away or choose another --data-dir."
)
_CAUSES: Final = {
    sqlite3.SQLITE_NOTADB: (
        "is not an opdash ledger: it is no database.",
        _PERHAPS_DAMAGED,
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged.",
        _DAMAGED,
    ),
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full.",
        "Free some space; what was not stored is fetched again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written: the file or its directory is read-only.",
        "Make both writable for you, or choose another --data-dir.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened.",
        "Check that you may read and write the file and its directory.",
    ),
    sqlite3.SQLITE_PERM: (
        "cannot be opened.",
        "Check that you may read and write the file and its directory.",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: the disk reports an error.",
        "Check the disk and its free space, then try again.",
    ),
    sqlite3.SQLITE_BUSY: (
        "is held by another program.",
        "Close other programs that use it, then try again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "is held by another program.",
        "Close other programs that use it, then try again.",
    ),
}


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open a ledger, make one where there is none, and bring an older one up to date.

    A directory that must be made gets mode 0700, the file 0600 before anything is written to it.

    Raises:
        LedgerError: It is not a ledger, newer than this opdash, damaged, or may not be written;
            nothing was overwritten.
    """
    with explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opening_alone(path.parent):
            if not path.exists():
                # Closing a descriptor of a file that is open already would drop SQLite's locks.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            elif not os.access(path, os.R_OK | os.W_OK, effective_ids=_KNOWS_EFFECTIVE):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            connection = _connect(path)
            try:
                _check(connection, path)
                _tighten(path)
                connection.execute("PRAGMA journal_mode = WAL")
                schema.migrate(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            except BaseException:
                connection.close()
                raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing ledger so that nothing can be written through it.

    Raises:
        LedgerError: There is none, or it cannot be read by this opdash.
    """
    if not path.exists():
        raise LedgerError(
            f"There is no ledger at {_shown(path)}.", "Start opdash once; it makes one."
        )
    with explained(path):
        connection = _connect(path)
        try:
            _check(connection, path)
            _check_not_empty(connection, path)
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA cache_size = -{_READING_CACHE_KIB}")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn failures of SQLite and of the file system into `LedgerError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(path, error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sentence, advice = _CAUSES[sqlite3.SQLITE_FULL]
            raise LedgerError(f"The ledger {_shown(path)} {sentence}", advice) from error
        raise LedgerError(
            f"The ledger {_shown(path)} cannot be opened: {error.strerror or 'an input error'}.",
            "Check that you may read and write the file and its directory, "
            "or choose another --data-dir.",
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_TIMEOUT,
        cached_statements=256,
        check_same_thread=False,
    )
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _opening_alone(directory: Path) -> Iterator[None]:
    """Keep other processes from creating or migrating a ledger in the same directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (objects,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if mark != schema.APPLICATION_ID and (mark or objects or version):
        raise LedgerError(
            f"The file {_shown(path)} is not an opdash ledger: "
            "it is a database of another program.",
            _ELSEWHERE,
        )
    if version > schema.VERSION:
        raise LedgerError(
            f"The ledger {_shown(path)} was written by a newer opdash "
            f"(ledger version {version}; this one reads up to {schema.VERSION}).",
            "Update opdash, or choose another --data-dir; nothing was changed.",
        )


def _check_not_empty(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < schema.VERSION:
        raise LedgerError(
            f"The ledger {_shown(path)} is of an older version ({version}).",
            "Start opdash once; it brings the ledger up to date.",
        )


def _tighten(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        path.chmod(mode & 0o700)


def _explanation(path: Path, error: sqlite3.Error) -> LedgerError:
    code = getattr(error, "sqlite_errorcode", None)
    cause = _CAUSES.get(code & 0xFF) if isinstance(code, int) else None
    if cause is None:
        reason = safe_text(str(error), limit=160)
        return LedgerError(
            f"The ledger {_shown(path)} cannot be used: {reason}.",
            "Close opdash and start it again; if this stays, move the ledger away.",
        )
    return LedgerError(f"The ledger {_shown(path)} {cause[0]}", cause[1])


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)
