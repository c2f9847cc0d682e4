"""What people decided about invoices and payments: kept for ever, and never rewritten.

A decision is a row; taking it back marks the row and deletes nothing.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from opdash.errors import InputError
from opdash.ledger.encoding import decode_instant, encode_instant

_STANDS: Final = 0
_SELECT: Final = """
    SELECT decision_key, address, kind, invoice, payment, amount, at, undone_at
    FROM decision JOIN wallet USING (wallet_key)
"""


class DecisionKind(StrEnum):
    """What was decided of an invoice and a payment."""

    LINK = "link"
    """They belong together."""
    REJECTION = "rejection"
    """They do not."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a person.

    Attributes:
        id: Its number; never used again.
        wallet: The wallet address whose payment it is about.
        kind: What was decided.
        invoice: The invoice's number, as written in the merchant's file.
        payment_id: The payment's URL.
        amount: Minor units of the payment's asset that are the invoice's; None for all that no
            other link of the payment takes, and for a rejection.
        decided_at: When, UTC.
        undone_at: When it was taken back, UTC, or None while it stands.
    """

    id: int
    wallet: str
    kind: DecisionKind
    invoice: str
    payment_id: str
    amount: int | None
    decided_at: datetime
    undone_at: datetime | None

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return self.undone_at is None


class Verdict(msgspec.Struct, frozen=True):
    """What a person decides now; the fields mean what those of `Decision` do."""

    wallet: str
    kind: DecisionKind
    invoice: str
    payment_id: str
    amount: int | None = None


def insert_decision(
    connection: sqlite3.Connection,
    wallet_key: int,
    kind: DecisionKind,
    invoice: str,
    payment_id: str,
    amount: int | None,
    at: datetime,
) -> Decision:
    """Write down a decision; another one about the same pair no longer stands.

    One that says the same as what stands changes nothing.
    """
    written = None if amount is None else str(amount)
    standing = connection.execute(
        """SELECT decision_key, kind, amount FROM decision
           WHERE wallet_key = ? AND invoice = ? AND payment = ? AND undone_at = ?""",
        (wallet_key, invoice, payment_id, _STANDS),
    ).fetchall()
    for key, known_kind, known_amount in standing:
        if (known_kind, known_amount) == (kind.value, written):
            return _read(connection, key)
    connection.executemany(
        "UPDATE decision SET undone_at = ? WHERE decision_key = ?",
        [(encode_instant(at), key) for key, *_ in standing],
    )
    cursor = connection.execute(
        """INSERT INTO decision (wallet_key, kind, invoice, payment, amount, at, undone_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (wallet_key, kind.value, invoice, payment_id, written, encode_instant(at), _STANDS),
    )
    return _read(connection, int(cursor.lastrowid or 0))


def mark_undone(
    connection: sqlite3.Connection, wallet_key: int, decision_id: int, at: datetime
) -> Decision:
    """Take a decision back; one that was taken back before stays as it is.

    Raises:
        InputError: The wallet address has no such decision.
    """
    known = connection.execute(
        "SELECT 1 FROM decision WHERE decision_key = ? AND wallet_key = ?",
        (decision_id, wallet_key),
    ).fetchone()
    if known is None:
        raise InputError(
            f"There is no decision {decision_id}.", "See “opdash reconcile decisions”."
        )
    connection.execute(
        "UPDATE decision SET undone_at = ? WHERE decision_key = ? AND undone_at = ?",
        (encode_instant(at), decision_id, _STANDS),
    )
    return _read(connection, decision_id)


def read_decisions(connection: sqlite3.Connection, address: str) -> tuple[Decision, ...]:
    """Return all decisions about a wallet address's payments, oldest first."""
    found = connection.execute(f"{_SELECT} WHERE address = ? ORDER BY decision_key", (address,))
    return tuple(map(_decode, found))


def _read(connection: sqlite3.Connection, key: int) -> Decision:
    return _decode(connection.execute(f"{_SELECT} WHERE decision_key = ?", (key,)).fetchone())


def _decode(columns: tuple[int, str, str, str, str, str | None, int, int]) -> Decision:
    key, address, kind, invoice, payment_id, amount, at, undone_at = columns
    return Decision(
        id=key,
        wallet=address,
        kind=DecisionKind(kind),
        invoice=invoice,
        payment_id=payment_id,
        amount=None if amount is None else int(amount),
        decided_at=decode_instant(at),
        undone_at=None if undone_at == _STANDS else decode_instant(undone_at),
    )
