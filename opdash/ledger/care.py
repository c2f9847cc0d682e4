"""Looking after the ledger's file: checking, compacting and moving it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from opdash.errors import LedgerError
from opdash.ledger import schema
from opdash.ledger.database import explained, open_for_writing
from opdash.ledger.note_rows import count_marks_amiss, set_marks_right
from opdash.ledger.sheets import begin_sheets_anew, count_sheets_amiss
from opdash.ledger.wallets import added_up
from opdash.safetext import safe_text

_SHARED_FIRST: Final = 0x40000002
_SHARED_SIZE: Final = 510
"""The bytes that every SQLite connection of the write-ahead kind keeps locked while it is open."""

_MOST_PROBLEMS: Final = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What, in one or two words.
        text: What was found.
        ok: Whether it is as it must be.
    """

    subject: str
    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    Attributes:
        findings: In the order in which they were looked at.
        damaged: Whether the file itself cannot be trusted any more.
        figures_are_off: Whether figures are not what the payments add up to; they can be set right.
    """

    findings: tuple[Finding, ...]
    damaged: bool = False
    figures_are_off: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything is as it must be."""
        return all(finding.ok for finding in self.findings)


def check(path: Path) -> Health:
    """Look whether a ledger is sound; changes nothing.

    Raises:
        LedgerError: There is none, or it cannot be opened at all.
    """
    if not path.exists():
        raise LedgerError(f"There is no ledger at {_shown(path)}.", "Start opdash once.")
    findings = [Finding("file", f"{path}, {size_of(path):,} bytes")]
    if not path.stat().st_size and size_of(path):
        # SQLite takes an empty file for a new one, and throws its write-ahead log away.
        findings.append(Finding("integrity", "the file is empty, its log is not", ok=False))
        return Health(tuple(findings), damaged=True)
    try:
        with closing(_opened(path)) as connection:
            return _check(connection, findings)
    except sqlite3.DatabaseError as error:
        if _code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            with explained(path):
                raise
        findings.append(Finding("integrity", safe_text(str(error), limit=160), ok=False))
        return Health(tuple(findings), damaged=True)


def _check(connection: sqlite3.Connection, findings: list[Finding]) -> Health:
    connection.execute("BEGIN")  # another opdash may be writing meanwhile
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if mark != schema.APPLICATION_ID:
        findings.append(Finding("kind", "a database of another program", ok=False))
        return Health(tuple(findings))
    findings.append(Finding("kind", "an opdash ledger"))
    findings.append(_version(version))
    problems = [text for (text,) in connection.execute("PRAGMA integrity_check(10)")]
    damaged = problems != ["ok"]
    text = "; ".join(safe_text(problem, limit=120) for problem in problems[:_MOST_PROBLEMS])
    findings.append(Finding("integrity", text, ok=not damaged))
    if damaged or version != schema.VERSION:
        return Health(tuple(findings), damaged=damaged)
    strays = len(connection.execute("PRAGMA foreign_key_check").fetchmany(1000))
    findings.append(
        Finding("references", f"{strays:,} lead nowhere" if strays else "ok", ok=not strays)
    )
    findings.append(_counts(connection))
    off = _figures_that_are_off(connection)
    if amiss := count_sheets_amiss(connection):
        off.append(f"{amiss:,} sheets, which searches read, do not say what payments say")
    if amiss := count_marks_amiss(connection):
        off.append(f"{amiss:,} payments do not say what was written on them")
    figures = "; ".join(off) if off else "as the payments add up"
    findings.append(Finding("figures", figures, ok=not off))
    return Health(tuple(findings), damaged=strays > 0, figures_are_off=bool(off))


def _version(version: int) -> Finding:
    if version > schema.VERSION:
        text = f"{version}, of a newer opdash; this one reads up to {schema.VERSION}"
        return Finding("version", text, ok=False)
    if version < schema.VERSION:
        return Finding("version", f"{version}; opdash brings it up to date when it starts")
    return Finding("version", str(version))


def _counts(connection: sqlite3.Connection) -> Finding:
    tables = {
        "payment": ("payment", "payments"),
        "entry": ("step of time lines", "steps of time lines"),
        "wallet": ("wallet", "wallets"),
    }
    counts = {
        words: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
        for table, words in tables.items()
    }
    (unseen,) = connection.execute(
        "SELECT COUNT(*) FROM payment WHERE payment_key NOT IN (SELECT payment_key FROM sight)"
    ).fetchone()
    text = ", ".join(
        f"{count:,} {one if count == 1 else many}" for (one, many), count in counts.items()
    )
    if unseen:
        return Finding("contents", f"{text}; {unseen:,} payments were never seen", ok=False)
    return Finding("contents", text)


