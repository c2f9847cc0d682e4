"""What opdash set out to create: written down before a request is sent."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from opdash.errors import LedgerError
from opdash.ledger.encoding import decode_instant, encode_instant
from opdash.ledger.records import UNRESOLVED, Creation, CreationStatus
from opdash.safetext import safe_text

_SELECT: Final = """
    SELECT request_id, address, draft_json, status, created_at, updated_at, payment_id, error
    FROM creation JOIN wallet USING (wallet_key)
"""


def insert_creation(connection: sqlite3.Connection, wallet_key: int, creation: Creation) -> None:
    """Write down a new creation.

    Raises:
        LedgerError: Its request id is taken.
    """
    if read_creation(connection, creation.request_id) is not None:
        raise LedgerError(
            f"A payment with the request id {safe_text(creation.request_id, limit=80)} "
            "was begun before.",
            "Look at it in the list before you create another.",
        )
    connection.execute(
        "INSERT INTO creation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            creation.request_id,
            wallet_key,
            creation.draft_json,
            creation.status.value,
            encode_instant(creation.created_at),
            encode_instant(creation.updated_at),
            creation.payment_id,
            creation.error,
        ),
    )


def change_creation(
    connection: sqlite3.Connection,
    request_id: str,
    status: CreationStatus,
    at: datetime,
    payment_id: str | None,
    error: str,
) -> Creation:
    """Write how far a creation has come, and return it.

    Raises:
        LedgerError: There is none of that request id.
    """
    connection.execute(
        """UPDATE creation SET status = ?, updated_at = ?, error = ?,
                  payment_id = COALESCE(?, payment_id)
           WHERE request_id = ?""",
        (status.value, encode_instant(at), error, payment_id, request_id),
    )
    creation = read_creation(connection, request_id)
    if creation is None:
        raise LedgerError(
            f"The ledger has no creation {safe_text(request_id, limit=80)}.",
            "Look for the payment in the list.",
        )
    return creation


def read_creation(connection: sqlite3.Connection, request_id: str) -> Creation | None:
    """Return a creation by its request id, or None."""
    found = connection.execute(f"{_SELECT} WHERE request_id = ?", (request_id,)).fetchone()
    return None if found is None else _decode(found)


def read_unresolved(connection: sqlite3.Connection, address: str) -> tuple[Creation, ...]:
    """Return the creations of a wallet address whose end is not known, oldest first."""
    marks = ", ".join("?" * len(UNRESOLVED))
    found = connection.execute(
        f"{_SELECT} WHERE address = ? AND status IN ({marks}) ORDER BY created_at, request_id",
        (address, *(status.value for status in UNRESOLVED)),
    )
    return tuple(map(_decode, found))


def read_since(
    connection: sqlite3.Connection, address: str, since: datetime
) -> tuple[Creation, ...]:
    """Return the creations of a wallet address since an instant, newest first."""
    found = connection.execute(
        f"{_SELECT} WHERE address = ? AND created_at >= ? ORDER BY created_at DESC, request_id",
        (address, encode_instant(since)),
    )
    return tuple(map(_decode, found))


def _decode(columns: tuple[str, str, str, str, int, int, str | None, str]) -> Creation:
    request_id, wallet, draft_json, status, created_at, updated_at, payment_id, error = columns
    return Creation(
        request_id=request_id,
        wallet=wallet,
        draft_json=draft_json,
        status=CreationStatus(status),
        created_at=decode_instant(created_at),
        updated_at=decode_instant(updated_at),
        payment_id=payment_id,
        error=error,
    )
