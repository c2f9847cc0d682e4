"""Receipts one by one, as books keep them: each observed step of what a payment received.

A step is told by the payment's URL and what had been received after it, so the same step has the
same `ReceiptStep.id` whenever it is read. A payment that had received something when it was first
seen, as all have after a ledger was built anew from the server, has one step for all of that.

Received must never go down (`opdash.ledger.records.Anomaly.RECEIVED_FELL`). Where it did, that is a
step with a negative delta, so that the steps of a payment always add up to what it received. Only
where the asset changed they need not: what was received in the former one is not known any more.

A reader yields steps in the order of their instants and keeps none of them.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from typing import Any, Final

import msgspec

from opdash.ledger.encoding import decode_amount, decode_instant, encode_instant
from opdash.ledger.records import Anomaly, TimelineKind
from opdash.ledger.rows import Assets
from opdash.openpayments.amounts import Asset

_AT_ONCE: Final = 200
_EARLIEST: Final = -(2**63)
_LATEST: Final = 2**63 - 1
_AT_LEAST_ONE_LOOK: Final = frozenset({TimelineKind.FIRST_SEEN.value, TimelineKind.NOTE.value})
_AT_FIRST_LOOK: Final = frozenset({TimelineKind.FIRST_SEEN.value, TimelineKind.CREATED.value})
_COLUMNS: Final = """
    e.entry_key, e.payment_key, e.at, e.kind, e.received, e.delta,
    b.url || p.segment, p.received_asset_key, p.reference, p.description, p.anomalies
"""
_JOINED: Final = """
    CROSS JOIN payment p ON p.payment_key = e.payment_key
    CROSS JOIN base b ON b.base_key = p.base_key
"""
# As in `opdash.ledger.receipts`: what was there at the first look is as old as the payment.
_OTHER_INSTANT: Final = """
    CASE e.kind WHEN 'first-seen' THEN MIN(p.created_at, e.at)
                WHEN 'created' THEN MIN(p.created_at, e.at) ELSE e.at END
"""


class ReceiptStep(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One observed change of what a payment received.

    Attributes:
        payment_id: The payment's URL.
        payment_number: The payment's number in the ledger, as `LedgerReader.matches` gives it.
        entry: The number of the step among all steps of the ledger; later ones are greater.
        received: Minor units received after this step.
        delta: By how many it rose; negative where the server took something back.
        at: When it arrived, as far as is known, in UTC: when the rise was observed; for what
            was there at the first look the server's own stamp, or the payment's creation.
        asset: What is counted.
        reference: The payment's, as sent; empty where there is none.
        description: The payment's, as sent; empty where there is none.
        falls: How often received had gone down by then, this step included.
        may_be_several: Whether this was there when the payment was first seen, or stands for
            steps that were lost, so that several receipts may be in it.
        looked_at: When the payment was first looked at, in UTC, where this was there by then:
            it arrived between its creation and that look. None for a rise that was observed.
        asset_changed: Whether the payment's asset changed at the server, so that its steps need
            not be in this asset, nor add up.
    """

    payment_id: str
    payment_number: int
    entry: int
    received: int
    delta: int
    at: datetime
    asset: Asset
    reference: str
    description: str
    falls: int = 0
    may_be_several: bool = False
    looked_at: datetime | None = None
    asset_changed: bool = False

    @property
    def id(self) -> str:
        """What names this step for ever: the URL and what had been received after it.

        Where received went down before, the same sum may be reached again; how often it went down
        then is part of the name.
        """
        again = f".{self.falls}" if self.falls else ""
        return f"{self.payment_id}#{self.received}{again}"


def read_steps(
    connection: sqlite3.Connection,
    assets: Assets,
    wallet_key: int,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    after: int = 0,
) -> Iterator[ReceiptStep]:
    """Yield the steps of a wallet address's payments, oldest first; inside a transaction.

    Args:
        connection: The ledger.
        assets: Its assets.
        wallet_key: The wallet address's number.
        start: The earliest instant that counts, or None.
        end: The instant before which steps count, or None.
        after: Leaves out steps whose number is not greater.
    """
    first = _EARLIEST if start is None else encode_instant(start)
    last = _LATEST if end is None else encode_instant(end) - 1
    falls = _falls(connection, wallet_key)
    usual = connection.execute(
        f"""SELECT e.receipt_at, {_COLUMNS}
            FROM entry e INDEXED BY entry_by_receipt {_JOINED}
            WHERE e.wallet_key = ? AND e.receipt_at BETWEEN ? AND ? AND e.entry_key > ?
            ORDER BY e.receipt_at, e.entry_key""",  # noqa: S608 - texts of this file
        (wallet_key, first, last, after),
    )
    # In another asset than the wallet address's, going down, or standing for what was lost.
    others = connection.execute(
        f"""SELECT {_OTHER_INSTANT} AS instant, {_COLUMNS}
            FROM entry e NOT INDEXED {_JOINED}
            WHERE e.entry_key > ? AND e.wallet_key = ? AND e.receipt_at IS NULL
              AND e.delta IS NOT NULL AND instant BETWEEN ? AND ?
            ORDER BY instant, e.entry_key""",  # noqa: S608 - texts of this file
        (after, wallet_key, first, last),
    )
    for columns in merge(_all(usual), _all(others), key=_by_instant):
        yield _decode(columns, assets, falls)


def last_entry(connection: sqlite3.Connection) -> int:
    """Return the number of the last step of all time lines; 0 where there is none."""
    (last,) = connection.execute("SELECT MAX(entry_key) FROM entry").fetchone()
    return last or 0


def _falls(connection: sqlite3.Connection, wallet_key: int) -> dict[int, list[int]]:
    """Return the steps that went down, for each payment that has any."""
    falls: dict[int, list[int]] = {}
    found = connection.execute(
        """SELECT payment_key, entry_key FROM entry
           WHERE wallet_key = ? AND receipt_at IS NULL AND delta LIKE '-%' ORDER BY entry_key""",
        (wallet_key,),
    )
    for payment_key, entry_key in found:
        falls.setdefault(payment_key, []).append(entry_key)
    return falls


def _decode(columns: tuple[Any, ...], assets: Assets, falls: dict[int, list[int]]) -> ReceiptStep:
    (
        instant,
        entry,
        number,
        observed_at,
        kind,
        received,
        delta,
        payment_id,
        asset_key,
        reference,
        description,
        anomalies,
    ) = columns
    return ReceiptStep(
        payment_id=payment_id,
        payment_number=number,
        entry=entry,
        received=decode_amount(received or "") or 0,
        delta=int(delta),
        at=decode_instant(instant),
        asset=assets[asset_key],
        reference=reference,
        description=description,
        falls=bisect_right(falls[number], entry) if number in falls else 0,
        may_be_several=kind in _AT_LEAST_ONE_LOOK,
        looked_at=decode_instant(observed_at) if kind in _AT_FIRST_LOOK else None,
        asset_changed=bool(anomalies) and Anomaly.ASSET_CHANGED in anomalies.split(),
    )


def _by_instant(columns: tuple[Any, ...]) -> tuple[int, int]:
    return columns[0], columns[1]


def _all(found: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while some := found.fetchmany(_AT_ONCE):
        yield from some
