"""A ledger of version 1 with a bit of everything in it.

``python -m tests.ledger.version_1`` writes it as SQL to ``data/version_1.sql``. Once a release has
gone out with version 1, that file is never written again: later versions are tested against it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

from opdash.ledger.records import (
    Creation,
    CreationStatus,
    Scope,
    Source,
    TimelineKind,
    WalkState,
)
from tests.ledger.builders import ADDRESS, NOW, OTHER, Book, page_place, payment, payment_id

DUMP = Path(__file__).parent / "data" / "version_1.sql"


def fill(path: Path) -> None:
    """Make the ledger."""
    book = Book(path)
    soon = NOW + timedelta(minutes=1)
    with book.ledger:
        book.ledger.remember_wallet(OTHER, NOW)
        book.record(
            payment("short", received=40, metadata={"externalRef": "INV-1", "description": "Lamp"}),
            payment("tip", asked=None, received=2**64 - 1, expires=None),
            payment("odd", asked=5, asked_code="EUR"),
            page=page_place(start="short", end="odd", more=True),
            scope=Scope.EVERYTHING,
        )
        book.record(payment("new", asked=700), source=Source.CREATE)
        book.record(payment("short", received=50, completed=True), at=soon, source=Source.GET)
        book.mark_gone("new", at=soon)
        book.ledger.record_action(ADDRESS, payment_id("short"), TimelineKind.COMPLETING, at=soon)
        book.ledger.set_walk_state(
            ADDRESS,
            Scope.EVERYTHING,
            WalkState(cursor="odd", server_has_more=True, updated_at=soon, gaps=("short",)),
        )
        book.ledger.set_last_poll(ADDRESS, soon)
        book.ledger.begin_creation(
            Creation(
                request_id="r-1",
                wallet=ADDRESS,
                draft_json='{"walletAddress":"x"}',
                status=CreationStatus.INTENDED,
                created_at=NOW,
                updated_at=NOW,
            )
        )
        book.ledger.update_creation("r-1", CreationStatus.UNKNOWN, at=soon, error="No answer.")


def dump(path: Path) -> str:
    """Return a ledger as SQL, with the two numbers that a dump leaves out."""
    connection = sqlite3.connect(path)
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    lines = [
        f"PRAGMA application_id = {mark};",
        f"PRAGMA user_version = {version};",
        *connection.iterdump(),
    ]
    connection.close()
    return "\n".join(lines) + "\n"


def load(path: Path) -> None:
    """Make the database that `DUMP` describes."""
    connection = sqlite3.connect(path)
    connection.executescript(DUMP.read_text())
    connection.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.sqlite3"
        fill(path)
        DUMP.write_text(dump(path))


if __name__ == "__main__":
    main()
