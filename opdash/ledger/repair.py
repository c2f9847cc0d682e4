"""Putting a sound ledger in the place of a damaged one, which is kept beside it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from opdash.errors import LedgerError
from opdash.ledger import schema
from opdash.ledger.care import held_alone, sync_directory
from opdash.ledger.database import explained, open_for_writing
from opdash.ledger.pages import Pages
from opdash.ledger.salvage import VERSION, Salvage, salvage
from opdash.safetext import safe_text

_COMPANIONS: Final = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of a damaged ledger.

    Attributes:
        kept: What it is called now, as it was.
        saved: What the new one took over; there is no new one where that is nothing.
    """

    kept: Path
    saved: Salvage


def repair(path: Path, now: datetime) -> Repaired:
    """Make a new ledger of what can be read of a damaged one, and keep that beside it.

    Whatever interrupts it, the damaged file is there, whole, under one of the two names.

    Args:
        path: The damaged ledger.
        now: For the name under which it is kept.

    Raises:
        LedgerError: It is of a newer opdash, another opdash has it open, or there is no room for a
            new one; nothing was changed.
    """
    kept = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    with explained(path), held_alone(path) as descriptor, _coming(path) as coming:
        saved = _take_over(path, descriptor, coming)
        os.link(path, kept)  # unlike a renaming, this never overwrites
        for companion in _companions(path):
            os.link(companion, kept.with_name(companion.name.replace(path.name, kept.name, 1)))
        for companion in _companions(path):
            companion.unlink()
        if saved.anything:
            coming.replace(path)
        else:
            path.unlink()
        sync_directory(path.parent)
    return Repaired(kept, saved)


def _take_over(path: Path, descriptor: int, coming: Path) -> Salvage:
    with _log_of(path) as log:
        pages = Pages(descriptor, log)
        if (pages.version or 0) > schema.VERSION:
            raise LedgerError(
                f"The ledger {safe_text(str(path), limit=200)} was written by a newer opdash.",
                "Repair it with that one; nothing was changed.",
            )
        with explained(coming), closing(_new_ledger(coming)) as connection:
            saved = salvage(pages, connection)
        open_for_writing(coming).close()
        return saved


def _new_ledger(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        schema.migrate(connection, schema.MIGRATIONS[:VERSION])
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _coming(path: Path) -> Iterator[Path]:
    """Give the new ledger's name while it is made; what is left under it goes."""
    coming = path.with_name(f"{path.name}.repairing")

    def clear() -> None:
        for one in (coming, *_companions(coming)):
            one.unlink(missing_ok=True)

    clear()
    try:
        yield coming
    finally:
        clear()


@contextmanager
def _log_of(path: Path) -> Iterator[int | None]:
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        yield None
        return
    descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _companions(path: Path) -> list[Path]:
    companions = (path.with_name(path.name + ending) for ending in _COMPANIONS)
    return [companion for companion in companions if companion.exists()]
