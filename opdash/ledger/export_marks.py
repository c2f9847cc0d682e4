"""How far each kind of export has come: the last step of the time lines that it has told.

What a kind is, its caller decides; two exports of the same kind follow on from each other. A mark
is written after the file is whole, so an export that failed is made again.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from opdash.ledger.encoding import decode_instant, encode_instant


class ExportMark(msgspec.Struct, frozen=True):
    """How far one kind of export has come.

    Attributes:
        entry: The number of the last step that was told; 0 before the first export.
        at: When that was, UTC, or None.
    """

    entry: int = 0
    at: datetime | None = None


NO_MARK = ExportMark()
"""Nothing has been exported."""


def read_mark(connection: sqlite3.Connection, address: str, kind: str) -> ExportMark:
    """Return how far a kind of export of a wallet address has come."""
    found = connection.execute(
        """SELECT entry_key, at FROM export_mark JOIN wallet USING (wallet_key)
           WHERE address = ? AND kind = ?""",
        (address, kind),
    ).fetchone()
    return NO_MARK if found is None else ExportMark(found[0], decode_instant(found[1]))


def save_mark(
    connection: sqlite3.Connection, wallet_key: int, kind: str, mark: ExportMark, before: ExportMark
) -> bool:
    """Move a mark on, inside a transaction.

    Args:
        connection: The ledger.
        wallet_key: The wallet address's number.
        kind: The kind of export.
        mark: How far it has come.
        before: How far it had come when the export began.

    Returns:
        Whether it was moved; not where another export of that kind has done so meanwhile.
    """
    found = connection.execute(
        "SELECT entry_key FROM export_mark WHERE wallet_key = ? AND kind = ?", (wallet_key, kind)
    ).fetchone()
    if (0 if found is None else found[0]) != before.entry:
        return False
    connection.execute(
        "INSERT OR REPLACE INTO export_mark (wallet_key, kind, entry_key, at) VALUES (?, ?, ?, ?)",
        (wallet_key, kind, mark.entry, encode_instant(mark.at)),
    )
    return True


def clamp_marks(connection: sqlite3.Connection) -> None:
    """Take marks back to the last step there is: numbers of steps that were lost come again."""
    connection.execute(
        """UPDATE export_mark
           SET entry_key = MIN(entry_key, (SELECT COALESCE(MAX(entry_key), 0) FROM entry))"""
    )
