"""All payments of a wallet address, one after the other, for whoever writes them to a file.

They are handed out as the ledger keeps them (`opdash.ledger.encoding`), because making a
`PaymentRow` of each takes longer than all the rest, and none is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from opdash.ledger.encoding import (
    SCOPES,
    STATES,
    decode_amount,
    decode_instant,
    decode_optional_instant,
)
from opdash.ledger.note_rows import read_notes_of
from opdash.ledger.notes import Note
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import Asset

_AT_ONCE: Final = 500
_NO_NOTES: Final[Mapping[str, Note]] = {}


class PlainPayment(NamedTuple):
    """A payment as it is kept; amounts, instants, states and scopes are encoded.

    Attributes:
        number: The payment's number in the ledger.
        id: Its URL.
        created_at: When the server created it.
        asked: What is asked for, or empty.
        asked_asset: The number of its asset, or None.
        received: What it received.
        received_asset: The number of its asset.
        completed: Whether the server closed it.
        expires_at: When it stops taking money.
        state: The number of its state.
        final: Whether it can no longer change.
        needs_action: Whether a person should look at it.
        not_completed: Expired and covered, and never completed by the server.
        first_seen_at: When it was first observed.
        changed_at: When something of it last changed.
        gone_at: When it was found gone, or None.
        reached_at: When it had first received what was asked, or None.
        anomalies: Codes, parted by blanks.
        reference: As sent.
        description: As sent.
        metadata: The JSON as sent, or empty.
        noted: Whether people wrote something on it; 0 for nothing.
        last_seen_at: When it was last observed.
        scope: The number of the scope under which it was.
    """

    number: int
    id: str
    created_at: int
    asked: str
    asked_asset: int | None
    received: str
    received_asset: int
    completed: int
    expires_at: int
    state: int
    final: int
    needs_action: int
    not_completed: int
    first_seen_at: int
    changed_at: int
    gone_at: int | None
    reached_at: int | None
    anomalies: str
    reference: str
    description: str
    metadata: str
    noted: int
    last_seen_at: int
    scope: int


class Batch(NamedTuple):
    """Some payments, and what people wrote on those that have anything, by URL."""

    payments: Sequence[PlainPayment]
    notes: Mapping[str, Note]


def as_row(
    plain: PlainPayment, wallet: str, asset: Callable[[int], Asset], note: Note
) -> PaymentRow:
    """Return a payment as the rest of opdash knows it.

    Args:
        plain: The payment.
        wallet: Its wallet address.
        asset: Returns the asset of a number.
        note: What people wrote on it.
    """
    asked, received = decode_amount(plain.asked), decode_amount(plain.received) or 0
    asked_asset = None if plain.asked_asset is None else asset(plain.asked_asset)
    received_asset = asset(plain.received_asset)
    return PaymentRow(
        id=plain.id,
        wallet=wallet,
        state=STATES[plain.state],
        final=bool(plain.final),
        needs_action=bool(plain.needs_action),
        not_completed_by_server=bool(plain.not_completed),
        no_longer_at_server=plain.gone_at is not None,
        next_change_at=None,
        asked=asked,
        asked_asset=asked_asset,
        received=received,
        received_asset=received_asset,
        difference=received - asked if asked and asked_asset == received_asset else None,
        completed=bool(plain.completed),
        created_at=decode_instant(plain.created_at),
        expires_at=decode_optional_instant(plain.expires_at),
        reference=plain.reference,
        description=plain.description,
        metadata_json=plain.metadata,
        first_seen_at=decode_instant(plain.first_seen_at),
        last_seen_at=decode_instant(plain.last_seen_at),
        changed_at=decode_instant(plain.changed_at),
        gone_at=decode_optional_instant(plain.gone_at),
        reached_at=decode_optional_instant(plain.reached_at),
        scope=SCOPES[plain.scope],
        anomalies=tuple(plain.anomalies.split()),
        note=note,
    )


_SELECT: Final = """
    SELECT p.payment_key, b.url || p.segment, p.created_at, p.asked, p.asked_asset_key,
           p.received, p.received_asset_key, p.completed, p.expires_at, p.state, p.final,
           p.needs_action, p.not_completed, p.first_seen_at, p.changed_at, p.gone_at, p.reached_at,
           p.anomalies, p.reference, p.description, p.metadata, p.noted, s.last_seen_at, s.scope
    FROM payment p
    CROSS JOIN sight s ON s.payment_key = p.payment_key
    CROSS JOIN base b ON b.base_key = p.base_key
"""
_HAS_STEP: Final = """
    p.payment_key IN (SELECT payment_key FROM entry WHERE entry_key > ? AND +wallet_key = ?)
"""


def read_batches(
    connection: sqlite3.Connection,
    wallet_key: int,
    address: str,
    keys: Sequence[int] | None,
    after: int,
) -> Iterator[Batch]:
    """Yield payments, oldest first; inside a transaction.

    Args:
        connection: The ledger.
        wallet_key: The wallet address's number.
        address: The wallet address.
        keys: Which, by their numbers, newest first; None for all.
        after: Leaves out payments without a step whose number is greater; 0 leaves out none.
    """
    for payments in _read(connection, wallet_key, keys, after):
        noted = [payment.id for payment in payments if payment.noted]
        notes = read_notes_of(connection, address, noted) if noted else _NO_NOTES
        yield Batch(payments, notes)


def _read(
    connection: sqlite3.Connection, wallet_key: int, keys: Sequence[int] | None, after: int
) -> Iterator[list[PlainPayment]]:
    condition, values = ("", ()) if not after else (f"AND {_HAS_STEP}", (after, wallet_key))
    if keys is None:
        found = connection.execute(
            f"""{_SELECT} WHERE p.wallet_key = ? {condition}
                ORDER BY p.created_at, p.tie""",
            (wallet_key, *values),
        )
        while some := found.fetchmany(_AT_ONCE):
            yield list(map(PlainPayment._make, some))
        return
    for end in range(len(keys), 0, -_AT_ONCE):
        wanted = keys[max(end - _AT_ONCE, 0) : end]
        marks = ", ".join("?" * len(wanted))
        rows: list[tuple[Any, ...]] = connection.execute(
            f"{_SELECT} WHERE p.payment_key IN ({marks}) {condition}", (*wanted, *values)
        ).fetchall()
        places = {key: place for place, key in enumerate(wanted)}
        rows.sort(key=lambda columns: -places[columns[0]])
        if rows:
            yield list(map(PlainPayment._make, rows))
