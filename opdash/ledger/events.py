"""The log of changes: what ``opdash watch`` and hooks are told, in the order in which it happened.

A row is written by the transaction that changes a payment, so nothing that the ledger knows is
missing in the log and nothing in it did not happen, whichever opdash wrote it. It holds what an
ordinary life changes (state, flags, what was received), after the change and before it; a payment's
texts, what it asks for and its expiry are read from the payment, as they are known now.

A payment that was created before its wallet address was first watched is history: that it is seen
for the first time is no event.

An event's number is never given twice, and rises with every commit. ``event_log`` names the log by
a word of chance, so that a place in another ledger's log is known as such.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from opdash.ledger.encoding import STATE_CODES, encode_amount, encode_instant, split_id
from opdash.ledger.records import Announcement, Change, ChangeKind, PaymentRow, Source
from opdash.ledger.rows import Assets

COMPLETED: Final = 1
"""The flag of a payment that the server has closed."""

FINAL: Final = 2
"""The flag of a payment that can no longer change."""

NEEDS_ACTION: Final = 4
"""The flag of a payment that a person should look at."""

NOT_COMPLETED: Final = 8
"""The flag of one that is covered and expired, and was never completed."""

GONE: Final = 16
"""The flag of one that the server no longer has."""

REACHED: Final = 32
"""The flag of one that had received all that was asked."""

_RUNG: Final[Mapping[Announcement, int]] = MappingProxyType({"paid": 4, "received": 8})
_INSERT: Final = """
    INSERT INTO event (wallet_key, payment_key, at, kind, announce, state, flags, received,
                       received_asset_key, former_state, former_received, former_asset_key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class EventWriter:
    """Writes the log of changes, inside the transaction that makes them."""

    def __init__(self, connection: sqlite3.Connection, assets: Assets, wallet_key: int) -> None:
        self._connection = connection
        self._assets = assets
        self._wallet_key = wallet_key

    def write(self, at: datetime, changes: Iterable[tuple[int, Change]]) -> None:
        """Add changes, each with its payment's number."""
        rows = [self._row(at, key, change) for key, change in changes]
        if rows:
            self._connection.executemany(_INSERT, rows)

    def _row(self, at: datetime, key: int, change: Change) -> tuple[Any, ...]:
        before = change.previous
        return (
            self._wallet_key,
            key,
            encode_instant(at),
            change.kind.value,
            change.announce or "",
            *self._values(change.payment),
            None if before is None else STATE_CODES[before.state],
            None if before is None else encode_amount(before.received),
            None if before is None else self._assets.key(before.received_asset),
        )

    def _values(self, row: PaymentRow) -> tuple[Any, ...]:
        return (
            STATE_CODES[row.state],
            flags_of(row),
            encode_amount(row.received),
            self._assets.key(row.received_asset),
        )


def is_history(change: Change, watching_since: datetime | None, source: Source | None) -> bool:
    """Return whether a payment was there before its wallet address was watched.

    Args:
        change: What was observed.
        watching_since: When the wallet address was first observed.
        source: The kind of answer; what opdash created itself is no history.
    """
    if change.kind is not ChangeKind.NEW or source is Source.CREATE:
        return False
    return watching_since is None or change.payment.created_at < watching_since


def flags_of(row: PaymentRow) -> int:
    """Return what is true of a payment, as the sum of flags."""
    truths = (
        (row.completed, COMPLETED),
        (row.final, FINAL),
        (row.needs_action, NEEDS_ACTION),
        (row.not_completed_by_server, NOT_COMPLETED),
        (row.no_longer_at_server, GONE),
        (row.reached_at is not None, REACHED),
    )
    return sum(flag for is_so, flag in truths if is_so)


def claim_notice(
    connection: sqlite3.Connection, wallet_key: int, payment_id: str, what: Announcement
) -> bool:
    """Mark that somebody rings for a payment; return whether nobody did before."""
    bit = _RUNG[what]
    base, segment = split_id(payment_id)
    changed = connection.execute(
        """UPDATE payment SET announced = announced | ?
           WHERE segment = ? AND wallet_key = ? AND announced & ? = 0
             AND base_key = (SELECT base_key FROM base WHERE url = ?)""",
        (bit, segment, wallet_key, bit, base),
    )
    return changed.rowcount == 1
