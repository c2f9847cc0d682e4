"""What became of a wallet's payments, whoever wrote it into the ledger.

Another opdash may work on the same ledger: a screen, or a command in another terminal. What it
finds first is no news to this process's own polls, so what is printed is found by comparing the
ledger with what was printed before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Announcement,
    Change,
    ChangeKind,
    PaymentRow,
)
from opdash.ledger.states import PAID_STATES, State

_HEAD = 100


class Follower:
    """Tells how one wallet address's payments differ from when it was last asked.

    Args:
        reader: The ledger.
        wallet_id: The wallet address.
    """

    def __init__(self, reader: LedgerReader, wallet_id: str) -> None:
        self._reader = reader
        self._wallet_id = wallet_id
        self._known = {row.id: row for row in self._head()}
        self._newest = max((row.created_at for row in self._known.values()), default=None)
        for payment in reader.changeable(wallet_id):
            if payment.id not in self._known:
                row = reader.payment(wallet_id, payment.id)
                if row is not None:
                    self._known[row.id] = row

    def news(self, now: datetime, told: Iterable[Change] = ()) -> list[Change]:
        """Return what has changed since the last call, oldest payment first.

        Args:
            now: The server's present instant.
            told: Changes that the service announced; about payments that were final they are the
                only trace.
        """
        before = {change.payment.id: change.previous for change in told}
        changes: list[Change] = []
        for payment_id in self._suspects(now) | before.keys():
            row = self._reader.payment(self._wallet_id, payment_id)
            if row is None:
                continue
            known = self._known.get(payment_id) or before.get(payment_id)
            self._known[payment_id] = row
            if known is None and not self._is_new(row):
                continue
            kind = _kind(row, known)
            if kind is not None:
                changes.append(Change(kind, row, known, _announcement(row, known)))
        return sorted(changes, key=lambda change: change.payment.created_at)

    def _suspects(self, now: datetime) -> set[str]:
        open_now = {
            payment.id: payment.changed_at for payment in self._reader.changeable(self._wallet_id)
        }
        return {*self._moved(open_now, now), *self._unknown(open_now)}

    def _moved(self, open_now: dict[str, datetime], now: datetime) -> Iterator[str]:
        for row in self._known.values():
            is_due = row.next_change_at is not None and row.next_change_at <= now
            if is_due or (not row.final and open_now.get(row.id) != row.changed_at):
                yield row.id

    def _unknown(self, open_now: dict[str, datetime]) -> Iterator[str]:
        yield from (payment_id for payment_id in open_now if payment_id not in self._known)
        yield from (row.id for row in self._head() if row.id not in self._known)

    def _head(self) -> tuple[PaymentRow, ...]:
        return self._reader.window(self._wallet_id, NEWEST_FIRST, 0, _HEAD)

    def _is_new(self, row: PaymentRow) -> bool:
        """Return whether a payment is new, and not an old one of a page fetched just now."""
        return self._newest is None or row.created_at >= self._newest


def _kind(row: PaymentRow, before: PaymentRow | None) -> ChangeKind | None:
    if before is None:
        return ChangeKind.NEW
    if (row.gone_at is None) != (before.gone_at is None):
        return ChangeKind.BACK if row.gone_at is None else ChangeKind.GONE
    if _as_sent(row) != _as_sent(before):
        return ChangeKind.CHANGED
    if (row.state, row.needs_action) != (before.state, before.needs_action):
        return ChangeKind.TIME
    return None


def _as_sent(row: PaymentRow) -> tuple[object, ...]:
    return (
        row.received,
        row.received_asset,
        row.asked,
        row.asked_asset,
        row.completed,
        row.expires_at,
        row.metadata_json,
        row.anomalies,
    )


def _announcement(row: PaymentRow, before: PaymentRow | None) -> Announcement | None:
    if before is not None and before.state in (*PAID_STATES, State.RECEIVED):
        return None
    if row.state in PAID_STATES:
        return "paid"
    return "received" if row.state is State.RECEIVED else None