def _figures_that_are_off(connection: sqlite3.Connection) -> list[str]:
    off: list[str] = []
    for key, address, known, total in connection.execute(
        "SELECT wallet_key, address, known, received_total FROM wallet"
    ).fetchall():
        counted, added = added_up(connection, key)
        shown = safe_text(address, limit=120)
        if known != counted:
            off.append(f"{shown}: {known:,} payments are said to be known, {counted:,} are")
        if total != str(added):
            off.append(f"{shown}: {total} is said to be received in all, it adds up to {added}")
    return off


def set_figures_right(path: Path) -> None:
    """Compute the figures of every wallet address anew from its payments.

    Sheets that are not right are thrown away; opdash writes them anew when it runs.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    with closing(open_for_writing(path)) as connection, explained(path):
        connection.execute("BEGIN IMMEDIATE")
        for (key,) in connection.execute("SELECT wallet_key FROM wallet").fetchall():
            counted, added = added_up(connection, key)
            connection.execute(
                """UPDATE wallet SET known = ?, received_total = ?, revision = revision + 1
                   WHERE wallet_key = ?""",
                (counted, str(added), key),
            )
        if count_sheets_amiss(connection):
            begin_sheets_anew(connection)
        set_marks_right(connection)
        connection.execute("COMMIT")


def compact(path: Path) -> tuple[int, int]:
    """Give the room of deleted rows back to the disk.

    Returns:
        The size in bytes before and after.

    Raises:
        LedgerError: The ledger cannot be written, or another opdash is writing.
    """
    with closing(open_for_writing(path)) as connection, explained(path):
        before = size_of(path)
        connection.execute("VACUUM")
        connection.execute("PRAGMA optimize")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return before, size_of(path)


def move(path: Path, directory: Path) -> Path:
    """Move a ledger to another directory: copied, checked there, and only then removed here.

    Returns:
        Where it is now.

    Raises:
        LedgerError: Another opdash has it open, there is a ledger already, or it cannot be written
            there; the ledger is then where it was.
    """
    target = directory / path.name
    if target.exists():
        raise LedgerError(
            f"There is a ledger at {_shown(target)} already.", "Choose another directory."
        )
    _fold(path)
    with explained(target):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    coming = target.with_name(f"{target.name}.moving")
    with held_alone(path) as descriptor:
        try:
            with explained(target):
                _copy(descriptor, coming)
                with closing(_opened(coming)) as connection:
                    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise LedgerError(
                        "The copy is not what the ledger is; nothing was moved.",
                        "Check both with “opdash ledger check”.",
                    )
                os.link(coming, target)  # unlike a renaming, this never overwrites
                sync_directory(directory)
        finally:
            coming.unlink(missing_ok=True)
        with explained(path):
            path.unlink()
    return target


@contextmanager
def held_alone(path: Path) -> Iterator[int]:
    """Keep every other process from opening a ledger; gives the file, open.

    It must not be opened a second time meanwhile: closing that would let go of the lock.

    Raises:
        LedgerError: Another one has it open, or it cannot be opened.
    """
    with explained(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except OSError as error:
            raise _in_use(path) from error
        yield descriptor
    finally:
        os.close(descriptor)


def size_of(path: Path) -> int:
    """Return the bytes that a ledger takes on the disk, with what is not yet written back."""
    files = (path.with_name(path.name + companion) for companion in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _fold(path: Path) -> None:
    """Write everything back into the one file; only possible while nobody else has it open."""
    with closing(open_for_writing(path)) as connection:
        connection.execute("PRAGMA busy_timeout = 500")
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        except sqlite3.OperationalError as error:
            if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise _in_use(path) from error
            with explained(path):
                raise


def _copy(source: int, target: Path) -> None:
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as new:
        at = 0
        while some := os.pread(source, 1024 * 1024, at):
            new.write(some)
            at += len(some)
        new.flush()
        os.fsync(new.fileno())


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5.0)
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")
    return connection


def _in_use(path: Path) -> LedgerError:
    return LedgerError(
        f"Another opdash has the ledger {_shown(path)} open.", "Close it, then try again."
    )


def _code(error: sqlite3.Error) -> int:
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else 0


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)
